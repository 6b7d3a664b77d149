"""Find the edits: from rendered samples and their read-outs to ``edits.safetensors``.

1. Render plain samples (one w for all styles) and read them.
2. Regress the read-outs on w; the direction of an edit keeps the constrained read-outs constant.
3. Restrict it to the styles that move its read-out with the least side effect on rendered faces.
4. Scale it by what half of its range does to rendered faces, so that an amount of 1 is its unit,
   and remove its effect on the colour of their skin.
5. Add the principal directions of w, without their effect on skin.
6. Fit the read-outs that restore the colour of skin, face by face, at run time.
7. Measure every edit on faces that took no part in any of this, and write the report.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from hsc.editing.table import LOOK, STAY, Edit, EditTable, on_styles
from hsc.research.edit_discovery.catalogue import CATALOGUE, REJECTED, SKIN, EditSpec, principal
from hsc.research.edit_discovery.effects import (
    TRIAL,
    Change,
    FaceReadouts,
    SampleRenderer,
    StyleTrial,
)
from hsc.research.edit_discovery.probe import Probe, fit
from hsc.research.edit_discovery.report import EditEffect, write_effects, write_found
from hsc.research.edit_discovery.samples import render_samples
from hsc.research.edit_discovery.skin_finding import find_skin
from hsc.vision.face_readouts import where_valid
from hsc.weights.loading import path_of

CHOICE_SEED, CHOICE_FACES = 1_000_001, 8
REPORT_SEED, REPORT_FACES = 1_000_002, 12
SCALE_SEED, SCALE_FACES = 1_000_003, 24
PRINCIPAL = 8
AS_GOOD = 0.05
"""Difference of costs that eight faces cannot tell apart."""
ROUNDS = 2
"""Times that a direction is scaled and rid of what it does to skin: one depends on the other."""
RESCALED = 0.5, 2.0
"""Within these, a measured scale is believed."""


def find_directions(setting: Any, out: Path | None = None) -> None:
    """Training stage ``directions``.

    Args:
        setting: ``work`` (samples are saved there) and ``device``.
        out: folder to write to, those of the repository unless given.
    """
    renderer = SampleRenderer.load(setting.device)
    shape = renderer.synthesis.spec.w_plus_shape
    w, readouts = read_samples(renderer, setting.work / "directions")
    probe = fit(w, where_valid(readouts))
    faces = renderer.faces(CHOICE_FACES, CHOICE_SEED)
    before = renderer.measure(renderer.render(faces))
    scaling = scaling_faces(renderer)
    edits, directions, trials = [], {}, {}
    for spec in (*REJECTED, *CATALOGUE):
        full = torch.from_numpy(probe.direction(spec.readout, spec.constraints)).float()
        trials[spec.name] = [
            try_styles(renderer, probe, spec, full, faces, before, candidate)
            for candidate in spec.candidates
        ]
        if spec in REJECTED:
            continue
        best = select_styles(trials[spec.name])
        unit = spec.per_unit / probe.scale[probe.names.index(spec.readout)]
        direction = on_styles(full, best.styles, shape) * float(unit)
        if spec.calibrated:
            tones = skin_tones(probe, spec, best.styles, shape)
            direction = direction / best.slope
            for _ in range(ROUNDS):
                direction = calibrate(renderer, spec, direction, *scaling, tones)
        directions[spec.name] = direction
        edits.append(_edit(spec, best.styles))
        print(f"{spec.name}: styles {best.styles[0]} to {best.styles[1]}", flush=True)
    for number, (axis, slopes) in enumerate(probe.principal(PRINCIPAL, without=SKIN), 1):
        edit = principal(number, dict(zip(probe.names, slopes)), shape[0])
        directions[edit.name] = on_styles(torch.from_numpy(axis).float(), edit.styles, shape)
        edits.append(edit)
    table = EditTable(tuple(edits), directions, find_skin(renderer), shape)
    table.save((path_of("edits").parent if out is None else out) / "edits.safetensors")
    report = path_of("edits").parents[1] if out is None else out
    write_found(report / "edits-found.md", table, CATALOGUE, probe, trials)
    write_effects(report / "edits.md", table, CATALOGUE, measure_edits(renderer, table))


def select_styles(trials: Sequence[StyleTrial]) -> StyleTrial:
    """The trial with the smallest cost, or one on fewer styles with hardly more."""
    least = min(trial.cost for trial in trials)
    near = [trial for trial in trials if trial.cost <= least + AS_GOOD]
    return min(near, key=lambda trial: trial.styles[1] - trial.styles[0])


def scaling_faces(renderer: SampleRenderer) -> tuple[Tensor, dict[str, np.ndarray]]:
    """Faces that directions are scaled on, and their read-outs."""
    faces = renderer.faces(SCALE_FACES, SCALE_SEED)
    return faces, where_valid(renderer.read(renderer.render(faces)))


def read_samples(
    renderer: SampleRenderer, folder: Path
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """w (N, 512) and the read-outs (N,) of every sample; both are saved in a folder."""
    w, parts = [], []
    for shard, samples in enumerate(render_samples(renderer, folder / "samples")):
        path = folder / "samples" / f"{shard:03d}.npz"
        if not path.is_file():
            pictures = samples["images"].permute(0, 2, 3, 1).numpy()  # (N', 256, 256, 3)
            np.savez(path, **renderer.reader.read(Image.fromarray(p) for p in pictures))
        with np.load(path) as readouts:
            parts.append({name: readouts[name] for name in readouts.files})
        w.append(samples["w"].float().numpy())
    readouts = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return np.concatenate(w), readouts


def try_styles(
    renderer: SampleRenderer,
    probe: Probe,
    spec: EditSpec,
    direction: Tensor,
    faces: Tensor,
    before: FaceReadouts,
    styles: tuple[int, int],
) -> StyleTrial:
    """Move faces along a (512,) direction on some styles, every other face backwards."""
    signs = torch.ones(len(faces))
    signs[1::2] = -1
    offset = on_styles(direction, styles, renderer.synthesis.spec.w_plus_shape)
    step = TRIAL * signs[:, None, None] * offset  # (N, 23, 512)
    change = renderer.change(before, faces + step)
    moved = dict(zip(probe.names, _standardised(change, probe, signs.numpy())))
    own = moved[spec.readout]
    side = np.linalg.norm([moved[name] for name in spec.constraints]) / abs(own)
    return StyleTrial(styles, own / TRIAL, float(side), float(change.identity.mean() / abs(own)))


def skin_tones(
    probe: Probe, spec: EditSpec, styles: tuple[int, int], shape: tuple[int, int]
) -> dict[str, Tensor]:
    """For each component of skin colour a direction that adds 1 and keeps an edit's read-out.

    Args:
        shape: of one w+.

    Returns:
        Read-out -> (23, 512) on some styles. Nothing for an edit that moves features: cheeks that
        smile or turn away are read darker, and that is no colour of the skin.
    """
    if spec.kind not in (LOOK, STAY):
        return {}
    constraints = dict.fromkeys((spec.readout, *spec.constraints), 0.0)
    tones = {}
    for name in SKIN:
        others = {other: 0.0 for other in constraints if other != name}
        tone = torch.from_numpy(probe.direction(name, others)).float()
        tones[name] = on_styles(tone, styles, shape) / float(probe.scale[probe.names.index(name)])
    return tones


def calibrate(
    renderer: SampleRenderer,
    spec: EditSpec,
    direction: Tensor,
    faces: Tensor,
    before: Mapping[str, np.ndarray],
    tones: Mapping[str, Tensor],
) -> Tensor:
    """Scale (23, 512) so that half of the range does to faces what it says, and nothing to skin.

    Args:
        direction: roughly of the right length.
        faces: (N, 23, 512); every other one is moved the other way.
        before: their read-outs.
        tones: as :func:`skin_tones` gives them.
    """
    amounts = np.resize(np.array(spec.measured_at), len(faces))
    offset = torch.from_numpy(amounts).float()[:, None, None] * direction
    after = renderer.read(renderer.render(faces + offset))

    def moved(name: str) -> float:
        """By an amount of 1."""
        change = np.sign(amounts) * (after[name] - before[name])
        return float(np.nanmean(change) / np.abs(amounts)[np.isfinite(change)].mean())

    for name, tone in tones.items():
        direction = direction - moved(name) * tone
    scale = spec.per_unit / max(1e-6, moved(spec.readout))
    return direction * float(np.clip(scale, *RESCALED))


def _standardised(change: Change, probe: Probe, signs: np.ndarray) -> np.ndarray:
    """Mean change of each read-out with the sign of the edit, in standard deviations: (R,)."""
    signed = Change({n: signs * v for n, v in change.readouts.items()}, change.identity)
    return np.array([signed.mean(name) for name in probe.names]) / probe.scale


def measure_edits(renderer: SampleRenderer, table: EditTable) -> dict[str, EditEffect]:
    """Every edit that was asked for, at the amounts at which it is to do what it says."""
    faces = renderer.faces(REPORT_FACES, REPORT_SEED)
    before = renderer.measure(renderer.render(faces))
    effects = {}
    for spec in CATALOGUE:
        down, up = (
            renderer.change_by(before, faces, table, {spec.name: amount})
            for amount in spec.measured_at
        )
        effects[spec.name] = EditEffect(spec.measured_at, before, down, up)
        print(f"measured: {spec.name}", flush=True)
    return effects


def _edit(spec: EditSpec, styles: tuple[int, int]) -> Edit:
    return Edit(
        spec.name,
        spec.label,
        spec.unit,
        spec.low,
        spec.high,
        spec.step,
        spec.description,
        styles,
        spec.kind,
        spec.group,
    )
