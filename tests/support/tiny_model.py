"""The networks that sequences need, tiny and random: no weights, and every layer is coded."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from hsc.bitstream.rans import CdfTables
from hsc.config import CodecConfig, GeneratorSpec
from hsc.latent_codecs.feature_slices.model import FeatureCodec, Semantics
from hsc.latent_codecs.gaussian import build_tables
from hsc.latent_codecs.styles_klt import SemanticCodec
from hsc.numerics.exact import snap
from hsc.types import DecodedLatents, Inversion

SPEC = GeneratorSpec(
    name="tiny",
    domain="centre_crop",
    image_px=64,
    feature_px=16,
    style_dim=16,
    styles_per_block=2,
    channels={4: 8, 8: 8, 16: 8},
)
CONFIG = CodecConfig(SPEC, context_px=8, latent_px=8, components=24)


class TinyNetworks(SimpleNamespace):
    """What ``TemporalCodec`` takes of ``hsc.networks.Networks``."""

    def semantics(self, w_plus_hat: Tensor, feature_s: Tensor) -> Semantics:
        """FCN's side information; the context is exact."""
        mixed = w_plus_hat.double().flatten()[: 8 * 64].sum() / 512
        return Semantics(feature_s, snap(self.context + mixed))


class Latents:
    """A synthetic face that moves: S and F of any time."""

    def __init__(self, networks: Any, seed: int = 0) -> None:
        random = torch.Generator().manual_seed(seed)
        shape = SPEC.w_plus_shape
        self.networks = networks
        self.at, self.way = (torch.randn(1, *shape, generator=random) for _ in range(2))
        self.detail = torch.randn(1, 8, 16, 16, generator=random)

    def __call__(self, t: float) -> Inversion:
        """The latents at a time; detail moves to the right by a pixel a unit."""
        w_plus = self.at + 0.1 * t * self.way
        feature_s = self.networks.synthesis.feature(w_plus)
        detail = torch.roll(self.detail, int(t), 3)
        return Inversion(w_plus, feature_s + detail, feature_s)


def tiny_networks(seed: int = 0) -> Any:
    """The same networks for the same seed, in any process."""
    torch.manual_seed(seed)
    tables = build_tables()
    cdfs = CdfTables.from_arrays(*(tables[k].numpy() for k in ("cdfs", "sizes", "offsets")))
    scn, fcn = SemanticCodec(config=CONFIG), FeatureCodec(CONFIG)
    size = SPEC.styles * SPEC.style_dim
    basis = torch.linalg.qr(torch.randn(size, CONFIG.components))[0]
    scn.g_a.data, scn.g_s.data = basis.T.contiguous(), basis
    scn.log2_gain.data = torch.arange(6.0)[:, None].expand(-1, CONFIG.components) / 2 + 1
    fcn.log2_gain.data = torch.arange(6.0)[:, None].expand(-1, CONFIG.latent_channels) / 2
    fcn.g_s.linear.weight.data *= 4
    scn.update(cdfs)
    fcn.update(cdfs)
    mix = torch.randn(size, 8 * 16 * 16) / size**0.5

    def feature(w_plus: Tensor) -> Tensor:
        return torch.tanh(w_plus.flatten(1) @ mix).reshape(-1, 8, 16, 16)

    return TinyNetworks(
        config=CONFIG,
        device=torch.device("cpu"),
        tables=cdfs,
        scn=scn.requires_grad_(False),
        fcn=fcn.requires_grad_(False),
        synthesis=SimpleNamespace(feature=feature),
        context=torch.randint(-512, 512, (1, 8, 8, 8)).double() / 256,
    )


class TinyCodec:
    """What ``hsc.sequence`` takes of ``hsc.codec.Codec``: a picture's own pixels are its detail."""

    model_id = 0x1234
    edit_names = (SimpleNamespace(name="smile", low=-1.0, high=1.5),)

    def __init__(self, seed: int = 0) -> None:
        self.networks = tiny_networks(seed)
        self.decoder = SimpleNamespace(feature_of=self.networks.synthesis.feature)
        self.drawn: list[dict[str, float]] = []

    def analyse(self, crop: Image.Image, correct: bool = True) -> Inversion:
        """Styles from its mean colour, detail from its pixels."""
        small = np.asarray(crop.resize((16, 16), Image.Resampling.BOX), np.float32) / 255
        w_plus = torch.full((1, *SPEC.w_plus_shape), float(small.mean()))
        feature_s = self.networks.synthesis.feature(w_plus)
        planes = torch.from_numpy(small).permute(2, 0, 1)[None]
        detail = planes.repeat(1, 3, 1, 1)[:, :8] * 2 - 1
        return Inversion(w_plus, feature_s + detail, feature_s)

    def draw_many(
        self,
        opened: DecodedLatents,
        edits: Mapping[str, float],
        keep_details: float = 1.0,
        *,
        preview: bool = False,
    ) -> list[Image.Image]:
        """A picture of three channels of the detail, brighter by an edit."""
        self.drawn.append(dict(edits))
        planes = (opened.feature - opened.feature_s)[0, :3] + sum(edits.values())
        pixels = ((planes + 1) * 127.5).clamp(0, 255).byte().permute(1, 2, 0).numpy()
        side = 32 if preview else SPEC.image_px
        return [Image.fromarray(pixels).resize((side, side), Image.Resampling.NEAREST)]

    def held_back(self, opened: DecodedLatents, edits: Any, keep_details: float = 1.0) -> Any:
        """Half of every edit."""
        return SimpleNamespace(share=0.5)
