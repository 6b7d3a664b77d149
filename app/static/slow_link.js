// The slow link: bytes that have arrived = rate x time, of the file's real size, and nothing else.
// Beside our face stands the other codec's in as many bytes, once all of them are there.
(() => {
  const seconds = (s) => {
    if (s < 10) return `${s.toFixed(1)} s`;
    if (s < 90) return `${Math.round(s)} s`;
    const minutes = Math.floor(s / 60);
    return minutes < 90 ? `${minutes} min ${Math.round(s % 60)} s` : `${(s / 3600).toFixed(1)} h`;
  };
  const viewer = () => window.hscViewer?.get("viewer");

  function screen(link, side) {
    return link.querySelector(`.screen.${side} > div`);
  }

  function write(link, side, words) {
    const where = screen(link, side);
    where.replaceChildren(Object.assign(document.createElement("p"), { textContent: words }));
    delete where.dataset.shows;
  }

  function show(link, side, name, alt) {
    const url = viewer()?.url(name);
    const where = screen(link, side);
    if (!url || where.dataset.shows === name) return Boolean(url);
    where.dataset.shows = name;
    where.replaceChildren(Object.assign(new Image(), { src: url, alt }));
    return true;
  }

  /** The other codec's picture, as soon as the server has made it. */
  function showRival(link, tries = 0) {
    const name = link.dataset.rival;
    const missing = viewer()?.state?.choices?.get(name)?.missing;
    if (!link.isConnected || link.dataset.run) return;
    if (missing) return write(link, "theirs", "It cannot be made this small");
    if (show(link, "theirs", name, "The other codec's picture in as many bytes")) return;
    write(link, "theirs", "All bytes are here; it is being decoded …");
    if (tries < 300) setTimeout(() => showRival(link, tries + 1), 100);
  }

  function send(link) {
    const size = (name) => Number(link.dataset[name]);
    const parts = ["header", "scn", "fcn"].filter(size);
    const total = parts.reduce((sum, name) => sum + size(name), 0);
    const bits = Number(link.querySelector("select").value);
    const say = (words) => { link.querySelector(".say").textContent = words; };
    const begun = performance.now();
    let words = "";
    for (const side of ["ours", "theirs"]) write(link, side, "Nothing to see yet");
    viewer()?.choose?.("right", link.dataset.rival); // the server makes it while ours arrives
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
      let now = "The essence is arriving …";
      if (arrived >= size("header") + size("scn")) {
        show(link, "ours", "scn", "The face that the essence alone draws");
        now = "The essence is here and draws a face. The likeness is arriving …";
      }
      if (arrived >= total) {
        if (size("fcn")) show(link, "ours", "scn+fcn", "The face that essence and likeness draw");
        const upload = size("upload");
        now = `All ${total.toLocaleString("en")} bytes are here after ${seconds((8 * total) / bits)}.`;
        if (upload) now += ` The photo's own file would take ${seconds((8 * upload) / bits)}.`;
        stop(link);
        showRival(link);
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
