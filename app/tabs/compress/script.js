// What the panel of the Compress tab does by itself: the stops of the level, and grey figures while
// those of what was chosen last are on their way.
(() => {
  const slider = () => document.querySelector("#level input[type=range]");

  function press(level) {
    const range = slider();
    if (!range) return;
    range.value = level;
    for (const kind of ["input", "change", "pointerup"]) {
      range.dispatchEvent(new Event(kind, { bubbles: true }));
    }
  }

  function mark() {
    if (!slider()) return;
    const level = Number(slider().value);
    for (const stop of document.querySelectorAll("#stops [data-level]")) {
      stop.setAttribute("aria-pressed", String(Number(stop.dataset.level) === level));
    }
  }

  document.addEventListener("click", (event) => {
    const stop = event.target.closest("#stops [data-level]");
    if (stop) press(stop.dataset.level);
  });
  document.addEventListener("input", (event) => {
    if (event.target === slider()) mark();
  });
  // bytes that come late are of a level that is no longer chosen
  new MutationObserver((changes) => {
    if (changes.some(({ target }) => target.closest?.("#stops"))) mark();
  }).observe(document.documentElement, { childList: true, subtree: true });

  window.hscPending = () => {
    document.querySelector("#panel")?.classList.add("pending");
    window.hscViewer.get("viewer")?.wait();
  };
  document.addEventListener("viewer:content", (event) => {
    if (event.target.closest("#viewer")) document.querySelector("#panel")?.classList.remove("pending");
  });
})();
