// The camera, coded live: a frame goes to the server, comes back as what its bytes draw, and only
// then the next one is taken. So nothing waits in a queue, and the delay cannot grow.
(() => {
  const MOST = 640; // px of the longer side of what is sent
  const QUALITY = 0.85; // of the JPEG that is sent
  const WINDOW = 5000; // ms over which figures are means
  const BARS = 60; // frames in the chart
  const RETRY = 300; // ms after a frame that shows no face, or that was refused
  const $ = (selector) => document.querySelector(selector);
  const NO_CAMERA = {
    NotAllowedError: "The browser may not use the camera: allow it beside the page's address.",
    NotFoundError: "This device has no camera that the browser sees.",
    NotReadableError: "Another program uses the camera: close it and start again.",
  };

  let run = null; // of the camera that is on: {stream, abort, visitor}
  let visitor = ""; // of the last run, whose file can be saved
  let coded = []; // the last frames: {at, took, scn, fcn, total}
  const canvas = document.createElement("canvas");

  const say = (words, warn = false) => {
    const note = $("#live .live-note");
    if (note.textContent !== words) note.textContent = words;
    note.classList.toggle("warn", warn);
  };
  const mark = (name, on) => $("#live-results").closest(".room").classList.toggle(name, on);
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const number = (id) => Number($(`${id} input[type=number]`)?.value ?? 0);

  const edits = () => {
    const amounts = {};
    for (const slider of document.querySelectorAll('[id^="live-edit-"]')) {
      const amount = number(`#${slider.id}`);
      if (amount) amounts[slider.id.slice("live-edit-".length)] = amount;
    }
    return amounts;
  };

  const frame = (video) => {
    const shrink = Math.min(1, MOST / Math.max(video.videoWidth, video.videoHeight));
    canvas.width = Math.round(video.videoWidth * shrink);
    canvas.height = Math.round(video.videoHeight * shrink);
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    return new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
  };

  const outline = (corners) => {
    const svg = $("#live .live-camera svg");
    svg.setAttribute("viewBox", `0 0 ${canvas.width} ${canvas.height}`);
    svg.firstElementChild.setAttribute(
      "points", (corners ?? []).map(([x, y]) => `${x * canvas.width},${y * canvas.height}`).join(" "));
  };

  const chart = () => {
    const most = Math.max(...coded.map(({ total }) => total), 1);
    const wide = 120 / BARS;
    const bars = coded.slice(-BARS).map(({ scn, fcn, total }, column, all) => {
      const x = 120 - (all.length - column) * wide;
      let y = 40;
      return [["header", total - scn - fcn], ["scn", scn], ["fcn", fcn]].map(([name, bytes]) => {
        const high = (38 * bytes) / most;
        y -= high;
        return `<rect class="${name}" x="${x}" y="${y.toFixed(2)}" width="${wide * 0.8}" height="${high.toFixed(2)}"/>`;
      }).join("");
    });
    $("#live .live-history svg").innerHTML = bars.join("");
  };

  const figures = () => {
    const now = performance.now();
    const last = coded.at(-1);
    const near = coded.filter(({ at }) => now - at < WINDOW);
    const span = near.length > 1 ? (near.at(-1).at - near[0].at) / 1000 : 0; // s
    const put = (name, words) => { $(`#live [data-live=${name}]`).textContent = words; };
    const middle = near.map(({ took }) => took).sort((a, b) => a - b)[near.length >> 1];
    if (span) {
      const bytes = near.slice(1).reduce((sum, { total }) => sum + total, 0);
      put("fps", ((near.length - 1) / span).toFixed(1));
      put("rate", `${(bytes * 8 / 1000 / span).toFixed(1)} kbit/s`);
    }
    put("latency", `${Math.round(middle)} ms`);
    put("last", `${last.total.toLocaleString("en")} bytes, ${last.key ? "a still" : "predicted"}`);
  };

  const show = async (answer, taken) => {
    const img = $("#live .live-decoded img");
    const next = new Image();
    next.src = answer.picture;
    await next.decode();
    img.src = next.src;
    await new Promise(requestAnimationFrame);
    const at = performance.now();
    const { scn, fcn, total, key } = answer;
    coded = [...coded.slice(1 - 2 * BARS), { at, took: at - taken, scn, fcn, total, key }];
    mark("live-coded", true);
    outline(answer.corners);
    figures();
    chart();
  };

  const once = async (mine, video) => {
    const taken = performance.now();
    const body = await frame(video);
    const asked = { visitor: mine.visitor, level: number("#live-level") || 2, edits: edits() };
    const response = await fetch("live/frame", {
      method: "POST", body, signal: mine.abort.signal,
      headers: { "content-type": "image/jpeg", "x-hsc-camera": JSON.stringify(asked) },
    });
    const answer = await response.json();
    if (run !== mine) return;
    if (answer.picture) {
      await show(answer, taken);
      say("");
    } else if (answer.note) {
      outline(null);
      say(answer.note, true);
      await wait(RETRY);
    } else if (response.status === 409) {
      await wait(RETRY);
    } else {
      stop(answer.error);
    }
  };

  const loop = async (mine, video) => {
    while (run === mine) {
      if (!video.isConnected || !video.offsetParent) return stop(); // another room is open
      if (document.hidden || !video.videoWidth) {
        await wait(RETRY);
        continue;
      }
      try {
        await once(mine, video);
      } catch (error) {
        if (run !== mine) return;
        console.warn(error);
        return stop("The studio cannot be reached: start the camera again.");
      }
    }
  };

  const start = async () => {
    stop();
    if (!navigator.mediaDevices?.getUserMedia) {
      say("Browsers give the camera only to pages over https, or of this machine itself.", true);
      return;
    }
    const mine = run = { stream: null, abort: new AbortController(), visitor: crypto.randomUUID() };
    mark("live-on", true);
    say("Waiting for the camera …");
    try {
      mine.stream = await navigator.mediaDevices.getUserMedia({
        video: { width: { ideal: 640 }, height: { ideal: 480 }, facingMode: "user" },
      });
    } catch (error) {
      if (run === mine) stop(NO_CAMERA[error.name] ?? "The camera could not be started.");
      return;
    }
    if (run !== mine) return mine.stream.getTracks().forEach((track) => track.stop());
    const video = $("#live video");
    video.srcObject = mine.stream;
    mine.stream.getVideoTracks()[0].addEventListener("ended", () => {
      if (run === mine) stop("The camera was taken away.");
    });
    await video.play();
    visitor = mine.visitor;
    coded = [];
    mark("live-seen", true);
    say("Coding the first frame …");
    loop(mine, video);
  };

  const stop = (words = "") => {
    if (!run) return;
    const { stream, abort, visitor: who } = run;
    run = null;
    abort.abort();
    stream?.getTracks().forEach((track) => track.stop());
    navigator.sendBeacon("live/stop", who);
    const video = $("#live video");
    if (!video) return;
    video.srcObject = null;
    outline(null);
    mark("live-on", false);
    mark("live-seen", false);
    say(words, Boolean(words));
  };

  const save = async () => {
    const response = await fetch(`live/${visitor}.hsv`);
    if (!response.ok) return say((await response.json()).error, true);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await response.blob());
    link.download = "live.hsv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  window.addEventListener("pagehide", () => stop());
  window.liveCamera = { start, stop: () => stop(), save };
})();
