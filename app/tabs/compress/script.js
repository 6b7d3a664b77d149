// What the panel of the Compress tab does by itself: the stops of the level, and grey figures while
// those of what was chosen last are on their way.
(() => {
  const slider = () => document.querySelector("#level input[type=range]");

  function press(level) {
    const range = slider();
    if (!range) return;
    range.value = level;
    for (const kind of ["input", "change", "pointerup"]) {
      range.dispatchEvent(new Event(kind, { bubbles: true }));
    }
  }

  function mark() {
    const level = Number(slider()?.value);
    for (const stop of document.querySelectorAll("#stops [data-level]")) {
      stop.setAttribute("aria-pressed", String(Number(stop.dataset.level) === level));
    }
  }

  document.addEventListener("click", (event) => {
    const stop = event.target.closest("#stops [data-level]");
    if (stop) press(stop.dataset.level);
  });
  document.addEventListener("input", (event) => {
    if (event.target === slider()) mark();
  });

  window.hscPending = () => {
    document.querySelector("#panel")?.classList.add("pending");
    window.hscViewer.get("viewer")?.wait();
  };
  document.addEventListener("viewer:content", (event) => {
    if (event.target.closest("#viewer")) document.querySelector("#panel")?.classList.remove("pending");
  });
})();

// The slow link: bytes that have arrived = rate x time, of the file's real size, and nothing else.
(() => {
  const seconds = (s) => {
    if (s < 10) return `${s.toFixed(1)} s`;
    if (s < 90) return `${Math.round(s)} s`;
    const minutes = Math.floor(s / 60);
    return minutes < 90 ? `${minutes} min ${Math.round(s % 60)} s` : `${(s / 3600).toFixed(1)} h`;
  };

  function show(link, name, alt) {
    const url = window.hscViewer.get("viewer")?.url(name);
    const screen = link.querySelector(".screen");
    if (!url || screen.dataset.shows === name) return;
    screen.dataset.shows = name;
    const copy = new Image();
    copy.src = url;
    copy.alt = alt;
    screen.replaceChildren(copy);
  }

  function send(link) {
    const size = (name) => Number(link.dataset[name]);
    const parts = ["header", "scn", "fcn"].filter(size);
    const total = parts.reduce((sum, name) => sum + size(name), 0);
    const bits = Number(link.querySelector("select").value);
    const say = (words) => { link.querySelector(".say").textContent = words; };
    const begun = performance.now();
    let words = "";
    link.querySelector(".screen").replaceChildren();
    delete link.querySelector(".screen").dataset.shows;
    link.classList.add("sending");
    link.dataset.run = String(begun);
    link.querySelector(".stop").hidden = false;

    function step() {
      if (!link.isConnected || link.dataset.run !== String(begun)) return;
      const passed = (performance.now() - begun) / 1000;
      const arrived = Math.min(total, Math.floor((passed * bits) / 8));
      link.querySelector(".count span").textContent = arrived.toLocaleString("en");
      link.querySelector(".count em").textContent =
        seconds(arrived < total ? passed : (8 * total) / bits);
      let before = 0;
      for (const name of parts) {
        const share = Math.max(0, Math.min(1, (arrived - before) / size(name)));
        link.querySelector(`.part.${name} i`).style.width = `${100 * share}%`;
        before += size(name);
      }
      let now = "The essence (SCN) is arriving …";
      if (arrived >= size("header") + size("scn")) {
        show(link, "scn", "The face that the essence alone draws");
        now = "The essence is here and draws a face. The likeness (FCN) is arriving …";
      }
      if (arrived >= total) {
        if (size("fcn")) show(link, "scn+fcn", "The face that essence and likeness draw");
        const upload = size("upload");
        now = `All ${total.toLocaleString("en")} bytes are here after ${seconds((8 * total) / bits)}.`;
        if (upload) now += ` The photo's own file would take ${seconds((8 * upload) / bits)}.`;
        stop(link);
      }
      if (now !== words) say((words = now));
      if (arrived < total) requestAnimationFrame(step);
    }
    step();
  }

  function stop(link) {
    delete link.dataset.run;
    link.classList.remove("sending");
    link.querySelector(".stop").hidden = true;
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest(".link button");
    if (!button) return;
    const link = button.closest(".link");
    if (button.classList.contains("start")) return send(link);
    stop(link);
    link.querySelector(".say").textContent = "Stopped. What has arrived stays.";
  });
})();
