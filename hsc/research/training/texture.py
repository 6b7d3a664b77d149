"""Stage "texture": the styles that texture and colour the picture, trained at full resolution.

The other losses look through an exit at 256 px, which sees the styles above it only as a mean:
trained that way they drift, and faces come out scratchy and too warm. Here a window of the real
1024-px picture is compared with the photograph, and only those styles move: an offset that every
photograph shares, and what the encoder sees in each. S + F is looked at and S alone too: styles
that please F alone paint lips red where F is missing.
"""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from hsc.config import FACE_1024
from hsc.inversion.encoder import INPUT_PX, InversionEncoder, SemanticHead
from hsc.inversion.self_renderer import SelfRenderer
from hsc.research.data.faces import list_faces, list_strangers, load_square, to_unit
from hsc.research.training.window_loss import WindowLoss
from hsc.types import Inversion

FIRST_STYLE = FACE_1024.styles_through(64)
"""The first style that moves: those below shape the face, and the exits see what they do."""
LEAST_PX = 512
"""Smaller photographs do not show what skin and hair look like at 1024 px."""
WATCHED = 6


class SharpFaces:
    """Real faces that are large enough to learn texture from, each at its own size up to 1024.

    Args:
        paths: aligned pictures; smaller ones are left out.

    Raises:
        FileNotFoundError: none is large enough.
    """

    def __init__(self, paths: list[Path]) -> None:
        from PIL import Image

        self.images: list[Tensor] = []  # uint8 (3, px, px)
        for path in paths:
            with Image.open(path) as image:
                px = min(*image.size, FACE_1024.image_px)
            if px >= LEAST_PX:
                self.images.append(
                    load_square(path, FACE_1024.image_px if px == FACE_1024.image_px else LEAST_PX)
                )
        if not self.images:
            raise FileNotFoundError(f"no aligned pictures of {LEAST_PX} px or more to learn from")

    def sample(self, n: int) -> Tensor:
        """(n, 3, 1024, 1024) in [-1, 1], each flipped with probability one half."""
        pictures = []
        for index in torch.randint(len(self.images), (n,)).tolist():
            picture = enlarged(self.images[index])
            pictures.append(picture.flip(3) if torch.rand(()) < 0.5 else picture)
        return torch.cat(pictures)


def enlarged(picture: Tensor) -> Tensor:
    """uint8 (3, px, px) to (1, 3, 1024, 1024) in [-1, 1]."""
    large = to_unit(picture)[None]
    if large.shape[-1] == FACE_1024.image_px:
        return large
    return F.interpolate(large, size=FACE_1024.image_px, mode="bicubic").clamp(-1, 1)


def only_fine_styles(head: SemanticHead) -> list[torch.nn.Parameter]:
    """Hold all of the semantic head but what FIRST_STYLE and later are made of."""
    head.requires_grad_(False)
    rank = head.basis.shape[1]
    firsts = {
        head.offset: FIRST_STYLE, head.basis: FIRST_STYLE,
        head.coefficients.weight: FIRST_STYLE * rank, head.coefficients.bias: FIRST_STYLE * rank,
    }  # fmt: skip
    for parameter, first in firsts.items():
        held = (torch.arange(len(parameter), device=parameter.device) >= first).to(parameter)
        held = held.view(-1, *[1] * (parameter.ndim - 1))
        parameter.requires_grad_(True).register_hook(lambda grad, held=held: grad * held)
    return list(firsts)


class TextureLoss:
    """A window of the picture against the photograph, and styles that stay near the first.

    ::

        photograph 1024 -> 256 -> encoder (held) -> S below FIRST_STYLE, F, F_S
                                 +-> S from FIRST_STYLE (trained) -> G on F, a window ---+-> loss
                                                                  -> G on F_S, another --+

    Args:
        encoder: held, but for :func:`only_fine_styles`; ``self_renderer``: what it looks with.
        seen: what the window is compared by.
    """

    def __init__(
        self,
        encoder: InversionEncoder,
        self_renderer: SelfRenderer,
        seen: WindowLoss,
        faces: SharpFaces,
        strangers: list[Path],
        device: torch.device,
        closeness: float = 0.002,
    ) -> None:
        self.encoder, self.self_renderer, self.seen, self.faces = (
            encoder,
            self_renderer,
            seen,
            faces,
        )
        self.device, self.closeness = device, closeness
        large = SharpFaces(strangers).images if strangers else []
        self.watched = large[:: max(1, len(large) // WATCHED)][:WATCHED]

    def invert(self, picture: Tensor) -> Inversion:
        """(B, 3, 1024, 1024) to S, with gradient, and F, without."""
        small = F.interpolate(picture, size=INPUT_PX, mode="area").clamp(-1, 1)
        with torch.autocast(self.device.type, torch.bfloat16):
            small = small.contiguous(memory_format=torch.channels_last)
            return self.encoder(small, self.seen.fast, self.self_renderer)

    def __call__(self, n: int) -> tuple[Tensor, dict[str, float]]:
        picture = self.faces.sample(n).to(self.device)
        found = self.invert(picture)
        value, parts = self.seen(found.feature, found.w_plus, picture)
        value_s, parts_s = self.seen(found.feature_s, found.w_plus, picture)
        parts |= {f"{name}_s": figure for name, figure in parts_s.items()}
        away = (found.w_plus - found.w_plus[:, :1]) / self.encoder.semantic_head.w_std
        closeness = away[:, FIRST_STYLE:].square().mean()
        return value + value_s + self.closeness * closeness, parts | {"away": closeness.item()}

    @torch.no_grad()
    def watch(self) -> dict[str, float]:
        """LPIPS of whole pictures of people who are not trained on, of S + F and S alone."""
        sums = {"held_out_lpips": 0.0, "held_out_lpips_s": 0.0}
        for image in self.watched:
            picture = enlarged(image).to(self.device)
            found = self.invert(picture)
            for name, feature in zip(sums, (found.feature, found.feature_s)):
                inner = feature.bfloat16().contiguous(memory_format=torch.channels_last)
                drawn = self.seen.fast.image(inner, found.w_plus.bfloat16()).float()
                sums[name] += self.seen.lpips(drawn, picture).item() / len(self.watched)
        return sums


def sharp_sets(data: list[Path]) -> tuple[SharpFaces, list[Path]]:
    """The faces to train on, and the pictures to watch."""
    return SharpFaces(list_faces(data)), list_strangers(data)
