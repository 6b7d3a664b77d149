// Previews while a slider of the Edit tab moves: by the server, or by the receiver's worker in this
// browser. A slider that comes to rest, however it was moved, asks the server for the whole picture.
(() => {
  const AT_REST = 350; // ms
  const LAYERS = ["scn", "scn+fcn"]; // what the worker can open
  const WARM_UP = -1; // id of a preview that is not shown: the first one loads the networks
  const $ = (selector) => document.querySelector(selector);

  let choice = "server"; // the visitor's: where previews come from, once the worker is ready
  let words = ""; // beside the choice
  let move = 0; // counts the moves of sliders
  let resting = 0; // timer of the whole picture; 0 when no slider moves
  let covered = 0; // the last move that a picture of the server covers

  let worker = null;
  let state = "none"; // of the worker: none, loading, idle, busy or failed
  let opened = ""; // the file that the worker has open, or is opening
  let isOpen = false;
  let next = null; // the newest move that the worker has yet to draw
  let warm = false; // the worker has drawn a preview

  function show(root = $("#edit-previews")) {
    if (!root) return;
    root.querySelector(`input[value=${choice}]`).checked = true;
    root.querySelector("output").textContent = words;
  }

  function say(sentence) {
    words = sentence;
    show();
  }

  function source() {
    const { file = "", layers = "" } = $("#edit-source [data-file]")?.dataset ?? {};
    return { file: LAYERS.includes(layers) ? file : "", layers };
  }

  const key = ({ file, layers }) => layers + file;
  const hasFileOpen = () => isOpen && opened === key(source());
  const keepsDetails = () => Number($("#keep-details input[type=range]")?.value ?? 1) === 1;

  /** Amount by name of edit, as the sliders are. */
  function amounts() {
    const sliders = [...document.querySelectorAll("#edit-controls .edit input[type=range]")];
    return Object.fromEntries(
      sliders.map((input) => [input.closest(".edit").id.replace(/^edit-/, ""), Number(input.value)]),
    );
  }

  function start() {
    state = "loading";
    warm = false;
    opened = "";
    isOpen = false;
    worker = new Worker(new URL("receive/worker.js", document.baseURI), { type: "module" });
    worker.onmessage = ({ data }) => answers[data.kind]?.(data);
    worker.onerror = (event) => {
      event.preventDefault();
      giveUp();
    };
    worker.postMessage({ kind: "load" });
  }

  function stop(reason) {
    worker?.terminate();
    worker = next = null;
    state = reason;
    isOpen = false;
  }

  function giveUp() {
    stop("failed");
    remove();
    choice = "server";
    say("This browser cannot draw them.");
  }

  /** Hand an idle worker the file that is edited, unless it has that one. */
  function open() {
    const wanted = source();
    if (state !== "idle" || !wanted.file || opened === key(wanted)) return;
    opened = key(wanted);
    isOpen = false;
    state = "busy";
    const file = Uint8Array.from(atob(wanted.file), (character) => character.charCodeAt(0));
    worker.postMessage({ kind: "open", id: move, file, layers: wanted.layers, render: false });
  }

  function draw(id, values) {
    state = "busy";
    worker.postMessage({ kind: "edit", id, amounts: values, preview: true });
  }

  /** Give an idle worker what there is to do: a file to open, a first preview, or the newest one. */
  function proceed() {
    if (choice === "server") return;
    open();
    if (state !== "idle" || !hasFileOpen()) return;
    if (!warm) {
      const values = amounts();
      const [first] = Object.keys(values); // an edit of nothing runs no network
      draw(WARM_UP, Object.values(values).some(Boolean) ? values : { [first]: 1 });
    } else if (next) {
      draw(next.id, next.amounts);
      next = null;
    }
  }

  const answers = {
    ready() {
      state = "idle";
      proceed();
    },
    opened() {
      state = "idle";
      isOpen = true;
      proceed();
    },
    edited({ id, rgba, px }) {
      state = "idle";
      if (id === WARM_UP) {
        warm = true;
        say("");
      } else if (choice === "browser" && id > covered && hasFileOpen()) {
        paint(rgba, px);
      }
      proceed();
    },
    failed({ of }) {
      state = "idle";
      if (of !== "open") return giveUp();
      isOpen = false; // the server says what is wrong with a file
      if (choice === "browser") say("This browser cannot draw this face.");
      proceed();
    },
  };

  const viewer = () => window.hscViewer?.get("edit-viewer");

  /** Lay a preview over the edited side of the viewer, until its next picture. */
  function paint(rgba, px) {
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: px, height: px });
    canvas.setAttribute("aria-hidden", "true");
    canvas.getContext("2d").putImageData(new ImageData(rgba, px, px), 0, 0);
    if (viewer()?.shown("right")?.name === "after") viewer().overlay("right", canvas);
  }

  const remove = () => viewer()?.overlay("right", null);

  /** The preview goes when the server's picture is there, unless a slider moves again. */
  async function wholePictureCame() {
    sayPresets();
    if (state === "idle") proceed();
    if (resting) return;
    covered = move;
    next = null;
    await new Promise(requestAnimationFrame); // the picture gets its new address
    await $("#edit-viewer .world img.right")?.decode().catch(() => {});
    if (!resting && covered === move) remove();
  }

  function preview() {
    if (choice === "browser" && warm && hasFileOpen() && keepsDetails()) {
      next = { id: move, amounts: amounts() };
      if (state === "idle") proceed();
      return;
    }
    covered = move;
    next = null;
    remove();
    $("#edit-follow")?.click();
    if (state === "idle") proceed();
  }

  /** Presets that are on look so; this says it to screen readers. */
  async function sayPresets() {
    await new Promise(requestAnimationFrame);
    for (const button of document.querySelectorAll("#presets .preset")) {
      button.setAttribute("aria-pressed", String(button.classList.contains("on")));
    }
  }

  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    const typing = event.target.closest?.("input:not([type=range]), textarea, [contenteditable]");
    if (typing || !$("#editor")?.offsetParent) return;
    event.preventDefault();
    $(event.shiftKey ? "#edit-redo" : "#edit-undo")?.click();
  });

  document.addEventListener("input", ({ target }) => {
    if (!target.closest?.("#edit-controls .edit, #keep-details")) return;
    move += 1;
    clearTimeout(resting);
    resting = setTimeout(() => {
      resting = 0;
      $("#edit-settle")?.click();
    }, AT_REST);
    queueMicrotask(preview); // Gradio has the new value by then, and has not heard of a release
  });

  document.addEventListener("change", ({ target }) => {
    if (target.name !== "edit-previews") return;
    choice = target.value;
    say("");
    if (choice === "server") return remove();
    if (state === "failed") return giveUp();
    if (state === "none") start();
    if (!warm) say("Loading the decoder …");
    if (state === "idle") proceed();
  });

  window.editPreviews = { show, wholePictureCame };
})();
