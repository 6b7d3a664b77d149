"""The receiver that runs in a browser: its runtime, its graphs and its weights, in one folder."""

import gzip
import hashlib
import importlib.util
import json
import shutil
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import load_file

from hsc.errors import HscError
from hsc.export.graphs import graphs, to_onnx
from hsc.export.packs import CONTEXT, Packs, smallest, stored, write_packs
from hsc.paths import RECEIVER, SHIPPED
from hsc.weights.model_id import DECODER_FILES, FINETUNED, file_hash, model_id, path_of

EXAMPLE = SHIPPED / "examples" / "astronaut" / "face.hsc"
SERVICE_WORKER = "sw.js"
NOT_CACHED = {SERVICE_WORKER, "runtime.json"}
MANIFEST = "manifest.json"
PLAUSIBILITY = "plausibility"
"""Optional weights: how far edits may go together."""
SOURCES = (*DECODER_FILES, FINETUNED, "preview", "edits", PLAUSIBILITY)
"""Weight files that the receiver's weights are made from."""


def put_latents(packs: Packs, folder: Path | None = None) -> None:
    """What decodes symbols: SCN's g_s, FCN's prior, G up to 16 px and the tables; and the edits."""
    generator, fcn, scn, tables, edits = (
        load_file(path_of(name, folder)) for name in ("generator", "fcn", "scn", "entropy", "edits")
    )
    if "fine.basis" not in scn:
        raise HscError("expected a model with fine styles, which the receiver knows: got another.")
    of_scn = ("g_s", "mean", "log2_gain", "fine.basis", "fine.log2_gain")
    semantics = {f"scn.{k}": scn[k] for k in of_scn}
    semantics |= {k: v for k, v in generator.items() if k.startswith(CONTEXT)}
    semantics |= {f"tables.{k}": v for k, v in tables.items()}
    for name, tensor in semantics.items():
        kept = name.startswith(("tables.", "synthesis.const")) or name.endswith("log2_gain")
        packs.put("semantics", name, smallest(tensor if kept else stored(name, tensor)))
    for name, tensor in fcn.items():
        kept = name.endswith(("log2_gain", "feature_std"))
        if kept or name.startswith(("prior.", "enhancement.scales.", "fine.basis")):
            name = f"fcn.{name}"
            packs.put("features", name, smallest(tensor if kept else stored(name, tensor)))
    for name, tensor in edits.items():
        packs.put("edits", name, smallest(tensor))
    if (usual := path_of(PLAUSIBILITY, folder)).is_file():
        for name, tensor in load_file(usual).items():
            packs.put("edits", f"{PLAUSIBILITY}.{name}", smallest(tensor))


def edit_table(folder: Path | None = None) -> list[dict[str, object]]:
    """Names, ranges and descriptions of the edits, which the page shows before it loads them."""
    with safe_open(path_of("edits", folder), "pt") as file:
        table: list[dict[str, object]] = json.loads(file.metadata()["table"])
    return table


def write_weights(out: Path, folder: Path | None = None) -> None:
    """Write packs of graphs and tensors, and a manifest of their hashes, into a folder."""
    out.mkdir(parents=True, exist_ok=True)
    packs = Packs()
    put_latents(packs, folder)
    made = {name: (graph.pack, to_onnx(graph)) for name, graph in graphs(folder).items()}
    write_packs(packs.externalise(made), out)
    model = model_id(folder)
    manifest = {
        "model": {"name": model.name, "code": model.code},
        "made_from": {
            name: file_hash(path_of(name, folder))
            for name in SOURCES
            if path_of(name, folder).is_file()
        },
        "graphs": packs.used,
        "edits": edit_table(folder),
        "files": {path.name: _facts(path) for path in sorted(out.iterdir())},
    }
    (out / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")


def export_web(out: Path, folder: Path | None = None) -> list[Path]:
    """Write the whole receiver: the built runtime, an example and the weights.

    WASM is written in gzip, which the receiver unpacks itself: not every host compresses.

    Args:
        out: a new or empty folder, to be served by any static host.
        folder: of weights; the shipped ones by default.

    Returns:
        Every file of it.

    Raises:
        HscError: the folder has other files in it, or the runtime or the package onnx is missing.
    """
    if not RECEIVER.is_dir():
        raise HscError("expected the receiver's runtime in web/dist, found none: build it there.")
    if importlib.util.find_spec("onnx") is None:
        raise HscError("ONNX is not installed: run `pip install onnx` first.")
    if out.is_dir() and any(out.iterdir()):
        raise HscError(f"expected a new or empty folder, {out.name} has files in it.")
    shutil.copytree(RECEIVER, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.wasm"))
    for wasm in RECEIVER.glob("*.wasm"):
        (out / f"{wasm.name}.gz").write_bytes(gzip.compress(wasm.read_bytes(), 6, mtime=0))
    shutil.copyfile(EXAMPLE, out / "example.hsc")
    write_weights(out / "weights", folder)
    files = sorted(p for p in out.rglob("*") if p.is_file() and _is_cached(p))
    names = ["./", *(p.relative_to(out).as_posix() for p in files)]
    hashed = hashlib.sha256("".join(str(_facts(p)["sha256"]) for p in files).encode()).hexdigest()
    worker = (RECEIVER / SERVICE_WORKER).read_text(encoding="utf-8")
    worker = worker.replace("%VERSION%", hashed[:12]).replace("%FILES%", json.dumps(names))
    (out / SERVICE_WORKER).write_text(worker, encoding="utf-8")
    return sorted(p for p in out.rglob("*") if p.is_file())


def _is_cached(path: Path) -> bool:
    """Whether every visitor keeps a file; the runtime for graphics cards is kept by who uses it."""
    ours = path.name not in NOT_CACHED and path.suffix != ".txt"
    return ours and not path.name.startswith(("gpu.", "ort-wasm-simd-threaded.jspi."))


def _facts(path: Path) -> dict[str, int | str]:
    data = path.read_bytes()
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
