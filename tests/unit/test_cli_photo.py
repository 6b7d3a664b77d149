"""``hsc photo``: bytes of every part, faces skipped and edited, cut files, other codecs beside."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import hsc
from hsc.bitstream import Container
from hsc.cli import main
from hsc.domains import DOMAINS
from hsc.images import marks
from hsc.photograph import coding, mask


class Codec:
    """Every face is grey; an edited one is red."""

    networks = SimpleNamespace(config=SimpleNamespace(generator=SimpleNamespace(domain="two")))

    def __init__(self):
        self.edits = []

    def encode(self, image, level=3, *, align=True, refine=0):
        return Container(1, level, b"semantics", b"features").pack()

    def decode(self, data, layers="scn+fcn", edits=None, keep_details=1.0):
        if edits:
            self.edits.append(edits)
        return Image.new("RGB", (1024, 1024), (200, 0, 0) if edits else (128, 128, 128))


class TwoFaces:
    """A domain whose pictures all have the same two faces, as boxes."""

    def find_every(self, image):
        return [(20, 20, 100, 100), (110, 20, 230, 140)]


@pytest.fixture
def codec(monkeypatch):
    codec = Codec()
    monkeypatch.setattr(hsc, "load", lambda device="auto", backend=None: codec)
    monkeypatch.setattr(coding, "domain_of", {"two": TwoFaces()}.__getitem__)
    monkeypatch.setattr(mask, "person", lambda picture: np.zeros((256, 256), np.float32))
    return codec


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    Image.linear_gradient("L").resize((240, 160)).convert("RGB").save(path)
    return path


def run(*argv) -> int:
    return main(["photo", *map(str, argv)])


def test_a_photograph_there_and_back(codec, photo, tmp_path, capfd):
    file, out = tmp_path / "photo.hscp", tmp_path / "new" / "photo.png"
    assert run(photo, file, "--level", "2", "--background-bytes", "900", "--compare") == 0
    printed = capfd.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in printed] == [
        "photo.avif", "photo.webp", "photo.jpeg", "header", "background", "face 0", "face 1",
        "total",
    ]  # fmt: skip
    total = file.stat().st_size
    assert printed[-1] == f"total: {total} bytes, 240 x 160 pixels"
    assert printed[-3].endswith("a square of 120 pixels")
    assert all((tmp_path / f"photo.{kind}").stat().st_size <= total for kind in ("avif", "webp"))

    assert run(file, out, "--edit", "1:smile=1.5", "--edit", "1:age=10", "--skip", "0") == 0
    assert codec.edits == [{"smile": 1.5, "age": 10}]
    with Image.open(out) as picture:
        assert picture.size == (240, 160)
        red, green, _ = picture.convert("RGB").getpixel((60, 62))
        assert red > green + 100
    assert marks.read(out.read_bytes()).recipe["faces_drawn"] == [1]
    assert run(photo, out, "--skip", "1", "--edit", "0:smile=1") == 0
    assert codec.edits[-1] == {"smile": 1}

    cut = tmp_path / "cut.hscp"
    cut.write_bytes(file.read_bytes()[:-3])
    assert run(cut, out) == 2
    assert "Face 1 cannot be read" in capfd.readouterr().err
    assert run(cut, out, "--allow-cut") == 0
    assert "face 1 is drawn from SCN alone" in capfd.readouterr().out
    assert main(["info", str(file)]) == 0
    assert '"faces": [{' in capfd.readouterr().out


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["photo.png", "out.jpg"], "ends in .hscp or .png"),
        (["photo.hscp", "out.hscp"], "ends in .png"),
        (["photo.png", "out.hscp", "--edit", "0:smile=1"], "while drawing"),
        (["photo.png", "out.png", "--edit", "smile=1"], "expected N:NAME=AMOUNT"),
        (["photo.png", "out.png", "--edit", "0:smile=1", "--edit", "0:smile=2"], "given twice"),
        (["photo.png", "out.png", "--edit", "5:smile=1"], "There is no face 5"),
        (["photo.png", "out.hscp", "--skip", "9"], "There is no face 9"),
        (["photo.hscp", "out.png", "--compare"], "needs the photograph"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(codec, photo, tmp_path, capfd, argv, words):
    (tmp_path / "photo.hscp").write_bytes(b"HSCP")
    assert run(tmp_path / argv[0], tmp_path / argv[1], *argv[2:]) == 2
    err = capfd.readouterr().err.splitlines()
    assert err[-1].startswith("hsc: error: ") and words in err[-1]


def test_a_photograph_without_a_face_says_where_it_was_looked_for(
    codec, photo, tmp_path, monkeypatch, capfd
):
    nobody = SimpleNamespace(turns=(90, 270, 180), find_every=lambda image: [])
    monkeypatch.setattr(coding, "domain_of", {"two": nobody}.__getitem__)
    monkeypatch.setitem(DOMAINS, "two", nobody)
    assert run(photo, tmp_path / "photo.hscp") == 0
    printed = capfd.readouterr().out
    assert "no face was found, upright or turned by 90, 180 or 270 degrees" in printed
