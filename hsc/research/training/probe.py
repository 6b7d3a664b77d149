"""Stage "probe": the linear map from w+ to read-outs, on faces that the generator rendered."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

from hsc.domains.ffhq_face.detect import Face
from hsc.generators.exits import render_exit
from hsc.generators.pretrained import load_generator, load_preview
from hsc.images.tensors import to_picture
from hsc.research import distributed
from hsc.research.training.pairs import sample_styles
from hsc.research.training.setting import Setting, export
from hsc.vision.agreement import Observer
from hsc.vision.attributes import frame
from hsc.vision.face_readouts import aligned_landmarks
from hsc.vision.semantic_probe import COARSE_PX, MASK_AXES, PARTS, SemanticProbe, grouped

SHARD = 100
SEED = 5_000_000


@dataclass(frozen=True)
class ProbeConfig:
    """``configs/probe.yaml``."""

    shards: int
    ridges: tuple[float, ...]
    folds: int


def run(setting: Setting) -> None:
    """Render and read samples (shards that are there are kept), fit, and write the weights.

    Several processes share the samples; the fit is a moment's work, which each of them does.
    """
    config = setting.configured(ProbeConfig)
    columns = list(
        samples(setting.work / "probe", min(config.shards, setting.steps), setting.device)
    )
    joined = {name: torch.cat([c[name] for c in columns]).float() for name in columns[0]}
    probe, explained = fit(joined, config.ridges, config.folds)
    print(
        "variance explained on samples left out:",
        " ".join(f"{name} {share:.2f}" for name, share in explained.items()),
    )
    export(probe.state_dict(), "probe")


def samples(folder: Path, shards: int, device: torch.device) -> Iterator[dict[str, Tensor]]:
    """Shards of ``w`` (100, 1536) and the read-outs of the 256-px pictures rendered from them."""
    folder.mkdir(parents=True, exist_ok=True)
    generator, head, observer = load_generator(device), load_preview(device), Observer.pretrained()
    for shard in range(shards):
        path = folder / f"{shard:03d}.safetensors"
        if not path.is_file() and shard % distributed.world() == distributed.rank():
            seeded = torch.Generator().manual_seed(SEED + shard)
            styles = sample_styles(generator.mapping, SHARD, seeded, generator.spec)
            rows = []
            for w_plus in styles.to(device).split(1):
                feature = generator.synthesis.feature(w_plus)
                rendered = render_exit(generator.synthesis, head, feature, w_plus)
                rows.append(read(observer, to_picture(rendered.detach())))
            columns = {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
            unfinished = path.with_suffix(".part")
            save_file({"w": grouped(styles)} | columns, unfinished)
            unfinished.rename(path)
            print(f"probe: {(shard + 1) * SHARD} faces read", flush=True)
    distributed.wait()
    for shard in range(shards):
        yield load_file(folder / f"{shard:03d}.safetensors")


@torch.no_grad()
def read(observer: Observer, image: Image.Image) -> dict[str, Tensor]:
    """Every read-out of one aligned face, the mask as (1024,)."""
    from hsc.metrics.identity_dlib import dlib_identity

    points = aligned_landmarks(image)
    framed = frame(image, points)[None]
    face = Face((*points.min(0), *points.max(0)), points)
    mask = torch.from_numpy(observer.person.mask(image))[None, None]
    return {
        "landmarks": torch.from_numpy(points / image.width).flatten().float(),
        "descriptor": torch.from_numpy(dlib_identity(image, face)).float(),
        "age": observer.age_gender(framed)[0],
        "expressions": observer.expression(framed)[0],
        "mask": F.adaptive_avg_pool2d(mask, COARSE_PX).flatten(),
    }


@torch.no_grad()
def fit(
    columns: dict[str, Tensor], ridges: Sequence[float], folds: int
) -> tuple[SemanticProbe, dict[str, float]]:
    """Ridge regression, its strength chosen for each read-out on samples left out.

    Args:
        columns: ``w`` and the read-outs, (N, ...) each.
        ridges: candidates, in the mean square of one sample's inputs.

    Returns:
        The probe, and the share of each read-out's variance that it explains on those samples.
    """
    probe = SemanticProbe()
    x = columns["w"].double()
    mask = columns["mask"].double()
    mask_mean = mask.mean(0)
    axes = torch.linalg.svd(mask - mask_mean, full_matrices=False).Vh[:MASK_AXES]
    targets = columns | {"mask": (mask - mask_mean) @ axes.T}
    mean, std = x.mean(0), x.std(0)
    white = (x - mean) / std  # (N, 1536)
    weights, biases, explained = [], [], {}
    for name in PARTS:
        y = targets[name].double().reshape(len(x), -1)
        errors = {ridge: _left_out(white, y, ridge, folds) for ridge in ridges}
        best = min(errors, key=errors.__getitem__)
        slope = _solve(white, y - y.mean(0), best) / std[:, None]  # (1536, rows)
        weights.append(slope.T)
        biases.append(y.mean(0) - mean @ slope)
        explained[name] = float(1 - errors[best])
    probe.linear.weight.copy_(torch.cat(weights))
    probe.linear.bias.copy_(torch.cat(biases))
    probe.mask_mean.copy_(mask_mean)
    probe.mask_axes.copy_(axes)
    return probe, explained


def _solve(x: Tensor, y: Tensor, ridge: float) -> Tensor:
    """Ridge regression in its dual form: (N, D), (N, R) -> (D, R)."""
    kernel = x @ x.T / x.shape[1]  # (N, N), about 1 on the diagonal
    kernel += ridge * torch.eye(len(x), dtype=x.dtype)
    return x.T @ torch.linalg.solve(kernel, y) / x.shape[1]


def _left_out(x: Tensor, y: Tensor, ridge: float, folds: int) -> float:
    """Squared error on samples left out over their variance, of all rows together."""
    fold = torch.from_numpy(np.arange(len(x)) % folds)
    error = 0.0
    for out in range(folds):
        fitted, left = fold != out, fold == out
        mean = y[fitted].mean(0)
        guess = mean + x[left] @ _solve(x[fitted], y[fitted] - mean, ridge)
        error += (guess - y[left]).square().sum().item()
    return error / (y - y.mean(0)).square().sum().item()
