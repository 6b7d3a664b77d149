"""Stage "latents": encodes every training picture with the frozen encoder and caches S and F.

SCN and FCN are trained on the cache, so their steps do not run the encoder.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from hsc.generators.base import SynthesisNetwork
from hsc.images.tensors import to_unit
from hsc.inversion.encoder import InversionEncoder, resized
from hsc.inversion.self_renderer import SelfRenderer
from hsc.numerics.precision import gradient_autocast
from hsc.research import distributed
from hsc.research.data.augment import jitter
from hsc.research.data.faces import RealFaces
from hsc.research.training.pairs import PairSource


@dataclass(frozen=True)
class LatentsConfig:
    """``configs/latents.yaml``."""

    synthetic: int
    batch: int
    shard: int


@dataclass(frozen=True)
class LatentBatch:
    """Pictures, and S and F of each."""

    images: Tensor  # (B, 3, 256, 256) in [-1, 1]
    w_plus: Tensor  # (B, 23, 512)
    feature: Tensor  # (B, 512, 32, 32)


@torch.no_grad()
def collect(
    encoder: InversionEncoder,
    synthesis: SynthesisNetwork,
    self_renderer: SelfRenderer,
    real: RealFaces,
    pairs: PairSource,
    config: LatentsConfig,
    folder: Path,
    device: torch.device,
) -> None:
    """Encode every real face (flipped at random, slightly jittered) and some synthetic ones.

    ``real`` has the size that the encoder's detail stem sees; pictures are cached at 256 px.
    Each process encodes its share of them and writes shards of its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if distributed.is_first():
        for old in folder.glob("*.safetensors"):
            old.unlink()
    distributed.wait()
    photos = real.images[torch.randperm(len(real.images))]
    flip = torch.rand(len(photos), 1, 1, 1) < 0.5
    photos = torch.where(flip, photos.flip(3), photos)
    # synthetic faces last: shards are named by kind, and statistics of real people weigh more
    synthetic = distributed.share_of(config.synthetic)
    rendered = pairs.sample(synthetic, torch.device("cpu")).images
    sources = {"real": photos, "synthetic": rendered}
    for kind, images in sources.items():
        for start in range(0, len(images), config.shard):
            found: list[tuple[Tensor, Tensor, Tensor]] = []
            for part in images[start : start + config.shard].split(config.batch):
                x = to_unit(part).to(device)
                if kind == "real":
                    x = jitter(x)
                with gradient_autocast(device):
                    channels_last = x.contiguous(memory_format=torch.channels_last)
                    inversion = encoder(channels_last, synthesis, self_renderer)
                x = resized(x, encoder.config.input_px)
                pixels = ((x + 1) * 127.5).round().clamp(0, 255).byte()
                found.append((pixels.cpu(), inversion.w_plus.cpu(), inversion.feature.half().cpu()))
            names = ("images", "w_plus", "feature")
            columns = {n: torch.cat(c).contiguous() for n, c in zip(names, zip(*found))}
            number = start * distributed.world() + config.shard * distributed.rank()
            save_file(columns, folder / f"{kind}-{number:05d}.safetensors")
            print(
                f"latents: {kind} {min(start + config.shard, len(images))}/{len(images)}",
                flush=True,
            )


class CachedLatents:
    """The cache in memory, or this process's share of it.

    Args:
        folder: written by :func:`collect`.
    """

    def __init__(self, folder: Path) -> None:
        shards = sorted(folder.glob("*.safetensors"))
        if not shards:
            raise FileNotFoundError(f"no latents in {folder}: run `hsc train latents` first")
        columns: dict[str, list[Tensor]] = {"images": [], "w_plus": [], "feature": []}
        self.real = 0
        for shard in shards:
            with safe_open(shard, "pt") as file:
                rows = distributed.own_rows(file.get_slice("w_plus").get_shape()[0])
                for name, column in columns.items():
                    column.append(file.get_slice(name)[rows])
            if shard.name.startswith("real"):
                self.real += len(columns["images"][-1])
        self.images, self.w_plus, self.feature = (torch.cat(c) for c in columns.values())

    def __len__(self) -> int:
        return len(self.images)

    def sample(self, n: int, device: torch.device, real_share: float = 0.7) -> LatentBatch:
        """A random batch; real faces are the first ``self.real`` entries."""
        real = torch.randint(self.real, (n,))
        synthetic = torch.randint(self.real, len(self), (n,)) if len(self) > self.real else real
        index = torch.where(torch.rand(n) < real_share, real, synthetic)
        return LatentBatch(
            to_unit(self.images[index]).to(device),
            self.w_plus[index].float().to(device),
            self.feature[index].float().to(device),
        )
