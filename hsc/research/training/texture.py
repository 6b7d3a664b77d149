"""Stage "texture": the styles of texture and colour, trained at full resolution.

The other losses render through an exit at 256 px, which reads only the mean of the styles above it:
trained that way these styles drift, and faces come out scratchy and too warm. Here a window of the
1024-px picture is compared with the photograph, and only those styles are trained: an offset that
all photographs share, and the encoder's own part for each. Both S + F and S alone are compared:
styles that suit only S + F paint lips red where F is missing.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.config import CodecConfig
from hsc.generators.base import SynthesisNetwork
from hsc.images.tensors import to_unit
from hsc.inversion.encoder import InversionEncoder, SemanticHead
from hsc.inversion.self_renderer import SelfRenderer
from hsc.numerics.precision import gradient_autocast
from hsc.research.data.faces import NativeFaces
from hsc.research.training.window_loss import WindowLoss
from hsc.types import Inversion


def first_style(config: CodecConfig) -> int:
    """The first style that moves: those below shape the face, and the exits see what they do."""
    return config.generator.styles_through(config.feedback_exit_px)


@dataclass(frozen=True)
class TextureConfig:
    """``configs/texture.yaml``."""

    batch: int
    offset_rate: float
    rate: float
    closeness: float
    colour: float
    detail: float
    least_px: int
    watched: int
    evaluate_minutes: float


def only_fine_styles(head: SemanticHead, first: int) -> list[torch.nn.Parameter]:
    """Freeze the semantic head except for what determines the styles from ``first`` on."""
    head.requires_grad_(False)
    rank = head.basis.shape[1]
    firsts = {
        head.offset: first, head.basis: first,
        head.coefficients.weight: first * rank, head.coefficients.bias: first * rank,
    }  # fmt: skip
    for parameter, row in firsts.items():
        trained = (torch.arange(len(parameter), device=parameter.device) >= row).to(parameter)
        trained = trained.view(-1, *[1] * (parameter.ndim - 1))
        parameter.requires_grad_(True).register_hook(lambda grad, trained=trained: grad * trained)
    return [p for p in firsts if isinstance(p, torch.nn.Parameter)]


class TextureLoss:
    """Compares a window of the picture with the photograph; styles stay near their initial values.

    ::

        photograph 1024 -> 256 -> encoder (frozen) -> S below first_style, F, F_S
                                 +-> S from first_style (trained) -> G on F, a window ---+-> loss
                                                                  -> G on F_S, another --+

    Args:
        encoder: frozen except for :func:`only_fine_styles`; ``self_renderer``: its feedback.
        fast: the generator in :func:`gradient_dtype`, channels last.
        held_out: photographs of people who are not trained on, uint8 (3, px, px).
    """

    def __init__(
        self,
        encoder: InversionEncoder,
        self_renderer: SelfRenderer,
        fast: SynthesisNetwork,
        windows: WindowLoss,
        faces: NativeFaces,
        held_out: list[Tensor],
        device: torch.device,
        closeness: float,
    ) -> None:
        self.encoder, self.self_renderer, self.fast = encoder, self_renderer, fast
        self.windows, self.faces, self.held_out = windows, faces, held_out
        self.device, self.closeness = device, closeness

    def invert(self, picture: Tensor) -> Inversion:
        """(B, 3, px, px) to S, with gradient, and F, without."""
        small = F.interpolate(picture, size=self.encoder.config.input_px, mode="area").clamp(-1, 1)
        with gradient_autocast(self.device):
            small = small.contiguous(memory_format=torch.channels_last)
            return self.encoder(small, self.fast, self.self_renderer)

    def __call__(self, n: int) -> tuple[Tensor, dict[str, float]]:
        batch = self.faces.sample(n)
        picture = batch.pictures.to(self.device)
        found = self.invert(picture)
        value, parts = self.windows.of_file(
            self.fast, found.feature, found.w_plus, picture, batch.px
        )
        value_s, parts_s = self.windows.of_file(
            self.fast, found.feature_s, found.w_plus, picture, batch.px
        )
        parts |= {f"{name}_s": figure for name, figure in parts_s.items()}
        away = (found.w_plus - found.w_plus[:, :1]) / self.encoder.semantic_head.w_std
        closeness = away[:, first_style(self.encoder.config) :].square().mean()
        return value + value_s + self.closeness * closeness, parts | {"away": closeness.item()}

    @torch.no_grad()
    def watch(self) -> dict[str, float]:
        """LPIPS of held-out people, each at the photograph's own size, of S + F and S alone."""
        sums = {"held_out_lpips": 0.0, "held_out_lpips_s": 0.0} if self.held_out else {}
        for image in self.held_out:
            picture = to_unit(image)[None].to(self.device)
            found = self.invert(picture)
            for name, feature in zip(sums, (found.feature, found.feature_s)):
                inner = feature.to(self.fast.dtype).contiguous(memory_format=torch.channels_last)
                rendered = self.fast.image(inner, found.w_plus.to(inner.dtype)).float()
                own = F.interpolate(
                    rendered, size=picture.shape[-1], mode="bicubic", antialias=True
                )
                sums[name] += self.windows.lpips(own, picture).item() / len(self.held_out)
        return sums
