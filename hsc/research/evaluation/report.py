"""Reports: figures of every picture, their means, and the circumstances, as JSON, CSV and text."""

import csv
import json
import math
import os
import platform
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import torch

from hsc.codec import Codec
from hsc.errors import HscError
from hsc.images.bandwidth import FULL_PX
from hsc.inversion.correction import CORRECTION
from hsc.metrics.evaluator import METRIC_NOTE, METRICS
from hsc.research.data.held_out import REFERENCE_NOTE, HeldOutPicture
from hsc.weights.model_id import DECODER_FILES, FINETUNED, file_hash, path_of

LICENCES = {
    "officials": "official portraits of US officials, public domain",
    "congress": "official portraits of members of the US Congress, public domain",
    "london": "Face Research Lab London Set (DeBruine & Jones), CC BY 4.0",
    "studio": "face sets of webmorphR, CC BY 4.0",
    "ffhq": "crops of Flickr-Faces-HQ, CC BY-NC-SA 4.0",
}
"""Of the collections that validation pictures are from."""

Row = dict[str, Any]
"""``what`` was measured, of which ``picture``, and its figures."""


def report(kind: str, codec: Codec, pictures: list[HeldOutPicture], rows: list[Row]) -> dict:
    """Means, and what they are means of.

    Args:
        rows: one for every picture and thing measured, in the order they should be listed;
            ``lpips_1024`` of pictures that have fewer pixels themselves becomes nan in them.
    """
    large = {p.name for p in pictures if p.px >= FULL_PX}
    for row in rows:
        if row["picture"] not in large and "lpips_1024" in row:
            row["lpips_1024"] = math.nan  # an enlarged photograph has no detail to compare with
    reference = REFERENCE_NOTE.format(large=len(large), all=len(pictures), px=FULL_PX)
    return made_now(kind, codec) | {
        "pictures": dict(Counter(p.collection for p in pictures)),
        "notes": [reference, METRIC_NOTE],
        "summary": summarise(rows),
    }


def weight_hashes() -> dict[str, str]:
    """SHA-256 of the files that coding and decoding use, by name."""
    return {
        name: file_hash(path_of(name))
        for name in ("inversion", CORRECTION, *DECODER_FILES, FINETUNED)
        if path_of(name).is_file()
    }


def made_now(kind: str, codec: Codec) -> dict:
    """What every report of a codec begins with: its kind, the date, the weights, the machine."""
    return {
        "kind": kind,
        "date": date.today().isoformat(),
        "model": codec.model_name,
        "weights": weight_hashes(),
        "machine": machine(codec.device),
    }


def circumstances(result: dict) -> str:
    """Date, machine, weights and pictures of a report, as a list."""
    weights = ", ".join(f"{name} `{digest[:12]}`" for name, digest in result["weights"].items())
    lines = [
        f"- Measured on {result['date']}, {result['machine']}.",
        f"- Model {result['model']}; SHA-256 of the weights begins: {weights}.",
    ]
    pictures = result.get("pictures")
    if isinstance(pictures, int):
        lines.append(f"- {pictures} photographs of {FULL_PX} px or more.")
    elif pictures:
        lines.append(f"- {sum(pictures.values())} pictures:")
        lines += [f"  - {count} {LICENCES.get(name, name)}" for name, count in pictures.items()]
    return "\n".join(lines)


def summarise(rows: list[Row]) -> list[Row]:
    """Means of each thing measured, with the count of pictures; sizes also least and most.

    Figures that are nan are left out of their mean; where all are, it is None.
    """
    summary = []
    for what in dict.fromkeys(row["what"] for row in rows):
        group = [row for row in rows if row["what"] == what]
        means: Row = {"what": what, "count": len(group)}
        for key in (k for k in group[0] if k not in ("what", "picture")):
            values = [row[key] for row in group if not math.isnan(row[key])]
            means[key] = sum(values) / len(values) if values else None
            if key == "bytes_total":
                means |= {"bytes_min": min(values), "bytes_max": max(values)}
        if "landmark_error" in group[0]:
            lost = sum(math.isnan(row["landmark_error"]) for row in group)
            means["faces_not_found"] = lost
        summary.append(means)
    return summary


def write(result: dict, rows: list[Row], folder: Path) -> None:
    """Save ``<kind>.json`` and, with every picture, ``<kind>.csv``."""
    save(result, folder)
    with (folder / f"{result['kind']}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def save(result: dict, folder: Path) -> None:
    """Save ``<kind>.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=2, allow_nan=False)
    path = folder / f"{result['kind']}.json"
    path.write_text(text + "\n", encoding="utf-8")
    print(f"report in {path}", file=sys.stderr, flush=True)


def read(kind: str, folder: Path) -> dict:
    """A saved report.

    Raises:
        HscError: there is none.
    """
    path = folder / f"{kind}.json"
    if not path.is_file():
        raise HscError(
            f"Expected a report at {path}, found no file: run `hsc validate {kind} --faces DIR`."
        )
    return json.loads(path.read_text(encoding="utf-8"))


def read_if_there(kind: str, folder: Path) -> dict | None:
    """A saved report, or None."""
    return read(kind, folder) if (folder / f"{kind}.json").is_file() else None


def machine(device: torch.device) -> str:
    """What the figures were computed on, in words."""
    where = torch.cuda.get_device_name() if device.type == "cuda" else platform.machine()
    threads = torch.get_num_threads()
    return (
        f"{device.type} ({where}), {threads} of {os.cpu_count()} threads, "
        f"PyTorch {torch.__version__}, Python {platform.python_version()}"
    )


def table(header: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns are also straight in a terminal; the first is to the left."""
    columns = list(zip(header, *lines))
    widths = [max(3, *(len(cell) for cell in column)) for column in columns]

    def line(cells: Sequence[str]) -> str:
        first, *rest = zip(cells, widths)
        return "| " + " | ".join([first[0].ljust(first[1]), *(c.rjust(w) for c, w in rest)]) + " |"

    rule = "|" + "|".join(["-" * (widths[0] + 2), *("-" * (w + 1) + ":" for w in widths[1:])]) + "|"
    return "\n".join([line(header), rule, *map(line, lines)])


def figures(row: Row) -> list[str]:
    """Every figure of ``METRICS`` that a summary's row has, for a table."""
    return [number(row[m.key], m.digits) for m in METRICS]


def number(value: float | None, digits: int) -> str:
    """A figure for a table; a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def print_progress(done: int, total: int, name: str) -> None:
    """One line on stderr, as the other commands print."""
    print(f"{done}/{total} {name}", file=sys.stderr, flush=True)
