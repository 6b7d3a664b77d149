// ?stage=1: the page for talks. Everything is in one screen and has a key.
(() => {
  const root = document.documentElement;
  if (new URLSearchParams(location.search).get("stage") !== "1") return;
  root.classList.add("stage");

  const HELP = 3000; // ms
  const find = (where) => document.querySelector(where);
  const viewer = () => window.hscViewer?.get("viewer");
  const slides = ["linking", "qr", "blank"]; // classes of <html>; one at a time
  let face = 0;

  function slide(name, on = !root.classList.contains(name)) {
    for (const each of slides) root.classList.toggle(each, on && each === name);
    if (!root.classList.contains("linking")) find(".link .stop:not([hidden])")?.click();
  }

  function level(by) {
    const range = find("#level input[type=range]");
    if (!range) return;
    const to = Number(range.value) + Number(range.step) * by;
    range.value = Math.min(Number(range.max), Math.max(Number(range.min), to));
    range.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function nextFace(by) {
    const faces = [...document.querySelectorAll("#examples .gallery-item")];
    if (!faces.length) return;
    face = (face + by + faces.length) % faces.length;
    faces[face].click();
  }

  /** Original, then the other codecs in as many bytes, on the left of the border. */
  function compare() {
    const shown = viewer();
    if (!shown) return;
    const rivals = ["original", "avif", "webp", "jpeg"].filter((name) => {
      const choice = shown.state.choices.get(name);
      return choice && !choice.missing;
    });
    const at = rivals.indexOf(shown.state.chosen.left);
    shown.choose("left", rivals[(at + 1) % rivals.length]);
    shown.choose("right", shown.state.choices.get("scn+fcn")?.url ? "scn+fcn" : "scn");
    if (shown.state.mode !== "divider") shown.setMode("divider");
  }

  function edit() {
    const name = find("#tabs [role=tab][data-tab-id=edit]")?.getAttribute("aria-selected") === "true"
      ? "compress" : "edit";
    find(`#tabs .tab-container:not(.visually-hidden) [data-tab-id="${name}"]`)?.click();
  }

  /** The code comes with the link, which Share makes; it is asked for the face that shows. */
  function code() {
    if (root.classList.contains("qr")) return slide("qr", false);
    const target = find(".stage-qr");
    target.replaceChildren(Object.assign(document.createElement("p"), { textContent: "Making the code …" }));
    slide("qr", true);
    const made = () => (root.classList.contains("share-stale") ? null : find("#share-link template"));
    const old = made() ? null : find("#share-link template"); // of the face before
    if (!made()) find("#share-face")?.click();
    const look = () => {
      const code = made();
      if (code && code !== old) target.replaceChildren(code.content.cloneNode(true));
      else if (root.classList.contains("qr")) setTimeout(look, 100);
    };
    look();
  }

  const keys = {
    ArrowRight: () => level(1),
    ArrowLeft: () => level(-1),
    ArrowUp: () => find("#use-fcn input")?.click(),
    ArrowDown: () => find("#use-scn input")?.click(),
    " ": () => {
      if (!find(".link")) return find("#welcome [data-choose='0']")?.click();
      slide("linking");
      if (root.classList.contains("linking")) find(".link .start")?.click();
    },
    n: () => nextFace(1),
    p: () => nextFace(-1),
    c: compare,
    d: () => viewer()?.setMode(viewer().state.mode === "difference" ? "divider" : "difference"),
    e: edit,
    q: code,
    b: () => slide("blank"),
    ".": () => slide("blank"), // what presenters' remote controls send
    f: () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen?.()),
    Escape: () => slide("", false),
    "?": () => help(),
  };
  keys.PageDown = keys[" "];

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]");
    const pressing = event.key === " " && event.target.closest?.("button, [role=button], input");
    if (typing || pressing || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = keys[event.key] ?? keys[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }, true);

  let fade;
  function help() {
    const shown = find(".keys");
    shown?.classList.remove("gone");
    clearTimeout(fade);
    fade = setTimeout(() => shown?.classList.add("gone"), HELP);
  }

  function build() {
    const said = [
      ["← →", "level"], ["↑", "likeness"], ["↓", "essence"], ["Space", "slow link"], ["N", "next face"],
      ["C", "compare"], ["D", "difference"], ["E", "edit"], ["Q", "QR code"], ["B", "blank"], ["?", "keys"],
    ];
    document.body.insertAdjacentHTML("beforeend",
      `<p class="keys" role="note">${said.map(([key, words]) =>
        `<span><b>${key}</b>${words}</span>`).join("")}</p>` +
      '<div class="stage-qr" role="dialog" aria-label="The face as a QR code"></div>' +
      '<div class="stage-blank" aria-hidden="true"></div>');
    help();
  }
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", build);
  else build();
})();
