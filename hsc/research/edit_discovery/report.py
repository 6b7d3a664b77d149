"""The reports of the edits as pages: what each one does, and how it was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hsc.editing.table import EditTable
from hsc.research.edit_discovery.catalogue import EditSpec
from hsc.research.edit_discovery.effects import TRIAL, TRUNCATION, Change, FaceReadouts, StyleTrial
from hsc.research.edit_discovery.probe import Probe
from hsc.vision.face_readouts import where_valid

INTRODUCTION = """\
# Edits

What the shipped directions do to {faces} generated faces (truncation {truncation}) that took no
part in finding or scaling them, rendered at 256 px; written by `python -m hsc validate directions`.
How they were found says [edits-found.md](edits-found.md), what they do to real people
[edits-people.md](edits-people.md), what they look like [edits-seen.md](edits-seen.md).
"""

OWN = r"""
## What each edit does

Mean change of its read-out by half of its safe range either way (all of it for something that is
there or not), and how far the face descriptor went: a distance under .6 usually means the same
person. `smile` and `gender` are log-odds of the read-out networks, `mouth_open` and `brow`
millimetres on an average head, `eyes_open` height over width; colours are CIE L\*, a\*, b\*; the
rest as `hsc/vision/appearance.py` says. Beards are measured on men, make-up on women.
"""

SIDE = """
## Side effects

Mean change of every read-out, half of the difference between the two amounts above, in the
read-out's own unit. Its own in bold. The last row is the spread of the read-out over these faces:
changes well below it do not show.
"""

FOUND = """\
# How the edits were found

Directions in W, regressed from read-outs of the generator's own samples, written by
`python -m hsc train directions`. What they do says [edits.md](edits.md).

## Read-outs

What a linear regression on w explains of each, on samples left out of the fit, and its spread.
"""

CHOICE = """
## Styles

Each direction was tried on several ranges of styles. *Side*: what it did to the read-outs that it
must leave, in standard deviations, for one of its own; *identity*: how far the descriptor went.
The range with the smallest sum was taken, or a narrower one that is as good within 0.05.
"""

DROPPED = """
## Not offered: {name}

Looked for in the same way, on {styles}. The regression explains {r2:.0%} of the
read-out. Asked for {asked:g} standard deviations of it ({amount:.2g} in its unit), rendered faces
moved by {moved}, and the read-outs to be left by {side} for one of its own:
too little to see, or not alone. So there is no such edit.
"""

PRINCIPAL = """
## Principal directions

The axes along which w varies most over samples, with what they do to the skin's colour taken out
and nothing else: each is a bundle of many changes, of who it is too. One unit is one standard
deviation.
"""


@dataclass(frozen=True)
class EditEffect:
    """An edit at two amounts, what was read before, and what they changed."""

    amounts: tuple[float, float]
    before: FaceReadouts
    down: Change
    up: Change


def write_effects(
    path: Path, table: EditTable, catalogue: Sequence[EditSpec], effects: Mapping[str, EditEffect]
) -> None:
    """Write what the edits do as Markdown."""
    specs = {spec.name: spec for spec in catalogue}
    listed = [(i, edit.name) for i, edit in enumerate(table.edits) if edit.name in specs]
    before = next(iter(effects.values())).before
    faces, names = len(before.identity), tuple(before.readouts)
    text = [INTRODUCTION.format(faces=faces, truncation=TRUNCATION), OWN]
    text.append(_rows(
        ["edit", "styles", "safe range", "read-out", "per unit", "amounts", "moved by",
         "identity distance"],
        [_own(table, specs[name], effects[name], i) for i, name in listed],
    ))  # fmt: skip
    rows = [[name, *_side(names, specs[name], effects[name])] for _, name in listed]
    valid = where_valid(before.readouts)
    rows.append(["*spread*", *(_number(float(np.nanstd(valid[name]))) for name in names)])
    text += [SIDE, _rows(["edit", *names], rows)]
    path.write_text("".join(text))


def write_found(
    path: Path,
    table: EditTable,
    catalogue: Sequence[EditSpec],
    probe: Probe,
    trials: Mapping[str, Sequence[StyleTrial]],
) -> None:
    """Write how they were found; what was tried but is not in the catalogue is reported too."""
    names = {spec.name for spec in catalogue}
    text = [FOUND, _rows(
        ["read-out", "R2", "spread"],
        [[name, f"{r2:.2f}", _number(scale)]
         for name, r2, scale in zip(probe.names, probe.r2, probe.scale)],
    ), CHOICE]  # fmt: skip
    text.append(_rows(
        ["edit", "styles: side / identity"],
        [[name, ", ".join(f"{t.styles[0]}-{t.styles[1]}: {t.side:.2f} / {t.identity:.2f}"
                          for t in tried)] for name, tried in trials.items()],
    ))  # fmt: skip
    text += [_dropped(name, trials[name], probe) for name in trials if name not in names]
    text.append(PRINCIPAL)
    rows = [[edit.name, edit.description] for edit in table.edits if edit.name not in names]
    text.append(_rows(["edit", "what it is predicted to do"], rows))
    path.write_text("".join(text))


def _own(table: EditTable, spec: EditSpec, effect: EditEffect, index: int) -> list[str]:
    edit = table.edits[index]
    return [
        edit.name,
        f"{edit.styles[0]}-{edit.styles[1]}",
        f"{edit.low:g} to {edit.high:g} {edit.unit}".strip(),
        spec.readout,
        f"{spec.per_unit:g}" if spec.calibrated else "there or not",
        " / ".join(f"{amount:+g}" for amount in effect.amounts),
        " / ".join(_number(c.mean(spec.readout), sign=True) for c in (effect.down, effect.up)),
        " / ".join(f"{c.identity.mean():.2f}" for c in (effect.down, effect.up)),
    ]


def _dropped(name: str, trials: Sequence[StyleTrial], probe: Probe) -> str:
    return DROPPED.format(
        name=name,
        r2=probe.r2[probe.names.index(name)],
        asked=TRIAL,
        moved=" or ".join(f"{TRIAL * trial.slope:.1f}" for trial in trials),
        side=" or ".join(f"{trial.side:.1f}" for trial in trials),
        styles="styles " + ", ".join("{}-{}".format(*trial.styles) for trial in trials),
        amount=TRIAL * probe.scale[probe.names.index(name)],
    )


def _side(names: Sequence[str], spec: EditSpec, effect: EditEffect) -> list[str]:
    cells = []
    for name in names:
        half = (effect.up.mean(name) - effect.down.mean(name)) / 2
        cell = _number(half, sign=True)
        cells.append(f"**{cell}**" if name == spec.readout else cell)
    return cells


def _number(value: float, sign: bool = False) -> str:
    digits = 2 if abs(value) < 10 else 0
    return f"{value:{'+' if sign else ''}.{digits}f}"


def _rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
