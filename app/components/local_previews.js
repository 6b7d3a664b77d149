// Previews while a slider moves: by the server, or by the receiver's worker in this browser, on its
// processor or its graphics card. A slider that comes to rest, however it was moved, asks the server
// for the whole picture. All rooms share one worker and one choice.
(() => {
  const AT_REST = 350; // ms
  const SLOW = 1000; // ms of a preview from the server at which this browser is worth a try
  const PREVIEW_PX = 256;
  const LAYERS = ["scn", "scn+fcn"]; // what the worker can open
  const [WARM_UP, MEASURE] = [-1, -2]; // ids of previews that are not shown: the first one compiles
  const $ = (selector) => document.querySelector(selector);

  const rooms = [];
  let active = null; // the room whose slider moved last
  let choice = "server"; // the visitor's: "server", "browser" or "gpu"
  let words = ""; // beside the choice
  const times = {}; // of a preview by choice, ms

  let worker = null;
  let state = "none"; // of the worker: none, loading, idle, busy or failed
  let draws = ""; // what the worker draws with: "browser" or "gpu"
  let hasGpu = false; // may have one that works
  let opened = ""; // the file that the worker has open, or is opening
  let isOpen = false;
  let isCompiled = false; // it has drawn a preview with what it draws with now
  let warm = false; // and another one, to measure
  let asked = 0; // when the last preview was asked for

  class Room {
    /**
     * @param {string} name begins the ids of the switch, of the source, and of the buttons `follow`
     *   and `settle`, which ask the server for a preview and for the whole picture.
     * @param {Object} options
     * @param {string} options.sliders selector of what has the sliders.
     * @param {string} options.prefix begins the ids of the sliders; the edit's name follows.
     * @param {string} options.viewer its id.
     * @param {string} [options.shows] the choice on its right side that previews may lie over.
     * @param {string} [options.also] further sliders that change the picture.
     * @param {() => boolean} [options.mayDraw] whether the worker can draw what those say.
     * @param {() => void} [options.came] called when the server's whole picture came.
     */
    constructor(name, { sliders, prefix, viewer, shows = "", also = "", mayDraw = () => true, came = () => {} }) {
      Object.assign(this, { name, sliders, prefix, viewer, shows, also, mayDraw, came });
      this.move = 0; // counts the moves of sliders
      this.resting = 0; // timer of the whole picture; 0 when no slider moves
      this.covered = 0; // the last move that a picture of the server covers
      this.next = null; // the newest move that the worker has yet to draw
      this.followed = 0; // when the server was asked for a preview; 0 when it was not
    }

    show(root = $(`#${this.name}-previews`)) {
      if (!root?.querySelector("fieldset")) return;
      root.querySelector(`input[value=${choice}]`).checked = true;
      root.querySelector("[data-gpu]").hidden = !hasGpu;
      root.querySelector("output").textContent = words;
    }

    get source() {
      const { file = "", layers = "" } = $(`#${this.name}-source [data-file]`)?.dataset ?? {};
      return { file: LAYERS.includes(layers) ? file : "", layers };
    }

    get key() {
      const { file, layers } = this.source;
      return layers + file;
    }

    get hasFileOpen() {
      return isOpen && opened === this.key;
    }

    /** Amount by name of edit, as the sliders are. */
    get amounts() {
      const inputs = [...document.querySelectorAll(`${this.sliders} .edit input[type=range]`)];
      return Object.fromEntries(
        inputs.map((input) => [input.closest(".edit").id.slice(this.prefix.length), Number(input.value)]),
      );
    }

    has(target) {
      return target.closest?.(`${this.sliders} .edit${this.also && `, ${this.also}`}`);
    }

    /** Lay a preview over the picture, until its next one. */
    paint(rgba, px) {
      const shown = window.hscViewer?.get(this.viewer);
      if (!shown || (this.shows && shown.shown("right")?.name !== this.shows)) return;
      const canvas = document.createElement("canvas");
      Object.assign(canvas, { width: px, height: px });
      canvas.setAttribute("aria-hidden", "true");
      canvas.getContext("2d").putImageData(new ImageData(rgba, px, px), 0, 0);
      shown.overlay("right", canvas);
    }

    remove() {
      window.hscViewer?.get(this.viewer)?.overlay("right", null);
    }

    /** The preview goes when the server's picture is there, unless a slider moves again. */
    async wholePictureCame() {
      this.followed = 0;
      this.came();
      if (state === "idle") proceed();
      if (this.resting) return;
      this.covered = this.move;
      this.next = null;
      await new Promise(requestAnimationFrame); // the viewer gets its new value
      await window.hscViewer?.get(this.viewer)?.arrived("right"); // it loads before it shows
      if (!this.resting && this.covered === this.move) this.remove();
    }

    preview() {
      if (choice !== "server" && warm && this.hasFileOpen && this.mayDraw()) {
        this.next = { id: this.move, amounts: this.amounts };
        if (state === "idle") proceed();
        return;
      }
      this.covered = this.move;
      this.next = null;
      this.remove();
      this.followed ||= performance.now();
      $(`#${this.name}-follow`)?.click();
      if (state === "idle") proceed();
    }

    moved() {
      active = this;
      this.move += 1;
      clearTimeout(this.resting);
      this.resting = setTimeout(() => {
        this.resting = 0;
        $(`#${this.name}-settle`)?.click();
      }, AT_REST);
      queueMicrotask(() => this.preview()); // Gradio has the new value by then, and no release yet
    }
  }

  function say(sentence) {
    words = sentence;
    for (const room of rooms) room.show();
  }

  /** What was measured, and what it suggests. */
  function advise() {
    const seconds = (on) => `${(times[on] / 1000).toFixed(2)} s`;
    const known = Object.entries({ browser: "in this browser", gpu: "on its graphics card", server: "from the server" })
      .filter(([on]) => times[on])
      .map(([on, where]) => `${seconds(on)} ${where}`);
    if (choice === "server") {
      const slow = times.server > SLOW && !times.browser && state !== "failed";
      return say(slow ? `Previews took ${seconds("server")}: try this browser.` : "");
    }
    const quickest = Object.keys(times).sort((a, b) => times[a] - times[b])[0];
    const better = { server: " The server is quicker.", gpu: " The graphics card is quicker.", browser: " The processor is quicker." };
    say(`A preview took ${known.join(", ")}.${quickest === choice ? "" : better[quickest]}`);
  }

  function start() {
    state = "loading";
    warm = isCompiled = false;
    opened = "";
    isOpen = false;
    draws = "browser";
    worker = new Worker(new URL("receive/worker.js", document.baseURI), { type: "module" });
    worker.onmessage = ({ data }) => answers[data.kind]?.(data);
    worker.onerror = (event) => {
      event.preventDefault();
      giveUp();
    };
    worker.postMessage({ kind: "load" });
  }

  function giveUp() {
    worker?.terminate();
    worker = null;
    state = "failed";
    isOpen = false;
    for (const room of rooms) {
      room.next = null;
      room.remove();
    }
    choice = "server";
    say("This browser cannot draw them.");
  }

  /** Hand an idle worker the file that is edited, unless it has that one. */
  function open(room) {
    const wanted = room.source;
    if (state !== "idle" || !wanted.file || opened === room.key) return;
    opened = room.key;
    isOpen = false;
    state = "busy";
    const file = Uint8Array.from(atob(wanted.file), (character) => character.charCodeAt(0));
    worker.postMessage({ kind: "open", id: room.move, file, layers: wanted.layers, render: false });
  }

  function draw(id, amounts) {
    state = "busy";
    asked = performance.now();
    worker.postMessage({ kind: "edit", id, amounts, preview: true });
  }

  /** The room on the screen: the one whose slider moved, or one with a file to edit. */
  const roomNow = () => {
    const isShown = (room) => $(`#${room.name}-previews`)?.offsetParent;
    return (active && isShown(active) ? active : rooms.find(isShown)) ?? active;
  };

  /** Give an idle worker what there is to do: how to draw, a file, a first preview, or the newest. */
  function proceed() {
    const room = roomNow();
    if (choice === "server" || state !== "idle" || !room) return;
    if (draws !== choice) {
      state = "busy";
      warm = isCompiled = false;
      draws = choice;
      worker.postMessage({ kind: "draw", on: choice === "gpu" ? "gpu" : "wasm" });
      return;
    }
    open(room);
    if (state !== "idle" || !room.hasFileOpen) return;
    if (!warm) {
      const values = room.amounts;
      const [first] = Object.keys(values); // an edit of nothing runs no network
      const some = Object.values(values).some(Boolean) ? values : { [first]: 1 };
      draw(isCompiled ? MEASURE : WARM_UP, some);
    } else if (room.next) {
      draw(room.next.id, room.next.amounts);
      room.next = null;
    }
  }

  /** The graphics card does not draw what the processor draws, or draws nothing. */
  function onProcessor() {
    if (choice === "gpu") choice = "browser";
    draws = "browser";
    hasGpu = false;
    say("The graphics card cannot draw them; the processor does.");
  }

  const answers = {
    ready({ gpu = false }) {
      state = "idle";
      hasGpu = gpu;
      say(words);
      proceed();
    },
    /** The answer to `draw`. */
    drawing({ on }) {
      state = "idle";
      if (on !== "gpu" && draws === "gpu") onProcessor();
      proceed();
    },
    /** The graphics card failed while it drew; the worker goes on without it. */
    fallback() {
      if (draws === "gpu") onProcessor();
    },
    opened() {
      state = "idle";
      isOpen = true;
      proceed();
    },
    edited({ id, rgba, px }) {
      state = "idle";
      const room = roomNow();
      if (id === WARM_UP) {
        isCompiled = true;
      } else if (id === MEASURE) {
        times[draws] = performance.now() - asked;
        warm = true;
        advise();
      } else if (choice !== "server" && id > room.covered && room.hasFileOpen) {
        room.paint(rgba, px);
      }
      proceed();
    },
    failed({ of }) {
      state = "idle";
      if (of !== "open") return giveUp();
      isOpen = false; // the server says what is wrong with a file
      if (choice !== "server") say("This browser cannot draw this face.");
      proceed();
    },
  };

  document.addEventListener("input", ({ target }) => {
    rooms.find((room) => room.has(target))?.moved();
  });

  /** A picture of the server: how long a preview takes, over what lies between. */
  document.addEventListener("viewer:shown", ({ target, detail }) => {
    const room = rooms.find(({ viewer }) => target.closest?.(`#${viewer}`));
    if (!room?.followed || detail?.side !== "right") return;
    if ($(`#${room.viewer} .world img.right`)?.naturalWidth > PREVIEW_PX) return; // a whole one
    times.server = performance.now() - room.followed;
    room.followed = 0;
    if (choice === "server") advise();
  });

  document.addEventListener("change", ({ target }) => {
    const room = rooms.find(({ name }) => target.name === `${name}-previews`);
    if (!room) return;
    active = room;
    choice = target.value;
    say("");
    if (choice === "server") return room.remove();
    if (state === "failed") return giveUp();
    if (state === "none") start();
    if (!warm || draws !== choice) say(state === "loading" ? "Loading the decoder …" : "Comparing …");
    if (state === "idle") proceed();
    if (warm && draws === choice) advise();
  });

  window.localPreviews = {
    attach(name, options) {
      const room = new Room(name, options);
      rooms.push(room);
      return room;
    },
    room: (name) => rooms.find((room) => room.name === name),
  };
})();
