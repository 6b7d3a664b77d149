// A slider of the Edit tab that comes to rest asks for the whole picture, however it was moved.
(() => {
  let waiting;
  document.addEventListener("input", (event) => {
    if (!event.target.closest?.("#edit-controls .edit, #keep-details")) return;
    clearTimeout(waiting);
    waiting = setTimeout(() => document.querySelector("#edit-settle")?.click(), 350);
  });
})();
