"""Find the edits: from rendered samples and their read-outs to ``edits.safetensors``.

1. Read every plain sample (one w for all styles) of ``pairs/``.
2. Regress the read-outs on w; the direction of an edit holds the read-outs that it must leave.
3. Restrict it to the styles that move its read-out with the least side effect on rendered faces.
4. Scale it by what it does to rendered faces, so that an amount of 1 is its unit.
5. Measure every edit on faces that took no part in any of this, and write the report.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from hsc.editing.attributes import load_attributes
from hsc.editing.catalogue import CATALOGUE, Wanted
from hsc.editing.effects import Change, Measured, Studio
from hsc.editing.probe import Probe, fit
from hsc.editing.readouts import Reader
from hsc.editing.report import EditEffect, write_report
from hsc.editing.table import Edit, EditTable, on_styles
from hsc.errors import HscError
from hsc.weights import path_of

CHOICE_SEED, CHOICE_FACES = 1_000_001, 10
REPORT_SEED, REPORT_FACES = 1_000_002, 20
TRIAL = 1.5
"""Standard deviations of its read-out by which a direction is tried."""


@dataclass(frozen=True)
class Trial:
    """A direction on some styles, tried on faces.

    Attributes:
        styles: first and last style.
        slope: measured change of the read-out over the predicted one.
        side: root of the summed squares of the mean changes of held read-outs, in standard
            deviations, for one standard deviation of its own.
        identity: mean identity distance for one standard deviation of its own.
    """

    styles: tuple[int, int]
    slope: float
    side: float
    identity: float

    @property
    def cost(self) -> float:
        return self.side + self.identity if self.slope > 0 else float("inf")


def find_directions(setting: Any, out: Path | None = None) -> None:
    """Training stage ``directions``.

    Args:
        setting: ``work`` (folder with ``pairs/*.safetensors``) and ``device``.
        out: assets folder to write to, the repository's unless given.

    Raises:
        HscError: there are no samples.
    """
    weights = path_of("edits").parent if out is None else out
    report = path_of("edits").parents[1] if out is None else out
    attributes = path_of("attributes")
    w, readouts = read_samples(setting.work, attributes)
    probe = fit(w, readouts)
    studio = Studio.load(setting.device, attributes)

    faces = studio.faces(CHOICE_FACES, CHOICE_SEED)
    before = studio.measure(faces)
    edits, directions, trials = [], {}, {}
    for wanted in CATALOGUE:
        full = torch.from_numpy(probe.direction(wanted.readout, wanted.held)).float()
        styles, slope = wanted.candidates[0], 1.0
        if wanted.calibrated:
            trials[wanted.name] = [
                try_styles(studio, probe, wanted, full, faces, before, candidate)
                for candidate in wanted.candidates
            ]
            best = min(trials[wanted.name], key=lambda trial: trial.cost)
            styles, slope = best.styles, best.slope
        unit = wanted.per_unit / probe.scale[probe.names.index(wanted.readout)]
        directions[wanted.name] = on_styles(full, styles) * float(unit / slope)
        edits.append(_edit(wanted, styles))
        print(f"{wanted.name}: styles {styles[0]} to {styles[1]}", flush=True)
    table = EditTable(tuple(edits), directions)
    table.save(weights / "edits.safetensors")
    effects = measure_edits(studio, table)
    write_report(report / "edits.md", table, CATALOGUE, probe, trials, effects)


def read_samples(work: Path, attributes: Path) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """w (N, 512) and the read-outs (N,) of every plain sample; kept for the next time.

    Raises:
        HscError: there are no samples.
    """
    cache = work / "directions" / "readouts.npz"
    if cache.is_file():
        with np.load(cache) as kept:
            readouts = {name: kept[name] for name in kept.files}
        return readouts.pop("w"), readouts
    files = sorted((work / "pairs").glob("*.safetensors"))
    if not files:
        raise HscError(
            f"expected rendered samples in {work / 'pairs'}, found none: "
            "run `python -m hsc train pairs` first."
        )
    reader = Reader(*load_attributes(attributes))
    w, parts = [], []
    for file in files:
        pairs = load_file(file)
        plain = (pairs["w_plus"] == pairs["w_plus"][:, :1]).all(2).all(1)  # (N,)
        pictures = pairs["images"][plain].permute(0, 2, 3, 1).numpy()  # (N', 256, 256, 3)
        w.append(pairs["w_plus"][plain, 0].float().numpy())
        parts.append(reader.read(Image.fromarray(picture) for picture in pictures))
    readouts = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    cache.parent.mkdir(parents=True, exist_ok=True)
    np.savez(cache, w=np.concatenate(w), **readouts)
    return np.concatenate(w), readouts


def try_styles(
    studio: Studio,
    probe: Probe,
    wanted: Wanted,
    direction: Tensor,
    faces: Tensor,
    before: Measured,
    styles: tuple[int, int],
) -> Trial:
    """Move faces along a (512,) direction on some styles, every other face backwards."""
    signs = torch.ones(len(faces))
    signs[1::2] = -1
    step = TRIAL * signs[:, None, None] * on_styles(direction, styles)  # (N, 23, 512)
    change = studio.change(before, faces + step)
    moved = dict(zip(probe.names, _standardised(change, probe, signs.numpy())))
    own = moved[wanted.readout]
    side = np.linalg.norm([moved[name] for name in wanted.held]) / abs(own)
    return Trial(styles, own / TRIAL, float(side), float(change.identity.mean() / abs(own)))


def _standardised(change: Change, probe: Probe, signs: np.ndarray) -> np.ndarray:
    """Mean change of each read-out with the sign of the edit, in standard deviations: (R,)."""
    means = [(signs * change.readouts[name]).mean() for name in probe.names]
    return np.array(means) / probe.scale


def measure_edits(studio: Studio, table: EditTable) -> dict[str, EditEffect]:
    """Every edit at half of its range either way, or all of it when half shows nothing."""
    faces = studio.faces(REPORT_FACES, REPORT_SEED)
    before = studio.measure(faces)
    gradual = {wanted.name: wanted.calibrated for wanted in CATALOGUE}
    effects = {}
    for edit in table.edits:
        part = 0.5 if gradual[edit.name] else 1.0
        amounts = (edit.low * part, edit.high * part)
        down, up = (
            studio.change(before, faces + table.offset({edit.name: amount})) for amount in amounts
        )
        effects[edit.name] = EditEffect(amounts, down, up)
    return effects


def _edit(wanted: Wanted, styles: tuple[int, int]) -> Edit:
    fields: Sequence[str] = ("name", "label", "unit", "low", "high", "step", "description")
    values = (getattr(wanted, field) for field in fields)
    return Edit(*values, styles=styles, kind=wanted.kind, group=wanted.group)
