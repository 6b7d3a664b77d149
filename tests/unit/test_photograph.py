"""Photographs around a stand-in for the codec: colours, seams, overlaps, memory, numbers."""

import tracemalloc
from hashlib import sha256

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from hsc import photograph
from hsc.bitstream import Container, unpack
from hsc.domains.ffhq_face.align import Square
from hsc.errors import BitstreamError, HscError
from hsc.images import marks
from hsc.photograph import FoundFace, mask
from hsc.photograph.background import fill, fit_background, without_faces
from hsc.photograph.coding import CROP_PX
from hsc.photograph.placement import Placement


class Remembers:
    """A codec whose files are numbers of crops that it remembers."""

    def __init__(self, cast=(0, 0, 0)) -> None:
        self.crops, self.cast, self.edits = [], np.array(cast), []

    def encode(self, image, level=3, *, align=True, refine=0):
        assert image.size == (CROP_PX, CROP_PX) and not align
        self.crops.append(image)
        return Container(1, level, bytes([len(self.crops) - 1]), b"features").pack()

    def decode(self, data, layers="scn+fcn", edits=None, keep_details=1.0):
        if edits:
            self.edits.append(dict(edits))
            return Image.new("RGB", (CROP_PX, CROP_PX), (0, 200, 0))
        pixels = np.asarray(self.crops[unpack(data).scn[0]], int) + self.cast
        return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


@pytest.fixture(autouse=True)
def nobody(monkeypatch):
    """No segmenter: every face is the oval of an aligned one."""
    monkeypatch.setattr(mask, "person", lambda picture: np.zeros((256, 256), np.float32))


def scene(size=(480, 360)) -> Image.Image:
    """A soft picture with some lines."""
    random = np.random.default_rng(0)
    small = random.integers(40, 215, (7, 9, 3), dtype=np.uint8)
    picture = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(picture)
    for _ in range(12):
        pen.line(random.integers(0, size[0], 4).tolist(), fill=(30, 30, 30), width=2)
    return picture.filter(ImageFilter.GaussianBlur(1))


def placed(*squares: Square) -> tuple[FoundFace, ...]:
    return tuple(FoundFace(n, Placement.nearest(square)) for n, square in enumerate(squares))


FOUND = placed(Square(150, 170, 200, 0.2), Square(340, 190, 150, -0.3))


def test_what_the_codec_keeps_comes_back_in_its_place():
    codec, picture = Remembers(), scene()
    steps = []
    coded = photograph.encode(
        codec, picture, 2, background_bytes=4000, found=FOUND, progress=lambda *a: steps.append(a)
    )
    assert steps == [(0, 3, "face 0"), (1, 3, "face 1"), (2, 3, "background")]
    assert coded.coded == (0, 1) and len(coded.file.background) <= 4000
    shown = photograph.decode(codec, coded.data)
    assert shown.picture.size == picture.size and shown.missing == shown.partial == ()
    error = np.abs(np.asarray(shown.picture, int) - np.asarray(picture)).mean(-1)
    for face in FOUND:  # the middle of a face is from its own file, and not a pixel off
        x, y = round(face.square.x), round(face.square.y)
        assert error[y - 20 : y + 20, x - 20 : x + 20].mean() < 2
    assert error.mean() < 6


def test_a_colour_cast_of_the_codec_is_undone_and_no_seam_is_left():
    codec, picture = Remembers(cast=(18, -6, 10)), scene()
    coded = photograph.encode(codec, picture, background_bytes=9000, found=FOUND)
    shown = photograph.decode(codec, coded.data)
    error = np.asarray(shown.picture, float) - np.asarray(picture)
    assert np.abs(error.mean((0, 1))).max() < 1.5
    step = np.abs(np.diff(np.asarray(Image.fromarray(
        np.clip(error + 128, 0, 255).astype(np.uint8)).filter(ImageFilter.BoxBlur(3)), float),
        axis=1)).max()  # fmt: skip
    assert step < 6


def test_skip_and_edit_by_number():
    codec, picture = Remembers(), scene()
    coded = photograph.encode(codec, picture, found=FOUND, skip=[0])
    assert coded.coded == (1,) and len(coded.file.faces) == 1
    both = photograph.encode(codec, picture, found=FOUND)
    edited = photograph.decode(codec, both.data, edits={1: {"smile": 1.5}}, skip=[0])
    assert codec.edits == [{"smile": 1.5}]
    assert [face.number for face in edited.drawn] == [1]
    mark = marks.of(edited.picture)
    assert mark.source == marks.COMPOSITE and mark.recipe["edits"] == {"1": {"smile": 1.5}}
    assert mark.recipe["file_sha256"] == sha256(both.data).hexdigest()
    middle = edited.picture.getpixel((340, 190))
    assert middle[1] > middle[0] + 60 and middle[1] > middle[2] + 60
    for numbers in ({"skip": [2]}, {"edits": {-1: {"smile": 1}}}):
        with pytest.raises(HscError, match=r"There is no face -?\d: the photograph has faces 0 to"):
            photograph.decode(codec, both.data, **numbers)
    with pytest.raises(HscError, match="There is no face 7"):
        photograph.encode(codec, picture, found=FOUND, skip=[7])


def test_a_cut_file_shows_what_arrived():
    codec, picture = Remembers(), scene()
    data = photograph.encode(codec, picture, found=FOUND).data
    missing = photograph.decode(codec, data[: len(data) - len(b"features") - 1], allow_cut=True)
    assert missing.missing == (1,) and missing.partial == ()
    partial = photograph.decode(codec, data[:-8])
    assert partial.partial == (1,) and partial.missing == ()
    with pytest.raises(BitstreamError, match="Face 1 cannot be read"):
        photograph.decode(codec, data[:-3])


def test_the_faces_area_costs_nothing():
    random = np.random.default_rng(1)
    noisy = Image.fromarray(random.integers(0, 255, (360, 480, 3), dtype=np.uint8))
    picture = scene()
    square = FOUND[0].square
    x, y = round(square.x), round(square.y) + 10
    picture.paste(noisy.crop((0, 0, 60, 80)), (x - 30, y - 40))  # inside of the face
    face = mask.head(np.zeros((256, 256), np.float32))
    plain = fit_background(scene(), 10**6).data
    filled = fit_background(without_faces(picture, [(square, face)]), 10**6).data
    with_noise = fit_background(picture, 10**6).data
    assert len(filled) < len(plain) < len(with_noise)


def test_fill_keeps_what_is_known():
    pixels = np.asarray(scene((97, 64)), np.float32)
    known = np.ones(pixels.shape[:2], np.float32)
    known[20:40, 30:60] = 0
    filled = fill(pixels, known)
    assert (filled[known == 1] == pixels[known == 1]).all()
    assert filled[20:40, 30:60].std() < pixels.std()
    assert (fill(pixels, np.zeros_like(known)) == 0).all()


def test_overlapping_faces_share_their_pixels():
    squares = [Square(100, 100, 100, 0), Square(150, 110, 90, 0.4), Square(400, 100, 80, 0)]
    first, second, third = (mask.shares(squares, number) for number in range(3))
    assert first[128, 128] == second[128, 128] == 1 and (third == 1).all()
    assert first[128, 240] < 0.05  # the second one's middle
    beside = mask.shares([squares[0], Square(100, 100, 100, 0)], 0)
    assert np.allclose(beside, 0.5)


def test_faces_at_and_beyond_the_border():
    codec, picture = Remembers(), scene()
    found = placed(Square(10, 350, 160, 0), Square(900, 900, 100, 0))
    coded = photograph.encode(codec, picture, found=found)
    assert photograph.decode(codec, coded.data).picture.size == picture.size


@pytest.mark.parametrize("budget", [0, 60, 1500])
def test_budgets(budget):
    coded = photograph.encode(Remembers(), scene(), found=(), background_bytes=budget)
    assert len(coded.file.background) <= max(budget, 80)
    assert photograph.decode(Remembers(), coded.data).picture.size == (480, 360)
    with pytest.raises(HscError, match="from 0 bytes"):
        photograph.encode(Remembers(), scene(), found=(), background_bytes=-1)


def test_a_very_large_photograph_is_shrunk_and_says_so():
    image = Image.linear_gradient("L").resize((5000, 60)).convert("RGB")
    coded = photograph.encode(Remembers(), image, found=(), background_bytes=500)
    assert coded.shrunk_from == (5000, 60) and coded.photograph.size == (4096, 49)
    assert photograph.encode(Remembers(), scene(), found=()).shrunk_from is None


def test_memory_does_not_grow_with_the_number_of_faces():
    peaks = []
    picture = scene((1600, 1200))
    for count in (2, 20):
        codec = Remembers()
        codec.crops = [scene((CROP_PX, CROP_PX))]
        codec.encode = lambda image, level, *, align, refine: Container(1, 3, b"\0").pack()
        rows = [Square(150 + 320 * (n % 5), 150 + 290 * (n // 5), 280, 0.1) for n in range(count)]
        tracemalloc.start()
        data = photograph.encode(codec, picture, found=placed(*rows), background_bytes=3000).data
        photograph.decode(codec, data)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + (20 << 20)  # a crop alone has 3 MB, and 12 as floats


def test_a_whole_photograph_by_other_codecs_fits():
    picture = scene()
    for whole in photograph.compare(picture, 2500):
        assert len(whole.data) <= 2500 and whole.picture.size == picture.size
        assert whole.coded_size[0] <= picture.width
