"""Files as text and as QR codes, and their bytes explained one by one."""

import io
import random
import string

import numpy as np
import pytest
import zxingcpp
from PIL import Image

from hsc.bitstream import Container, unpack, with_layers
from hsc.bitstream.fields import fields
from hsc.bitstream.qr import qr_code, qr_svg
from hsc.bitstream.text import BLOCK_BYTES, DIGITS, PREFIX, from_text, is_text, to_text
from hsc.cli import main
from hsc.errors import BitstreamError, HscError


def file(scn: int = 36, fcn: int = 0, seed: int = 0) -> bytes:
    """A file with layers of random bytes."""
    draw = random.Random(seed)
    return Container(0xA5F0, 1.5, draw.randbytes(scn), draw.randbytes(fcn)).pack()


@pytest.mark.parametrize("size", [0, 1, 2, 31, 32, 33, 36, 37, 74, 126, 500, 16383])
def test_text_comes_back(size: int) -> None:
    data = file(scn=size, seed=size)
    text = to_text(data)
    assert set(text) <= set(string.ascii_uppercase + string.digits)
    assert from_text(text) == data


def test_a_face_fits_a_text_message() -> None:
    assert len(file()) == 47
    assert len(to_text(file())) == 72
    assert len(to_text(file(scn=36, fcn=448))) < 800


def test_blocks_waste_less_than_base_45() -> None:
    # a length that fills its characters to the last twentieth of a bit
    assert 256**BLOCK_BYTES <= 36**65 < 1.05 * 256**BLOCK_BYTES


def test_every_wrong_character_is_noticed() -> None:
    text = to_text(file())
    for place in range(len(text)):
        for other in DIGITS.replace(text[place], ""):
            with pytest.raises(BitstreamError):
                from_text(text[:place] + other + text[place + 1 :])


@pytest.mark.parametrize("place", range(71))
def test_lost_doubled_and_swapped_characters_are_noticed(place: int) -> None:
    text = to_text(file(seed=3))
    changed = {
        text[:place] + text[place + 1 :],
        text[:place] + text[place] + text[place:],
        text[:place] + text[place + 1] + text[place] + text[place + 2 :],
    } - {text}
    for one in changed:
        with pytest.raises(BitstreamError):
            from_text(one)


@pytest.mark.parametrize(
    "around",
    [
        "{}", "  {}\n", "https://studio.example/?face={}", "HTTPS://STUDIO.EXAMPLE/?X=1&FACE={}#a",
        "\ufeff{}\u200b",
    ],
)  # fmt: skip
def test_small_letters_spaces_and_addresses_do_not_matter(around: str) -> None:
    data = file(seed=4)
    text = to_text(data)
    assert from_text(around.format(text)) == data
    broken = "\r\n ".join(text[at : at + 10] for at in range(0, len(text), 10))
    assert from_text(around.format(broken.lower())) == data
    assert is_text(around.format(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no text"),
        (" \n", "no text"),
        ("hello", f"begin with {PREFIX}"),
        ("HSC2ABC", f"begin with {PREFIX}"),
        ("HSC1", "check character"),
        ("HSC1AÄ", "letters and digits"),
        (to_text(file())[:-5], "check character"),
        ("HSC1" + "0" * (1 << 21), "too long"),
    ],
)
def test_what_is_no_text_gets_one_sentence(text: str, words: str) -> None:
    with pytest.raises(BitstreamError, match=words) as error:
        from_text(text)
    said = str(error.value)
    assert said.endswith(".") and "\n" not in said and len(said) < 200


def test_a_good_check_character_does_not_excuse_a_bad_file() -> None:
    good = file()
    damaged = good[:-1] + bytes([good[-1] ^ 1])
    with pytest.raises(BitstreamError, match="damaged"):
        to_text(damaged)


def read_back(picture: Image.Image) -> str:
    (found,) = zxingcpp.read_barcodes(np.asarray(picture.convert("L")))
    return found.text


def drawn(code) -> Image.Image:
    out = io.BytesIO()
    code.save(out, kind="png", border=4, scale=4)
    return Image.open(out)


@pytest.mark.parametrize("fcn", [0, 448, 1275])
@pytest.mark.parametrize("address", ["", "https://studio.example/?face="])
def test_a_camera_reads_the_text(fcn: int, address: str) -> None:
    data = file(fcn=fcn)
    read = read_back(drawn(qr_code(to_text(data), address)))
    assert read == address + to_text(data)
    assert from_text(read) == data


def test_the_code_is_a_small_one_and_scales() -> None:
    code = qr_code(to_text(file()))
    assert code.version <= 4 and code.mode == "alphanumeric"
    svg = qr_svg(code)
    assert svg.startswith("<svg") and "viewBox" in svg and "width=" not in svg


def test_what_no_code_holds_is_refused() -> None:
    with pytest.raises(HscError, match="lower level"):
        qr_code(to_text(file(fcn=4000)))


@pytest.mark.parametrize("data", [
    file(), file(scn=300), file(fcn=448), file(scn=300, fcn=20000), file(scn=0),
])  # fmt: skip
def test_every_byte_has_a_field(data: bytes) -> None:
    found = fields(data)
    assert b"".join(field.data for field in found) == data
    assert [f.start for f in found[1:]] == [f.stop for f in found[:-1]]
    assert (found[0].start, found[-1].stop) == (0, len(data))
    said = {field.key: field for field in found}
    container = unpack(data)
    assert said["scn"].data == container.scn
    assert said["model"].value == "a5f0" and said["level"].value == "1.5"
    assert said["scn_length"].value.startswith(f"{len(container.scn):,} byte")
    assert ("fcn" in said) == ("crc_fcn" in said) == (container.fcn is not None)
    assert {f.part for f in found if f.key.startswith("crc")} == {"header"}


def test_a_file_cut_after_scn_says_so() -> None:
    whole = file(fcn=100)
    (*_, crc, scn) = fields(whole[:-100])
    assert "cut off" in crc.value and scn.key == "scn"


def test_the_file_without_fcn() -> None:
    whole = file(fcn=100)
    damaged = whole[:-1] + bytes([whole[-1] ^ 1])
    assert with_layers(whole, "scn+fcn") == whole
    assert with_layers(whole, "scn") == with_layers(damaged, "scn") == file()
    with pytest.raises(BitstreamError, match="damaged"):
        with_layers(damaged, "scn+fcn")


def test_the_command_prints_text_and_draws_a_code(tmp_path, capsys) -> None:
    source, picture = tmp_path / "face.hsc", tmp_path / "face.png"
    source.write_bytes(file(fcn=448))
    assert main(["text", str(source), "--qr", str(picture)]) == 0
    text = capsys.readouterr().out.strip()
    assert from_text(text) == file()
    with Image.open(picture) as code:
        assert read_back(code) == text
    assert main(["text", str(source), "--layers", "scn+fcn"]) == 0
    assert from_text(capsys.readouterr().out) == file(fcn=448)
    assert main(["text", str(source), "--qr", str(tmp_path / "face.gif")]) == 2
    assert ".svg" in capsys.readouterr().err
