"""``hsc validate results``: saved reports as ``RESULTS.md``, by the template beside this file."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from hsc.baselines.published import PAPER, PAPER_NOTE, PAPER_POINTS
from hsc.errors import HscError
from hsc.images.bandwidth import FULL_PX
from hsc.levels import LEVELS
from hsc.metrics.evaluator import METRICS
from hsc.research.ablation import run as ablation
from hsc.research.evaluation import (
    bench,
    bound,
    detection,
    faults,
    full_size,
    inversion,
    jitter,
    photographs,
    rate_distortion,
    report,
    resolution,
    robustness,
    sequence,
    verification,
)
from hsc.research.evaluation.published import AIMS, INVERSION_AIMS
from hsc.research.evaluation.study.tables import all_tables
from hsc.research.options import ValidateOptions
from hsc.research.results.highlights import highlights

KINDS: Mapping[str, Any] = {
    "inversion": inversion,
    "rate-distortion": rate_distortion,
    rate_distortion.REFINED: rate_distortion,
    full_size.KIND: full_size,
    full_size.REFINED: full_size,
    "bound": bound,
    resolution.KIND: resolution,
    robustness.KIND: robustness,
    photographs.KIND: photographs,
    sequence.KIND: sequence,
    detection.KIND: detection,
    faults.KIND: faults,
    jitter.KIND: jitter,
    "verification": verification,
    "bench": bench,
    "ablation": ablation,
}
"""Kinds of report, and the modules that make tables of them."""
HEADING = re.compile(r"^(?=## )", re.MULTILINE)


def run(options: ValidateOptions) -> None:
    """Write the page from the reports in ``options.out`` and ``options.study``.

    Parts of the page whose report is not there stay as they are.

    Raises:
        HscError: there is no report.
    """
    found = reports(options.out, options.study)
    if not found:
        raise HscError(
            f"Expected reports in {options.out}, found none: run `hsc validate inversion "
            "--faces DIR` or another of the commands that measure."
        )
    page = options.page
    old = page.read_text(encoding="utf-8") if page.is_file() else ""
    page.write_text(merged(text(found), old), encoding="utf-8")
    print(f"wrote {page}: {', '.join(found)}")


def reports(folder: Path, study: Path) -> dict[str, dict]:
    """Every report that is there, by its kind; ``study`` is that of ``hsc evaluate``."""
    found = {kind: report.read_if_there(kind, folder) for kind in KINDS}
    found["study"] = report.read_if_there("report", study)
    return {kind: result for kind, result in found.items() if result}


def text(found: Mapping[str, dict]) -> str:
    """The page, as far as there are reports, by their kind."""
    names = {kind.replace("-", "_"): found.get(kind) for kind in (*KINDS, "study")}
    page = template().render(
        names,
        files=found.get("rate-distortion"),
        highlights=highlights(found),
        full_px=FULL_PX,
        kinds=SimpleNamespace(**{kind.replace("-", "_"): KINDS[kind] for kind in KINDS}),
        tables=SimpleNamespace(
            inversion_aims=inversion_aims, beside_aims=beside_aims, paper=paper, study=all_tables
        ),
        circumstances=report.circumstances,
        paper=PAPER,
        paper_note=PAPER_NOTE,
    )
    return page.strip() + "\n"


def findings(found: Mapping[str, dict]) -> list[str]:
    """The sentences of :func:`highlights`."""
    names = (kind.replace("-", "_") for kind in (*KINDS, "study", "files", "highlights", "full_px"))
    empty: dict[str, Any] = dict.fromkeys(names)
    sentence = vars(template().make_module(empty))["sentence"]
    return [str(sentence(h)) for h in highlights(found)]


def sections(found: Mapping[str, dict]) -> list[str]:
    """The parts of the page below its introduction."""
    return HEADING.split(text(found))[1:]


@cache
def template() -> Template:
    """The one template."""
    environment = Environment(
        loader=PackageLoader("hsc.research", "results"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["refined"] = lambda row: row["what"].endswith("refined")
    environment.filters["mean"] = lambda rows, key: sum(row[key] for row in rows) / len(rows)
    return environment.get_template("RESULTS.md.j2")


def merged(new: str, old: str) -> str:
    """A page with the parts of ``new``, and of ``old`` those that ``new`` does not have.

    Parts begin at headings of the second level; what stands before the first heading is taken from
    ``new``. Parts of ``old`` keep their place; one that only ``new`` has follows the part that it
    follows there.
    """
    introduction, *fresh = HEADING.split(new)
    parts = [(_title(part), part) for part in HEADING.split(old)[1:]]
    at = 0
    for part in fresh:
        places = [index for index, (title, _) in enumerate(parts) if title == _title(part)]
        if places:
            at = places[0]
            parts[at] = (_title(part), part)
        else:
            parts.insert(at, (_title(part), part))
        at += 1
    return "\n\n".join(part.strip() for part in (introduction, *(p for _, p in parts))) + "\n"


def _title(part: str) -> str:
    return part.partition("\n")[0].removeprefix("## ").strip()


def inversion_aims() -> str:
    """What the encoder alone aims at."""
    lines = [
        [what, *(report.number(aims.get(m.key), m.digits) for m in METRICS)]
        for what, aims in INVERSION_AIMS.items()
    ]
    return report.table(["aim", *(m.label for m in METRICS)], lines)


def beside_aims(files: dict) -> str:
    """Measured and aimed at, level by level."""
    measured = {row["what"]: row for row in files["summary"]}
    lines: list[Sequence[str]] = []
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


def paper() -> str:
    """The points that the paper published."""
    lines = [
        [f"{p.bytes} bytes", report.number(p.lpips_1024, 3), report.number(p.dists_256, 3)]
        for p in PAPER_POINTS
    ]
    return report.table(["HSC as published", "LPIPS", "DISTS"], lines)
