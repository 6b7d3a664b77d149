"""Sizes of a generator and of the codec around it, in one place.

    w+ (styles x style_dim) -> G -> F (channels[feature_px] x feature_px x feature_px) -> picture

A :class:`GeneratorSpec` describes a generator, a :class:`CodecConfig` the codec around it. They
travel as JSON in the metadata of weight files (``hsc.weights.loading``); a file without them, as
those that ship, belongs to :data:`FACE_1024`. This module imports nothing but the standard library.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class GeneratorSpec:
    """A style-based generator: its sizes, and which styles of w+ each of its blocks reads.

    ::

        const 4x4 -> first convolution -> block 8 -> ... -> block px -> ... -> output layer
        styles            1                  n                 n                  1

    Attributes:
        name: key in ``hsc.generators.registry``.
        domain: key in ``hsc.domains``: what its pictures show and how a photo is aligned.
        image_px: side of a picture.
        feature_px: resolution of F, the activation that the codec reads and replaces.
        style_dim: length of a style vector, and of z.
        styles_per_block: n above: 3 for MobileStyleGAN, 2 for StyleGAN2.
        channels: of the activation at each resolution, from the constant input upwards.
            StyleGAN2's has the picture so far in its last three.
    """

    name: str
    domain: str
    image_px: int
    feature_px: int
    style_dim: int
    styles_per_block: int
    channels: Mapping[int, int] = field(hash=False)

    @property
    def block_px(self) -> tuple[int, ...]:
        """Output resolutions of the blocks, in order."""
        return tuple(self.channels)[1:]

    @property
    def styles(self) -> int:
        """Style vectors of w+."""
        return 2 + self.styles_per_block * len(self.block_px)

    @property
    def w_plus_shape(self) -> tuple[int, int]:
        """Of one w+: (styles, style_dim)."""
        return self.styles, self.style_dim

    @property
    def feature_channels(self) -> int:
        """Channels of F."""
        return self.channels[self.feature_px]

    def styles_through(self, px: int) -> int:
        """Number of leading styles of w+ that the activation at ``px`` depends on."""
        return 1 + self.styles_per_block * sum(1 for block in self.block_px if block <= px)

    def styles_of_block(self, px: int) -> slice:
        """The styles that the block with output resolution ``px`` reads.

        Raises:
            ValueError: the generator has no such block.
        """
        start = 1 + self.styles_per_block * self.block_px.index(px)
        return slice(start, start + self.styles_per_block)


@dataclass(frozen=True)
class CodecConfig:
    """The codec around a generator.

    Attributes:
        generator: renders the pictures.
        input_px: side of the picture that the inversion encoder's backbone takes.
        detail_px: side of the picture that its detail stem takes.
        preview_exit_px: resolution at which the preview exit leaves the generator; its picture
            has twice as many pixels a side.
        feedback_exit_px: the same of the exit whose picture the encoder compares with the photo.
        context_px: resolution of the generator's activation that conditions F's entropy model.
        latent_channels, latent_px: of y, the latent of F: (channels, px, px).
        enhancement_channels: of the slice that the upper levels have besides; 0: none.
        identity: whether the encoder is given the descriptors of a face recogniser.
        components: of SCN's transform.
        fine_components: of the fine styles in each layer; 0: none.
    """

    generator: GeneratorSpec
    input_px: int = 256
    detail_px: int = 512
    preview_exit_px: int = 128
    feedback_exit_px: int = 64
    context_px: int = 16
    latent_channels: int = 128
    latent_px: int = 16
    enhancement_channels: int = 0
    identity: bool = True
    components: int = 256
    fine_components: int = 0

    @classmethod
    def around(cls, generator: GeneratorSpec, identity: bool) -> CodecConfig:
        """The codec around a generator: as the shipped one's, with its proportions.

        The encoder's pyramid meets F at a stride of 8, exits render at most the whole picture, and
        the latent has half of F's side.
        """
        px = generator.feature_px
        most = generator.image_px // 2
        return cls(
            generator,
            input_px=8 * px,
            detail_px=16 * px,
            preview_exit_px=min(4 * px, most),
            feedback_exit_px=min(2 * px, most),
            context_px=px // 2,
            latent_px=px // 2,
            identity=identity,
            components=min(256, generator.style_dim),
        )

    def to_json(self) -> str:
        """As the metadata of a weights file has it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> CodecConfig:
        """The reverse of :meth:`to_json`. Raises ValueError when the text is something else."""
        try:
            values: dict[str, Any] = json.loads(text)
            generator = dict(values.pop("generator"))
            channels = {int(px): int(count) for px, count in generator.pop("channels").items()}
            return cls(GeneratorSpec(**generator, channels=channels), **values)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"expected a codec's configuration, got {text[:80]!r}") from error


FACE_1024 = GeneratorSpec(
    name="mobilestylegan",
    domain="ffhq_face",
    image_px=1024,
    feature_px=32,
    style_dim=512,
    styles_per_block=3,
    channels={4: 512, 8: 512, 16: 512, 32: 512, 64: 512, 128: 256, 256: 128, 512: 64},
)
"""MobileStyleGAN (Belousov 2021, arXiv 2104.04767) of FFHQ's faces: the generator that ships."""

SHIPPED = CodecConfig(FACE_1024, enhancement_channels=128, fine_components=64)
"""The codec that ships."""
