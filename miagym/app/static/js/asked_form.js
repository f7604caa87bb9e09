(names, first, asked, ...now) => {
  // What the address asks for takes its place in the form. It comes from the server, which takes
  // a while: what a visitor has changed since stays, and is in the address beside the rest.
  // A text that is empty comes as null from the server, and as "" from the form.
  const isSame = (a, b) => JSON.stringify(a ?? "") === JSON.stringify(b ?? "");
  const keeps = first.map((value, i) => asked === null || asked[i] === null || !isSame(value, now[i]));
  const values = now.map((value, i) => (keeps[i] ? value : asked[i]));
  if (asked !== null && !first.every((value, i) => isSame(value, now[i]))) {
    const address = new URL(location.href);
    names.forEach((name, i) => {
      const text = String(values[i] ?? "");
      if (name && text) address.searchParams.set(name, text);
      else if (name) address.searchParams.delete(name);
    });
    history.replaceState(history.state, "", address);
  }
  return values.map((value, i) => ({ __type__: "update", ...(!keeps[i] && { value }) }));
}
