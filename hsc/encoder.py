"""The encoder: an aligned picture to the bytes of a ``.hsc`` file."""

from dataclasses import dataclass
from functools import cached_property

import torch
from PIL import Image
from torch import Tensor

from hsc.bitstream import Container, snap_level
from hsc.errors import HscError, PhotoError
from hsc.generator.synthesis import IMAGE_PX
from hsc.inversion.encoder import INPUT_PX, Inversion, InversionEncoder
from hsc.inversion.refine import Progress, Refiner
from hsc.model_id import missing, path_of
from hsc.networks import Networks
from hsc.pictures import to_tensor
from hsc.precision import computes_bfloat16

PICTURE_PX = IMAGE_PX


@dataclass(frozen=True)
class Latents:
    """What the encoder found in one face, before any bit is spent: S, F and G_F(S)."""

    inversion: Inversion


class Encoder:
    """Picture -> S, F -> bytes of the two layers.

    ::

        crop 1024 -> 256 -> GIE -> S -> SCN -> scn bytes
                             |          |
                             |          S^ -> G_F
                             |                 |
                             +---> F --------> FCN -> fcn bytes

        |----- analyse (refine) ----|------ compress ------|
    """

    def __init__(self, networks: Networks) -> None:
        self.networks = networks

    @torch.no_grad()
    def analyse(self, crop: Image.Image) -> Latents:
        """As :meth:`hsc.codec.Codec.analyse`."""
        n = self.networks
        # where a CPU is faster in bfloat16, S and F are found in it, as they were in training
        with torch.autocast(n.device.type, torch.bfloat16, computes_bfloat16(n.device)):
            return Latents(self.inversion(self.small(crop), n.generator, n.mirror))

    def refine(
        self,
        crop: Image.Image,
        latents: Latents,
        level: float,
        steps: int,
        progress: Progress | None = None,
    ) -> Latents:
        """As :meth:`hsc.codec.Codec.refine`."""
        level, found = snap_level(level), latents.inversion
        w_std = self.inversion.semantic_head.w_std
        return Latents(
            self._refiner.refine(self.small(crop), found, w_std, level, steps, progress)
        )

    @torch.no_grad()
    def compress(self, latents: Latents, level: float) -> Container:
        """The file, to be packed; as :meth:`hsc.codec.Codec.compress`."""
        n, inversion = self.networks, latents.inversion
        level = snap_level(level)
        scn = n.scn.compress(inversion.w_plus, level, n.tables)
        w_plus_hat = n.scn.decompress(scn, level, n.tables)
        feature_s = n.synthesis.feature(w_plus_hat.to(inversion.w_plus))
        y = n.fcn.latent(inversion.feature, feature_s, level)
        fcn = n.slice_coder.compress(y, w_plus_hat, level)
        return Container(n.model.code, level, scn, fcn)

    @property
    def inversion(self) -> InversionEncoder:
        """GIE. Raises HscError in a decode-only installation."""
        if self.networks.encoder is None:
            raise HscError("these weights only decode: the inversion encoder is not among them.")
        return self.networks.encoder

    def small(self, crop: Image.Image) -> Tensor:
        """What GIE looks at: (1, 3, 256, 256). Raises PhotoError for another size than 1024."""
        if crop.size != (PICTURE_PX, PICTURE_PX):
            raise PhotoError(
                f"expected an aligned crop of {PICTURE_PX} x {PICTURE_PX}, got "
                f"{crop.width} x {crop.height}: use hsc.faces.aligned."
            )
        small = crop.convert("RGB").resize((INPUT_PX, INPUT_PX), Image.Resampling.LANCZOS)
        return to_tensor(small, self.networks.device)

    @cached_property
    def _refiner(self) -> Refiner:
        """Loaded when it is first needed: nothing else uses its networks."""
        n = self.networks
        if n.preview is None:
            raise missing(path_of("preview"))
        return Refiner.load(n.fcn, n.preview, n.mirror, n.device)
