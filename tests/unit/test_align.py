"""Faces are found, the largest first, and brought to one place, size and angle."""

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from paths import ASTRONAUT
from PIL import Image, ImageDraw

from hsc.domains.centre_crop import crop_centre
from hsc.domains.ffhq_face import Face, aligned, crop_face, find_faces
from hsc.domains.ffhq_face.align import Square, cut_square, face_square
from hsc.errors import NoFaceError, PhotoError
from hsc.images.photo import read_photo

# The part of the portrait around the head, and the middle of the 68 points in the portrait
HEAD = (110, 0, 340, 230)
FACE = (225, 127)


@pytest.fixture(scope="module")
def portrait() -> Image.Image:
    return read_photo(ASTRONAUT)


@pytest.fixture(scope="module")
def pair(portrait) -> Image.Image:
    """The same head twice: small at the left, large at the right."""
    head = portrait.crop(HEAD)
    canvas = Image.new("RGB", (1000, 600), (150, 150, 160))
    canvas.paste(head.resize((230, 230)), (60, 250))
    canvas.paste(head.resize((500, 500), Image.Resampling.LANCZOS), (420, 50))
    return canvas


def correlation(a: Image.Image, b: Image.Image) -> float:
    """Pearson's, of two pictures' pixels."""
    return float(np.corrcoef(np.asarray(a).ravel(), np.asarray(b).ravel())[0, 1])


def drawn_face() -> Face:
    """A face by its landmarks only: level, centred on (300, 240), with a known square.

    The eyes are 100 apart and the mouth is 100 below them, so the side is 4 x 100.
    """
    points = np.full((68, 2), (300.0, 240.0))
    points[36:42], points[42:48] = (250, 230), (350, 230)
    points[48], points[54] = (270, 330), (330, 330)
    return Face((200.0, 140.0, 400.0, 340.0), points)


# --- finding ---


def test_one_face_where_it_is(portrait):
    faces = find_faces(portrait)
    assert len(faces) == 1  # the suit holds two false alarms
    left, top, right, bottom = faces[0].box
    assert left < FACE[0] < right and top < FACE[1] < bottom
    points = faces[0].landmarks
    assert points.shape == (68, 2) and points.dtype == np.float64
    assert left - 20 < points[:, 0].min() and points[:, 0].max() < right + 20


def test_the_largest_face_comes_first(pair):
    faces = find_faces(pair)
    assert len(faces) == 2
    assert faces[0].area > 3 * faces[1].area
    assert faces[0].landmarks[:, 0].mean() > 420 > faces[1].landmarks[:, 0].mean()


def test_each_face_can_be_chosen(pair, portrait):
    alone = aligned(portrait, px=128)
    large, small = (aligned(pair, face=number, px=128) for number in (0, 1))
    assert correlation(large, alone) > 0.97 and correlation(small, alone) > 0.97
    assert large.tobytes() != small.tobytes()
    assert aligned(pair, face=None, px=128).tobytes() == large.tobytes()


def test_a_small_face_in_a_large_picture(portrait):
    canvas = Image.new("RGB", (2400, 1600), (120, 130, 120))
    canvas.paste(portrait.crop(HEAD), (1700, 900))
    (face,) = find_faces(canvas)
    middle = face.landmarks.mean(axis=0) - (1700 - HEAD[0], 900 - HEAD[1])
    assert np.abs(middle - FACE).max() < 6


@pytest.mark.parametrize("size", [64, 100, 300])
def test_a_face_in_a_thumbnail(portrait, size):
    (face,) = find_faces(portrait.resize((size, size), Image.Resampling.LANCZOS))
    assert np.abs(face.landmarks.mean(axis=0) * 512 / size - FACE).max() < 6


def test_no_face():
    assert find_faces(Image.new("RGB", (300, 200), "grey")) == []
    for size in ((16, 16), (4096, 16), (16, 4096)):
        assert find_faces(Image.new("RGB", size, "grey")) == []
    picture = Image.new("RGB", (400, 300), "green")
    ImageDraw.Draw(picture).ellipse((100, 50, 300, 250), fill="orange")
    with pytest.raises(NoFaceError, match="centre of the picture.*--no-align"):
        aligned(picture)


@pytest.mark.parametrize("number", [1, 7, -1])
def test_a_face_that_is_not_there(portrait, number):
    message = f"no face {number}: the picture has only face 0"
    with pytest.raises(PhotoError, match=message) as caught:
        aligned(portrait, face=number)
    assert not isinstance(caught.value, NoFaceError)


def test_threads_find_the_same(portrait):
    head = portrait.crop(HEAD)
    alone = find_faces(head)[0].landmarks
    with ThreadPoolExecutor(4) as pool:
        for faces in pool.map(find_faces, [head] * 8):
            assert np.array_equal(faces[0].landmarks, alone)


# --- aligning ---


def test_the_square_of_a_level_face():
    square = face_square(drawn_face())
    assert (square.x, square.y) == pytest.approx((300, 240))
    assert square.side == pytest.approx(400) and square.angle == pytest.approx(0)
    expected = [[100, 40], [100, 440], [500, 440], [500, 40]]
    assert square.corners() == pytest.approx(np.array(expected, dtype=float))


def test_the_square_turns_with_the_face():
    turn = np.exp(1j * np.radians(30))
    face = drawn_face()
    points = (face.landmarks @ [1, 1j]) * turn
    turned = Face(face.box, np.stack([points.real, points.imag], axis=1))
    square = face_square(turned)
    assert np.degrees(square.angle) == pytest.approx(30)
    assert square.x + 1j * square.y == pytest.approx((300 + 240j) * turn)
    assert square.side == pytest.approx(400)


@pytest.mark.parametrize("px", [100, 400, 777])
def test_a_level_crop_is_exact_to_the_pixel(px):
    """A square that needs no turning gives what a plain resize gives, whatever the size."""
    x, y = np.meshgrid(np.arange(600), np.arange(500))
    waves = 128 + 100 * np.sin(x / 17.0) * np.cos(y / 23.0)
    image = Image.fromarray(np.stack([waves] * 3, axis=-1).astype(np.uint8))
    crop = crop_face(image, drawn_face(), px)
    plain = image.resize((px, px), Image.Resampling.LANCZOS, box=(100, 40, 500, 440))
    difference = np.asarray(crop).astype(int) - np.asarray(plain)
    assert crop.size == (px, px)
    assert np.abs(difference).max() <= 4 and abs(difference.mean()) < 0.05


def test_large_faces_do_not_alias():
    """A pattern too fine for the crop turns into its mean, not into stripes."""
    x, y = np.meshgrid(np.arange(600), np.arange(500))
    fine = np.where((x + y) % 2, 255, 0).astype(np.uint8)
    crop = crop_face(Image.fromarray(np.stack([fine] * 3, axis=-1)), drawn_face(), 64)
    assert np.abs(np.asarray(crop).astype(int) - 127.5).max() < 12


@pytest.mark.parametrize("px", [256, 1024])
def test_an_aligned_crop_aligns_to_itself(portrait, px):
    square = face_square(find_faces(aligned(portrait, px=px))[0])
    shift = np.hypot(square.x - px / 2, square.y - px / 2) / px
    assert shift < 0.01
    assert square.side / px == pytest.approx(1, abs=0.02)
    assert abs(np.degrees(square.angle)) < 1


@pytest.mark.parametrize("angle", [-20, 15])
@pytest.mark.parametrize("size", [400, 1100])
def test_turned_and_scaled_pictures_give_the_same_crop(portrait, angle, size):
    photo = portrait.resize((size, size), Image.Resampling.LANCZOS)
    photo = photo.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=(180, 170, 165))
    assert correlation(aligned(photo, px=256), aligned(portrait, px=256)) > 0.97


def test_a_photo_turned_by_exif(portrait):
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    portrait.transpose(Image.Transpose.ROTATE_90).save(buffer, "PNG", exif=exif)
    assert aligned(buffer.getvalue(), px=128).tobytes() == aligned(portrait, px=128).tobytes()


def test_a_face_at_the_edge_is_padded(portrait):
    """The face stays in its place; what the photo lacks is made of soft colours, no hard edge."""
    cut = portrait.crop((175, 40, 345, 240))
    crop, whole = (np.asarray(aligned(p, px=256)).astype(int) for p in (cut, portrait))
    middle = slice(100, 170)
    assert np.abs(crop[middle, middle] - whole[middle, middle]).mean() < 8
    steps = np.abs(np.diff(crop, axis=1))
    assert crop[:, :20].min() > 0
    assert steps[:, :20].mean() < steps[:, middle].mean() / 2


def test_a_crop_far_outside_the_picture():
    tiny = Image.new("RGB", (16, 16), (10, 200, 30))
    crop = crop_face(tiny, drawn_face(), 64)
    assert (np.asarray(crop) == (10, 200, 30)).all()


# --- the centre instead ---


@pytest.mark.parametrize("size", [(300, 100), (100, 300)])
def test_the_centre(size):
    image = Image.new("RGB", size, "blue")
    image.paste("red", (0 if size[0] == 100 else 100, 0 if size[1] == 100 else 100, 200, 200))
    crop = crop_centre(image, 64)
    assert crop.size == (64, 64) and (np.asarray(crop)[3:-3, 3:-3] == (255, 0, 0)).all()
    assert aligned(image, align=False, px=64).tobytes() == crop.tobytes()
    assert aligned(image, align=False).size == (1024, 1024)


def test_a_face_at_the_border_can_be_cut_without_blurring_what_is_there():
    random = np.random.default_rng(0)
    picture = Image.fromarray(random.integers(0, 255, (300, 300, 3), np.uint8))
    square = Square(60.0, 150.0, 200.0, 0.0)  # 40 pixels of it are beside the picture
    soft, sharp = (
        np.asarray(cut_square(picture, square, 200, each), int) for each in (False, True)
    )
    there = np.asarray(picture, int)[50:250, :160]
    assert np.abs(sharp[:, 40:] - there).mean() < 2 < np.abs(soft[:, 40:60] - there[:, :20]).mean()
    assert np.array_equal(sharp[:, 120:], soft[:, 120:])  # far from the border nothing changes
    assert sharp[:, :20].std() < there.std() / 2  # beside the picture it is blurred all the same
