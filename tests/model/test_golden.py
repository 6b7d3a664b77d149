"""Files of an earlier day decode to the same numbers, on this machine and with these libraries."""

import json
import subprocess
import sys

import pytest
from exact_digests import digests
from generated import from_pil
from paths import ROOT, STREAMS
from PIL import Image

from hsc.bitstream import unpack
from hsc.codec import Codec
from hsc.levels import LEVELS
from hsc.metrics.picture import psnr

NAMES = [*(f"level{level.number}" for level in LEVELS), "level2.7", "level5.5"]


@pytest.mark.parametrize("name", NAMES)
def test_golden_stream(codec: Codec, name: str) -> None:
    data = (STREAMS / f"{name}.hsc").read_bytes()
    assert unpack(data).model_id == codec.model_id, "new weights: run tests/golden/make.py"
    expected = json.loads((STREAMS / "digests.json").read_text())[name]
    networks = codec.networks
    # the integers of the stream and all that follows from them exactly: every bit
    assert digests(data, networks.scn, networks.fcn, networks.context) == expected
    # the picture goes through float networks: nearly
    with Image.open(STREAMS / f"{name}.png") as golden:
        drawn = codec.decode(data).reduce(4)
        assert psnr(from_pil(drawn), from_pil(golden)).item() > 45


def test_the_format_page_shows_what_its_command_prints() -> None:
    command = [sys.executable, ROOT / "tests" / "golden" / "trace.py", STREAMS / "level1.hsc"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed in (ROOT / "docs" / "format.md").read_text()
