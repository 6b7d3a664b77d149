"""The largest file of a codec that a budget allows, at a given size or at the best one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from PIL import Image

from hsc.baselines.registry import OtherCodec
from hsc.config import SHIPPED
from hsc.errors import HscError

if TYPE_CHECKING:
    from hsc.metrics.lpips import Lpips

RESOLUTIONS = (1024, 768, 512, 384, 320, 256, 192, 160, 128, 96, 64, 32)
"""Sides that are tried, all even as 4:2:0 wants them."""
LPIPS_PX = 256
PATIENCE = 2
"""How many sizes in a row may look worse before larger ones are left untried."""

Distance = Callable[[Image.Image], float]
"""A picture of full size -> how far it is from a certain original; less is better."""


@dataclass(frozen=True)
class Fit:
    """A file of another codec, made for a budget.

    Attributes:
        data: the file.
        picture: the decoded picture, enlarged to full size (Lanczos) if it was coded smaller.
        px: side at which it was coded.
        quality: the codec's own setting.
        budget: bytes that were allowed.
    """

    codec: OtherCodec
    data: bytes
    picture: Image.Image
    px: int
    quality: int
    budget: int

    @property
    def fits(self) -> bool:
        """False when even the smallest file is over the budget; then this is the smallest."""
        return len(self.data) <= self.budget

    @property
    def note(self) -> str:
        """A short description, or why it does not fit."""
        size = f"{self.codec.label} at {self.px} px"
        if self.fits:
            return f"{size}, quality {self.quality}, {len(self.data):,} bytes"
        return f"{size} cannot go below {len(self.data):,} bytes"


class Encodings:
    """The files of one picture by one codec, each made once.

    Args:
        picture: square, RGB; resized to full size.
        codec: an available one.
        full_px: side of a picture of full size: that of the generator's pictures.

    Raises:
        HscError: the picture is not square, or the codec is not available.
    """

    def __init__(
        self,
        picture: Image.Image,
        codec: OtherCodec,
        full_px: int = SHIPPED.generator.image_px,
    ) -> None:
        if codec.why_not:
            raise HscError(codec.why_not)
        if picture.width != picture.height:
            raise HscError(f"expected a square picture, got {picture.width} x {picture.height}.")
        self.codec = codec
        self.full_px = full_px
        self.picture = _resized(picture.convert("RGB"), full_px)
        self.file = cache(self._file)
        self.shrunk = cache(self._shrunk)
        self.lpips = cache(lambda: lpips_from(self.picture))

    def _shrunk(self, px: int) -> Image.Image:
        picture = _resized(self.picture, px)
        picture.info = {}  # a colour profile or EXIF would be written too
        return picture

    def _file(self, px: int, index: int) -> bytes:
        """The file at a side and the codec's index-th quality."""
        return self.codec.encode(self.shrunk(px), self.codec.qualities[index])

    def fit(self, budget: int, px: int | None = None) -> Fit:
        """The largest file within a budget, found by halving the codec's range of qualities."""
        px = px or self.full_px
        best = low = 0
        high = len(self.codec.qualities) - 1
        while low <= high:
            # the first step asks for the smallest file: often even that is too large
            middle = (low + high) // 2 if low else 0
            if len(self.file(px, middle)) > budget:
                high = middle - 1
            else:
                best, low = middle, middle + 1
        data = self.file(px, best)
        picture = _resized(self.codec.decode(data), self.full_px)
        return Fit(self.codec, data, picture, px, self.codec.qualities[best], budget)

    def best_downscaled(
        self, budget: int, distance: Distance | None = None, from_px: int = RESOLUTIONS[-1]
    ) -> Fit:
        """The best picture within a budget over all ``RESOLUTIONS``.

        Sizes are tried from small to large until ``PATIENCE`` in a row look worse than the best.

        Args:
            from_px: the smallest size to try. For callers that raise the budget step by step: the
                best size hardly ever decreases with more bytes.
        """
        distance = distance or self.lpips()
        best: Fit | None = None
        least, worse = float("inf"), 0
        for px in (px for px in reversed(RESOLUTIONS) if from_px <= px <= self.full_px):
            found = self.fit(budget, px)
            if not found.fits:
                best = best or found
                break
            far = distance(found.picture)
            best, least, worse = (found, far, 0) if far < least else (best, least, worse + 1)
            if worse == PATIENCE:
                break
        if best is None:
            raise HscError(f"expected a side of {self.full_px} px at most, got {from_px}.")
        return best


def fit(picture: Image.Image, codec: OtherCodec, budget_bytes: int, px: int | None = None) -> Fit:
    """Code a picture with another codec, in as many bytes as the budget allows.

    Args:
        picture: square RGB picture, taken as 1024 x 1024.
        codec: from ``CODECS``.
        budget_bytes: largest allowed size of the file.
        px: shrink to this side before coding, and enlarge after decoding.

    Returns:
        The largest file within the budget. Where the codec cannot go so low, its smallest file,
        with ``fits`` False.

    Raises:
        HscError: the codec is not available, or the picture is not square.
    """
    return Encodings(picture, codec).fit(budget_bytes, px)


def best_downscaled(
    picture: Image.Image, codec: OtherCodec, budget_bytes: int, distance: Distance | None = None
) -> Fit:
    """As ``fit``, at the size with the least distance: with few bytes usually a small one.

    Args:
        distance: what "best" means; LPIPS at 256 px unless given.
    """
    return Encodings(picture, codec).best_downscaled(budget_bytes, distance)


def lpips_from(original: Image.Image) -> Distance:
    """LPIPS (AlexNet) to an original, both averaged down to 256 px a side."""
    import torch

    from hsc.images.tensors import to_tensor

    network = _lpips()

    def features(picture: Image.Image) -> list[torch.Tensor]:
        with torch.no_grad():
            return network.features(to_tensor(picture.reduce(max(1, picture.width // LPIPS_PX))))

    known = features(original)
    return lambda picture: network.distance(known, features(picture)).item()


@cache
def _lpips() -> Lpips:
    from hsc.metrics.lpips import Lpips

    return Lpips.pretrained()


def _resized(picture: Image.Image, px: int) -> Image.Image:
    if picture.size == (px, px):
        return picture.copy()
    return picture.resize((px, px), Image.Resampling.LANCZOS)
