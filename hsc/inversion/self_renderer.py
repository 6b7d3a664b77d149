"""Renders the encoder's intermediate latents at 128 px, and describes the identity of the face."""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from hsc.generators.base import SynthesisNetwork
from hsc.generators.exits import ExitHead, render_exit
from hsc.generators.pretrained import load_exit128
from hsc.metrics.identity import FaceIdentity, crop_for_identity
from hsc.weights.loading import path_of, read_config


@dataclass(frozen=True)
class SelfRenderer:
    """Renders and describes intermediate results of the encoder.

    Attributes:
        exit128: the generator's exit at 128 px.
        identity: face recogniser; pixel differences say little about identity. None where the
            encoder was trained without: in domains that have no identity.
    """

    exit128: ExitHead
    identity: FaceIdentity | None

    @classmethod
    def load(cls, device: torch.device, folder: Path | None = None) -> "SelfRenderer":
        """From the weights of the model in use or another folder of them.

        Raises:
            WeightsError: one of the two is missing.
        """
        exit128 = load_exit128(device, folder)
        if not read_config(path_of("exit128", folder)).identity:
            return cls(exit128, None)
        recogniser = FaceIdentity.pretrained(path_of("identity", folder))
        return cls(exit128, recogniser.to(device))

    @torch.no_grad()
    def render(self, synthesis: SynthesisNetwork, feature: Tensor, w_plus: Tensor) -> Tensor:
        """(B, 512, 32, 32) and (B, 23, 512) -> (B, 3, 128, 128), nominally in [-1, 1]."""
        return render_exit(synthesis, self.exit128, feature, w_plus).clamp(-1.5, 1.5)

    @torch.no_grad()
    def describe(self, image: Tensor) -> Tensor:
        """Aligned pictures of any size to descriptors (B, 128); (B, 0) without a recogniser."""
        if self.identity is None:
            return image.new_zeros(len(image), 0)
        return self.identity(crop_for_identity(image.float().clamp(-1, 1)))
