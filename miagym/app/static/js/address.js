() => {
  // The address says which tab is open, so that a refresh, or whoever gets it, finds the same.
  document.addEventListener("click", (event) => {
    const tab = event.target.closest("button[role=tab]");
    const name = tab && /^tab-(\w+)-button$/.exec(tab.id);
    if (!name) return;
    const address = new URL(location.href);
    address.searchParams.set("tab", name[1]);
    history.replaceState(history.state, "", address);
  });
}
