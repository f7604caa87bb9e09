(model, attacks, candidates, queries) => {
  // The form of an evaluation, written into the address.
  const address = new URL(location.href);
  const form = { tab: "evaluate", model, attacks: attacks.join(","), candidates, queries };
  for (const [name, value] of Object.entries(form)) address.searchParams.set(name, value);
  history.replaceState(history.state, "", address);
}
