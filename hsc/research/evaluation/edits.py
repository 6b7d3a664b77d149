"""``validate edits``: effects of every edit on photographs of held-out people.

A file is written at each level and edited from its bytes; read-outs, identity and skin are
compared with the same file unedited. Pictures are rendered at 256 px, which suffices for read-outs.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from hsc.codec import Codec
from hsc.research.data.held_out import HeldOutPicture, held_out_pictures, spread
from hsc.research.edit_discovery.catalogue import CATALOGUE, EditSpec
from hsc.research.edit_discovery.effects import Change, FaceReadouts, change_between, to_pil
from hsc.research.edit_discovery.renderer import EditRenderer, has_room, skin_shift
from hsc.research.evaluation import report
from hsc.research.evaluation.contact_sheet import ContactSheet
from hsc.research.options import ValidateOptions
from hsc.types import DecodedLatents
from hsc.vision.face_readouts import where_valid

LEVELS = (2, 5)
PEOPLE, SHOWN = 12, 4
TILE_PX = 128
STRIP = (1.0, 0.5)
"""Parts of the range, either way, that a strip shows."""
TOLD = 3
"""Side effects named for each edit."""
FILE = "edits-people.md"

INTRODUCTION = """\
# Edits of real people

Written by `hsc validate edits --faces FACES`; {people} held-out people, whom no training
run has seen, files of model {model} at the levels {levels}, edited from their bytes at half of the
safe range either way (all of it for something that is there or not) with all detail kept, and
compared with the same file unedited.

*Moved by*: median change of the edit's own read-out, over those it can still move: the half of
the people from whose side it leads away, for who smiles already gains little. *Everybody*: the same
over all. *Identity*: distance of the face descriptors; under .6 usually the same person. *Skin*:
at the ends of the range, how far the mean colour of a face's skin went in CIE L\\*a\\*b\\*, the
mean over people and the most in brackets, found with landmarks and a segmentation, which the
decoder does not have; 2.3 is just visible. *Side effects*: the {told} other read-outs that moved
most, in their own spread over these people. Age is read off adults only.
"""


def run(options: ValidateOptions) -> None:
    """Measure every edit, write the page and the strips.

    Args:
        options: faces, limit, levels, out and device.
    """
    people = held_out_pictures(options.faces, options.limit or PEOPLE)
    levels = options.levels or LEVELS
    codec = Codec.load(options.device)
    renderer, folder = EditRenderer.load(codec.decoder), options.out
    files: dict[float, list[DecodedLatents]] = {level: [] for level in levels}
    for number, person in enumerate(people, start=1):
        latents = codec.analyse(person.load())
        for level in levels:
            files[level].append(codec.open(codec.compress(latents, level)))
        report.print_progress(number, len(people), person.name)
    named = [spec for spec in CATALOGUE if spec.name in {e.name for e in codec.edit_names}]
    text = [INTRODUCTION.format(
        people=len(people), model=codec.model_name, told=TOLD,
        levels=" and ".join(f"{level:g}" for level in levels),
    )]  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for level, opened in files.items():
        rows = list(_rows(renderer, named, opened))
        text += [f"\n## Level {level:g}\n\n", _table(rows)]
        (folder / FILE).write_text("".join(text), encoding="utf-8")
    print("".join(text), flush=True)
    for level, opened in files.items():
        _strips(renderer, named, people, opened, folder, level)


def _rows(
    renderer: EditRenderer, named: Sequence[EditSpec], people: Sequence[DecodedLatents]
) -> Iterator[list[str]]:
    before = renderer.measure([renderer.render(opened, {}) for opened in people])
    meant = where_valid(before.readouts)
    skin = [renderer.skin_colour(renderer.render(opened, {})) for opened in people]
    for spec in named:
        amounts, own = spec.measured_at, meant[spec.readout]
        changes = [
            change_between(
                before, renderer.measure([renderer.render(o, {spec.name: amount}) for o in people])
            )
            for amount in amounts
        ]
        yield [
            spec.name,
            " / ".join(f"{amount:+g}" for amount in amounts),
            _meant(spec),
            " / ".join(
                f"{np.nanmedian(change.readouts[spec.readout][has_room(own, amount)]):+.3g}"
                for change, amount in zip(changes, amounts)
            ),
            " / ".join(f"{np.nanmedian(c.readouts[spec.readout]):+.3g}" for c in changes),
            " / ".join(f"{change.identity.mean():.2f}" for change in changes),
            " / ".join(
                _skin(renderer, skin, [renderer.render(o, {spec.name: end}) for o in people])
                for end in (spec.low, spec.high)
            ),
            _side_effects(spec, before, *changes),
        ]
        print(spec.name, flush=True)


def _meant(spec: EditSpec) -> str:
    if not spec.calibrated:
        return "there or not"
    return " / ".join(f"{spec.per_unit * amount:+.3g}" for amount in spec.measured_at)


def _skin(renderer: EditRenderer, before: Sequence[tuple], pictures: Sequence[Tensor]) -> str:
    """Change of skin colour: the mean over people, and the largest."""
    moved = [
        np.linalg.norm(skin_shift(colour, renderer.skin_colour(picture)))
        for colour, picture in zip(before, pictures)
    ]
    return f"{np.nanmean(moved):.1f} ({np.nanmax(moved):.1f})"


def _side_effects(spec: EditSpec, before: FaceReadouts, down: Change, up: Change) -> str:
    """The read-outs other than its own that moved most between both ends, in spreads."""
    moved = {
        name: (up.mean(name) - down.mean(name)) / 2 / max(1e-6, float(np.nanstd(values)))
        for name, values in before.readouts.items()
        if name != spec.readout
    }
    strongest = sorted(moved, key=lambda name: -abs(moved[name]))[:TOLD]
    return ", ".join(f"{name} {moved[name]:+.1f}" for name in strongest)


def _table(rows: Sequence[Sequence[str]]) -> str:
    head = ["edit", "amounts", "meant to move by", "moved by", "everybody", "identity", "skin",
            "side effects"]  # fmt: skip
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _strips(
    renderer: EditRenderer,
    named: Sequence[EditSpec],
    people: Sequence[HeldOutPicture],
    files: Sequence[DecodedLatents],
    folder: Path,
    level: float,
) -> None:
    """A sheet for each of some people: every edit from one end of its range to the other."""
    parts = [*(-part for part in STRIP), 0.0, *reversed(STRIP)]
    for index in spread(list(range(len(people))), SHOWN):
        sheet = ContactSheet([f"{part:+g}" for part in parts], TILE_PX)
        for spec in named:
            sheet.add(spec.name, [
                _picture(renderer, files[index], spec, part) for part in parts
            ])  # fmt: skip
        sheet.save(folder / f"edits-{people[index].stem}-level{level:g}.jpg")


def _picture(
    renderer: EditRenderer, opened: DecodedLatents, spec: EditSpec, part: float
) -> Image.Image:
    amount = abs(part) * (spec.low if part < 0 else spec.high)
    return to_pil(renderer.render(opened, {spec.name: amount} if part else {}))
