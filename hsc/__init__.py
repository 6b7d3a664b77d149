"""Hierarchical Semantic Compression: a face photograph in about a kilobyte.

    import hsc

    codec = hsc.load(device="auto")
    data = codec.encode("portrait.jpg", level=3)
    picture = codec.decode(data, layers="scn+fcn", edits={"smile": 1.0})

Importing the package is quick; PyTorch is loaded with the codec.
"""

from typing import TYPE_CHECKING, Any

from hsc.errors import BitstreamError, HscError, NoFaceError, PhotoError, WeightsError
from hsc.levels import LEVELS, Level

__version__ = "1.0.0"

if TYPE_CHECKING:
    from pathlib import Path

    from hsc.codec import Codec

__all__ = [
    "LEVELS",
    "BitstreamError",
    "HscError",
    "Level",
    "NoFaceError",
    "PhotoError",
    "WeightsError",
    "__version__",
    "describe",
    "load",
]


def load(
    device: str = "auto", backend: str | None = None, model: "Path | str | None" = None
) -> "Codec":
    """Load the codec with the shipped weights, or with another model.

    Args:
        device: ``auto`` takes a CUDA device if there is one, else the CPU.
        backend: how the generator is run: ``reference``, ``float32``, ``bfloat16`` (processors that
            have it: twice as fast, 53 dB from the same picture), ``float16`` (GPU). By default
            what the variable HSC_BACKEND says, else ``float32`` on a CPU and ``float16`` on a GPU.
        model: the folder of another model; None: the one that HSC_MODEL names, or that ships.

    Raises:
        WeightsError: weights are missing or do not fit.
        HscError: the device or the backend does not exist here.
    """
    from pathlib import Path

    from hsc.codec import Codec

    return Codec.load(device, Path(model).expanduser() if model else None, backend)


def describe(data: bytes) -> dict[str, Any]:
    """The header of a ``.hsc`` file and the sizes of its parts, without decoding it.

    Returns:
        version, model, level, width, height, layers, bytes {header, scn, fcn, total} and bpp,
        which counts every byte of the file.

    Raises:
        BitstreamError: the bytes are not a readable file.
    """
    from hsc.bitstream import container
    from hsc.weights.model_id import model_id, model_of

    try:
        known = model_id()
        names = {known.code: known.name}
    except WeightsError:
        names = {}
    return container.describe(data, names, model_of().config.generator.image_px)
