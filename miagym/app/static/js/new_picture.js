() => {
  // A picture that is pasted anywhere on the check tab, or dropped where another one stands, takes
  // its place: Gradio itself takes one only at an empty place.
  const place = () => document.querySelector("#check-picture");
  const isInSight = () => place() && place().checkVisibility();
  const pictureOf = (data) =>
    [...((data && data.files) || [])].find((file) => file.type.startsWith("image/"));

  const put = (event, file) => {
    const input = place().querySelector("input[type=file]");
    if (!file || !input) return;
    event.preventDefault();
    event.stopPropagation();
    const holder = new DataTransfer();
    holder.items.add(file);
    input.files = holder.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };

  document.addEventListener("paste", (event) => {
    if (isInSight()) put(event, pictureOf(event.clipboardData));
  });
  document.addEventListener("dragover", (event) => {
    if (isInSight() && place().contains(event.target)) event.preventDefault();
  });
  document.addEventListener("drop", (event) => {
    if (isInSight() && place().contains(event.target)) put(event, pictureOf(event.dataTransfer));
  }, true);
}
