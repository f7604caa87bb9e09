(...names) => {
  // Opens the tab that the address asks for: `?tab=play`. A click on a tab writes it into the
  // address, so that whoever was faster than the page keeps theirs.
  const asked = new URL(location.href).searchParams.get("tab");
  return { __type__: "update", ...(names.includes(asked) && { selected: asked }) };
}
