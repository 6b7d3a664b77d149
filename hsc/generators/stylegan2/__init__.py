"""StyleGAN2, config F, of any size: the architecture of which people have weights of their own.

Source: Karras et al. 2020 (arXiv 1912.04958), written from the paper.
"""

from collections.abc import Mapping as Sizes

import torch

from hsc.config import GeneratorSpec
from hsc.generators.base import Family, Renderer, SynthesisNetwork
from hsc.generators.mapping import Mapping
from hsc.generators.stylegan2.exact_features import ExactSynthesis
from hsc.generators.stylegan2.synthesis import COLOURS, Synthesis

FEATURE_PX = 32
"""Resolution of F, as in the paper of the codec; small pictures take a quarter of their side."""


def spec_of(
    channels: Sizes[int, int], style_dim: int, domain: str, feature_px: int | None = None
) -> GeneratorSpec:
    """The sizes of a generator.

    Args:
        channels: of the convolutions at each resolution, from 4 px up to the picture's.
        domain: how photos are aligned, a key of ``hsc.domains``.
        feature_px: resolution of F.
    """
    image_px = max(channels)
    return GeneratorSpec(
        name="stylegan2",
        domain=domain,
        image_px=image_px,
        feature_px=feature_px or min(FEATURE_PX, image_px // 4),
        style_dim=style_dim,
        styles_per_block=2,
        channels={px: count + COLOURS for px, count in sorted(channels.items())},
    )


class StyleGan2:
    """A :class:`Family`."""

    def mapping(self, spec: GeneratorSpec) -> Mapping:
        return Mapping(spec)

    def synthesis(self, spec: GeneratorSpec) -> Synthesis:
        return Synthesis(spec)

    def exact_features(self, synthesis: SynthesisNetwork, px: int) -> ExactSynthesis:
        assert isinstance(synthesis, Synthesis)
        return ExactSynthesis(synthesis, px)

    def cpu_backend(self, synthesis: SynthesisNetwork, dtype: torch.dtype) -> Renderer:
        # dense convolutions are fast on a CPU as they are, and in float32 at any ``dtype``
        return synthesis


FAMILY: Family = StyleGan2()
