// A slider of the Edit tab that comes to rest asks for the whole picture: by key, finger or mouse.
(() => {
  let waiting;
  document.addEventListener("input", (event) => {
    if (!event.target.closest?.("#edit-controls .edit, #keep-details")) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => document.querySelector("#edit-settle")?.click(), 350);
  });
})();
