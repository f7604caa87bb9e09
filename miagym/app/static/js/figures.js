() => {
  // Where a page has a base, Plotly names what cuts its curves by the page's address, and a figure
  // loses its curves or their edges once the address changes. It asks the first base only; an
  // empty one before it is none for anybody else.
  document.head.prepend(document.createElement("base"));

  // A figure that is drawn where it cannot be seen, in a folded part or on another tab, has
  // Plotly's own width: it takes that of its place once it is seen.
  const widths = new WeakMap();
  const seen = new ResizeObserver((entries) => {
    const shown = entries.filter(({ target, contentRect }) => {
      const before = widths.get(target) ?? 0;
      widths.set(target, contentRect.width);
      return before === 0 && contentRect.width > 0;
    });
    if (shown.length) window.dispatchEvent(new Event("resize"));
  });
  const watch = () => document.querySelectorAll(".figure").forEach((one) => {
    if (!widths.has(one)) {
      widths.set(one, 0);
      seen.observe(one);
    }
  });
  new MutationObserver(watch).observe(document.body, { childList: true, subtree: true });
  watch();
}
