"""The interface between the codec and a generator.

    z -> mapping -> w+ -+-> feature: blocks up to feature_px -> F -+-> image -> picture
                        |                                          +-> run -> exit -> small picture
                        +-> exact features at context_px: side information of F's entropy model

A new generator is one folder beside ``mobilestylegan`` that subclasses :class:`MappingNetwork` and
:class:`SynthesisNetwork` and offers a :class:`Family`, and one line in ``hsc.generators.registry``.
Early exits (``hsc.generators.exits``) and half precision on a GPU work for any of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Protocol

import torch
from torch import Tensor, nn

from hsc.config import GeneratorSpec

Corner = tuple[int, int]
"""Row and column, in pixels of an activation, where a part of it begins."""


class Renderer(Protocol):
    """w+ and feature maps to pictures: a synthesis network, or a backend of one."""

    spec: GeneratorSpec

    def run(self, x: Tensor, w_plus: Tensor, after_px: int, to_px: int) -> Tensor:
        """Carry an activation at ``after_px`` through the blocks up to ``to_px``.

        Args:
            x: (B, C, after_px, after_px).
            w_plus: (B, styles, style_dim); only the styles of the blocks that run are read.

        Returns:
            (B, C', to_px, to_px).
        """
        ...

    def feature(self, w_plus: Tensor, px: int | None = None) -> Tensor:
        """G_F: the activation at ``px`` (F's by default) that the semantics alone predict.

        Args:
            w_plus: (B, >= spec.styles_through(px), style_dim).

        Returns:
            (B, C, px, px).
        """
        ...

    def image(self, feature: Tensor, w_plus: Tensor) -> Tensor:
        """Render a feature map of any block's resolution with the styles above it.

        Returns:
            (B, 3, image_px, image_px), nominally in [-1, 1], not clamped.
        """
        ...

    def __call__(self, w_plus: Tensor) -> Tensor:
        """``image(feature(w_plus), w_plus)``."""
        ...


class SynthesisNetwork(nn.Module, ABC):
    """A generator's synthesis network as it was trained; it is a :class:`Renderer`.

    Attributes:
        const, conv1: what gives the first activation.
        blocks: by their output resolution; each takes an activation, its styles (B, n, style_dim),
            and the corner of the part that it gives.
    """

    const: nn.Parameter
    conv1: nn.Module
    blocks: nn.ModuleDict

    def __init__(self, spec: GeneratorSpec) -> None:
        super().__init__()
        self.spec = spec

    @abstractmethod
    def start(self, w_plus: Tensor) -> Tensor:
        """The first activation, (B, C, px, px) at the least resolution of ``spec.channels``."""

    def run(
        self, x: Tensor, w_plus: Tensor, after_px: int, to_px: int, corner: Corner = (0, 0)
    ) -> Tensor:
        """As :meth:`Renderer.run`; ``x`` may be the part of an activation from ``corner`` on.

        Next to the edges of a part, as far as kernels reach, values are not those of the whole.
        """
        for px in self.spec.block_px:
            if after_px < px <= to_px:
                scale = px // after_px
                place = scale * corner[0], scale * corner[1]
                x = self.blocks[str(px)](x, w_plus[:, self.spec.styles_of_block(px)], place)
        return x

    @abstractmethod
    def to_image(self, x: Tensor, style: Tensor) -> Tensor:
        """The last block's activation, or a part of it, to a picture.

        Args:
            style: (B, style_dim), the last one of w+.
        """

    @abstractmethod
    def style_layers(self) -> list[nn.Linear]:
        """The affine layer that reads each style of w+, in order."""

    def parts_to_feature(self) -> dict[str, nn.Module | nn.Parameter]:
        """The modules and parameters that compute F, by name in the state dict."""
        lower = [px for px in self.spec.block_px if px <= self.spec.feature_px]
        blocks = {f"blocks.{px}": self.blocks[str(px)] for px in lower}
        return {"const": self.const, "conv1": self.conv1, **blocks}

    def feature(self, w_plus: Tensor, px: int | None = None) -> Tensor:
        """As :meth:`Renderer.feature`."""
        px = self.spec.feature_px if px is None else px
        return self.run(self.start(w_plus), w_plus, min(self.spec.channels), px)

    def image(self, feature: Tensor, w_plus: Tensor) -> Tensor:
        """As :meth:`Renderer.image`."""
        x = self.run(feature, w_plus, feature.shape[-1], self.spec.block_px[-1])
        return self.to_image(x, w_plus[:, -1])

    def forward(self, w_plus: Tensor) -> Tensor:
        """(B, styles, style_dim) -> (B, 3, image_px, image_px)."""
        return self.image(self.feature(w_plus), w_plus)

    @property
    def dtype(self) -> torch.dtype:
        """The floating type of its parameters."""
        return next(self.parameters()).dtype


class Backend(ABC):
    """A :class:`Renderer` that computes what lies above F in an arrangement of its own.

    Up to F the network itself runs, always in float32: the bytes that an encoder writes depend on
    those activations.

    Args:
        synthesis: the generator, on the device where it is to run.
    """

    def __init__(self, synthesis: SynthesisNetwork) -> None:
        self.synthesis, self.spec = synthesis, synthesis.spec

    @abstractmethod
    def run_above(self, x: Tensor, w_plus: Tensor, to_px: int) -> Tensor:
        """:meth:`Renderer.run` from F's resolution or above it."""

    @abstractmethod
    def image_of(self, feature: Tensor, w_plus: Tensor) -> Tensor:
        """:meth:`Renderer.image` from F's resolution or above it."""

    def run(self, x: Tensor, w_plus: Tensor, after_px: int, to_px: int) -> Tensor:
        """As :meth:`Renderer.run`."""
        feature_px = self.spec.feature_px
        x = self.synthesis.run(x, w_plus, after_px, min(to_px, feature_px))
        above = to_px > max(after_px, feature_px)
        return self.run_above(x, w_plus, to_px) if above else x

    def feature(self, w_plus: Tensor, px: int | None = None) -> Tensor:
        """As :meth:`Renderer.feature`."""
        px = self.spec.feature_px if px is None else px
        low = min(px, self.spec.feature_px)
        return self.run(self.synthesis.feature(w_plus, low), w_plus, low, px)

    def image(self, feature: Tensor, w_plus: Tensor) -> Tensor:
        """As :meth:`Renderer.image`."""
        if feature.shape[-1] < self.spec.feature_px:
            feature = self.synthesis.run(feature, w_plus, feature.shape[-1], self.spec.feature_px)
        return self.image_of(feature, w_plus)

    def __call__(self, w_plus: Tensor) -> Tensor:
        """(B, 23, 512) -> (B, 3, 1024, 1024)."""
        return self.image(self.feature(w_plus), w_plus)


class MappingNetwork(nn.Module, ABC):
    """z -> w. ``w_mean``, (style_dim,), is the mean of w over the prior."""

    w_mean: Tensor

    @abstractmethod
    def forward(self, z: Tensor, truncation: float = 1.0) -> Tensor:
        """Map latents.

        Args:
            z: (B, style_dim) standard normal.
            truncation: 1 keeps the prior, 0 gives the mean.

        Returns:
            w: (B, style_dim).
        """


class ExactFeatures(Protocol):
    """The generator's first blocks in the exact arithmetic of ``hsc.numerics.exact``."""

    def feature(self, w_plus: Tensor) -> Tensor:
        """Close to ``Renderer.feature``, with identical bits on every machine.

        Args:
            w_plus: (B, styles, style_dim) float64 on the CPU, snapped.

        Returns:
            (B, C, px, px) float64 on the CPU, snapped.
        """
        ...


class Family(Protocol):
    """An architecture: how the networks of a generator are made before weights fill them."""

    def mapping(self, spec: GeneratorSpec) -> MappingNetwork:
        """z -> w."""
        ...

    def synthesis(self, spec: GeneratorSpec) -> SynthesisNetwork:
        """w+ -> picture."""
        ...

    def exact_features(self, synthesis: SynthesisNetwork, px: int) -> ExactFeatures:
        """A copy of the blocks up to ``px`` in exact arithmetic."""
        ...

    def cpu_backend(self, synthesis: SynthesisNetwork, dtype: torch.dtype) -> Renderer:
        """The same computation in an order that is fast on a CPU; may be ``synthesis`` itself.

        Args:
            dtype: float32 or bfloat16, of the activations above F; those up to F stay as they are.
        """
        ...
