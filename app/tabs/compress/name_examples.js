(labels) => {
  // gr.Dataset gives its buttons no names, and makes them when its tab is first opened.
  const name = () => {
    const buttons = document.querySelectorAll("#examples .gallery-item");
    buttons.forEach((button, number) => button.setAttribute("aria-label", labels[number]));
    return buttons.length > 0;
  };
  if (name()) return;
  const observer = new MutationObserver(() => { if (name()) observer.disconnect(); });
  observer.observe(document.body, { childList: true, subtree: true });
}
