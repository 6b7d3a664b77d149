"""The files of one picture that are to be compared: ours at each level, others in as many bytes."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image

from hsc.baselines import RESOLUTIONS, Encodings, OtherCodec
from hsc.bitstream import Container, unpack
from hsc.codec import Codec

OURS = "HSC"
FILE, SEMANTICS, BEST, FULL = "file", "S only", "best size", "full size"
"""Kinds of candidate: our whole file; its semantics alone; another codec at the resolution that
looks best; and at 1024 px."""
READ = "S^ read directly"
"""Kind of a row of read-outs that no picture was rendered for."""


@dataclass(frozen=True)
class Candidate:
    """A file and the picture it decodes to.

    Attributes:
        codec: ``HSC``, or the label of another.
        kind: see above.
        level: whose bytes it was to match.
        data: the file as it would lie on a disk.
        facts: px, quality, whether it fits the budget; for ours the seconds of decoding.
    """

    codec: str
    kind: str
    level: float
    data: bytes
    picture: Image.Image
    facts: dict[str, Any]

    @property
    def what(self) -> str:
        """A name that no other candidate of the picture has."""
        return what(self.codec, self.kind, self.level)

    @property
    def figures(self) -> dict[str, Any]:
        size = len(self.data)
        return {
            "codec": self.codec, "kind": self.kind, "level": self.level, "bytes": size,
            "bpp": 8 * size / self.picture.width**2,
        } | self.facts  # fmt: skip


def what(codec: str, kind: str, level: float) -> str:
    """The name of a candidate."""
    return f"{codec}, {kind}, level {level:g}"


def ours(codec: Codec, image: Image.Image, levels: Sequence[float]) -> Iterator[Candidate]:
    """Our file at every level, and its semantics alone at every level."""
    latents = codec.analyse(image)
    for level in levels:
        data = codec.compress(latents, level)
        whole = unpack(data)
        semantics = Container(whole.model_id, whole.level, whole.scn).pack()
        for kind, file in ((FILE, data), (SEMANTICS, semantics)):
            started = time.perf_counter()
            picture = codec.decode(file)
            facts = {
                "px": picture.width,
                "fits": True,
                "decode_seconds": time.perf_counter() - started,
            }
            yield Candidate(OURS, kind, level, file, picture, facts)


def others(
    image: Image.Image, codecs: Sequence[OtherCodec], budgets: dict[float, int]
) -> Iterator[Candidate]:
    """Every other codec in our bytes at every level, at its best size and at full size."""
    for codec in codecs:
        files = Encodings(image, codec, image.width)
        smallest = RESOLUTIONS[-1]
        for level, budget in sorted(budgets.items()):
            best = files.best_downscaled(budget, from_px=smallest)
            # a level up, the best size is hardly ever smaller: one step of doubt is allowed
            smaller = [px for px in RESOLUTIONS if px < best.px]
            smallest = smaller[0] if best.fits and smaller else smallest
            for kind, found in ((BEST, best), (FULL, files.fit(budget))):
                facts = {"px": found.px, "quality": found.quality, "fits": found.fits}
                yield Candidate(codec.label, kind, level, found.data, found.picture, facts)


@torch.no_grad()
def semantics_of(codec: Codec, data: bytes) -> tuple[torch.Tensor, float]:
    """S^ of a file, (1, 23, 512) on the CPU, and the seconds of reading; nothing is rendered."""
    n = codec.networks
    started = time.perf_counter()
    container = unpack(data, allow_cut=True)
    w_plus = n.scn.decompress(container.scn, container.level).float()
    return w_plus, time.perf_counter() - started
