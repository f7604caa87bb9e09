(shown, status, done) => {
  // Scrolls to what is shown. With a status: only if it says `done`, on a phone, where the
  // result stands below the form; elsewhere it would pull away who reads on.
  const ended = () => document.getElementById(status).textContent.includes(done);
  if (status && !(ended() && matchMedia("(max-width: 768px)").matches)) return;
  document.getElementById(shown).scrollIntoView({ behavior: "smooth", block: "nearest" });
}
