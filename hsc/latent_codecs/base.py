"""The interface of a layer of the codec."""

from typing import Protocol, TypeVar

import torch
from torch import Tensor

from hsc.bitstream.rans import CdfTables

Side_contra = TypeVar("Side_contra", contravariant=True)
"""Side information: what both sides know before the layer is coded."""


class LatentCodec(Protocol[Side_contra]):
    """A learned transform with an entropy model: one layer of a ``.hsc`` file.

    ::

        latent -> g_a -> y -> x gain(level) -> round -> rANS -> bytes
        latent_hat <- g_s <- y_hat <- / gain(level) <- symbols <-+

    ``forward`` is for training: float arithmetic, rounding that passes gradients straight through.
    ``compress`` and ``decompress`` are for files: everything that symbols depend on is exact (see
    ``hsc.numerics.exact``), so that any machine reads what any other wrote. They need ``update``.
    """

    def forward(self, latent: Tensor, level: float, side: Side_contra, /) -> tuple[Tensor, Tensor]:
        """latent_hat, and the ideal bits of each picture (B,)."""
        ...

    def update(self, tables: CdfTables) -> None:
        """Prepare entropy coding with the current weights, before they move to another device."""
        ...

    def compress(self, latent: Tensor, level: float, side: Side_contra, /) -> bytes:
        """The bytes of one picture's layer."""
        ...

    def decompress(self, data: bytes, level: float, side: Side_contra, /) -> Tensor:
        """latent_hat of one picture. Raises BitstreamError for impossible symbols."""
        ...


def round_ste(x: Tensor) -> Tensor:
    """Round, with the gradient of the identity (straight-through estimator)."""
    return x + (torch.round(x) - x).detach()


class NotUpdatedError(RuntimeError):
    """A codec was to code bytes before its ``update`` was called."""

    def __init__(self) -> None:
        super().__init__("expected a codec that is ready to code: call its update(tables) first.")
