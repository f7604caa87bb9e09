(blank, percent) => {
  // What a verdict of so many percent would earn, written into the words for "I cannot tell".
  const p = percent / 100, far = Math.abs(p - 0.5);
  const sign = (x) => (x < 0 ? "−" : "+") + Math.abs(x).toFixed(2);
  const side = p > 0.5 ? "it was in the training set" : "it was not in the training set";
  const how = far > 0.47 ? "I am sure that " : far > 0.25 ? "I think that " : "Perhaps ";
  const said = far < 0.005 ? "I cannot tell" : (how + side).replace(/^./, (c) => c.toUpperCase());
  const shown = new DOMParser().parseFromString(blank, "text/html").body;
  const write = (name, text) => { shown.querySelector(`[data-${name}]`).textContent = text; };
  write("said", `${said}.`);
  write("member", sign(1 - 4 * (1 - p) ** 2));
  write("nonmember", sign(1 - 4 * p * p));
  return shown.innerHTML;
}
