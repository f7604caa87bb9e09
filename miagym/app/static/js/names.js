() => {
  // Names for pictures that Gradio shows without one, or twice: whoever cannot see them hears them.
  const name = () => {
    document.querySelectorAll("#check-picture img:not([alt]), #check-picture img[alt='']")
      .forEach((image) => { image.alt = "your picture"; });
    document.querySelectorAll("footer button img[alt]:not([alt='']), footer a img[alt]:not([alt=''])")
      .forEach((image) => { image.alt = ""; });
    document.querySelectorAll("button[aria-label='common.upload']").forEach((button) => {
      button.ariaLabel = button.title = "add files";
      // Gradio puts the button that works into this one, where assistive technology cannot reach
      // it: this one is no button any more, and no stop of the keyboard.
      button.setAttribute("role", "link");
      button.tabIndex = -1;
    });
    // A name is heard only with a role: the place of a figure that is not drawn yet has none.
    document.querySelectorAll(".empty[aria-label]:not([role])")
      .forEach((place) => { place.setAttribute("role", "img"); });
  };
  const told = (alt, isUnreadable) => (event) => {
    if (!event.target.closest || !event.target.closest("#check-picture img")) return;
    event.target.alt = alt;
    event.target.classList.toggle("unreadable", isUnreadable);
  };
  document.addEventListener("load", told("your picture", false), true);
  document.addEventListener("error", told("a file that cannot be shown", true), true);
  new MutationObserver(name).observe(document.body, { childList: true, subtree: true });
  name();
}
