// A tab or an accordion that opens for the first time is seen some frames later. Gradio makes its
// fields then, and in a later frame gives them the values that they began with: what a quick hand or
// a script had entered before would be lost.
(() => {
  const FRAMES = 4; // a frame at most for each of Gradio's three waits, and one more
  const opened = new WeakSet();

  document.addEventListener("click", ({ target }) => {
    const button = target.closest?.(".gr-accordion > .label-wrap, .tabs > .tab-wrapper [role=tab]");
    if (!button || opened.has(button)) return;
    opened.add(button);
    const box = button.closest(".gr-accordion, .tabs");
    const count = (box.openings ?? 0) + 1; // another tab may be chosen meanwhile
    box.openings = count;
    box.dataset.opening = "";
    let left = FRAMES;
    const wait = () => {
      left -= 1;
      if (left) requestAnimationFrame(wait);
      else if (box.openings === count) delete box.dataset.opening;
    };
    requestAnimationFrame(wait);
  }, true); // before Gradio, so that these frames are counted from no later than its own
})();
