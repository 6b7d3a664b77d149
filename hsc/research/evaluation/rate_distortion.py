"""``validate rate-distortion``: whole files, written to disk and decoded from there."""

import time
from pathlib import Path

from PIL import Image

import hsc
from hsc.bitstream import Container, unpack
from hsc.codec import Codec
from hsc.levels import LEVELS
from hsc.metrics.evaluator import METRICS, Evaluator
from hsc.research.data.held_out import held_out_pictures, spread
from hsc.research.evaluation import report
from hsc.research.evaluation.contact_sheet import ContactSheet
from hsc.research.options import ValidateOptions

SHEET_FACES = 8
REFINED = "refined"
"""Kind of the report whose files were refined (``--refine``)."""


def run(options: ValidateOptions) -> None:
    """Measure files of every validation picture at every level, print and save the figures.

    Args:
        options: faces, limit, levels, refine, out and device.
    """
    pictures = held_out_pictures(options.faces, options.limit)
    levels = sorted(set(options.levels or (level.number for level in LEVELS)))
    codec = Codec.load(options.device)
    evaluator = Evaluator(codec.device)
    folder = options.out
    # semantics alone at both ends of the range: what lies between them lies between them
    points = [(level, "scn") for level in dict.fromkeys((levels[0], levels[-1]))]
    points += [(level, "scn+fcn") for level in levels]
    names = [point_name(level, layers) for level, layers in points]
    if options.refine:  # beside the plain files of the same pictures
        names += [f"{name}, refined" for name in names]
    sheet, shown = ContactSheet(("original", *names)), spread(pictures, SHEET_FACES)
    rows: list[report.Row] = []
    for number, picture in enumerate(pictures, start=1):
        image = picture.load()
        original = evaluator.original(image)
        started = time.perf_counter()
        files = write_files(codec, image, points, folder / "files", picture.stem)
        plain_seconds = (time.perf_counter() - started) / len(files)
        started = time.perf_counter()
        if options.refine:
            files += write_files(
                codec, image, points, folder / "refined", picture.stem, options.refine
            )
        refined_seconds = (time.perf_counter() - started) / len(points)
        rendered = []
        for name, path in zip(names, files):
            data = path.read_bytes()
            started = time.perf_counter()
            rendered.append(codec.decode(data))
            seconds = time.perf_counter() - started
            figures = sizes(data) | evaluator.compare(original, rendered[-1])
            coding = refined_seconds if name.endswith("refined") else plain_seconds
            timings = {"decode_seconds": seconds, "encode_seconds": coding}
            rows.append({"what": name, "picture": picture.name} | figures | timings)
        if picture in shown:
            sheet.add(picture.name, [image, *rendered])
        report.print_progress(number, len(pictures), picture.name)
    kind = REFINED if options.refine else "rate-distortion"
    result = report.report(kind, codec, pictures, rows) | {"refine_steps": options.refine}
    report.write(result, rows, folder)
    sheet.save(folder / f"{kind}.jpg")
    print("\n".join(result["notes"]) + "\n\n" + figures_table(result))


def point_name(level: float, layers: str) -> str:
    return f"level {level:g}" + (", S only" if layers == "scn" else "")


def write_files(
    codec: Codec,
    image: Image.Image,
    points: list[tuple[float, str]],
    folder: Path,
    stem: str,
    refine: int = 0,
) -> list[Path]:
    """One ``.hsc`` file for each point; the picture is analysed once, and refined at each level."""
    folder.mkdir(parents=True, exist_ok=True)
    found = codec.analyse(image)
    paths = []
    whole_files: dict[float, bytes] = {}
    for level, layers in points:
        if level not in whole_files:
            latents = codec.refine(image, found, level, refine) if refine else found
            whole_files[level] = codec.compress(latents, level)
        data = whole_files[level]
        if layers == "scn":
            whole = unpack(data)
            data = Container(whole.model_id, whole.level, whole.scn).pack()
        path = folder / f"{stem}-{level:g}-{layers.replace('+', '-')}.hsc"
        path.write_bytes(data)
        paths.append(path)
    return paths


def sizes(data: bytes) -> dict[str, float]:
    """Bytes of the file and its parts, and bits a pixel."""
    said = hsc.describe(data)
    parts = ("total", "scn", "fcn", "header")
    return {f"bytes_{part}": said["bytes"][part] for part in parts} | {"bpp": said["bpp"]}


def figures_table(result: dict) -> str:
    """The report's means as a table."""
    header = ["files", "pictures", "bytes", "least", "most", "S", "F", "header", "bpp"]
    header += [*(m.label for m in METRICS), "no face found"]
    lines = []
    for row in result["summary"]:
        line = [row["what"], str(row["count"]), report.number(row["bytes_total"], 0)]
        line += [str(row["bytes_min"]), str(row["bytes_max"])]
        line += [report.number(row[f"bytes_{part}"], 0) for part in ("scn", "fcn", "header")]
        line += [report.number(row["bpp"], 5), *report.figures(row)]
        lines.append([*line, str(row["faces_not_found"])])
    return report.table(header, lines)
