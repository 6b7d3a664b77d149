"""``validate results``: the saved reports as ``RESULTS.md``."""

from collections.abc import Mapping
from pathlib import Path

from hsc.baselines.published import PAPER, PAPER_NOTE, PAPER_POINTS
from hsc.errors import HscError
from hsc.levels import LEVELS
from hsc.metrics.evaluator import METRICS
from hsc.research.evaluation import inversion, laboratory, rate_distortion, report
from hsc.research.evaluation.highlights import findings
from hsc.research.evaluation.page_parts import merged
from hsc.research.evaluation.provenance import circumstances
from hsc.research.evaluation.published import AIMS, INVERSION_AIMS
from hsc.research.options import ValidateOptions

TARGET = Path("RESULTS.md")
INTRODUCTION = """# Results

Written by `hsc validate results` from the reports of `validate inversion`, `validate
rate-distortion`, `validate bound`, `validate resolution`, `validate robustness`, `validate
verification`, `evaluate`, `bench` and `ablate`; do not edit by hand. `bash tools/measure FACES`
runs them all. A part whose report is not there when it is written stays as it was: every part says
when, where and, where it matters, with which weights it was measured. The people are those of
`hsc/research/data/held_out.txt`, whom no training run has seen. The encoder and the losses have seen
other pictures of the same collections."""


def run(options: ValidateOptions) -> None:
    """Write ``RESULTS.md`` from the reports in a folder.

    Args:
        options: out, where the reports are, and study, where the one of ``hsc evaluate`` is.

    Raises:
        HscError: there is no report.
    """
    folder, study = options.out, options.study
    reports = laboratory.reports(folder, study)
    if not reports:
        raise HscError(
            f"Expected reports in {folder}, found none: run `hsc validate inversion "
            "--faces DIR` or another of the commands that measure."
        )
    old = TARGET.read_text(encoding="utf-8") if TARGET.is_file() else ""
    TARGET.write_text(merged(text(reports), old), encoding="utf-8")
    print(f"wrote {TARGET}: {', '.join(reports)}")


def text(reports: Mapping[str, dict]) -> str:
    """The page, as far as there are reports, by their kind."""
    encoder, files = reports.get("inversion"), reports.get("rate-distortion")
    refined = reports.get(rate_distortion.REFINED)
    parts = [INTRODUCTION]
    # what is surprising is told where everything was measured, not out of some of it
    if encoder and files and (found := findings(reports)):
        parts += ["## What one might not have guessed", "\n".join(f"- {f}" for f in found)]
    if encoder:
        parts += ["## Encoder alone, nothing compressed", circumstances(encoder)]
        parts += [inversion.figures_table(encoder), _inversion_aims()]
    if files:
        parts += _files(files)
    if refined:
        parts += ["## Files, refined while encoding", circumstances(refined), _refined(refined)]
    parts += laboratory.sections(reports)
    if files:
        parts.append("## Notes\n\n" + "\n".join(f"- {note}" for note in files["notes"]))
    return "\n\n".join(parts) + "\n"


def _files(files: dict) -> list[str]:
    """Figures by level, beside the aims and beside what the paper published."""
    seconds = [row["decode_seconds"] for row in files["summary"]]
    parts = ["## Files", circumstances(files), rate_distortion.figures_table(files)]
    parts.append(f"Mean time to decode a file: {sum(seconds) / len(seconds):.2f} seconds.")
    parts += ["### Beside the aims", _beside_aims(files)]
    parts += [f"### Published by the paper, not measured here ({PAPER})", PAPER_NOTE, _paper()]
    return parts


def _refined(refined: dict) -> str:
    """What gradient steps on each face gain and cost."""
    plain, better = ([], [])
    for row in refined["summary"]:
        (better if row["what"].endswith("refined") else plain).append(row["encode_seconds"])
    return (
        f"{refined['refine_steps']} gradient steps a face and level (`--refine`) take "
        f"{sum(better) / len(better):.1f} seconds a file instead of "
        f"{sum(plain) / len(plain):.2f}; the decoder is the same.\n\n"
        + rate_distortion.figures_table(refined)
    )


def _inversion_aims() -> str:
    lines = [
        [what, *(report.number(aims.get(m.key), m.digits) for m in METRICS)]
        for what, aims in INVERSION_AIMS.items()
    ]
    header = ["aim", *(m.label for m in METRICS)]
    return "Aims (PSNR at least, the others at most):\n\n" + report.table(header, lines)


def _beside_aims(files: dict) -> str:
    """Measured and aimed at, level by level."""
    measured = {row["what"]: row for row in files["summary"]}
    lines = []
    for level, aim in zip(LEVELS, AIMS):
        row = measured.get(rate_distortion.point_name(level.number, "scn+fcn"))
        if row is None:
            continue
        line = [f"{level.number}, {level.name}", report.number(row["bytes_total"], 0)]
        line.append(str(aim.bytes))
        for key in ("lpips_1024", "dists_256", "identity_l2"):
            line += [report.number(row[key], 3), report.number(getattr(aim, key), 3)]
        lines.append(line)
    header = ["level", "bytes", "aim"]
    for label in ("LPIPS@1024", "DISTS@256", "identity L2"):
        header += [label, "aim"]
    return report.table(header, lines)


def _paper() -> str:
    header = ["HSC as published", "LPIPS", "DISTS"]
    lines = [
        [f"{p.bytes} bytes", report.number(p.lpips_1024, 3), report.number(p.dists_256, 3)]
        for p in PAPER_POINTS
    ]
    return report.table(header, lines)
