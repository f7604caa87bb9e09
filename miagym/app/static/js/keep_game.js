(key) => {
  // The browser's tab keeps the key of its game, which a refresh would forget.
  if (key) sessionStorage.setItem("miagym-game", key);
  return key;
}
