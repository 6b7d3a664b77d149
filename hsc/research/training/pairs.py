"""Pairs of w+ and the face that the generator renders from it: on disk, or rendered on demand."""

from itertools import count, islice
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from hsc.config import SHIPPED, GeneratorSpec
from hsc.generators.base import MappingNetwork
from hsc.generators.pretrained import Generator, load_generator
from hsc.numerics.precision import gradient_dtype
from hsc.research import distributed
from hsc.research.data.faces import Pairs, SyntheticPairs, resized
from hsc.research.training.loop import Budget
from hsc.weights.loading import model_config

MIXED = 0.35
"""Share of pairs whose fine styles come from a second face: w+ is then not one w."""


def sample_styles(
    mapping: MappingNetwork,
    n: int,
    generator: torch.Generator,
    spec: GeneratorSpec = SHIPPED.generator,
) -> Tensor:
    """Random styles with truncation .55 to 1, some of them mixed: (n, 23, 512) on the CPU."""
    truncation = torch.rand(n, 1, generator=generator) * 0.45 + 0.55
    device = mapping.w_mean.device
    first, second = (
        mapping(torch.randn(n, spec.style_dim, generator=generator).to(device)).cpu()
        for _ in range(2)
    )
    mean = mapping.w_mean.cpu()
    first, second = (mean + truncation * (w - mean) for w in (first, second))
    first_cut = spec.styles_through(8)
    cut = torch.randint(first_cut, spec.styles - 3, (n, 1, 1), generator=generator)
    mixed = torch.rand(n, 1, 1, generator=generator) < MIXED
    from_second = mixed & (torch.arange(spec.styles)[None, :, None] >= cut)
    return torch.where(from_second, second[:, None], first[:, None])


class RenderedPairs:
    """Pairs rendered on demand, for devices that render faster than they train.

    Args:
        generator: its synthesis is converted in place to the type of gradients (bfloat16 is 40 dB
            from float32).
        input_px: side of the pictures.
    """

    def __init__(
        self, generator: Generator, device: torch.device, input_px: int = SHIPPED.input_px
    ) -> None:
        self.spec, self.input_px = generator.spec, input_px
        self.mapping = generator.mapping
        self.synthesis = generator.synthesis.to(gradient_dtype(device))
        self.device, self.batch = device, 8 if device.type == "cuda" else 1
        self.random = torch.Generator().manual_seed(torch.seed() % 2**31)

    @torch.no_grad()
    def pictures(self, styles: Tensor) -> Tensor:
        """(B, 23, 512) to uint8 (B, 3, 256, 256) on the device."""
        picture = self.synthesis(styles.to(self.device, self.synthesis.dtype)).float().clamp(-1, 1)
        small = resized(picture, self.input_px)
        return ((small + 1) * 127.5).round().byte()

    def sample(self, n: int, device: torch.device) -> Pairs:
        """As :meth:`SyntheticPairs.sample`."""
        styles = sample_styles(self.mapping, n, self.random, self.spec)
        images = torch.cat([self.pictures(part) for part in styles.split(self.batch)])
        return Pairs(images.to(device), styles.to(device))


PairSource = SyntheticPairs | RenderedPairs


def pair_source(folder: Path, device: torch.device) -> PairSource:
    """Pairs rendered on demand on a GPU; the shards of a folder on a CPU, which renders slowly."""
    if device.type == "cuda":
        return RenderedPairs(load_generator(device), device, model_config().input_px)
    return SyntheticPairs(folder)


@torch.no_grad()
def render(
    generator: Generator, folder: Path, budget: Budget, size: int, device: torch.device
) -> None:
    """Add shards of pairs to a folder until the budget (one step a shard) is spent.

    Each shard has ``size`` pairs and a seed of its own: a run that stops resumes with the next one.
    Of several processes each renders every so many shards; the budget's steps are of all together.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draw = RenderedPairs(generator, device, model_config().input_px)
    # a stopped run of several processes may leave gaps
    there = distributed.of_first({int(path.stem) for path in folder.glob("*.safetensors")})
    missing = (shard for shard in count() if shard not in there)
    for done, shard in enumerate(islice(missing, distributed.rank(), None, distributed.world())):
        if budget.spent(done * distributed.world() + distributed.rank()) >= 1.0:
            return
        seeded = torch.Generator().manual_seed(1000 + shard)
        styles = sample_styles(generator.mapping, size, seeded, generator.spec)
        images = [draw.pictures(part).cpu() for part in styles.split(draw.batch)]
        path = folder / f"{shard:03d}.safetensors"
        save_file({"images": torch.cat(images), "w_plus": styles.half()}, path.with_suffix(".new"))
        path.with_suffix(".new").replace(path)
        print(f"pairs: {(shard + 1) * size} in {folder}", flush=True)
