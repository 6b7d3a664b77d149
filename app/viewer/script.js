// The viewer of app/viewer: two pictures of one subject, moved and enlarged together.
window.hscViewer = (() => {
  const SIDES = ["left", "right"];
  const LARGEST = 16; // times the whole picture
  const TAP = 300; // ms between the taps of a double tap
  const STEP = 1.5; // of the zoom buttons and keys
  const CLOSE = 3; // zoom of a double tap, and of the loupe
  const viewers = new Map(); // element id -> viewer, of the element that is on the page now
  const kept = new Map(); // element id -> what was shown, for an element that is made again

  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const count = (bytes) => `${bytes.toLocaleString("en")} bytes`;

  class Viewer {
    constructor(id, element, ask) {
      this.id = id;
      this.root = element.querySelector(".viewer");
      this.ask = ask;
      this.$ = (selector) => this.root.querySelector(selector);
      this.canvas = this.$(".canvas");
      this.world = this.$(".world");
      this.handle = this.$(".divider");
      this.selects = Object.fromEntries(SIDES.map((s) => [s, this.$(`.caption.${s} select`)]));
      this.state = kept.get(this.id) ?? {
        choices: new Map(), said: {}, chosen: {}, version: "", subject: "", waiting: false,
        split: 0.5, mode: "divider", zoom: 1, x: 0, y: 0,
      };
      kept.set(this.id, this.state);
      this.asked = new Set();
      this.loads = { left: 0, right: 0 };
      this.overlays = {};
      this.pointers = new Map();
      this.listen();
      this.setMode(this.state.mode);
      new ResizeObserver(() => this.layout()).observe(this.canvas);
      this.list();
      for (const side of SIDES) this.show(side);
    }

    // ---- what is shown ------------------------------------------------------------------------

    apply(value) {
      const state = this.state;
      if (!value || typeof value !== "object") return this.clear();
      if ("patch" in value) {
        if (value.patch === state.version) {
          for (const choice of value.choices) state.choices.set(choice.name, choice);
        }
        if (!value.patch) state.waiting = false;
      } else {
        this.asked.clear(); // what the studio could not answer is asked for again
        state.choices = new Map(value.choices.map((choice) => [choice.name, choice]));
        state.version = value.version;
        state.waiting = value.waiting;
        const fresh = value.fresh || value.subject !== state.subject;
        state.subject = value.subject;
        for (const side of SIDES) {
          const own = state.chosen[side];
          if (fresh || !state.choices.has(own) || value[side] !== state.said[side]) {
            state.chosen[side] = value[side];
          }
          state.said[side] = value[side];
        }
        if (fresh) this.whole(false);
      }
      this.list();
      for (const side of SIDES) this.show(side);
      if (!value.patch) this.root.dispatchEvent(new CustomEvent("viewer:content", { bubbles: true }));
    }

    /** What shows is not what was asked for last: grey until a value comes. */
    wait() {
      this.state.waiting = true;
      this.mark();
    }

    clear() {
      this.state.choices.clear();
      this.state.chosen = {};
      this.state.said = {};
      this.state.version = this.state.subject = "";
      this.root.classList.remove("filled", "waiting");
      for (const side of SIDES) {
        this.loads[side] += 1;
        const picture = this.picture(side);
        picture.hidden = true;
        picture.removeAttribute("src");
        delete picture.dataset.name;
        this.overlay(side, null);
      }
      this.handle.hidden = true;
    }

    choose(side, name) {
      if (!this.state.choices.has(name)) return;
      this.state.chosen[side] = name;
      this.list();
      this.show(side);
    }

    swap() {
      const { chosen } = this.state;
      [chosen.left, chosen.right] = [chosen.right, chosen.left];
      this.list();
      for (const side of SIDES) this.show(side);
    }

    words({ label, bytes }) {
      return bytes == null ? label : `${label} · ${count(bytes)}`;
    }

    /** The lists, as they are now; they are not touched while nothing changed. */
    list() {
      const { choices, chosen } = this.state;
      const rows = [...choices.values()];
      const key = JSON.stringify(rows.map((choice) => [choice.name, choice.group, this.words(choice)]));
      for (const side of SIDES) {
        const select = this.selects[side];
        if (select.dataset.key !== key) {
          select.dataset.key = key;
          const parts = [];
          for (const choice of rows) {
            const option = new Option(this.words(choice), choice.name);
            const last = parts.at(-1);
            if (!choice.group) parts.push(option);
            else if (last?.label === choice.group && last.tagName === "OPTGROUP") last.append(option);
            else {
              const group = document.createElement("optgroup");
              group.label = choice.group;
              group.append(option);
              parts.push(group);
            }
          }
          select.replaceChildren(...parts);
        }
        if (choices.has(chosen[side])) select.value = chosen[side];
        const choice = choices.get(chosen[side]);
        this.$(`.caption.${side} small`).textContent = choice?.missing || choice?.note || "";
      }
    }

    picture(side) {
      return this.world.querySelector(`img.${side}`);
    }

    async show(side) {
      const choice = this.state.choices.get(this.state.chosen[side]);
      if (!choice) return;
      this.root.classList.add("filled");
      const load = ++this.loads[side];
      if (!choice.url) {
        const key = `${this.state.version}/${choice.name}`;
        if (!choice.missing && !this.state.waiting && !this.asked.has(key)) {
          this.asked.add(key);
          this.ask({ name: choice.name, side, version: this.state.version });
        }
        if (choice.missing) { // nothing else is to stand under its name
          this.picture(side).hidden = true;
          delete this.picture(side).dataset.name;
          this.differ();
        }
        return this.mark();
      }
      const url = new URL(choice.url, document.baseURI).href;
      if (this.picture(side).src !== url) {
        this.mark();
        const next = new Image();
        next.className = `side ${side}`;
        next.draggable = false;
        next.src = url;
        try {
          await next.decode();
        } catch {
          if (load !== this.loads[side] || choice.missing) return;
          choice.url = ""; // the studio deletes its files within an hour: it is made again, once
          if (this.asked.has(`${this.state.version}/${choice.name}`)) {
            choice.missing = "could not be loaded";
            this.list();
          }
          return this.show(side);
        }
        if (load !== this.loads[side]) return; // something else was chosen meanwhile
        this.picture(side).replaceWith(next);
      }
      const picture = this.picture(side);
      picture.alt = `${side === "left" ? "Left" : "Right"}: ${this.words(choice)}`;
      picture.hidden = false;
      picture.dataset.name = choice.name;
      this.overlay(side, null);
      this.handle.hidden = SIDES.some((each) => !this.picture(each).src);
      this.layout();
      this.mark();
      this.differ();
      this.moveLens();
      this.root.dispatchEvent(
        new CustomEvent("viewer:shown", { bubbles: true, detail: { side, ...this.shown(side) } }),
      );
    }

    /** Grey captions where what shows is not what the list says, or not for long. */
    mark() {
      const { choices, chosen, waiting } = this.state;
      let any = false;
      for (const side of SIDES) {
        const choice = choices.get(chosen[side]);
        const there = choice?.url && this.picture(side).src === new URL(choice.url, document.baseURI).href;
        const stale = waiting || (!there && !choice?.missing);
        this.$(`.caption.${side}`).classList.toggle("stale", stale);
        any ||= stale;
      }
      this.root.classList.toggle("waiting", any);
    }

    url(name) {
      const url = this.state.choices.get(name)?.url;
      return url ? new URL(url, document.baseURI).href : "";
    }

    shown(side) {
      const picture = this.picture(side);
      return { name: picture.dataset.name ?? "", url: picture.hidden ? "" : picture.src };
    }

    /** Resolves when a side shows what its list says. */
    arrived(side) {
      if (!this.$(`.caption.${side}`).matches(".stale")) return Promise.resolve();
      return new Promise((resolve) => {
        const done = ({ detail }) => {
          if (detail.side !== side) return;
          this.root.removeEventListener("viewer:shown", done);
          resolve();
        };
        this.root.addEventListener("viewer:shown", done);
      });
    }

    overlay(side, canvas) {
      if (this.overlays[side] && this.overlays[side] !== canvas) this.overlays[side].remove();
      this.overlays[side] = canvas;
      if (!canvas) return;
      canvas.className = `side ${side} overlay`;
      if (canvas.parentNode !== this.world) this.picture(side).after(canvas);
    }

    say(words) {
      this.$(".say").textContent = words;
    }

    // ---- where it is shown --------------------------------------------------------------------

    /** The picture as large as the canvas allows, then enlarged and moved. */
    layout() {
      const { clientWidth: width, clientHeight: height } = this.canvas;
      if (!width || !height) return;
      const { state } = this;
      const picture = SIDES.map((side) => this.picture(side)).find((one) => one.naturalWidth);
      const ratio = picture ? picture.naturalWidth / picture.naturalHeight : 1;
      const wide = Math.min(width, height * ratio);
      const high = wide / ratio;
      const { zoom } = state;
      const bound = (at, size, room) => size * zoom <= room
        ? (room - size * zoom) / 2 : clamp(at, room - size * zoom, 0);
      state.x = bound(state.x, wide, width);
      state.y = bound(state.y, high, height);
      this.fit = { wide, high, width, height };
      Object.assign(this.world.style, { width: `${wide}px`, height: `${high}px`,
        transform: `translate(${state.x}px, ${state.y}px) scale(${zoom})` });
      const pixels = (wide * zoom) / (picture?.naturalWidth || wide);
      this.world.classList.toggle("coarse", pixels >= 4);
      this.root.classList.toggle("zoomed", zoom > 1);
      const scale = this.$(".scale");
      scale.textContent = `${Math.round(100 * zoom)}%`;
      scale.setAttribute("aria-label", `${scale.textContent}, whole picture`);
      this.placeDivider();
    }

    placeDivider() {
      if (!this.fit) return;
      const { state, fit } = this;
      // over the picture, as far as it is in sight
      const low = Math.max(0, state.x);
      const high = Math.min(fit.width, state.x + fit.wide * state.zoom);
      const at = low + state.split * (high - low);
      this.handle.style.left = `${at}px`;
      this.world.style.setProperty("--cut", `${(at - state.x) / state.zoom}px`);
      this.handle.setAttribute("aria-valuenow", String(Math.round(100 * state.split)));
    }

    setSplit(split) {
      this.state.split = clamp(split, 0, 1);
      this.placeDivider();
    }

    splitAt(clientX) {
      const { state, fit } = this;
      const x = clientX - this.canvas.getBoundingClientRect().left;
      const low = Math.max(0, state.x);
      const high = Math.min(fit.width, state.x + fit.wide * state.zoom);
      this.setSplit((x - low) / (high - low));
    }

    /** Enlarge around a place of the canvas, which stays where it is. */
    zoomTo(zoom, place, glide = false) {
      const { state, fit } = this;
      if (!fit) return;
      const [x, y] = place ?? [fit.width / 2, fit.height / 2];
      zoom = clamp(zoom, 1, LARGEST);
      const by = zoom / state.zoom;
      state.x = x - (x - state.x) * by;
      state.y = y - (y - state.y) * by;
      state.zoom = zoom;
      this.root.classList.toggle("gliding", glide);
      this.layout();
    }

    pan(dx, dy) {
      this.state.x += dx;
      this.state.y += dy;
      this.root.classList.remove("gliding");
      this.layout();
    }

    whole(glide = true) {
      this.zoomTo(1, undefined, glide);
    }

    setMode(mode) {
      this.state.mode = mode;
      this.root.dataset.mode = mode;
      for (const button of this.root.querySelectorAll(".modes button")) {
        button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
      }
      this.differ();
    }

    /** |left - right|, amplified: as exact as eight bits are. */
    differ() {
      const canvas = this.$(".difference");
      const [left, right] = SIDES.map((side) => this.picture(side));
      canvas.hidden = this.state.mode !== "difference" || left.hidden || right.hidden;
      if (canvas.hidden) return;
      const width = Math.max(left.naturalWidth, right.naturalWidth);
      const height = Math.max(left.naturalHeight, right.naturalHeight);
      const times = Number(this.$(".amplify select").value);
      const key = [left.src, right.src, times].join();
      if (canvas.dataset.key === key) return;
      const [a, b] = [left, right].map((picture) => {
        const pen = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
        pen.drawImage(picture, 0, 0, width, height);
        return pen.getImageData(0, 0, width, height);
      });
      for (let i = 0; i < a.data.length; i += 1) {
        a.data[i] = (i & 3) === 3 ? 255 : times * Math.abs(a.data[i] - b.data[i]); // clamped
      }
      Object.assign(canvas, { width, height });
      canvas.getContext("2d").putImageData(a, 0, 0);
      canvas.dataset.key = key;
    }

    hold(on) {
      this.root.classList.toggle("holding", on);
    }

    setLoupe(on) {
      this.root.classList.toggle("lensing", on);
      this.$(".loupe").setAttribute("aria-pressed", String(on));
      if (!on) this.$(".lens").hidden = true;
    }

    /** Both pictures around one place, side by side. */
    moveLens(place = this.lensAt) {
      const lens = this.$(".lens");
      const on = this.root.classList.contains("lensing") && place && this.fit;
      lens.hidden = !on;
      if (!on) return;
      this.lensAt = place;
      const { state, fit } = this;
      const [x, y] = place;
      lens.style.left = `${x}px`;
      lens.style.top = `${y}px`;
      const by = Math.max(CLOSE, CLOSE * state.zoom);
      const at = [(x - state.x) / state.zoom, (y - state.y) / state.zoom];
      lens.querySelectorAll("i").forEach((pane, number) => {
        const { width, height } = pane.getBoundingClientRect();
        Object.assign(pane.style, {
          backgroundImage: `url("${this.picture(SIDES[number]).src}")`,
          backgroundSize: `${fit.wide * by}px ${fit.high * by}px`,
          backgroundPosition: `${width / 2 - at[0] * by}px ${height / 2 - at[1] * by}px`,
        });
      });
    }

    // ---- hands --------------------------------------------------------------------------------

    listen() {
      const { root, canvas, handle } = this;
      for (const side of SIDES) {
        this.selects[side].addEventListener("change", (event) => this.choose(side, event.target.value));
      }
      root.addEventListener("click", (event) => {
        const button = event.target.closest(".tools button");
        if (!button) return;
        if (button.dataset.mode) this.setMode(button.dataset.mode);
        if (button.matches(".swap")) this.swap();
        if (button.matches(".in")) this.zoomTo(this.state.zoom * STEP, undefined, true);
        if (button.matches(".out")) this.zoomTo(this.state.zoom / STEP, undefined, true);
        if (button.matches(".scale")) this.whole();
        if (button.matches(".loupe")) this.setLoupe(!root.classList.contains("lensing"));
        if (button.matches(".full")) {
          if (document.fullscreenElement) document.exitFullscreen();
          else root.requestFullscreen();
        }
      });
      this.$(".amplify select").addEventListener("change", () => this.differ());
      const holder = this.$(".hold");
      holder.addEventListener("pointerdown", () => this.hold(true));
      for (const end of ["pointerup", "pointerleave", "pointercancel", "blur"]) {
        holder.addEventListener(end, () => this.hold(false));
      }
      holder.addEventListener("keydown", (event) => {
        if (event.key === " " || event.key === "Enter") { event.preventDefault(); this.hold(true); }
      });
      holder.addEventListener("keyup", () => this.hold(false));
      canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
      canvas.addEventListener("pointerdown", (event) => this.down(event));
      canvas.addEventListener("pointermove", (event) => this.move(event));
      for (const end of ["pointerup", "pointercancel"]) {
        canvas.addEventListener(end, (event) => this.up(event));
      }
      canvas.addEventListener("pointerleave", () => { this.$(".lens").hidden = true; });
      canvas.addEventListener("keydown", (event) => this.key(event));
      canvas.addEventListener("keyup", (event) => { if (event.key.toLowerCase() === "f") this.hold(false); });
      canvas.addEventListener("blur", () => this.hold(false));
      handle.addEventListener("dragstart", (event) => event.preventDefault());
    }

    place(event) {
      const box = this.canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    }

    wheel(event) {
      const { zoom } = this.state;
      const meant = event.ctrlKey || zoom > 1 || this.canvas.contains(document.activeElement);
      if (!meant || (zoom <= 1 && event.deltaY > 0 && !event.ctrlKey)) return; // the page scrolls
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 16 : 1;
      const by = Math.exp(-event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.002));
      this.zoomTo(zoom * by, this.place(event));
    }

    down(event) {
      if (event.button || !this.fit || event.target.closest("select, button")) return;
      this.pointers.set(event.pointerId, event);
      this.canvas.setPointerCapture(event.pointerId);
      if (this.pointers.size === 2) {
        this.hold(false);
        this.drag = "pinch";
        const [a, b] = [...this.pointers.values()];
        this.pinch = { apart: Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY), zoom: this.state.zoom };
        return;
      }
      this.begun = event;
      if (event.target.closest(".divider")) this.drag = "divider";
      else if (this.root.classList.contains("lensing")) this.drag = "lens";
      else if (this.state.mode === "flip" && this.state.zoom <= 1) this.drag = "flip";
      else if (this.state.zoom > 1) this.drag = "pan";
      else this.drag = this.state.mode === "divider" ? "divider" : "";
      if (this.drag === "flip") this.hold(true);
      if (this.drag === "lens") this.moveLens(this.place(event));
      if (this.drag === "divider" && event.pointerType === "mouse") this.splitAt(event.clientX);
      this.root.classList.toggle("panning", this.drag === "pan");
    }

    move(event) {
      if (this.root.classList.contains("lensing")) this.moveLens(this.place(event));
      const last = this.pointers.get(event.pointerId);
      if (!last) return;
      this.pointers.set(event.pointerId, event);
      if (this.drag === "pinch" && this.pointers.size === 2) {
        const [a, b] = [...this.pointers.values()];
        const apart = Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
        const box = this.canvas.getBoundingClientRect();
        const middle = [(a.clientX + b.clientX) / 2 - box.left, (a.clientY + b.clientY) / 2 - box.top];
        this.zoomTo((this.pinch.zoom * apart) / this.pinch.apart, middle);
        this.pan((event.clientX - last.clientX) / 2, (event.clientY - last.clientY) / 2);
      } else if (this.drag === "divider") {
        this.splitAt(event.clientX);
      } else if (this.drag === "pan") {
        this.pan(event.clientX - last.clientX, event.clientY - last.clientY);
      }
    }

    up(event) {
      if (!this.pointers.delete(event.pointerId)) return;
      this.hold(false);
      this.root.classList.remove("panning");
      const still = this.begun && Math.hypot(event.clientX - this.begun.clientX, event.clientY - this.begun.clientY) < 10;
      if (event.type === "pointerup" && still && this.drag !== "pinch" && this.drag !== "flip") this.tap(event);
      this.drag = this.pointers.size ? this.drag : "";
    }

    tap(event) {
      const [x, y] = this.place(event);
      const last = this.tapped;
      this.tapped = { x, y, at: event.timeStamp };
      if (!last || event.timeStamp - last.at > TAP || Math.hypot(x - last.x, y - last.y) > 30) return;
      this.tapped = null;
      if (this.state.zoom > 1) this.whole();
      else this.zoomTo(CLOSE, [x, y], true);
    }

    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const onHandle = event.target === this.handle;
      const { zoom, split } = this.state;
      const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
      const far = event.shiftKey ? 0.1 : 0.02;
      const arrow = arrows[event.key];
      let done = true;
      if (arrow) {
        // on stage they steer the face (page.js)
        if (document.documentElement.classList.contains("stage") && !onHandle) return;
        if (zoom > 1 && !onHandle) this.pan(-arrow[0] * this.fit.width / 10, -arrow[1] * this.fit.height / 10);
        else if (arrow[0]) this.setSplit(split + arrow[0] * far);
        else if (onHandle) this.setSplit(split - arrow[1] * far);
        else done = false;
      } else if (event.key === "Home") this.setSplit(0);
      else if (event.key === "End") this.setSplit(1);
      else if (event.key === "+" || event.key === "=") this.zoomTo(zoom * STEP, undefined, true);
      else if (event.key === "-") this.zoomTo(zoom / STEP, undefined, true);
      else if (event.key === "0") this.whole();
      else if (event.key.toLowerCase() === "f") this.hold(true);
      else if (event.key.toLowerCase() === "d") this.setMode(this.state.mode === "difference" ? "divider" : "difference");
      else if (event.key.toLowerCase() === "l") this.setLoupe(!this.root.classList.contains("lensing"));
      else if (event.key.toLowerCase() === "x") this.swap();
      else done = false;
      if (done) {
        event.preventDefault();
        event.stopPropagation();
      }
    }
  }

  function mount(id, element, props, watch, ask) {
    const viewer = new Viewer(id, element, ask);
    viewers.set(id, viewer);
    if (props.value) viewer.apply(props.value);
    watch("value", () => viewer.apply(props.value));
  }

  return { mount, get: (id) => viewers.get(id) };
})();
