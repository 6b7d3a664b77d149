"""``validate full-size``: what a file's picture is beside the photograph at the photograph's size.

Only photographs of 900 px or more are taken; :mod:`.full_size_metric` compares. With
``--compare-decoder`` the same files are rendered by other blocks above F as well: files are made
once, so their bytes are the same.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from hsc.bitstream import with_layers
from hsc.codec import Codec
from hsc.errors import HscError
from hsc.generators.backends import Renderer, build_backend
from hsc.generators.pretrained import load_finetuned
from hsc.images.photo import read_photo
from hsc.images.tensors import to_picture
from hsc.metrics import identity, identity_faceres
from hsc.research.data.faces import SUFFIXES
from hsc.research.data.held_out import spread
from hsc.research.evaluation import report
from hsc.research.evaluation.full_size_metric import (
    EYE_PX,
    FIGURES,
    MOUTH_PX,
    FullSizeEvaluator,
    Reference,
    box_around,
)
from hsc.research.options import ValidateOptions
from hsc.weights.loading import file_hash, model_config, path_of
from hsc.weights.model_id import FINETUNED

KIND = "full-size"
REFINED = "full-size-refined"
"""Kind of the report that has refined files too (``--refine``)."""
LEAST_PX = 900
LEVELS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)
THIRDS = ("dark", "middle", "light")
ORIGINAL, SHIPPED, OTHER = "original", "shipped", "compared"
S_ONLY = "S only"


NOTE = (
    "{count} photographs of {low} to {high} px (LEAST_PX or more), each compared at its own size, "
    "never enlarged. Means of the files. LPIPS: AlexNet, version 0.1; eyes: windows of EYE_PX px, "
    "mouth: of MOUTH_PX px, both placed by the photograph's landmarks. @256: averaged down. dlib's "
    "descriptor (same person under DLIB) is in the encoder, its loss and the search for S alone; "
    "faceres (under FACERES) judges what nothing was trained on. Skin: CIELAB difference of cheeks "
    "and forehead. S only: the semantics of the file of level {s_level:g}."
)


@dataclass(frozen=True)
class Photograph:
    """An aligned photograph that shows what 1024 px can."""

    name: str
    path: Path

    def load(self) -> Image.Image:
        """RGB, square, at its own size; larger ones are brought down to 1024 px."""
        image = read_photo(self.path)
        px = min(*image.size, model_config().generator.image_px)
        square = (px, px)
        return image if image.size == square else image.resize(square, Image.Resampling.LANCZOS)


def photographs(folder: Path | None, limit: int | None = None) -> list[Photograph]:
    """Photographs of 900 px or more below a folder, in the order of their names.

    Raises:
        HscError: no folder was given, or it has no such picture.
    """
    if folder is None:
        raise HscError("expected a folder of aligned faces: add --faces DIR.")
    paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    found = [Photograph(p.relative_to(folder).as_posix(), p) for p in paths if _is_large(p)]
    if not found:
        raise HscError(
            f"expected aligned pictures of {LEAST_PX} px or more below {folder}, found none: give "
            "photographs at their own size."
        )
    return spread(found, limit or len(found))


def _is_large(path: Path) -> bool:
    with Image.open(path) as image:
        return min(image.size) >= LEAST_PX


@dataclass(frozen=True)
class NamedDecoder:
    """Blocks above F to render with: what a table calls them, and their file's SHA-256."""

    name: str
    renderer: Renderer
    digest: str


def decoders(codec: Codec, compared: str | None, folder: Path | None = None) -> list[NamedDecoder]:
    """What renders the files: the blocks that ship, and others to compare them with.

    Args:
        compared: a weight file of blocks above F, ``original`` for the generator's own, or None.
    """
    generator = codec.networks.generator
    shipped = path_of(FINETUNED, folder)
    found: list[NamedDecoder] = []
    if compared is not None or not shipped.is_file():
        digest = file_hash(path_of("generator", folder))
        found.append(NamedDecoder(ORIGINAL, build_backend(generator, codec.backend), digest))
    others = {SHIPPED: shipped} if shipped.is_file() else {}
    if compared not in (None, ORIGINAL):
        others[OTHER] = Path(compared)
    for name, path in others.items():
        finetuned = load_finetuned(generator, path).synthesis
        found.append(NamedDecoder(name, build_backend(finetuned, codec.backend), file_hash(path)))
    return found


def run(options: ValidateOptions) -> None:
    """Make files, render and measure them; print the table, save report and sheets.

    Args:
        options: faces, limit, levels, refine, compare_decoder, out and device.

    Raises:
        HscError: no pictures. WeightsError: weights are missing, or the compared ones are odd.
    """
    pictures = photographs(options.faces, options.limit)
    codec = Codec.load(options.device)
    evaluator, folder = FullSizeEvaluator(codec.device), options.out
    levels = options.levels or LEVELS
    named = decoders(codec, options.compare_decoder)
    rows: list[report.Row] = []
    for number, photograph in enumerate(pictures, start=1):
        image = photograph.load()
        reference = evaluator.reference(image)
        sheet = WindowSheet(reference, [decoder.name for decoder in named])
        for what, data, layers in files_of(codec, image, levels, options.refine):
            rendered = {
                decoder.name: render(codec, decoder.renderer, data, layers) for decoder in named
            }
            for name, picture in rendered.items():
                figures = evaluator.compare(reference, picture)
                row = {"what": what, "decoder": name, "picture": photograph.name}
                rows.append(row | {"px": image.width, "bytes": len(data)} | figures)
            sheet.add(what, list(rendered.values()))
        sheet.save(folder / KIND / f"{Path(photograph.name).stem}.png")
        report.print_progress(number, len(pictures), photograph.name)
    result = full_report(codec, named, levels, rows, options.refine)
    report.write(result, rows, folder)
    print(result["notes"][0] + "\n\n" + figures_table(result) + "\n\n" + skin_table(result))


def files_of(
    codec: Codec, image: Image.Image, levels: Sequence[float], refine: int = 0
) -> list[tuple[str, bytes, str]]:
    """The files of one photograph: what it is, its bytes, the layers to decode.

    Args:
        refine: steps of a refined file at each level, beside the plain one.
    """
    crop = crop_of(codec, image)
    latents = codec.analyse(crop)
    files = [codec.compress(latents, level) for level in levels]
    whole = [(f"level {level:g}", data, "scn+fcn") for level, data in zip(levels, files)]
    if refine:
        for level in levels:
            better = codec.refine(crop, latents, level, refine)
            whole.append((f"level {level:g}, refined", codec.compress(better, level), "scn+fcn"))
    return [(S_ONLY, with_layers(files[0], "scn"), "scn"), *whole]


def crop_of(codec: Codec, image: Image.Image) -> Image.Image:
    """A photograph as the encoder takes it: enlarged to 1024 x 1024 where it is smaller."""
    px = codec.networks.config.generator.image_px
    return image.resize((px, px), Image.Resampling.LANCZOS)


@torch.no_grad()
def render(codec: Codec, renderer: Renderer, data: bytes, layers: str) -> Image.Image:
    """The picture of a file by some blocks above F; of S alone by the generator's own."""
    opened = codec.open(data, layers)
    if opened.semantics_alone:
        renderer = codec.networks.synthesis
    return to_picture(renderer.image(opened.feature, opened.w_plus))


def full_report(
    codec: Codec,
    named: Sequence[NamedDecoder],
    levels: Sequence[float],
    rows: list[report.Row],
    refine: int = 0,
) -> dict:
    """Means of each kind of file and decoder, and what they are means of."""
    sizes = {row["picture"]: row["px"] for row in rows}
    note = NOTE.format(
        count=len(sizes), low=min(sizes.values()), high=max(sizes.values()), s_level=levels[0]
    )
    constants: dict[str, float] = {"LEAST_PX": LEAST_PX, "EYE_PX": EYE_PX, "MOUTH_PX": MOUTH_PX}
    constants |= {"DLIB": identity.SAME_PERSON, "FACERES": identity_faceres.SAME_PERSON}
    for name, value in constants.items():
        note = note.replace(name, str(value))
    if refine:
        note += f" Refined: {refine} gradient steps for each file."
    return report.made_now(REFINED if refine else KIND, codec) | {
        "decoders": {decoder.name: decoder.digest for decoder in named},
        "pictures": len(sizes),
        "levels": list(levels),
        "notes": [note],
        "summary": summarise(rows),
    }


def summarise(rows: list[report.Row]) -> list[report.Row]:
    """Means of every kind of file and decoder, over the pictures that have the figure."""
    summary = []
    for what, decoder in dict.fromkeys((row["what"], row["decoder"]) for row in rows):
        group = [row for row in rows if (row["what"], row["decoder"]) == (what, decoder)]
        means: report.Row = {"what": what, "decoder": decoder, "count": len(group)}
        for key in (k for k, v in group[0].items() if isinstance(v, (int, float))):
            means[key] = _over(np.mean, [row[key] for row in group])
        means["skin_p90"] = _over(_ninth_tenth, [row["skin"] for row in group])
        known = sorted(
            (r for r in group if not math.isnan(r["skin"])), key=lambda r: r["skin_lightness"]
        )
        for third, part in zip(THIRDS, np.array_split(np.arange(len(known)), len(THIRDS))):
            for key in ("skin", "skin_l", "skin_a", "skin_b"):
                means[f"{key}_{third}"] = _over(np.mean, [known[i][key] for i in part])
        for key, most in (
            ("identity_dlib", identity.SAME_PERSON),
            ("identity_faceres", identity_faceres.SAME_PERSON),
        ):
            means[f"{key}_same"] = sum(row[key] < most for row in group)
        summary.append(means)
    return summary


def _over(figure: Callable[[list[float]], float], values: list[float]) -> float | None:
    values = [value for value in values if not math.isnan(value)]
    return float(figure(values)) if values else None


def _ninth_tenth(values: list[float]) -> float:
    return float(np.quantile(values, 0.9))


def figures_table(result: dict) -> str:
    """The report's means, with how many people each recogniser takes for themselves."""
    header = ["file", "decoder", "bytes", *(f.label for f in FIGURES), "same person"]
    lines = []
    for row in result["summary"]:
        same = f"{row['identity_dlib_same']} / {row['identity_faceres_same']} of {row['count']}"
        figures = [report.number(row[f.key], f.digits) for f in FIGURES]
        lines.append([row["what"], row["decoder"], report.number(row["bytes"], 0), *figures, same])
    return report.table(header, lines)


def skin_table(result: dict) -> str:
    """Skin by thirds of its lightness: CIELAB difference, and L*, a*, b* gained."""
    header = ["skin", "decoder", *(f"{third}: L*, a*, b*" for third in ("all", *THIRDS))]
    lines = []
    for row in result["summary"]:
        cells = []
        for end in ("", *(f"_{third}" for third in THIRDS)):
            size, *parts = (row[f"{key}{end}"] for key in ("skin", "skin_l", "skin_a", "skin_b"))
            signed = ", ".join("-" if part is None else f"{part:+.1f}" for part in parts)
            cells.append(f"{report.number(size, 1)}: {signed}")
        lines.append([row["what"], row["decoder"], *cells])
    return report.table(header, lines)


class WindowSheet:
    """Eyes, mouth and a cheek at 100%: a row for each file, a column for each decoder.

    Args:
        reference: the photograph, which has the first column.
        columns: titles of the others.
    """

    TILE = (2 * EYE_PX, EYE_PX + MOUTH_PX)
    GAP, HEADER_PX = 8, 20

    def __init__(self, reference: Reference, columns: Sequence[str]) -> None:
        self.reference = reference
        self.columns = ("photograph", *columns)
        self.rows: list[tuple[str, list[Image.Image]]] = []

    def add(self, label: str, pictures: Sequence[Image.Image]) -> None:
        """Add the pictures of one file; nothing where the photograph shows no face."""
        if self.reference.face is None:
            return
        size = self.reference.image.size
        own = [picture.resize(size, Image.Resampling.LANCZOS) for picture in pictures]
        self.rows.append((label, [self._tile(image) for image in (self.reference.image, *own)]))

    def _tile(self, image: Image.Image) -> Image.Image:
        right, left = self.reference.windows["lpips_eyes"]
        (mouth,) = self.reference.windows["lpips_mouth"]
        assert self.reference.face is not None
        p = self.reference.face.landmarks
        rest = self.TILE[0] - MOUTH_PX
        cheek = box_around((p[35] * 1.1 + p[14] * 0.9) / 2, MOUTH_PX, image.width)
        x, y = cheek[0] + (MOUTH_PX - rest) // 2, cheek[1]
        tile = Image.new("RGB", self.TILE)
        # the right eye is at the picture's left
        tile.paste(image.crop(min(left, right)), (0, 0))
        tile.paste(image.crop(max(left, right)), (EYE_PX, 0))
        tile.paste(image.crop(mouth), (0, EYE_PX))
        tile.paste(image.crop((x, y, x + rest, y + MOUTH_PX)), (MOUTH_PX, EYE_PX))
        return tile

    def save(self, path: Path) -> None:
        """Save it without loss; nothing when there is no row."""
        if not self.rows:
            return
        from PIL import ImageDraw, ImageFont

        width, height = (side + self.GAP for side in self.TILE)
        step = height + self.HEADER_PX
        sheet = Image.new("RGB", (width * len(self.columns), step * len(self.rows)), "white")
        draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
        for row, (label, tiles) in enumerate(self.rows):
            for column, (title, tile) in enumerate(zip(self.columns, tiles, strict=True)):
                place = (column * width, row * step)
                text = title if column == 0 else f"{label}, {title}"
                draw.text((place[0] + 4, place[1] + 2), text, "black", font)
                sheet.paste(tile, (place[0], place[1] + self.HEADER_PX))
        path.parent.mkdir(parents=True, exist_ok=True)
        sheet.save(path)
