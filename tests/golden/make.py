"""Makes the golden files: run ``python tests/golden/make.py`` when the decoder's weights change.

With ``--pictures`` streams and digests stay, and only pictures are made anew: that is all that new
blocks above F (``decoder.safetensors``) change.

For each named level, and for two between them, one generated face: its ``.hsc`` file, digests of
what must be decoded from it bit by bit, and the picture at 256 px.
"""

import json
import sys
from pathlib import Path

from PIL import Image

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent / "support")]

from exact_digests import digests  # noqa: E402

import hsc  # noqa: E402
from hsc.levels import LEVELS  # noqa: E402

STREAMS = HERE / "streams"
GOLDEN_LEVELS = (*(level.number for level in LEVELS), 2.7, 5.5)  # two with interpolated gains


def shrunk(picture: Image.Image) -> Image.Image:
    """1024 px averaged to 256 px."""
    return picture.reduce(4)


def main() -> None:
    codec = hsc.load("cpu")
    networks = codec.networks
    STREAMS.mkdir(exist_ok=True)
    expected = {}
    for level in GOLDEN_LEVELS:
        name = f"level{level:g}"
        data = codec.encode(codec.random_face(100 + int(level)), level, align=False)
        (STREAMS / f"{name}.hsc").write_bytes(data)
        shrunk(codec.decode(data)).save(STREAMS / f"{name}.png", optimize=True)
        expected[name] = digests(data, networks.scn, networks.fcn, networks.context)
        print(name, len(data), "bytes")
    (STREAMS / "digests.json").write_text(json.dumps(expected, indent=2) + "\n")


def redraw() -> None:
    """Make the pictures of the streams that are there."""
    codec = hsc.load("cpu")
    for path in sorted(STREAMS.glob("*.hsc")):
        shrunk(codec.decode(path.read_bytes())).save(path.with_suffix(".png"), optimize=True)


if __name__ == "__main__":
    redraw() if sys.argv[1:] == ["--pictures"] else main()
