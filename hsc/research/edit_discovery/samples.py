"""Samples of one w each: rendered ones to find edits in, and how the features of many vary."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from hsc.editing.plausibility import Plausibility
from hsc.generators.pretrained import load_generator
from hsc.research.edit_discovery.effects import TRUNCATION, SampleRenderer
from hsc.weights.loading import path_of

SHARD, SHARDS = 200, 11
SEED = 2_000_000
LEAST_TRUNCATION = 0.55
USUAL, USUAL_SEED = 400, 0
"""Samples whose features say how the generator's own faces vary."""


def styles(renderer: SampleRenderer, shard: int) -> Tensor:
    """The w of one shard, with truncation .55 to 1: (200, 512)."""
    generator = torch.Generator().manual_seed(SEED + shard)
    truncation = torch.rand(SHARD, 1, generator=generator)
    truncation = LEAST_TRUNCATION + (1 - LEAST_TRUNCATION) * truncation
    z = torch.randn(SHARD, renderer.synthesis.spec.style_dim, generator=generator).to(
        renderer.mapping.w_mean
    )
    mean = renderer.mapping.w_mean
    return mean + truncation.to(mean) * (renderer.mapping(z) - mean)


@torch.no_grad()
def render_samples(
    renderer: SampleRenderer, folder: Path, shards: int = SHARDS
) -> Iterator[dict[str, Tensor]]:
    """Render shards of samples, or read existing ones.

    Yields:
        ``w`` (200, 512) float16 and ``images`` (200, 3, 256, 256) bytes.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for shard in range(shards):
        path = folder / f"{shard:03d}.safetensors"
        if not path.is_file():
            w = styles(renderer, shard).half()
            pictures = renderer.render(
                w.float()[:, None].expand(-1, renderer.synthesis.spec.styles, -1)
            )
            images = torch.stack([((p + 1) * 127.5).round().byte() for p in pictures])
            unfinished = path.with_suffix(".part")
            save_file({"w": w.cpu(), "images": images}, unfinished)
            unfinished.rename(path)
            print(f"samples: {(shard + 1) * SHARD} in {folder}", flush=True)
        yield load_file(path)


@torch.no_grad()
def measure_plausibility(setting: Any, out: Path | None = None, count: int = USUAL) -> None:
    """Training stage ``plausibility``: a minute, and the same numbers from the same generator.

    Args:
        setting: ``device``.
        out: folder to write to, those of the repository unless given.
        count: of samples.
    """
    generator = load_generator(setting.device)
    random = torch.Generator().manual_seed(USUAL_SEED)
    spec = generator.synthesis.spec
    features = []
    for _ in range(count):
        z = torch.randn(1, spec.style_dim, generator=random).to(generator.mapping.w_mean)
        w = generator.mapping(z, TRUNCATION)[:, None].expand(-1, spec.styles, -1)
        features.append(generator.synthesis.feature(w))
    usual = Plausibility.of(torch.cat(features))
    departures = torch.cat([usual.departure(each) for each in features])
    usual.save(path_of("plausibility", out))
    shares = torch.tensor([0.5, 0.9, 0.99, 1.0])
    said = ", ".join(f"{q:.0%}: {x:.2f}" for q, x in zip(shares, departures.quantile(shares)))
    print(f"departure of {count} samples, {said}", flush=True)
