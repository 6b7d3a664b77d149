"""A visitor's camera: each frame to bytes and back, one at a time.

A frame is coded in one call of the model's thread and drawn in another, so that other visitors'
pictures go in between. A visitor has one frame under way: what comes meanwhile is refused, and
nothing is queued.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PIL import Image

from app.executor import Executor
from app.services.editing import in_range
from hsc.errors import HscError, PhotoError
from hsc.images import marks

if TYPE_CHECKING:  # it brings PyTorch, for which the page does not wait
    from hsc.sequence.live import CodedPicture, LiveDecoder, LiveEncoder

MOST_VISITORS = 4
"""Cameras at a time; each makes the others slower."""
IDLE = 20.0
"""Seconds without a frame after which a camera's place is given away, where it is wanted."""
FORGOTTEN = 600.0
"""Seconds without a frame after which a camera's frames are forgotten."""
LARGEST_FRAME = 1 << 20
"""Bytes of a frame as the browser sends it."""
MOST_SIDE = 1280
JPEG: dict[str, Any] = {"quality": 92, "subsampling": 0}
"""Of what is sent back: at 256 px some 25 KB, and not to be told from the picture."""
FPS = 4.0
"""Coded frames a second, about, from which the time between key frames follows."""

NO_FACE = "No face in view: look at the camera. The last picture stays."
BUSY = "A frame is being coded: this one was dropped."
FULL = f"{MOST_VISITORS} cameras are in use here, which is as many as can be: try again soon."
REMOTE = (
    "This studio borrows its GPU for each call, which is too slow for a camera: run the studio on "
    "a machine of your own."
)


class CameraBusy(HscError):
    """A frame came while the visitor's last one was being coded."""


@dataclass(frozen=True)
class LivePicture:
    """What came back of a frame.

    Attributes:
        picture: JPEG of what the bytes draw.
        number: of the frame in its sequence.
        key: whether it was coded as a still.
        scn, fcn, total: bytes of S, of F and of the whole record.
        encode_ms, decode_ms: from the frame to bytes, and from bytes to the picture, both with the
            wait for the model.
        corners: of the coded square in the camera's frame, upper left first and then clockwise, as
            parts of the frame's width and height.
    """

    picture: bytes
    number: int
    key: bool
    scn: int
    fcn: int
    total: int
    encode_ms: float
    decode_ms: float
    corners: tuple[tuple[float, float], ...]


@dataclass
class _Camera:
    """One visitor's sequence."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    used: float = 0.0
    level: float = 0.0
    size: tuple[int, int] = (0, 0)
    encoder: LiveEncoder | None = None
    decoder: LiveDecoder | None = None
    times: list[float] = field(default_factory=list)

    @property
    def fps(self) -> float:
        """Coded frames a second so far."""
        if len(self.times) < 2:
            return 1.0
        return (len(self.times) - 1) / max(1e-3, self.times[-1] - self.times[0])


class Live:
    """The cameras of all visitors."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self._lock = threading.Lock()
        self._cameras: dict[str, _Camera] = {}

    def frame(
        self, visitor: str, data: bytes, level: float = 2, edits: Mapping[str, float] | None = None
    ) -> LivePicture | None:
        """Code a frame and draw it from its bytes; None where it shows no face.

        A new sequence begins with the first frame, where the level or the camera's size changes,
        and after the visitor was away.

        Args:
            visitor: names the camera; who knows it can fetch its file.
            data: a JPEG picture.
            edits: amounts by name, each brought into its range; names that the codec does not know
                are left out.

        Raises:
            CameraBusy: the last frame is not done yet. PhotoError: it is no picture.
            HscError: too many cameras, or the level is out of range.
        """
        if self.executor.remote:
            raise HscError(REMOTE)
        image = _read(data)
        camera = self._camera(visitor)
        if not camera.lock.acquire(blocking=False):
            raise CameraBusy(BUSY)
        try:
            if (camera.level, camera.size) != (level, image.size) or (
                camera.encoder is None or camera.encoder.full
            ):
                camera.encoder = camera.decoder = None
                camera.level, camera.size, camera.times = level, image.size, []
            started = time.perf_counter()
            coded = self.executor.run(_code, camera, image)
            camera.used = time.monotonic()
            if coded is None:
                return None
            camera.times.append(camera.used)
            done = time.perf_counter()
            amounts = in_range(self.executor.codec.edit_names, edits or {})
            picture = self.executor.run(_draw, camera, coded.record, amounts)
            buffer = io.BytesIO()
            marks.save(picture, buffer, "JPEG", **JPEG)
            drawn = time.perf_counter()
        finally:
            camera.lock.release()
        frame = coded.frame
        scn = round(coded.scn_bits / 8)
        width, height = image.size
        upper_left, lower_left, lower_right, upper_right = frame.place.square.corners()
        return LivePicture(
            buffer.getvalue(),
            frame.number,
            frame.key,
            scn,
            sum(map(len, frame.layers)) - scn,
            len(coded.record),
            1000 * (done - started),
            1000 * (drawn - done),
            tuple(
                (float(x) / width, float(y) / height)
                for x, y in (upper_left, upper_right, lower_right, lower_left)
            ),
        )

    def file(self, visitor: str) -> bytes:
        """The ``.hsv`` file of a visitor's last frames.

        Raises:
            HscError: there are none.
        """
        with self._lock:
            camera = self._cameras.get(visitor)
        if camera is None or camera.encoder is None:
            raise HscError("There are no frames of this camera: start it again.")
        with camera.lock:
            return camera.encoder.file(camera.fps)

    def close(self, visitor: str) -> None:
        """The visitor stopped: the camera's place is free. Its file stays for a while."""
        with self._lock:
            camera = self._cameras.get(visitor)
            if camera is not None:
                camera.used = min(camera.used, time.monotonic() - IDLE)

    def _camera(self, visitor: str) -> _Camera:
        """The visitor's camera, made where there is room for it."""
        now = time.monotonic()
        with self._lock:
            for name, each in list(self._cameras.items()):
                if name != visitor and now - each.used > FORGOTTEN:
                    del self._cameras[name]
            camera = self._cameras.get(visitor)
            others = sum(
                now - each.used < IDLE for name, each in self._cameras.items() if name != visitor
            )
            if others >= MOST_VISITORS and (camera is None or now - camera.used >= IDLE):
                raise HscError(FULL)
            if camera is None:
                camera = self._cameras[visitor] = _Camera()
            camera.used = now
            return camera


def _read(data: bytes) -> Image.Image:
    from hsc.images.photo import read_photo

    if len(data) > LARGEST_FRAME:
        raise PhotoError("This frame of the camera is too large: send it smaller.")
    image = read_photo(data)
    if max(image.size) > MOST_SIDE:
        image.thumbnail((MOST_SIDE, MOST_SIDE), Image.Resampling.BOX)
    return image


def _code(codec: Any, camera: _Camera, image: Image.Image) -> CodedPicture | None:
    """The record of a frame."""
    from hsc.sequence.live import LiveDecoder, LiveEncoder

    if camera.encoder is None:
        camera.encoder = LiveEncoder(codec, camera.level, image.size, FPS)
        camera.decoder = LiveDecoder(codec, camera.encoder.header)
    return camera.encoder.code(image)


def _draw(codec: Any, camera: _Camera, record: bytes, edits: dict[str, float]) -> Image.Image:
    """The picture of a record."""
    assert camera.decoder is not None
    return camera.decoder.draw(record, edits)
