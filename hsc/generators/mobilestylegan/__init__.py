"""MobileStyleGAN: the generator of faces at 1024 px that ships.

Source: Belousov 2021 (arXiv 2104.04767), distilled from StyleGAN2-FFHQ.
"""

import torch

from hsc.config import GeneratorSpec
from hsc.generators.base import Family, Renderer, SynthesisNetwork
from hsc.generators.mapping import Mapping
from hsc.generators.mobilestylegan.cpu_backend import CpuSynthesis
from hsc.generators.mobilestylegan.exact_features import ExactSynthesis
from hsc.generators.mobilestylegan.synthesis import Synthesis


class MobileStyleGan:
    """A :class:`Family`."""

    def mapping(self, spec: GeneratorSpec) -> Mapping:
        return Mapping(spec)

    def synthesis(self, spec: GeneratorSpec) -> Synthesis:
        return Synthesis(spec)

    def exact_features(self, synthesis: SynthesisNetwork, px: int) -> ExactSynthesis:
        assert isinstance(synthesis, Synthesis)
        return ExactSynthesis(synthesis, px)

    def cpu_backend(self, synthesis: SynthesisNetwork, dtype: torch.dtype) -> Renderer:
        assert isinstance(synthesis, Synthesis)
        return CpuSynthesis(synthesis, dtype)


FAMILY: Family = MobileStyleGan()
