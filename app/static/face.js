// The chip in the head opens the chooser of faces; choosing one closes it again. Links in the head,
// and buttons that stand for a choice (data-choose), press what they stand for.
(() => {
  const chooser = () => document.querySelector("#choose");
  const chip = () => document.querySelector("#face-chip .chip");
  const isOpen = () => document.documentElement.classList.contains("choosing");

  function open(on, focus = true) {
    document.documentElement.classList.toggle("choosing", on);
    chip()?.setAttribute("aria-expanded", String(on));
    const box = chooser();
    if (!box) return;
    box.setAttribute("role", "dialog");
    box.setAttribute("aria-label", "Choose a face");
    // gr.Dataset gives its buttons no names
    const names = JSON.parse(box.querySelector("[data-examples]")?.dataset.examples ?? "[]");
    box.querySelectorAll("#examples .gallery-item").forEach((button, number) => {
      button.setAttribute("aria-label", names[number] ?? "");
    });
    if (!focus) return;
    if (on) box.querySelector("button, input, [tabindex='0']")?.focus();
    else chip()?.focus();
  }

  /** The tab of that name, whether its button is in the row or not. */
  function room(name) {
    document.querySelector(`#tabs .tab-container:not(.visually-hidden) [data-tab-id="${name}"]`)?.click();
  }

  document.addEventListener("click", (event) => {
    const { target } = event;
    if (target.closest("#face-chip .chip")) return open(!isOpen());
    const link = target.closest("a[data-room]");
    if (link) {
      event.preventDefault();
      return room(link.dataset.room);
    }
    const choice = target.closest("[data-choose]")?.dataset.choose;
    if (choice === "photo") return document.querySelector("#photo input[type=file]")?.click();
    if (choice === "invent") return document.querySelector("#invent-face")?.click();
    if (choice !== undefined) {
      return document.querySelectorAll("#examples .gallery-item")[Number(choice)]?.click();
    }
    if (target.closest("#examples .gallery-item, #invent-face")) return open(false, false);
    if (isOpen() && !target.closest("#choose") && target.isConnected) open(false, false);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("#photo input[type=file]")) open(false, false);
  });
  document.addEventListener("drop", (event) => {
    if (event.target.closest?.("#choose")) setTimeout(() => open(false, false), 0);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isOpen()) open(false);
    if (event.key === "Enter" && event.target.closest?.("#seed")) open(false, false);
  });
})();
