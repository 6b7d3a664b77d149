"""What ``RESULTS.md`` says beyond the files themselves, where there are reports of it."""

from collections.abc import Mapping
from pathlib import Path

from hsc.research.ablation import run as ablation
from hsc.research.evaluation import (
    bench,
    bound,
    rate_distortion,
    report,
    resolution,
    robustness,
    verification,
)
from hsc.research.evaluation.provenance import circumstances
from hsc.research.evaluation.study import tables

STUDY = Path("runs/evaluation")
KINDS = (
    "inversion", "rate-distortion", rate_distortion.REFINED, "bound", resolution.KIND,
    robustness.KIND, "verification", "bench", "ablation",
)  # fmt: skip
ABLATION_NOTE = (
    "Every variant of a group was trained here, from the same start, for equally many steps on "
    "the same faces: few of both, so that a longer training may rank them otherwise. The losses "
    "start from the shipped weights, the others from nothing. Bytes are real, of the entropy "
    "coder, with {header} for a file's header; at levels 1, 3 and 6 (S as in the paper: one model "
    "for each size). LPIPS at 256 px through the early exit: F's from the photograph; S's from "
    "what the uncoded S draws, since how far that is from the photograph is not the coding's "
    "doing. The last column is a BD-rate: bytes more than the codec's own way, trained likewise, "
    "takes at equal LPIPS; over: even the codec's smallest files are better than its best."
)


def reports(folder: Path, study: Path) -> dict[str, dict]:
    """Every report that is there, by its kind; ``study`` is that of ``hsc evaluate``."""
    found = {kind: report.read_if_there(kind, folder) for kind in KINDS}
    found["study"] = report.read_if_there("report", study)
    return {kind: result for kind, result in found.items() if result}


def sections(found: Mapping[str, dict]) -> list[str]:
    """The sections of those reports that :func:`reports` found."""
    parts: list[str] = []
    if bounded := found.get("bound"):
        parts += ["## Which part is the bound (`hsc validate bound`)", _bound(bounded)]
    if compared := found.get(resolution.KIND):
        parts += ["## Where F is best taken (`hsc validate resolution`)", _resolution(compared)]
    if damaged := found.get(robustness.KIND):
        parts += ["## Damaged photographs (`hsc validate robustness`)", circumstances(damaged)]
        parts += [robustness.note(), robustness.figures_table(damaged)]
    if studied := found.get("study"):
        parts += _study(studied)
    if verified := found.get("verification"):
        parts += ["## Who is taken for whom (`hsc validate verification`)", circumstances(verified)]
        parts += [verification.note(verified), verification.table(verified)]
    if timed := found.get("bench"):
        parts += ["## Time and memory (`hsc bench`)", _bench(timed)]
    if ablated := found.get("ablation"):
        parts += ["## What each idea is worth (`hsc ablate`)", _ablation(ablated)]
    return parts


def _bound(result: dict) -> str:
    tables = [bound.gains_table(result), bound.figures_table(result)]
    return "\n\n".join([circumstances(result), bound.note(result), bound.verdict(result), *tables])


def _resolution(result: dict) -> str:
    tables = [resolution.equal_bytes_table(result), resolution.figures_table(result)]
    said = [resolution.note(result), resolution.verdict(result)]
    return "\n\n".join([circumstances(result), *said, *tables])


def _study(result: dict) -> list[str]:
    settings = "\n".join(f"- {label}: {how}." for label, how in result["codecs"].items())
    notes = "\n".join(f"- {note}" for note in result["notes"])
    parts = ["## Other codecs in the same bytes (`hsc evaluate`)"]
    parts.append("\n".join([circumstances(result), settings, notes]))
    for table in tables.all_tables(result):
        parts += [f"### {table.title}", table.note, table.markdown()]
    return parts


def _bench(result: dict) -> str:
    first, *rest = result["notes"]
    lines = [f"- {result['machine']}, {result['date']}."]
    lines += [f"- {t['label']}: ran on {t['machine']}." for t in result["timings"]]
    lines += [f"- {first}", *(f"- {n}" for n in rest)]
    parts = ["\n".join(lines), bench.table(result)]
    if "generators" in result:
        parts.append("The generator alone, w+ to 1024 px on the CPU, turn by turn:")
        parts.append(bench.generators_table(result["generators"]))
    return "\n\n".join(parts)


def _ablation(result: dict) -> str:
    weights = ", ".join(f"{name} `{digest[:12]}`" for name, digest in result["weights"].items())
    note = ABLATION_NOTE.format(header=ablation.HEADER_BYTES)
    lines = [
        f"- Measured on {result['date']}, {result['machine']}.",
        f"- Model {result['model']}; SHA-256 of the weights begins: {weights}.",
    ]
    lines += [
        f"- {ablation.TITLES[group]}: {b['steps']} steps on {b['train']} faces, measured on "
        f"{b['test']} held-out ones."
        for group, b in result["budgets"].items()
    ]
    return "\n\n".join(["\n".join(lines), note, ablation.table(result)])
