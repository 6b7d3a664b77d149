"""The encoder: an aligned picture to the bytes of a ``.hsc`` file."""

import weakref
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

import torch
from PIL import Image
from torch import Tensor

from hsc.bitstream import Container, snap_level
from hsc.errors import HscError, PhotoError
from hsc.images.tensors import to_pixels, to_tensor, to_unit
from hsc.inversion.correction import (
    CORRECTION,
    Corrector,
    FeatureCorrection,
    FileGradient,
    strength_at,
)
from hsc.inversion.correction import STEPS as CORRECTION_STEPS
from hsc.inversion.distance import Drawn, KnownPictures, Person
from hsc.inversion.encoder import InversionEncoder
from hsc.inversion.enhancement import STEPS as ENHANCEMENT_STEPS
from hsc.inversion.enhancement import Enhancer
from hsc.inversion.fine_styles import OF_S, OF_S_AND_F, OF_S_AT_LEVEL, find_fine_styles
from hsc.inversion.progress import ProgressReport, counted
from hsc.inversion.refine import Refiner
from hsc.latent_codecs.feature_slices.model import Semantics
from hsc.networks import Networks
from hsc.numerics.precision import computes_bfloat16
from hsc.types import Inversion
from hsc.weights.loading import load_into
from hsc.weights.model_id import missing, path_of

ANALYSIS_STEPS = OF_S.steps + OF_S_AND_F.steps
"""Gradient steps that ``analyse`` takes."""


class Encoder:
    """Picture -> S, F -> bytes of the two layers.

    ::

        crop 1024 -> 512 -> GIE -> S -> SCN -> scn bytes
             |               |          |
             |               |          S^ -> G_F
             |               |          |      |
             |               +---> F -> correction, enhancement -> FCN -> fcn bytes
             +---> fine styles of both pictures ------> scn bytes, fcn bytes

        |----- analyse (refine) ----|-------- compress --------|
    """

    def __init__(self, networks: Networks) -> None:
        self.networks = networks
        self._last_known: tuple[weakref.ref[Tensor], KnownPictures] | None = None

    @property
    def corrects(self) -> bool:
        """As :attr:`hsc.codec.Codec.corrects`."""
        return path_of(CORRECTION, self.networks.folder).is_file()

    @torch.no_grad()
    def analyse(
        self, crop: Image.Image, correct: bool = True, progress: ProgressReport | None = None
    ) -> Inversion:
        """As :meth:`hsc.codec.Codec.analyse`."""
        n = self.networks
        # bfloat16 where a CPU is faster with it; training used it too
        with torch.autocast(n.device.type, torch.bfloat16, computes_bfloat16(n.device)):
            picture = self.resized(crop, n.config.detail_px)
            found = self.inversion(picture, n.generator, n.self_renderer)
        if not (correct and self.corrects):
            return found
        pixels = self.pixels(crop)
        known = self.known_picture(pixels)
        stepped = counted(progress, ANALYSIS_STEPS)
        alone = self.drawn_alone(known, found.w_plus)
        fine_s, secant_s = find_fine_styles(n.scn.fine, alone, OF_S, stepped=stepped)
        whole = Drawn(self.refiner.renderer, known, found.feature, found.w_plus)
        fine, secant = find_fine_styles(n.fcn.fine, whole, OF_S_AND_F, stepped=stepped)
        return replace(
            found, crop=pixels, fine_s=fine_s, fine=fine, secant_s=secant_s, secant=secant
        )

    def refine(
        self, crop: Image.Image, latents: Inversion, level: float, steps: int
    ) -> Iterator[Inversion]:
        """As :meth:`hsc.codec.Codec.refine_steps`."""
        known = self.known_picture(self.pixels(crop))
        w_std = self.inversion.semantic_head.w_std
        level = snap_level(level)
        return self.refiner.refine(known, self.correct(latents, level), w_std, level, steps)

    @torch.no_grad()
    def correct(self, latents: Inversion, level: float) -> Inversion:
        """The latents to code at a level: with F and the fine styles corrected, where they have
        not been yet."""
        level = snap_level(level)
        if self._is_corrected(latents, level):
            return latents
        return self._corrected(latents, level, *self._semantics(latents, level))

    @torch.no_grad()
    def compress(
        self, latents: Inversion, level: float, progress: ProgressReport | None = None
    ) -> Container:
        """The file before packing; as :meth:`hsc.codec.Codec.compress`."""
        n = self.networks
        level = snap_level(level)
        w_plus_hat, semantics = self._semantics(latents, level)
        coded = self._corrected(latents, level, w_plus_hat, semantics, progress)
        scn = n.scn.compress(coded.w_plus, level, fine=coded.fine_s)
        fcn = n.fcn.compress(coded.feature, level, semantics, coded.fine)
        return Container(n.model.code, level, scn, fcn)

    def steps_at(self, level: float) -> int:
        """Gradient steps that ``compress`` takes for a level."""
        correction = CORRECTION_STEPS if strength_at(level) else 0
        enhancement = ENHANCEMENT_STEPS if self.networks.fcn.enhances(level) else 0
        return OF_S_AT_LEVEL.steps + correction + enhancement

    def _semantics(self, latents: Inversion, level: float) -> tuple[Tensor, Semantics]:
        """S^ as ``scn.decompress`` will give it, and what FCN is coded with."""
        n = self.networks
        w_plus_hat = n.scn.decoded(latents.w_plus, level)
        feature_s = n.synthesis.feature(w_plus_hat.to(latents.w_plus))
        return w_plus_hat, n.semantics(w_plus_hat, feature_s)

    def _is_corrected(self, latents: Inversion, level: float) -> bool:
        """Whether the latents can be coded at a level as they are."""
        return latents.crop is None and (latents.enhanced or not self.networks.fcn.enhances(level))

    def _corrected(
        self,
        latents: Inversion,
        level: float,
        w_plus_hat: Tensor,
        semantics: Semantics,
        progress: ProgressReport | None = None,
    ) -> Inversion:
        """As ``correct``, given what ``_semantics`` gives."""
        if self._is_corrected(latents, level):
            return latents
        fcn, feature = self.networks.fcn, latents.feature
        enhances = fcn.enhances(level)
        semantics = replace(semantics, context=semantics.context.to(feature))
        styles = w_plus_hat.to(feature)
        if latents.crop is None:
            feature = fcn.without_enhancement(feature, level, semantics)
            return replace(latents, feature=feature, enhanced=True)
        stepped = counted(progress, self.steps_at(level))
        known, fine_s = self.known_picture(latents.crop), latents.fine_s
        if latents.secant_s is not None:
            fine_s, _ = find_fine_styles(
                self.networks.scn.fine, self.drawn_alone(known, styles), OF_S_AT_LEVEL,
                fine_s, latents.secant_s, stepped,
            )  # fmt: skip
        feature, fine = self.corrector(
            known, feature, styles, fcn.base_level(level), semantics,
            latents.fine, latents.secant, stepped,
        )  # fmt: skip
        if enhances:
            feature = fcn.without_enhancement(feature, level, semantics)
            drawn = fcn.fine.add(styles, fine)
            feature = self.enhancer(known, feature, drawn, level, semantics, stepped)
        return replace(
            latents, feature=feature, crop=None, enhanced=enhances,
            fine_s=fine_s, fine=fine, secant_s=None, secant=None,
        )  # fmt: skip

    def drawn_alone(self, known: KnownPictures, w_plus: Tensor) -> Drawn:
        """The picture of S alone, (1, 23, 512), beside its photograph."""
        return Drawn(self.refiner.synthesis, known, None, w_plus, self.refiner.preview)

    def known_picture(self, crop: Tensor) -> KnownPictures:
        """A crop, uint8 (1, 3, 1024, 1024), as files are compared with it.

        That of the last crop is kept for other levels.
        """
        if self._last_known is not None:
            kept, known = self._last_known
            if (last := kept()) is not None and torch.equal(last, crop):
                return known
        picture = to_unit(crop.to(self.networks.device))
        known = KnownPictures.photograph(picture, self.refiner.loss.lpips, self.networks.config)
        if (identity := self.refiner.loss.identity) is not None:
            known = replace(known, person=Person.of(known.pyramid[-1], identity))
        self._last_known = weakref.ref(crop), known
        return known

    @property
    def inversion(self) -> InversionEncoder:
        """GIE. Raises HscError in a decode-only installation."""
        if self.networks.encoder is None:
            raise HscError("these weights only decode: the inversion encoder is not among them.")
        return self.networks.encoder

    def small(self, crop: Image.Image) -> Tensor:
        """A crop as refinement and measurements see it: (1, 3, 256, 256)."""
        return self.resized(crop, self.networks.config.input_px)

    def pixels(self, crop: Image.Image) -> Tensor:
        """A crop as uint8 (1, 3, 1024, 1024). Raises PhotoError for another size."""
        return to_pixels(self._checked(crop)).contiguous()

    def resized(self, crop: Image.Image, px: int) -> Tensor:
        """A crop as (1, 3, px, px). Raises PhotoError for another size than 1024."""
        small = self._checked(crop).convert("RGB").resize((px, px), Image.Resampling.LANCZOS)
        return to_tensor(small, self.networks.device)

    def _checked(self, crop: Image.Image) -> Image.Image:
        image_px = self.networks.config.generator.image_px
        if crop.size != (image_px, image_px):
            raise PhotoError(
                f"expected an aligned crop of {image_px} x {image_px}, got "
                f"{crop.width} x {crop.height}: use hsc.domains.align."
            )
        return crop

    @cached_property
    def refiner(self) -> Refiner:
        """Loaded on first use. Raises WeightsError or HscError when weights are missing."""
        n = self.networks
        if n.preview is None:
            raise missing(path_of("preview", n.folder))
        if n.self_renderer is None:
            raise missing(path_of("inversion", n.folder))
        return Refiner.load(n.generator, n.scn, n.fcn, n.preview, n.self_renderer, n.folder)

    @cached_property
    def enhancer(self) -> Enhancer:
        """Loaded on first use. Raises as :attr:`refiner`, whose renderer it shares."""
        return Enhancer(self.networks.fcn, self.refiner.renderer)

    @cached_property
    def corrector(self) -> Corrector:
        """Loaded on first use. Raises as :attr:`refiner`, whose renderer it shares."""
        n, refiner, head = self.networks, self.refiner, self.inversion.semantic_head
        network = load_into(FeatureCorrection(n.config), path_of(CORRECTION, n.folder))
        return Corrector(
            network.to(n.device),
            FileGradient(n.fcn),
            refiner.renderer,
            head.w_mean,
            head.w_std,
        )
