/** The page: what a visitor gives, what the worker answers, and what is shown of it. */
import { unpack } from "./container.js";
import { BitstreamError } from "./errors.js";
import { marked } from "./png.js";
import { readQr, scanCamera } from "./qr.js";
import { fromText, toText } from "./text.js";

const $ = (id) => document.getElementById(id);
const canvas = $("canvas");
const context = canvas.getContext("2d");
const state = {
  file: null, other: null, morph: 0, layers: "scn+fcn", amounts: {}, edits: [], id: 0, waiting: null, busy: false,
};

const DRAWING = "hsc-drawing"; // what drew at the last visit

/** What the worker may be told in the page's address: `threads` and `gpu`, to measure and to test. */
const wishes = new URLSearchParams([...new URLSearchParams(location.search)].filter(([name]) => ["threads", "gpu"].includes(name)));
const worker = new Worker(new URL(`worker.js?${wishes}`, import.meta.url), { type: "module" });
const send = (message) => worker.postMessage(message);

const WORDS = { // of the packs of weights
  manifest: "list of files", graphs: "networks", semantics: "weights of SCN", features: "weights of FCN",
  edits: "edits", encoding: "encoder",
};

function say(sentence) {
  $("note").textContent = sentence;
}

function refuse(sentence) {
  $("alert").textContent = sentence;
  $("alert").hidden = false;
  $("alert").scrollIntoView({ block: "nearest" });
  say("");
}

/** A file's header, or null after it was refused. */
function headerOf(file) {
  try {
    const header = unpack(file, { allowCut: state.layers === "scn" });
    $("alert").hidden = true;
    return header;
  } catch (error) {
    if (!(error instanceof BitstreamError)) throw error;
    return refuse(error.message);
  }
}

/** Show a file's bytes and ask for its picture. */
function receive(file) {
  const header = headerOf(file);
  if (!header) return;
  state.file = file;
  state.other = null;
  resetEdits();
  showBytes(file.length, header);
  open();
}

/** A second face, to morph with; the slider stands half way at first. */
function receiveOther(file) {
  if (!headerOf(file)) return;
  state.other = file;
  state.morph = 0.5;
  setSlider($("morph-amount"), 50);
  $("morph").hidden = false;
  openOther();
  edit(false);
}

function openOther() {
  send({ kind: "other", id: state.id, file: state.other, layers: state.layers });
}

function resetEdits() {
  state.amounts = {};
  state.morph = 0;
  $("morph").hidden = !state.other;
  for (const input of document.querySelectorAll("#tools input[type=range]")) setSlider(input, 0);
}

function showBytes(total, { headerBytes, scn, fcn, level }) {
  const parts = { head: headerBytes, scn: scn.length, fcn: fcn?.length ?? 0 };
  for (const [name, bytes] of Object.entries(parts)) {
    document.querySelector(`.bar .${name}`).style.width = `${(100 * bytes) / total}%`;
  }
  const bpp = (8 * total) / 1024 ** 2;
  const key = (name, label, bytes) =>
    `<span class="part"><span class="key" style="background:var(--${name})"></span>${label} ${bytes.toLocaleString("en")}</span>`;
  $("bytes").innerHTML =
    `<b>${total.toLocaleString("en")} bytes</b> at level ${level}, ${bpp.toFixed(4)} bpp: ` +
    [key("head", "header", parts.head), key("scn", "SCN", parts.scn), key("fcn", "FCN", parts.fcn)].join(" + ");
  $("facts").hidden = false;
}

function open() {
  state.id += 1;
  say("Reading the semantics…");
  send({ kind: "open", id: state.id, file: state.file, layers: state.layers });
  openOther();
  if (state.morph || Object.values(state.amounts).some(Boolean)) edit(false);
}

/** Only the newest edit is asked for; previews follow the finger, the whole picture comes after. */
function edit(preview) {
  state.waiting = { kind: "edit", id: state.id, amounts: { ...state.amounts }, morph: state.morph, preview };
  canvas.ariaBusy = "true";
  if (!state.busy) next();
}

function next() {
  canvas.ariaBusy = String(state.busy || Boolean(state.waiting));
  if (state.busy || !state.waiting) return;
  state.busy = true;
  say(state.waiting.preview ? "" : "Drawing the edit at full size…");
  send(state.waiting);
  state.waiting = null;
}

async function show({ rgba, px }) {
  const bitmap = await createImageBitmap(new ImageData(rgba, px, px));
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  $("empty").hidden = true;
}

const answers = {
  loading({ name, done, total }) {
    const mb = (bytes) => (bytes / 1e6).toFixed(1);
    say(`Loading the decoder: ${WORDS[name.split(".")[0]] ?? "runtime"}, ${mb(done)}${total ? ` of ${mb(total)}` : ""} MB`);
  },
  ready({ edits, threads, gpu }) {
    state.edits = edits;
    buildSliders(edits);
    say("");
    document.body.dataset.ready = "true";
    $("engine").textContent = `WebAssembly, ${threads} thread${threads > 1 ? "s" : ""}.`;
    $("drawing").hidden = !gpu;
    if (gpu && localStorage.getItem(DRAWING) === "gpu") drawOn("gpu");
    keepForLater();
    if (state.file) open();
    else fromAddress();
  },
  async picture(message) {
    if (message.id !== state.id) return;
    await show(message);
    const seconds = (message.milliseconds / 1000).toFixed(1);
    canvas.setAttribute("aria-label", `Decoded face, ${message.layers === "scn" ? "SCN alone" : "SCN and FCN"}`);
    canvas.dataset.layers = message.layers;
    say(`${message.layers === "scn" ? "SCN alone" : "SCN + FCN"}, ${seconds} s`);
  },
  opened({ id }) {
    if (id !== state.id) return;
    $("tools").hidden = false;
    canvas.dataset.opened = String(id);
  },
  async edited(message) {
    state.busy = false;
    if (message.id === state.id) {
      await show(message);
      canvas.dataset.edited = message.preview ? "preview" : "whole";
      if (!message.preview) say(`Edited, ${(message.milliseconds / 1000).toFixed(1)} s`);
    }
    next();
  },
  drawing({ on, reason, decibels, gpu, wasm }) {
    document.querySelector(`input[name=drawing][value=${on}]`).checked = true;
    localStorage.setItem(DRAWING, on);
    const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(2)} s`;
    const times = `A preview takes ${seconds(gpu)} on the graphics card, ${seconds(wasm)} on the processor.`;
    const quicker = gpu > wasm ? " The processor is quicker here." : "";
    $("drawing-note").textContent = {
      none: "No graphics card can be used here.",
      different: `The graphics card drew another picture (${Math.round(decibels)} dB), so the processor draws.`,
      failed: "The graphics card failed, so the processor draws.",
    }[reason] ?? (on === "gpu" ? times + quicker : "");
    $("drawing").dataset.on = on;
  },
  /** The graphics card failed while it drew; the worker goes on without it. */
  fallback() {
    answers.drawing({ on: "wasm", reason: "failed" });
  },
  other({ there }) {
    if (there) canvas.dataset.other = "true";
    else delete canvas.dataset.other;
  },
  encoded({ id, file, milliseconds }) {
    if (id !== state.id) return;
    download(new Blob([file]), "face.hsc");
    say(`Saved ${file.length.toLocaleString("en")} bytes, ${(milliseconds / 1000).toFixed(1)} s`);
  },
  failed({ sentence, of }) {
    if (of === "edit") state.busy = false;
    if (of === "other") {
      state.other = null;
      state.morph = 0;
      $("morph").hidden = true;
    }
    refuse(sentence);
    next();
  },
};
/** Ask for another way to draw; the graphics card's picture is compared with WASM's first. */
function drawOn(on) {
  delete $("drawing").dataset.on;
  $("drawing-note").textContent = on === "gpu" ? "Comparing its picture with the processor's…" : "";
  send({ kind: "draw", on });
}

worker.onmessage = ({ data }) => answers[data.kind](data);
worker.onerror = () => refuse("This browser cannot run the receiver.");

function buildSliders(edits) {
  const groups = Map.groupBy ? Map.groupBy(edits, (e) => e.group) : grouped(edits);
  $("edits").replaceChildren(
    ...[...groups].map(([group, members], index) => {
      const details = document.createElement("details");
      details.open = index === 0;
      const summary = document.createElement("summary");
      summary.textContent = group;
      details.append(summary, ...members.map(slider));
      return details;
    }),
  );
}

function grouped(edits) {
  const groups = new Map();
  for (const edit of edits) groups.set(edit.group, [...(groups.get(edit.group) ?? []), edit]);
  return groups;
}

function slider(edit) {
  const row = document.createElement("div");
  row.className = "edit";
  const id = `edit-${edit.name}`;
  row.innerHTML = `<label for="${id}"></label><span class="value" aria-hidden="true"></span>`;
  row.firstChild.textContent = edit.label;
  row.title = edit.description;
  const input = Object.assign(document.createElement("input"), {
    type: "range", id, min: edit.low, max: edit.high, step: edit.step,
  });
  input.dataset.unit = edit.unit;
  input.setAttribute("aria-describedby", `${id}-help`);
  const help = Object.assign(document.createElement("span"), {
    id: `${id}-help`, className: "visually-hidden", textContent: edit.description,
  });
  input.addEventListener("input", () => {
    setSlider(input, Number(input.value));
    state.amounts[edit.name] = Number(input.value);
    edit_(true);
  });
  input.addEventListener("change", () => edit_(false));
  row.append(input, help);
  setSlider(input, 0);
  return row;
}

const edit_ = (preview) => state.file && edit(preview);

setSlider($("morph-amount"), 0);
$("morph-amount").addEventListener("input", ({ target }) => {
  setSlider(target, Number(target.value));
  state.morph = Number(target.value) / 100;
  edit_(true);
});
$("morph-amount").addEventListener("change", () => edit_(false));

/** The value, in words of its unit, and the part of the track from zero to it, which is filled. */
function setSlider(input, value) {
  input.value = value;
  const { unit } = input.dataset;
  const number = Number(value.toFixed(2));
  const text = `${number} ${Math.abs(number) === 1 ? unit.replace(/s$/, "") : unit}`.trim();
  input.parentElement.querySelector(".value").textContent = text;
  input.setAttribute("aria-valuetext", text);
  const [low, high] = [Number(input.min), Number(input.max)];
  const ends = [0, value].map((x) => (x - low) / (high - low)).sort((a, b) => a - b);
  ends.forEach((part, i) => input.style.setProperty(i ? "--to" : "--from", part));
}

/** A .hsc file, or a picture of a QR code. */
async function take(blob, receiver = receive) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const isPicture = blob.type.startsWith("image/");
  if (!isPicture) return receiver(bytes);
  say("Looking for a QR code…");
  const text = await readQr(blob);
  if (text === null) return refuse("There is no QR code in this picture; try a sharper one.");
  takeText(text, receiver);
}

function takeText(text, receiver = receive) {
  try {
    receiver(fromText(text));
  } catch (error) {
    if (!(error instanceof BitstreamError)) throw error;
    refuse(error.message);
  }
}

function fromAddress() {
  const address = location.search + location.hash;
  if (/[?&#]face=/i.test(address)) takeText(address);
}

for (const [file, form, text, receiver] of [
  ["file", "paste", "text", receive],
  ["other", "other-paste", "other-text", receiveOther],
]) {
  $(file).addEventListener("change", ({ target }) => {
    if (target.files[0]) take(target.files[0], receiver);
    target.value = "";
  });
  $(form).addEventListener("submit", (event) => {
    event.preventDefault();
    takeText($(text).value, receiver);
  });
}
document.addEventListener("paste", (event) => {
  if (event.target.matches?.("input[type=text]")) return;
  const file = event.clipboardData.files[0];
  if (file) take(file);
  else takeText(event.clipboardData.getData("text"));
});
for (const kind of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    $("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files[0]) take(event.dataTransfer.files[0]);
  });
}
$("example").addEventListener("click", async () => {
  const response = await fetch("example.hsc");
  receive(new Uint8Array(await response.arrayBuffer()));
});
$("scan").addEventListener("click", async () => {
  const video = $("camera");
  const scanning = !video.hidden;
  video.hidden = scanning; // a second press stops the camera
  if (scanning) return;
  $("scan").textContent = "Stop the camera";
  try {
    takeText(await scanCamera(video));
  } catch (error) {
    if (error.name === "AbortError") return;
    refuse("The camera cannot be used here; take a picture of the code and open that.");
  } finally {
    video.hidden = true;
    $("scan").textContent = "Scan a QR code";
  }
});
for (const radio of document.querySelectorAll("input[name=layers]")) {
  radio.addEventListener("change", () => {
    state.layers = radio.value;
    if (state.file) open();
  });
}
for (const radio of document.querySelectorAll("input[name=drawing]")) {
  radio.addEventListener("change", () => drawOn(radio.value));
}
$("reset").addEventListener("click", () => {
  resetEdits();
  edit(false);
});
$("save").addEventListener("click", () => {
  canvas.toBlob(async (png) => {
    const recipe = { file: toText(state.file), layers: state.layers, edits: state.amounts };
    if (state.morph) recipe.morph = { file: toText(state.other), amount: state.morph };
    download(await marked(png, recipe), "face.png");
  }, "image/png");
});
function download(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** The file as it came, or one of the edited face. */
$("save-file").addEventListener("click", () => {
  const edited = state.morph || Object.values(state.amounts).some(Boolean) || state.layers === "scn";
  if (!edited) return download(new Blob([state.file]), "face.hsc");
  say("Encoding the edited face…");
  send({ kind: "encode", id: state.id, amounts: state.amounts, morph: state.morph });
});
$("copy").addEventListener("click", async () => {
  const text = toText(state.file);
  $("text").value = text;
  await navigator.clipboard?.writeText(text).catch(() => {});
  say("The text of the face is copied.");
});

send({ kind: "load" });

/** Store every file, so that the page works without a network; after what the visitor waits for. */
function keepForLater() {
  if (!("serviceWorker" in navigator && location.protocol.startsWith("http"))) return;
  navigator.serviceWorker.register("sw.js").then(() => navigator.serviceWorker.ready).then(() => {
    document.body.dataset.offline = "true";
  });
}
