// The Edit room: previews of its sliders (see local_previews.js), presets that are on, and undo.
(() => {
  const $ = (selector) => document.querySelector(selector);

  /** Presets that are on look so; this says it to screen readers. */
  async function sayPresets() {
    await new Promise(requestAnimationFrame);
    for (const button of document.querySelectorAll("#presets .preset")) {
      button.setAttribute("aria-pressed", String(button.classList.contains("on")));
    }
  }

  window.localPreviews.attach("edit", {
    sliders: "#edit-controls",
    prefix: "edit-",
    viewer: "edit-viewer",
    shows: "after",
    also: "#keep-details",
    mayDraw: () => Number($("#keep-details input[type=range]")?.value ?? 1) === 1,
    came: sayPresets,
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-below]");
    if (!link) return;
    event.preventDefault();
    const where = "#edit-more .tab-container:not(.visually-hidden)";
    const tab = $(`${where} [data-tab-id="${link.dataset.below}"]`);
    tab?.click();
    tab?.focus({ preventScroll: true });
    $("#edit-more")?.scrollIntoView({ behavior: "smooth", block: "center" });
  });

  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    const typing = event.target.closest?.("input:not([type=range]), textarea, [contenteditable]");
    if (typing || !$("#editor")?.offsetParent) return;
    event.preventDefault();
    $(event.shiftKey ? "#edit-redo" : "#edit-undo")?.click();
  });
})();
