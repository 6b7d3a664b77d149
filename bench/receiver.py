"""How large and how quick the receiver is, in Chromium and beside the server's decoder.

    python bench/receiver.py [--rounds 5] [--threads 1,4] [--gpu hardware]

Prints the bytes that a visit loads and a table of times: of the shipped worker, in WASM with as
many threads as said, by WebGPU if asked, and of PyTorch with one thread and with all. Run it on a
machine that does nothing else. Needs Chromium, as the page tests do, and the package onnx.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import http.server
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from hsc.export.web import export_web  # noqa: E402

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
EDIT = {"smile": 0.5}
PACKED = "ort-wasm-simd-threaded.wasm.gz", "ort-wasm-simd-threaded.jspi.wasm.gz"
PAGE = ("index.html", "style.css", "app.js", "worker.js", "icon.svg", "weights/manifest.json")
LOADED = {
    "the page and the list of files": PAGE,
    "WASM runtime": PACKED[:1],
    "networks, without weights": ("weights/graphs.pack",),
    "weights for SCN: the first face": ("weights/semantics.pack",),
    "weights for FCN: the whole face": ("weights/features.pack",),
    "weights for edits": ("weights/edits.pack",),
    "weights for saving an edited face": ("weights/encoding.pack",),
    "reader of QR codes": ("zxing_reader.wasm.gz",),
    "runtime for graphics cards": ("gpu.js", *PACKED[1:]),
}
"""What is loaded, in the order in which a visitor needs it."""
FIRST_FACE = 4
"""So many of them before the first picture; the rest when it is needed, or into the cache."""
FOR_LATER = 8
"""So many of them are kept for use without a network."""
GPU_ARGUMENTS = {
    "": ["--disable-gpu"],
    "hardware": ["--enable-unsafe-webgpu", "--enable-features=Vulkan"],
    "software": ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
}
TIMES = {
    "first_face": "first face, weights read and compiled",
    "whole_face": "a file opened (in the page SCN alone first)",
    "preview": "preview of an edit, 256 px",
    "edit": "edit at full size",
    "encode": "edited face to a file",
}
MEASURE = """async ([threads, gpu, bytes, rounds, edit]) => {
  const worker = new Worker(`worker.js?threads=${threads}&gpu=${gpu}`, { type: "module" });
  let last = null;
  const answer = (message, kinds) => new Promise((resolve, reject) => {
    worker.onerror = () => reject(new Error("The worker does not run."));
    const began = performance.now();
    worker.onmessage = ({ data }) => {
      if (data.kind === "failed") reject(new Error(data.sentence));
      if (kinds.includes(data.kind)) last = data;
      if (kinds.includes(data.kind)) resolve((performance.now() - began) / 1000);
    };
    worker.postMessage(message);
  });
  const file = Uint8Array.from(bytes);
  const median = async (message, kinds) => {
    await answer(message, kinds);
    const times = [];
    for (let i = 0; i < rounds; i++) times.push(await answer(message, kinds));
    return times.sort((a, b) => a - b)[Math.floor(rounds / 2)];
  };
  const change = { kind: "edit", id: 1, amounts: edit, morph: 0 };
  const open = { kind: "open", id: 1, file, layers: "scn+fcn" };
  const loaded = await answer({ kind: "load" }, ["ready"]);
  const chosen = gpu ? await answer({ kind: "draw", on: "gpu" }, ["drawing"]) : 0;
  if (gpu && last.on !== "gpu") throw new Error(`The graphics card does not draw: ${last.reason}.`);
  return {
    first_face: loaded + chosen + (await answer(open, ["picture"])),
    whole_face: await median(open, ["opened"]),
    preview: await median({ ...change, preview: true }, ["edited"]),
    edit: await median({ ...change, preview: false }, ["edited"]),
    encode: await median({ ...change, kind: "encode" }, ["encoded"]),
    isolated: crossOriginIsolated,
  };
}"""


class Isolated(http.server.SimpleHTTPRequestHandler):
    """Static files with the headers that several threads need."""

    def end_headers(self) -> None:
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a static host of the folder."""
    handler = functools.partial(Isolated, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def resident_mb(profile: str) -> float:
    """What the renderer processes of a browser with this profile hold now."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_text()
            if profile in command and "--type=renderer" in command:
                total += int((process / "statm").read_text().split()[1])
        except OSError:
            continue
    return total * os.sysconf("SC_PAGE_SIZE") / 1e6


def in_browser(
    address: str, face: bytes, threads: int, rounds: int, gpu: str = ""
) -> dict[str, float]:
    """Seconds, and megabytes that the page's process holds at the end.

    Args:
        gpu: "" for WASM, "hardware", or "software" for Chromium's own adapter.
    """
    arguments = ["--no-sandbox", "--disable-background-networking"]
    arguments += GPU_ARGUMENTS[gpu]
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=next(filter(None, map(shutil.which, BROWSERS))),
            args=arguments,
            service_workers="block",
        )
        page = context.new_page()
        page.set_default_timeout(300_000)
        page.goto(f"{address}style.css")  # of this host, and runs nothing itself
        found = page.evaluate(MEASURE, [threads, gpu, list(face), rounds, EDIT])
        if threads > 1 and not found.pop("isolated"):
            raise RuntimeError("expected a page that may run threads, got one that may not.")
        found["memory"] = resident_mb(profile)
        context.close()
    return found


def in_python(face: bytes, threads: int, rounds: int) -> dict[str, float]:
    """Seconds of the server's decoder, with the weights loaded."""
    import torch

    import hsc

    torch.set_num_threads(threads)
    codec = hsc.load(device="cpu")
    opened = codec.open(face)

    def median(work: Callable[[], object]) -> float:
        work()
        times = []
        for _ in range(rounds):
            began = time.perf_counter()
            work()
            times.append(time.perf_counter() - began)
        return statistics.median(times)

    def encode() -> None:
        codec.compress_edited(opened, EDIT, 3.0)

    return {
        "whole_face": median(lambda: codec.decode(face)),
        "preview": median(lambda: codec.preview(opened, EDIT)),
        "edit": median(lambda: codec.draw(opened, EDIT)),
        "encode": median(encode),
    }


def sizes(folder: Path) -> str:
    """Megabytes over the wire; scripts and texts as hosts compress them, by gzip."""

    def megabytes(names: tuple[str, ...]) -> float:
        total = 0
        for name in names:
            data = (folder / name).read_bytes()
            is_packed = name.endswith((".gz", ".pack"))
            total += len(data if is_packed else gzip.compress(data, 6))
        return total / 1e6

    found = {words: megabytes(names) for words, names in LOADED.items()}
    parts = list(found.values())
    lines = ["| to load | MB |", "|---|---|"]
    lines += [f"| {words} | {size:.2f} |" for words, size in found.items()]
    return "\n".join(
        [
            *lines,
            f"| **first visit, before the first face** | {sum(parts[:FIRST_FACE]):.2f} |",
            f"| **first visit, all, for offline use** | {sum(parts[:FOR_LATER]):.2f} |",
            "| **second visit** | 0.00 |",
        ]
    )


def table(columns: dict[str, dict[str, float]]) -> str:
    """Seconds by what is done and by where."""
    lines = [f"| seconds | {' | '.join(columns)} |", "|---" * (1 + len(columns)) + "|"]
    for key, words in TIMES.items():
        cells = (f"{found[key]:.2f}" if key in found else "" for found in columns.values())
        lines.append(f"| {words} | {' | '.join(cells)} |")
    cells = (f"{found['memory']:.0f}" if "memory" in found else "" for found in columns.values())
    return "\n".join([*lines, f"| memory of the page's process, MB | {' | '.join(cells)} |"])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", default="1,4", metavar="N,...")
    parser.add_argument("--gpu", default="", choices=("hardware", "software"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "receiver"
        export_web(folder)
        face = (folder / "example.hsc").read_bytes()
        print(sizes(folder), end="\n\n", flush=True)
        columns = {}
        with served(folder) as address:
            for threads in map(int, arguments.threads.split(",")):
                words = f"WASM, {threads} thread{'s' if threads > 1 else ''}"
                columns[words] = in_browser(address, face, threads, arguments.rounds)
            if arguments.gpu:
                words = f"WebGPU, {arguments.gpu}"
                columns[words] = in_browser(address, face, 1, arguments.rounds, arguments.gpu)
        cores = os.cpu_count() or 1
        for threads in sorted({1, cores}):
            words = f"server, {threads} thread{'s' if threads > 1 else ''}"
            columns[words] = in_python(face, threads, arguments.rounds)
        print(table(columns))
        print(f"\n{cores} cores; medians of {arguments.rounds}; load {os.getloadavg()[0]:.1f}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
