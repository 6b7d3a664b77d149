// Buttons that copy a link.
(() => {
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
