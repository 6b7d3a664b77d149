"""``validate inversion``: the encoder alone, without quantisation."""

import torch
from PIL import Image

from hsc.codec import Codec
from hsc.images.tensors import to_picture
from hsc.metrics.evaluator import METRICS, Evaluator
from hsc.research.data.held_out import held_out_pictures, spread
from hsc.research.evaluation import report
from hsc.research.evaluation.contact_sheet import ContactSheet
from hsc.research.options import ValidateOptions

RENDERS = ("S only", "S + F")
SHEET_FACES = 24


def run(options: ValidateOptions) -> None:
    """Measure both renders of every validation picture, print and save the figures.

    Args:
        options: faces, limit, out and device.
    """
    pictures = held_out_pictures(options.faces, options.limit)
    codec = Codec.load(options.device)
    evaluator = Evaluator(codec.device)
    folder = options.out
    sheet, shown = ContactSheet(("original", *RENDERS)), spread(pictures, SHEET_FACES)
    rows: list[report.Row] = []
    for number, picture in enumerate(pictures, start=1):
        image = picture.load()
        original = evaluator.original(image)
        renders = uncompressed(codec, image)
        for what in RENDERS:
            figures = evaluator.compare(original, renders[what])
            rows.append({"what": what, "picture": picture.name} | figures)
        if picture in shown:
            sheet.add(picture.name, [image, *renders.values()])
        report.print_progress(number, len(pictures), picture.name)
    result = report.report("inversion", codec, pictures, rows)
    report.write(result, rows, folder)
    sheet.save(folder / "inversion.jpg")
    print("\n".join(result["notes"]) + "\n\n" + figures_table(result))


@torch.no_grad()
def uncompressed(codec: Codec, image: Image.Image) -> dict[str, Image.Image]:
    """Pictures of S alone and of S and F, by the names in ``RENDERS``."""
    found, render = codec.analyse(image, correct=False), codec.decoder.render
    pictures = (
        render(found.feature_s, found.w_plus, semantics_alone=True),
        render(found.feature, found.w_plus),
    )
    return dict(zip(RENDERS, map(to_picture, pictures), strict=True))


def figures_table(result: dict) -> str:
    """The report's means as a table."""
    header = ["render", "pictures", *(m.label for m in METRICS), "no face found"]
    lines = [
        [row["what"], str(row["count"]), *report.figures(row), str(row["faces_not_found"])]
        for row in result["summary"]
    ]
    return report.table(header, lines)
