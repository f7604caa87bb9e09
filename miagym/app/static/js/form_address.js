(tab, names, ...values) => {
  // The form of a tab, written into the address; an empty value is left away.
  const address = new URL(location.href);
  address.searchParams.set("tab", tab);
  names.split(" ").forEach((name, i) => {
    const value = String(values[i] ?? "");
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  });
  history.replaceState(history.state, "", address);
}
