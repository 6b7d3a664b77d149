"""Plain samples to find edits in: faces rendered from one w each, through the preview exit."""

from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from hsc.research.edit_discovery.effects import SampleRenderer

SHARD, SHARDS = 200, 11
SEED = 2_000_000
LEAST_TRUNCATION = 0.55


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
