// What Share made goes away when another face, level or layer shows: it is not of that.
(() => {
  const root = document.documentElement;
  const version = () => window.hscViewer?.get("viewer")?.state.version ?? "";
  let shared = "";
  document.addEventListener("viewer:content", (event) => {
    if (event.target.closest?.("#viewer")) root.classList.toggle("share-stale", version() !== shared);
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("#share-face, #clip-kind")) return;
    shared = version();
    root.classList.remove("share-stale");
  });
})();
