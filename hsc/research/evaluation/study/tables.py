"""The tables of a study, for the terminal, the HTML page and RESULTS.md alike."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hsc.research.evaluation import report
from hsc.research.evaluation.study.candidates import BEST, FILE, FULL, OURS, READ, SEMANTICS
from hsc.research.evaluation.study.summary import labels
from hsc.research.evaluation.study.verification import FALSE_ACCEPTS

Row = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """A figure, its title and decimals; ``factor`` 100 makes a share a percentage."""

    key: str
    title: str
    digits: int
    factor: float = 1.0

    def cell(self, row: Row) -> str:
        value = row.get(self.key)
        return report.number(None if value is None else self.factor * value, self.digits)


@dataclass(frozen=True)
class Table:
    """A titled table; the first column is text."""

    title: str
    note: str
    header: Sequence[str]
    lines: Sequence[Sequence[str]]

    def markdown(self) -> str:
        return report.table(self.header, self.lines)


SEEN = (
    Column("bytes", "bytes", 0),
    Column("px", "px", 0),
    Column("lpips_1024", "LPIPS@1024", 3),
    Column("lpips_256", "LPIPS@256", 3),
    Column("dists_256", "DISTS@256", 3),
    Column("psnr_256", "PSNR@256", 2),
    Column("ms_ssim", "MS-SSIM", 3),
    Column("dino_similarity", "DINOv2 similarity", 3),
    Column("dino_frechet", "DINOv2 Frechet", 0),
    Column("identity_l2", "identity L2", 3),
)
READ_OUT = (
    Column("bytes", "bytes", 0),
    Column("face_found", "face found %", 0, 100),
    Column("verified_itself", "known again %", 0, 100),
    Column("verified_another", "other photo %", 0, 100),
    Column("landmarks_in_place", "landmarks in place %", 0, 100),
    Column("landmark_error", "landmark error", 3),
    Column("mask_overlap", "person IoU", 3),
    Column("age_error", "age error (years)", 1),
    Column("same_expression", "same expression %", 0, 100),
    Column("yaw_error", "yaw error (deg)", 1),
)
SEEN_NOTE = (
    "Every codec in as many bytes as ours took for that picture, or the most it can make of fewer; "
    "others at the resolution that looks best by LPIPS at 256 px (mean of it under px), enlarged "
    "with a Lanczos filter. Bytes are those of whole files. An asterisk: some pictures did not fit."
)
READ_NOTE = (
    "What networks read off the decoded picture against what they read off the original. Known "
    "again: accepted as its own original by dlib's recogniser, at the distance, each row's own, "
    f"that at most {FALSE_ACCEPTS:.0%} of its pairs with photographs of strangers pass; other "
    "photo: accepted on another photograph of that person, where there is one{pairs}. Landmarks in "
    "place: error under .05 of the distance of the eyes, counting pictures without a face as "
    "misses. Other errors are means over pictures in which a face was found. " + READ + ": a "
    "linear map from the decoded semantics; nothing is rendered and no network looks at a picture."
)


def all_tables(result: dict) -> list[Table]:
    """Every table that the report's figures allow."""
    return [
        same_bytes(result),
        full_size(result),
        machine_vision(result),
        *_direct(result),
        savings(result),
    ]


def same_bytes(result: dict) -> Table:
    """Ours and the others' best, level by level."""
    lines = _by_level(result, SEEN, lambda r: r["kind"] in (FILE, BEST))
    header = ["in as many bytes", *(c.title for c in SEEN)]
    return Table("The same bytes", SEEN_NOTE, header, lines)


def full_size(result: dict) -> Table:
    """Other codecs at 1024 px, which mostly need more bytes than there are."""
    chosen, known = [], set()
    for row in result["summary"]:
        if row["kind"] == FULL and (row["codec"], row["bytes"]) not in known:
            known.add((row["codec"], row["bytes"]))
            chosen.append(row)
    lines = [[_name(row), *(c.cell(row) for c in SEEN)] for row in chosen]
    note = (
        "Without shrinking the picture first. Where the name has an asterisk, the smallest file "
        "that the codec can make was over the budget, and is what was measured."
    )
    return Table("At full size", note, ["at 1024 px", *(c.title for c in SEEN)], lines)


def machine_vision(result: dict) -> Table:
    """Read-outs of decoded pictures, and of semantics without rendering."""
    kinds = (FILE, SEMANTICS, READ, BEST)
    lines = _by_level(result, READ_OUT, lambda r: r["kind"] in kinds)
    row = result["summary"][0]
    pairs = f" ({row['verified_pairs']:.0f} pairs)" if row.get("verified_pairs") else ""
    note = READ_NOTE.format(pairs=pairs)
    header = ["machine vision", *(c.title for c in READ_OUT)]
    return Table("Machine vision from the bitstream", note, header, lines)


def _direct(result: dict) -> list[Table]:
    """The cost of rendering and observing, beside reading the semantics."""
    kinds = {FILE: "decode, draw, look", SEMANTICS: "decode S, draw, look", READ: READ}
    lines = []
    for kind, title in kinds.items():
        rows = [r for r in result["summary"] if r["codec"] == OURS and r["kind"] == kind]
        if not rows:
            continue
        means = [sum(r[k] for r in rows) / len(rows) for k in ("decode_seconds", "look_seconds")]
        lines.append([title, *(f"{1000 * m:.1f}" for m in means), f"{1000 * sum(means):.1f}"])
    note = "Milliseconds, mean over pictures and levels, as they went while this report was made."
    header = ["read-outs from the bytes", "decode", "look", "together"]
    return [Table("Time to read a face", note, header, lines)] if lines else []


def savings(result: dict) -> Table:
    """BD-rates."""
    anchors = list(dict.fromkeys(s["anchor"] for s in result["bd_rate"]))
    metrics = list(dict.fromkeys(s["metric"] for s in result["bd_rate"]))
    found = {(s["anchor"], s["metric"]): s for s in result["bd_rate"]}
    titles = labels()
    lines = [[titles[m], *(_saving(found[a, m]) for a in anchors)] for m in metrics]
    note = (
        "Bytes of our files over those of another codec at its best size, at equal quality, in "
        "percent (BD-rate of the mean curves): -50 means half the bytes. Nothing is extrapolated: "
        "it is the mean over the qualities that both curves reach, which stand beside it and may "
        "be few. Where they share none, or under a tenth of either's: whose are better throughout. "
        "A dash: on one of the curves more bytes did not make it better."
    )
    return Table("BD-rate", note, ["against", *anchors], lines)


def _saving(saving: dict) -> str:
    if saving["percent"] is not None:
        return f"{saving['percent']:+.0f} % ({saving['low']:.3f} to {saving['high']:.3f})"
    return {"test": "ours throughout", "anchor": "theirs throughout", None: "-"}[
        saving["better_everywhere"]
    ]


def _by_level(result: dict, columns: Sequence[Column], select: Callable) -> list[list[str]]:
    rows = [row for row in result["summary"] if select(row)]
    return [
        [_name(row), *(c.cell(row) for c in columns)]
        for level in sorted({row["level"] for row in rows})
        for row in rows
        if row["level"] == level
    ]


def _name(row: Row) -> str:
    kind = "" if row["kind"] in (FILE, BEST, FULL) else f", {row['kind']}"
    missed = "" if row.get("fits", 1) == 1 else " *"
    return f"{row['level']:g}: {row['codec']}{kind}{missed}"
