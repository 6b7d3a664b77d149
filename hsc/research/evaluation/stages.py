"""The codec taken apart into timed stages; what comes out is what the codec itself makes."""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from PIL import Image
from torch import Tensor

from hsc.bitstream import Container, snap_level, unpack
from hsc.bitstream.rans import encode_symbols
from hsc.codec import Codec
from hsc.domains.ffhq_face import aligned
from hsc.images.photo import read_photo
from hsc.images.tensors import to_picture
from hsc.latent_codecs.feature_slices.prior import Pass

ENCODING = (
    "read the photo", "align", "GIE", "correct F", "SCN to bytes", "G_F(S^)", "FCN g_a",
    "FCN prior", "rANS",
)  # fmt: skip
DECODING = (
    "SCN from bytes", "G_F(S^), decoder", "FCN prior, decoder", "rANS, decoder", "FCN g_s",
    "synthesis", "to 8 bits",
)  # fmt: skip
LIVE = ("256-px preview of an edit",)
"""What a slider asks for: the file's bits have been read."""


class Pipeline:
    """Encodes and decodes one photograph, timing each stage.

    Attributes:
        file: what was last encoded.
        picture: what was last decoded.
        photo_size: width and height of the photograph.
    """

    def __init__(self, codec: Codec, level: float) -> None:
        self.codec, self.level = codec, snap_level(level)
        self.file, self.photo_size = b"", (0, 0)
        self.picture: Image.Image | None = None
        self.laps: dict[str, float] = {}

    @torch.no_grad()
    def round(self, photo: bytes) -> dict[str, float]:
        """Seconds of every stage, of ``encode`` and ``decode`` as wholes, and of a preview."""
        self.laps = {}
        started = time.perf_counter()
        self.file = self._encode(photo)
        encoded = time.perf_counter()
        self._decode(self.file)
        self.laps["decode"] = time.perf_counter() - encoded
        self.laps["encode"] = encoded - started
        opened, edit = self.codec.open(self.file), self.codec.edit_names[0]
        with self._stage(LIVE[0]):
            self.codec.preview(opened, {edit.name: edit.high / 2})
        return self.laps

    def pictures_per_second(self, batch: int, rounds: int) -> float:
        """How many pictures of the last file are rendered in a second, ``batch`` in one call.

        From a file whose bits have been read to PIL pictures, as a strip or a grid is rendered.
        """
        opened = [self.codec.open(self.file)] * batch
        seconds = []
        for _ in range(1 + rounds):  # the first one warms up
            started = time.perf_counter()
            self.codec.draw_many(opened)
            seconds.append(time.perf_counter() - started)
        return batch / statistics.median(seconds[1:])

    def _encode(self, photo: bytes) -> bytes:
        n, level = self.codec.networks, self.level
        with self._stage("read the photo"):
            image = read_photo(photo)
            self.photo_size = image.size
        with self._stage("align"):
            crop = aligned(image, px=n.config.generator.image_px)
        with self._stage("GIE"):
            inversion = self.codec.analyse(crop)
        with self._stage("correct F"):
            inversion = self.codec.encoder.correct(inversion, level)
        with self._stage("SCN to bytes"):
            scn = n.scn.compress(inversion.w_plus, level, fine=inversion.fine_s)
            w_plus_hat = n.scn.decompress(scn, level)
        with self._stage("G_F(S^)"):
            feature_s = n.synthesis.feature(w_plus_hat.to(inversion.w_plus))
        with self._stage("FCN g_a"):
            y, more = n.fcn.latent(inversion.feature, feature_s, level)
        with self._stage("FCN prior"):
            context = n.context.feature(w_plus_hat)
            symbols, scale_indexes = n.fcn.coder.quantise(y, context, level, more, inversion.fine)
        with self._stage("rANS"):
            fcn = encode_symbols(symbols, scale_indexes, n.tables)
        return Container(self.codec.model_id, level, scn, fcn).pack()

    def _decode(self, data: bytes) -> None:
        n = self.codec.networks
        with self._stage("SCN from bytes"):
            container = unpack(data)
            exact = n.scn.decompress(container.scn, container.level)
        with self._stage("G_F(S^), decoder"):
            w_plus = exact.to(n.device, torch.float32)
            feature_s = n.synthesis.feature(w_plus)
        with self._stage("FCN prior, decoder"):
            y_hat, fine = self._latent(container, exact)
        self.laps["FCN prior, decoder"] -= self.laps["rANS, decoder"]
        with self._stage("FCN g_s"):
            feature = n.fcn.restore(y_hat, feature_s, container.level)
        with self._stage("synthesis"):
            rendered: Tensor = n.renderer.image(feature, n.fcn.fine.add(w_plus, fine))
        with self._stage("to 8 bits"):
            self.picture = to_picture(rendered)

    def _latent(self, container: Container, w_plus_hat: Tensor) -> tuple[Tensor, Tensor]:
        """y^ and fine styles from the FCN's bytes, by the coder's own walk, entropy coding timed
        apart."""
        coder, level = self.codec.networks.fcn.coder, container.level
        reader = coder.reader(container.fcn or b"", level)
        self.laps["rANS, decoder"] = 0.0

        def read(now: Pass, mean: Tensor, gain: Tensor, scale_indexes: Tensor) -> Tensor:
            started = time.perf_counter()
            symbols = torch.from_numpy(reader.read(scale_indexes.numpy())).long()
            self.laps["rANS, decoder"] += time.perf_counter() - started
            return symbols

        y_hat = coder.walk(self.codec.networks.context.feature(w_plus_hat), level, read)
        return y_hat, coder.read_fine(reader, level)

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        if self.codec.device.type == "cuda":
            torch.cuda.synchronize()
        self.laps[name] = time.perf_counter() - started
