// The example before there is a face: from its essence to its whole file, again and again. Files and
// pictures come with the page; here they are only shown in turn.
(() => {
  const STAY = [2600, 2600, 2600, 5200]; // ms a stage
  const SWEEP = [62, 40]; // where the border between ours and AVIF goes, in per cent
  const ALONE = [84, 64]; // where there is no AVIF to see
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const format = (bytes) => `${bytes.toLocaleString("en")} bytes`;

  function show(landing, number) {
    const stops = [...landing.querySelectorAll("[data-stage]")];
    for (const side of ["ours", "theirs"]) {
      [...landing.querySelector(`.${side}`).children].forEach((each, n) =>
        each.classList.toggle("on", n === number));
    }
    stops.forEach((stop, n) => stop.setAttribute("aria-pressed", n === number));
    const { bytes, rival } = stops[number].dataset;
    landing.querySelector(".left span").textContent = format(Number(bytes));
    landing.querySelector(".right span").textContent = Number(rival) ? format(Number(rival)) : "";
    landing.dataset.shows = number;
  }

  function pause(landing, on) {
    landing.classList.toggle("paused", on);
    landing.querySelector(".pause").setAttribute("aria-label", on ? "Play" : "Pause");
  }

  function run(landing) {
    const count = landing.querySelectorAll("[data-stage]").length;
    let number = 0, passed = 0, before = performance.now(), seen = true;
    new IntersectionObserver(([entry]) => { seen = entry.isIntersecting; }).observe(landing);
    if (still.matches) pause(landing, true);
    let ready = false; // the whole face stands until all pictures are there
    Promise.allSettled([...landing.querySelectorAll("img")].map((image) => image.decode())).then(() => {
      ready = true;
      before = performance.now();
      if (!landing.classList.contains("paused")) show(landing, 0);
    });
    const step = (now) => {
      if (!landing.isConnected) return;
      const elapsed = Math.min(now - before, 100); // a tab in the background does not hurry after
      before = now;
      if (ready && seen && !landing.classList.contains("paused")) {
        passed += elapsed;
        number = Number(landing.dataset.shows ?? 0);
        const stay = STAY[Math.min(number, STAY.length - 1)];
        if (passed >= stay) {
          passed = 0;
          show(landing, (number + 1) % count);
        }
        const way = (1 - Math.cos(Math.PI * Math.min(passed / 2200, 1))) / 2;
        const rival = Number(landing.querySelector(`[data-stage="${landing.dataset.shows ?? 0}"]`).dataset.rival);
        const [from, to] = rival ? SWEEP : ALONE;
        landing.style.setProperty("--at", `${from + (to - from) * way}%`);
      }
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  document.addEventListener("click", (event) => {
    const landing = event.target.closest?.(".landing");
    const button = landing && event.target.closest("button");
    if (!button) return;
    if (button.dataset.stage) {
      show(landing, Number(button.dataset.stage));
      pause(landing, true);
      landing.style.setProperty("--at", "50%");
    } else {
      pause(landing, !landing.classList.contains("paused"));
    }
  });

  const started = new WeakSet();
  const look = () => {
    const landing = document.querySelector(".landing");
    if (!landing || started.has(landing)) return;
    started.add(landing);
    run(landing);
  };
  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true });
})();
