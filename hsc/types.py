"""Data types that the parts of the codec exchange."""

from dataclasses import dataclass

from torch import Tensor

LAYERS = ("scn", "fcn", "scn+fcn")
"""The layers that a decoder can render from."""


@dataclass(frozen=True)
class Inversion:
    """The latents of a picture before quantisation.

    Attributes:
        w_plus: S, (B, 23, 512).
        feature: F, (B, 512, 32, 32).
        feature_s: F_S = G_F(S), (B, 512, 32, 32): what the semantics alone predict.
        crop: the picture, uint8 (B, 3, 1024, 1024), with which F is corrected for a level when it
            is coded; None: F is coded as it is.
        enhanced: what F has in the enhancement slice is to be coded, because a file had it or
            gradient steps put it there; what an encoder finds there is not.
        fine_s, fine: latents of the fine styles (:mod:`hsc.latent_codecs.fine_styles`) of the
            pictures of S alone and of S and F, (1, K); None: zero.
        secant_s, secant: with which they are changed further for a level, (2, K), see
            :class:`hsc.inversion.fine_styles.LimitedSteps`; None: they are not.
    """

    w_plus: Tensor
    feature: Tensor
    feature_s: Tensor
    crop: Tensor | None = None
    enhanced: bool = False
    fine_s: Tensor | None = None
    fine: Tensor | None = None
    secant_s: Tensor | None = None
    secant: Tensor | None = None


@dataclass(frozen=True)
class DecodedLatents:
    """The decoded latents of a file, to be edited and rendered any number of times.

    Attributes:
        w_plus: S^ with the fine styles of the layers that are drawn, (1, 23, 512).
        feature_s: G_F of ``w_plus``, (1, 512, 32, 32). Fine styles of S and F do not change it.
        feature: F^ of the same shape; ``feature_s`` itself where there is no FCN layer.
        layers: one of ``LAYERS``: which of them the picture is rendered from.
        lasting: what of the detail F^ - G_F(S^) lasts over a clip; None for all of it, as in a
            photograph. An edit gives way to what passes, such as speech.
        fine_s, fine: as in :class:`Inversion`; ``fine`` is None where no FCN layer is drawn.
        change: what the fine styles that are drawn add to S^ in ``w_plus``, (1, 23, 512); None:
            nothing.
    """

    w_plus: Tensor
    feature_s: Tensor
    feature: Tensor
    layers: str
    lasting: Tensor | None = None
    fine_s: Tensor | None = None
    fine: Tensor | None = None
    change: Tensor | None = None

    @property
    def semantics(self) -> Tensor:
        """S^ itself, without fine styles, (1, 23, 512)."""
        return self.w_plus if self.change is None else self.w_plus - self.change

    @property
    def semantics_alone(self) -> bool:
        """Whether the feature map is what the semantics predict, and no more."""
        return self.feature is self.feature_s
