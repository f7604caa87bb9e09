() => {
  // Names for pictures that Gradio shows without one, or twice: whoever cannot see them hears them.
  const name = () => {
    document.querySelectorAll("#check-picture img:not([alt]), #check-picture img[alt='']")
      .forEach((image) => { image.alt = "your picture"; });
    document.querySelectorAll("footer button img[alt]:not([alt='']), footer a img[alt]:not([alt=''])")
      .forEach((image) => { image.alt = ""; });
  };
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
  name();
}
