"""Stage "decoder": the generator's blocks above F, finetuned on photographs at their own size.

The generator was distilled on its own pictures. What files of photographs render differs from the
photographs in a way that more bits do not repair: irises, teeth, the texture of skin. Only the
blocks above F are trained, so symbols, files and edit directions keep their meaning. S alone and
edited faces must look as before: they are compared with what the original generator renders.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hsc.editing.table import EditTable
from hsc.errors import HscError
from hsc.generators.base import SynthesisNetwork
from hsc.generators.mobilestylegan.synthesis import Synthesis
from hsc.generators.mobilestylegan.window import render_window
from hsc.images.tensors import to_unit
from hsc.metrics.lpips import Lpips
from hsc.metrics.picture import psnr
from hsc.numerics.precision import gradient_autocast, gradient_dtype
from hsc.research.data.faces import NativeFaces
from hsc.research.training.coded_pool import CodedFace, CodedPool, FrozenCodec, PoolSizes
from hsc.research.training.loop import Checkpoint
from hsc.research.training.rate import random_level
from hsc.research.training.window_loss import WindowLoss, WindowWeights, place_window

REGIONS = {"eyes": (0.40, 0.56, 0.30, 0.70), "mouth": (0.60, 0.80, 0.34, 0.66)}
"""Top, bottom, left and right of what is compared by itself, in sides of an aligned picture."""
WATCHED_LEVEL = 3.0
SMALL_PX = 256


@dataclass(frozen=True)
class DecoderConfig(WindowWeights, PoolSizes):
    """``configs/decoder.yaml``."""

    batch: int
    rate: float
    decay: float
    least_px: int
    uncompressed: float
    kept: float
    edited_file: float
    edited_semantics: float
    edit_range: float
    watched: int
    evaluate_minutes: float


class BlocksAboveFeature(nn.Module):
    """The trained part of a generator, with the names of its weight file.

    Everything else of the generator is frozen.
    """

    def __init__(self, synthesis: SynthesisNetwork) -> None:
        super().__init__()
        if not isinstance(synthesis, Synthesis):
            raise HscError(f"expected MobileStyleGAN to finetune, got {type(synthesis).__name__}.")
        synthesis.requires_grad_(False)
        above = {
            str(px): synthesis.blocks[str(px)]
            for px in synthesis.spec.block_px
            if px > synthesis.spec.feature_px
        }
        self.blocks, self.to_img = nn.ModuleDict(above), synthesis.to_img
        self.requires_grad_(True)


class DecoderLoss:
    """Compares windows of decoded files with photographs, and S alone and edits with the original.

    ::

        file -> S^, F^ -> blocks above 32 px (trained), a window -> the photograph's window
        S^ (+ direction), G_F -> blocks (trained), a window ------> blocks (as they were)

    Args:
        trained: in float32; its blocks above F are trained.
        windows: the loss of a window against a photograph.
        directions: (D, 23, 512), the offset of each edit at the end of its range.
    """

    def __init__(
        self,
        trained: SynthesisNetwork,
        codec: FrozenCodec,
        windows: WindowLoss,
        faces: NativeFaces,
        directions: Tensor,
        config: DecoderConfig,
        device: torch.device,
    ) -> None:
        self.trained, self.original, self.windows = trained, codec.fast, windows
        self.directions, self.config, self.device = directions.to(device), config, device
        self.pool = CodedPool(codec, faces, config, device)

    def __call__(self, n: int) -> tuple[Tensor, dict[str, float]]:
        """The loss of ``n`` photographs, and of one face that must not change."""
        chosen = self.pool.sample(n, self._random_level)
        w_plus = torch.stack([face.w_plus for face in chosen])
        feature = torch.stack([face.feature for face in chosen])
        pictures = torch.cat([self.pool.photograph(face) for face in chosen])
        px = [face.px for face in chosen]
        value, figures = self.windows.of_file(self.trained, feature, w_plus, pictures, px)
        kept = self._as_before(chosen[0])
        return value + self.config.kept * kept, figures | {"kept": kept.item()}

    def _random_level(self) -> float | None:
        if torch.rand(()) < self.config.uncompressed:
            return None
        return random_level(torch.default_generator)

    def _as_before(self, face: CodedFace) -> Tensor:
        """S alone, edited or not, or an edit of the file, against the original generator."""
        c, original, w_plus = self.config, self.original, face.w_plus[None]
        kind, window = float(torch.rand(())), place_window(original.spec)
        edits_file = kind < c.edited_file
        with torch.no_grad(), gradient_autocast(self.device):
            edited = w_plus
            if kind < c.edited_file + c.edited_semantics:
                direction = self.directions[int(torch.randint(len(self.directions), ()))]
                edited = w_plus + direction * float(torch.empty(()).uniform_(-1, 1))
            feature = original.feature(edited).float()
            if edits_file:  # the file's own detail stays, as an edited file has it
                feature = face.feature.float()[None] + feature - original.feature(w_plus).float()
            feature, edited = feature.to(original.dtype), edited.to(original.dtype)
            before = render_window(original, feature, edited, window).float()
        with gradient_autocast(self.device):
            now = render_window(self.trained, feature, edited, window).float()
        if not edits_file:
            return self.windows(now, before)[0]
        # edits of files keep the trained texture: only shape and colour are compared with before
        now, before = F.avg_pool2d(now, 4), F.avg_pool2d(before, 4)
        with gradient_autocast(self.device):
            perceptual = self.windows.lpips(now, before).float().mean()
        return perceptual + c.colour * (now - before).square().mean()


def edit_directions(table: EditTable, part: float) -> Tensor:
    """(D, 23, 512): every edit at ``part`` of the range that both its ends have."""
    return torch.stack(
        [table.direction(e.name) * min(abs(e.low), abs(e.high)) * part for e in table.edits]
    )


@torch.no_grad()
def full_size_figures(
    synthesis: SynthesisNetwork, lpips: Lpips, picture: Tensor, w_plus: Tensor, feature: Tensor
) -> dict[str, float]:
    """LPIPS at the photograph's size, of eyes and of the mouth, and LPIPS and PSNR at 256 px.

    Args:
        picture: (1, 3, px, px) at the photograph's own size; w_plus, feature: of its file.
    """
    with gradient_autocast(picture.device):
        feature = feature.to(gradient_dtype(picture.device))
        rendered = synthesis.image(feature, w_plus).float().clamp(-1, 1)
    px = picture.shape[-1]
    own = F.interpolate(rendered, size=px, mode="bicubic", antialias=True)
    small = [F.interpolate(x, size=SMALL_PX, mode="area") for x in (own, picture)]
    pairs = {"lpips_own": (own, picture), "lpips_256": (small[0], small[1])}
    for name, sides in REGIONS.items():
        top, bottom, left, right = (round(side * px) for side in sides)
        pairs[f"lpips_{name}"] = (
            own[..., top:bottom, left:right], picture[..., top:bottom, left:right]
        )  # fmt: skip
    figures = {name: lpips(*pair).item() for name, pair in pairs.items()}
    return figures | {"psnr_256": psnr(small[0], small[1]).item()}


class DecoderWatch:
    """Figures of held-out people at one level, at the size of their photographs.

    Args:
        trained: renders.
        checkpoint: of the part of it whose moving average is measured.
        images: uint8 (3, px, px), each at its own size.
    """

    def __init__(
        self,
        trained: SynthesisNetwork,
        checkpoint: Checkpoint,
        codec: FrozenCodec,
        windows: WindowLoss,
        images: list[Tensor],
        device: torch.device,
    ) -> None:
        self.trained, self.checkpoint = trained, checkpoint
        self.windows, self.device = windows, device
        self.coded: list[tuple[Tensor, Tensor, Tensor]] = []
        for image in images:
            picture = to_unit(image)[None].to(device)
            self.coded.append((picture, *codec(picture, WATCHED_LEVEL)))

    @torch.no_grad()
    def __call__(self) -> dict[str, float]:
        """Means: LPIPS at the photograph's size, of eyes and mouth, and LPIPS and PSNR at 256."""
        return self.checkpoint.means(self.coded, self._figures)

    def _figures(self, coded: tuple[Tensor, Tensor, Tensor]) -> dict[str, float]:
        """Of one photograph, its S^ and its F^."""
        picture, w_plus, feature = coded
        figures = full_size_figures(self.trained, self.windows.lpips, picture, w_plus, feature)
        return {f"held_out_{name}": figure for name, figure in figures.items()}
