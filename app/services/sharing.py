"""A face to send to others: its link, its card and its clip, made on request."""

from __future__ import annotations

from PIL import Image

from app.cache import Cache, SharedCache, fingerprint
from app.results import CurrentFace, Sizes, facts_of
from app.services.baselines import Baselines
from app.services.cards import Card, card_png
from app.services.clips import arriving, clip
from app.services.decoding import Decoding
from app.services.links import FaceLink, face_link
from hsc.errors import HscError

RIVAL, RIVAL_NAME = "avif", "AVIF"
"""The codec that a clip shows beside ours, and how it is called there."""


class Sharing:
    """Makes what leaves the page, each once."""

    def __init__(self, decoding: Decoding, baselines: Baselines, cache: SharedCache) -> None:
        self.decoding = decoding
        self.baselines = baselines
        self._cards: Cache[bytes] = Cache(cache)
        self._clips: Cache[bytes] = Cache(cache)

    def link(self, data: bytes, address: str) -> FaceLink:
        """The address that carries a file; see `app.services.links.face_link`."""
        return face_link(data, address)

    def card(self, current: CurrentFace, address: str) -> bytes:
        """The card of the face that shows, as a PNG file."""
        data = current.file

        def made() -> bytes:
            link, original = face_link(data, address), current.result.crop
            return card_png(Card(current.picture, data, link, original))

        key = (fingerprint(data), current.layers, fingerprint(current.result.crop), address)
        return self._cards.get_or_make(key, made)

    def clip(self, current: CurrentFace, kind: str) -> bytes:
        """The clip of the face arriving, beside another codec's picture in as many bytes.

        Args:
            kind: one of `app.services.clips.kinds`.

        Raises:
            HscError: the kind is not available.
        """
        data = current.file

        def made() -> bytes:
            scn = self.decoding.render(data, "scn").value
            whole = "fcn" in current.layers
            both = self.decoding.render(data, "scn+fcn").value if whole else None
            rival = RIVAL_NAME, self._rival(current.result.crop, len(data))
            return clip(arriving(Sizes.of(facts_of(data)), scn, both, rival), kind)

        return self._clips.get_or_make((fingerprint(data), current.layers, kind), made)

    def _rival(self, crop: Image.Image, budget: int) -> Image.Image | None:
        """The other codec's best picture within as many bytes; None: there is none."""
        results = self.baselines.steps(crop, budget, (RIVAL,))
        try:
            result = next(results)  # its picture; its figures would come next
        except (HscError, StopIteration):
            return None
        fit = result.best
        return fit.picture if fit is not None and fit.fits else None
