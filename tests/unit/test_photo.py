"""read_photo takes any picture that a person may have."""

import io

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from hsc.images.photo import MAX_SIDE, MIN_SIDE, read_photo

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # of broken EXIF

WIDTH, HEIGHT = 40, 24
GREY_MODES = ("1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "F")
COLOUR_MODES = ("P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV", "LAB")
# What a test colour may lose on its way through a mode
TOLERANCE = {"HSV": 4, "YCbCr": 2, "LAB": 6}


def pixels(image: Image.Image) -> np.ndarray:
    """(height, width, 3) int, so that differences do not wrap."""
    assert image.mode == "RGB"
    return np.asarray(image).astype(int)


def ramp() -> Image.Image:
    """A picture whose four corners all differ: red grows to the right, green downwards."""
    x, y = np.meshgrid(np.linspace(0, 255, WIDTH), np.linspace(0, 255, HEIGHT))
    return Image.fromarray(np.stack([x, y, np.full_like(x, 90)], axis=-1).astype(np.uint8))


def saved(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


# --- modes ---


@pytest.mark.parametrize("mode", GREY_MODES)
def test_grey_modes_keep_black_and_white(mode):
    left_white = np.zeros((HEIGHT, WIDTH))
    left_white[:, : WIDTH // 2] = 1.0
    if mode == "F":
        image = Image.fromarray(left_white.astype(np.float32))
    elif mode == "I":
        image = Image.fromarray((left_white * 65535).astype(np.int32))
    elif mode.startswith("I;16"):
        order = ">u2" if mode.endswith("B") else "<u2"
        data = (left_white * 65535).astype(order).tobytes()
        image = Image.frombytes(mode, (WIDTH, HEIGHT), data)
    else:
        image = Image.fromarray((left_white * 255).astype(np.uint8))
        image = image.convert("LA").convert(mode) if mode == "La" else image.convert(mode)
    result = pixels(read_photo(image))
    assert (result[:, : WIDTH // 2] == 255).all() and (result[:, WIDTH // 2 :] == 0).all()


@pytest.mark.parametrize("mode", COLOUR_MODES)
def test_colour_modes_keep_the_colour(mode):
    colour = (200, 80, 40)
    image = Image.new("RGB", (WIDTH, HEIGHT), colour)
    if mode == "PA":
        image = image.convert("P", palette=Image.Palette.ADAPTIVE).convert("PA")
    elif mode == "RGBa":
        image = image.convert("RGBA").convert("RGBa")
    elif mode == "P":
        image = image.convert("P", palette=Image.Palette.ADAPTIVE)
    elif mode == "LAB":
        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.profileToProfile(image, srgb, lab, outputMode="LAB")
    else:
        image = image.convert(mode)
    assert image.mode == mode
    error = np.abs(pixels(read_photo(image)) - colour).max()
    assert error <= TOLERANCE.get(mode, 0)


@pytest.mark.parametrize("full", [1.0, 255.0, 4095.0, 65535.0])
def test_float_pictures_find_their_scale(full):
    values = np.linspace(0, full, WIDTH * HEIGHT, dtype=np.float32).reshape(HEIGHT, WIDTH)
    values[0, 0] = np.nan
    result = pixels(read_photo(Image.fromarray(values)))
    assert result[0, 0, 0] == 0 and result[-1, -1, 0] == 255
    assert abs(result[HEIGHT // 2, 0, 0] - 127.5) < 1


def test_sixteen_bit_png_file():
    values = np.linspace(0, 65535, WIDTH * HEIGHT).astype(np.uint16).reshape(HEIGHT, WIDTH)
    result = pixels(read_photo(saved(Image.fromarray(values), "PNG")))
    assert np.abs(result[..., 0] - values / 257.0).max() <= 1


def test_cmyk_jpeg_file():
    image = Image.new("RGB", (WIDTH, HEIGHT), (200, 80, 40)).convert("CMYK")
    result = pixels(read_photo(saved(image, "JPEG", quality=95)))
    assert np.abs(result - (200, 80, 40)).max() < 6


# --- transparency ---


def test_alpha_lies_over_white():
    image = Image.new("RGBA", (WIDTH, HEIGHT), (0, 0, 0, 0))
    image.paste((255, 0, 0, 128), (0, 0, WIDTH // 2, HEIGHT))
    result = pixels(read_photo(saved(image, "PNG")))
    assert np.abs(result[:, : WIDTH // 2] - (255, 127, 127)).max() <= 1
    assert (result[:, WIDTH // 2 :] == 255).all()


@pytest.mark.parametrize("mode", ["P", "L", "RGB"])
def test_a_transparent_colour_becomes_white(mode):
    image = Image.new("RGB", (WIDTH, HEIGHT), (50, 50, 50))
    image.paste((150, 150, 150), (0, 0, WIDTH // 2, HEIGHT))
    image = image.convert(mode, palette=Image.Palette.ADAPTIVE)
    key = image.getpixel((WIDTH - 1, 0))
    result = pixels(read_photo(saved(image, "PNG", transparency=key)))
    assert (result[:, WIDTH // 2 :] == 255).all()
    assert (result[:, : WIDTH // 2] == 150).all()


# --- orientation, animation, colour profiles, metadata ---


def held(orientation: int) -> Image.Image:
    """`ramp` as a camera held that way stores it."""
    return {
        1: lambda i: i,
        2: lambda i: i.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: lambda i: i.transpose(Image.Transpose.ROTATE_180),
        4: lambda i: i.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: lambda i: i.transpose(Image.Transpose.TRANSPOSE),
        6: lambda i: i.transpose(Image.Transpose.ROTATE_90),
        7: lambda i: i.transpose(Image.Transpose.TRANSVERSE),
        8: lambda i: i.transpose(Image.Transpose.ROTATE_270),
    }[orientation](ramp())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(kind, orientation):
    upright, stored = ramp(), held(orientation)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"quality": 95} if kind in ("JPEG", "WEBP") else {}
    result = read_photo(saved(stored, kind, exif=exif, **options))
    assert result.size == (WIDTH, HEIGHT)
    assert np.abs(pixels(result) - pixels(upright)).mean() < 6
    again = read_photo(result)
    assert again.tobytes() == result.tobytes()


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_container_that_turns_the_picture_does_so_once(kind, orientation):
    """Pillow and pillow-heif write the orientation into the container; EXIF keeps it or not."""
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(held(orientation), kind, exif=exif.tobytes(), quality=95)
    for said in range(1, 9):  # whatever EXIF says, and HEIC keeps it, the container counts
        entry = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00"
        changed = data.replace(entry + bytes([orientation]), entry + bytes([said]))
        result = read_photo(changed)
        assert result.size == (WIDTH, HEIGHT)
        assert np.abs(pixels(result) - pixels(ramp())).mean() < 6
        if entry not in data:
            break


@pytest.mark.parametrize("bits", [8, 10])
def test_heic_of_a_phone(bits):
    deep = np.asarray(ramp()).astype(np.uint16) * (257 if bits == 10 else 1)
    picture = pillow_heif.from_bytes(
        "RGB;16" if bits == 10 else "RGB",
        (WIDTH, HEIGHT),
        (deep if bits == 10 else deep.astype(np.uint8)).tobytes(),
    )
    buffer = io.BytesIO()
    picture.save(buffer, quality=95)
    assert np.abs(pixels(read_photo(buffer.getvalue())) - pixels(ramp())).mean() < 6


def test_broken_exif_is_ignored():
    data = saved(ramp(), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\x7fgarbage")
    assert read_photo(data).size == (WIDTH, HEIGHT)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_animations_give_the_first_frame(kind):
    frames = [Image.new("RGB", (WIDTH, HEIGHT), c) for c in ("red", "lime", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert Image.open(io.BytesIO(data)).n_frames == 3
    assert (pixels(read_photo(data)) == (255, 0, 0)).all()


def test_a_colour_profile_is_applied():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # A profile whose first channel is green and whose second is red, under another name
    swapped = profile.replace(b"rXYZ", b"#XYZ").replace(b"gXYZ", b"rXYZ").replace(b"#XYZ", b"gXYZ")
    swapped = swapped.replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))
    image = Image.new("RGB", (WIDTH, HEIGHT), (255, 0, 0))
    assert (pixels(read_photo(saved(image, "PNG", icc_profile=profile))) == (255, 0, 0)).all()
    green = pixels(read_photo(saved(image, "PNG", icc_profile=swapped)))
    assert np.abs(green - (0, 255, 0)).max() <= 2


def wide_profile(name: str, primaries: dict[bytes, tuple[float, float, float]]) -> bytes:
    """The built-in sRGB profile with other primaries (XYZ under D50) and another name."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for tag, xyz in primaries.items():
        entry = profile.index(tag)  # in the table of tags: signature, offset, size
        at = int.from_bytes(profile[entry + 4 : entry + 8], "big") + 8
        numbers = b"".join(round(each * 65536).to_bytes(4, "big", signed=True) for each in xyz)
        profile = profile[:at] + numbers + profile[at + 12 :]
    return profile.replace("sRGB".encode("utf-16-be"), name[:4].encode("utf-16-be"))


DISPLAY_P3 = {
    b"rXYZ": (0.51512, 0.24120, -0.00105),
    b"gXYZ": (0.29198, 0.69225, 0.04189),
    b"bXYZ": (0.15710, 0.06657, 0.78407),
}
ADOBE_RGB = {
    b"rXYZ": (0.60974, 0.31111, 0.01947),
    b"gXYZ": (0.20528, 0.62567, 0.06087),
    b"bXYZ": (0.14919, 0.06322, 0.74457),
}


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "HEIF", "AVIF"])
@pytest.mark.parametrize("primaries", [DISPLAY_P3, ADOBE_RGB], ids=["Display P3", "Adobe RGB"])
def test_wide_colours_come_out_as_srgb(kind, primaries):
    """What a wide space writes down for an sRGB colour is that colour again."""
    pillow_heif.register_heif_opener()
    skin = np.array([203, 143, 118])
    linear = np.where(
        skin / 255 <= 0.04045, skin / 255 / 12.92, ((skin / 255 + 0.055) / 1.055) ** 2.4
    )
    srgb = np.array(
        [[0.43607, 0.22249, 0.01392], [0.38515, 0.71687, 0.09708], [0.14307, 0.06061, 0.7141]]
    )
    wide = np.linalg.solve(np.array(list(primaries.values())).T, srgb.T @ linear)
    stored = 255 * np.where(wide <= 0.0031308, 12.92 * wide, 1.055 * wide ** (1 / 2.4) - 0.055)
    assert np.abs(stored - skin).max() > 8  # it would be another colour without the profile
    image = Image.new("RGB", (WIDTH, HEIGHT), tuple(stored.round().astype(int).tolist()))
    profile = wide_profile("Wide", primaries)
    options = {} if kind in ("PNG", "TIFF") else {"quality": 95}
    found = pixels(read_photo(saved(image, kind, icc_profile=profile, **options)))
    assert np.abs(found - skin).max() <= 4


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_wrong_colour_profile_is_ignored(mode):
    grey = Image.new("RGB", (WIDTH, HEIGHT), (120, 120, 120)).convert(mode)
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for profile in (b"no profile at all", lab):
        assert (pixels(read_photo(saved(grey, "TIFF", icc_profile=profile))) == 120).all()


def test_the_result_is_a_new_picture_without_metadata():
    source = Image.open(io.BytesIO(saved(ramp(), "JPEG", comment=b"where I live", dpi=(72, 72))))
    result = read_photo(source)
    assert result.info == {} and not result.getexif()
    result.paste("black", (0, 0, WIDTH, HEIGHT))
    assert np.asarray(source).max() > 200


def test_path_string_and_bytes_are_the_same(tmp_path):
    path = tmp_path / "photo.webp"
    data = saved(ramp(), "WEBP", lossless=True)
    path.write_bytes(data)
    for source in (path, str(path), data, bytearray(data)):
        assert read_photo(source).tobytes() == ramp().tobytes()


# --- size ---


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("size", [(MAX_SIDE + 1, 64), (64, 9000), (MAX_SIDE * 2, 600)])
def test_large_pictures_shrink_and_keep_their_shape(kind, size):
    image = ramp().resize(size)
    result = read_photo(saved(image, kind))
    assert max(result.size) == MAX_SIDE
    assert min(result.size) == round(min(size) * MAX_SIDE / max(size))
    assert np.abs(pixels(result) - pixels(ramp().resize(result.size))).mean() < 6


def test_the_smallest_picture():
    assert read_photo(Image.new("L", (MIN_SIDE, MIN_SIDE))).size == (MIN_SIDE, MIN_SIDE)
