() => {
  // Names for pictures that Gradio shows without one, or twice: whoever cannot see them hears them.
  const name = () => {
    document.querySelectorAll("#check-picture img:not([alt]), #check-picture img[alt='']")
      .forEach((image) => { image.alt = "your picture"; });
    document.querySelectorAll("footer button img[alt]:not([alt='']), footer a img[alt]:not([alt=''])")
      .forEach((image) => { image.alt = ""; });
  };
  const picture = (event) => event.target.closest && event.target.closest("#check-picture img");
  document.addEventListener("load", (event) => {
    if (picture(event)) event.target.alt = "your picture";
  }, true);
  document.addEventListener("error", (event) => {
    if (picture(event)) event.target.alt = "a file that cannot be shown";
  }, true);
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
  name();
}
