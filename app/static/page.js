// Stage mode, links to copy, and what Gradio leaves out for people who do not use a mouse.
(() => {
  const stage = new URLSearchParams(location.search).get("stage") === "1";
  if (stage) {
    document.documentElement.classList.add("stage");
    const legend = () => document.body.insertAdjacentHTML("beforeend",
      '<p class="keys"><span><b>← →</b>level</span><span><b>↑</b>FCN</span>' +
      '<span><b>↓</b>SCN</span><span><b>Space</b>slow link</span></p>');
    if (document.readyState === "loading") addEventListener("DOMContentLoaded", legend);
    else legend();
  }

  const press = (range, by) => {
    if (!range) return;
    const step = Number(range.step) * by;
    range.value = Math.min(Number(range.max), Math.max(Number(range.min), Number(range.value) + step));
    range.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const keys = {
    ArrowRight: () => press(document.querySelector("#level input[type=range]"), 1),
    ArrowLeft: () => press(document.querySelector("#level input[type=range]"), -1),
    ArrowUp: () => document.querySelector("#use-fcn input")?.click(),
    ArrowDown: () => document.querySelector("#use-scn input")?.click(),
    " ": () => document.querySelector(".link .start")?.click(),
  };
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable], button");
    if (!stage || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const text = new URL(button.dataset.copy, location.href).href;
    const said = button.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      prompt("Copy this link", text);
    }
    setTimeout(() => { button.textContent = said; }, 1600);
  });
})();
