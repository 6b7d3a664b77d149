"""The whole codec with the weights that ship: bytes, layers, edits, damage, the command line."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from generated import from_pil
from hostile import mutated
from paths import ROOT
from PIL import Image, ImageChops
from torch.nn import functional as F

import hsc
from hsc.bitstream import Container, unpack
from hsc.codec import Codec
from hsc.errors import BitstreamError, HscError, PhotoError
from hsc.levels import LEVELS
from hsc.metrics.lpips import Lpips
from hsc.numerics.precision import computes_bfloat16
from hsc.types import LAYERS, Inversion
from hsc.vision.face_readouts import aligned_landmarks, geometry
from hsc.weights.model_id import DECODER_FILES, FINETUNED, path_of

pytestmark = pytest.mark.usefixtures("quick_model_in_use")

SIZE = (1024, 1024)
NUMBERS = [level.number for level in LEVELS]


@pytest.fixture(scope="module")
def photo(codec: Codec) -> Image.Image:
    return codec.random_face(11)


@pytest.fixture(scope="module")
def latents(codec: Codec, photo: Image.Image) -> Inversion:
    return codec.analyse(photo)


@pytest.fixture(scope="module")
def files(codec: Codec, latents: Inversion) -> dict[int, bytes]:
    """The same face at each named level."""
    return {number: codec.compress(latents, number) for number in NUMBERS}


@pytest.fixture(scope="module")
def pictures(codec: Codec, files: dict[int, bytes]) -> dict[tuple[int, str], Image.Image]:
    """Every file drawn from every set of layers."""
    return {
        (number, layers): codec.decode(data, layers)
        for number, data in files.items()
        for layers in LAYERS
    }


@pytest.fixture
def undrawn(codec: Codec, monkeypatch: pytest.MonkeyPatch) -> Codec:
    """The codec without its slowest part: everything is decoded, but the picture is tiny."""

    def image(feature: torch.Tensor, w_plus: torch.Tensor) -> torch.Tensor:
        assert feature.isfinite().all() and w_plus.isfinite().all()
        return torch.zeros(1, 3, 8, 8)

    for renderer in {codec.networks.synthesis, codec.networks.renderer}:
        monkeypatch.setattr(renderer, "image", image)
    return codec


def same(a: Image.Image, b: Image.Image) -> bool:
    return a.size == b.size and ImageChops.difference(a, b).getbbox() is None


@pytest.mark.parametrize("number", NUMBERS)
def test_every_layer_set_draws_a_picture_of_its_own(pictures, number) -> None:
    drawn = [pictures[number, layers] for layers in LAYERS]
    assert all((picture.size, picture.mode) == (SIZE, "RGB") for picture in drawn)
    assert not any(same(a, b) for a, b in zip(drawn, drawn[1:] + drawn[:1]))


@pytest.mark.parametrize("number", NUMBERS)
def test_a_file_says_what_it_holds(files, codec, number) -> None:
    said, container = hsc.describe(files[number]), unpack(files[number])
    assert (said["level"], said["model"], said["layers"]) == (
        number, codec.model_name, ["scn", "fcn"],
    )  # fmt: skip
    sizes = said["bytes"]
    assert sizes["scn"] == len(container.scn) and sizes["fcn"] == len(container.fcn)
    assert sizes["header"] + sizes["scn"] + sizes["fcn"] == len(files[number]) == sizes["total"]
    assert sizes["header"] <= 16
    assert said["bpp"] == 8 * len(files[number]) / 2**20


def test_more_level_is_more_bytes(codec, latents, files) -> None:
    between = codec.compress(latents, 3.5)
    assert unpack(between).level == 3.5
    sizes = [len(files[number]) for number in NUMBERS]
    assert sizes == sorted(set(sizes))
    assert sizes[2] < len(between) < sizes[3]


def test_more_bytes_are_a_better_picture(photo, pictures) -> None:
    lpips = Lpips.pretrained()

    def distance(picture: Image.Image) -> float:
        a, b = (F.avg_pool2d(from_pil(image), 4) for image in (photo, picture))
        return lpips(a, b).item()

    semantics, least, most = (
        distance(pictures[key]) for key in ((1, "scn"), (1, "scn+fcn"), (6, "scn+fcn"))
    )
    assert most < least < semantics


def test_encoding_is_repeatable(codec, photo, files) -> None:
    assert codec.encode(photo, 3, align=False) == files[3]


def test_the_same_bytes_are_the_same_picture(codec, files, pictures) -> None:
    assert same(codec.decode(files[2]), pictures[2, "scn+fcn"])


def test_a_decoder_needs_nothing_but_the_bytes(codec, photo, files, pictures, tmp_path) -> None:
    for name in (*DECODER_FILES, FINETUNED, "edits"):
        (tmp_path / path_of(name).name).symlink_to(path_of(name))
    fresh = Codec.load("cpu", tmp_path)
    assert fresh.model_id == codec.model_id
    assert same(fresh.decode(files[1]), pictures[1, "scn+fcn"])
    with pytest.raises(HscError, match="only decode"):
        fresh.encode(photo, align=False)


def test_a_file_cut_after_its_semantics_is_drawn_from_them(codec, files, pictures) -> None:
    whole = files[4]
    cut = whole[: -hsc.describe(whole)["bytes"]["fcn"]]
    alone = Container(codec.model_id, 4, unpack(whole).scn).pack()
    for data in (cut, alone):
        assert hsc.describe(data)["layers"] == ["scn"]
        assert same(codec.decode(data), pictures[4, "scn"])
        with pytest.raises(BitstreamError, match="no FCN"):
            codec.decode(data, "fcn")


def test_a_file_cut_in_its_features_is_drawn_from_semantics_on_request(undrawn, files) -> None:
    cut = files[4][:-1]
    undrawn.decode(cut, "scn")
    with pytest.raises(BitstreamError, match="FCN"):
        undrawn.decode(cut)


def test_edits(codec, files, pictures) -> None:
    name = codec.edit_names[0].name
    assert same(codec.decode(files[1], edits={name: 0.0}), pictures[1, "scn+fcn"])
    assert same(codec.decode(files[1], keep_details=0), pictures[1, "scn+fcn"])
    full = {name: codec.edit_names[0].high}
    edited, redrawn = (codec.decode(files[1], edits=full, keep_details=keep) for keep in (1, 0))
    assert edited.size == SIZE and not same(edited, pictures[1, "scn+fcn"])
    assert not same(edited, redrawn)


def test_a_smile_shows_although_the_features_say_otherwise(codec, files) -> None:
    def mouth(amount: float) -> float:
        picture = codec.decode(files[5], edits={"smile": amount})
        return geometry(aligned_landmarks(picture))["mouth_width"]

    assert mouth(-1) + 3 < mouth(1)  # millimetres on an average head


def test_what_decode_refuses(undrawn, files) -> None:
    with pytest.raises(HscError, match="layers"):
        undrawn.decode(files[1], "all")
    with pytest.raises(HscError, match="moustache"):
        undrawn.decode(files[1], edits={"moustache": 1.0})
    for keep in (-0.1, 1.1, float("nan"), "all", None):
        with pytest.raises(HscError, match="keep_details from 0 to 1"):
            undrawn.decode(files[1], edits={"smile": 1}, keep_details=keep)
    edit = undrawn.edit_names[0]
    for amount in (edit.high + 1, float("nan")):
        with pytest.raises(HscError):
            undrawn.decode(files[1], edits={edit.name: amount})
    scn, fcn = unpack(files[1]).scn, unpack(files[1]).fcn
    other = Container(undrawn.model_id ^ 1, 1, scn, fcn).pack()
    with pytest.raises(BitstreamError, match=f"{undrawn.model_id ^ 1:04x}"):
        undrawn.decode(other)
    with pytest.raises(BitstreamError):
        undrawn.decode(b"")


def test_a_face_is_found_alike_with_and_without_bfloat16(
    codec, photo, latents, files, monkeypatch
) -> None:
    has = computes_bfloat16(codec.device)  # so the latents and files are with it, or without
    monkeypatch.setattr("hsc.encoder.computes_bfloat16", lambda device: not has)
    found, encoder = codec.analyse(photo), codec.networks.encoder
    spread = encoder.semantic_head.w_std, encoder.feature_head.feature_std[:, None, None]
    for one, other, std in zip(
        (found.w_plus, found.feature),
        (latents.w_plus, latents.feature),
        spread,
    ):
        assert one.dtype == torch.float32
        assert ((one - other) / std).abs().mean() < 0.1
    assert abs(len(codec.compress(found, 3)) / len(files[3]) - 1) < 0.03


def test_what_encode_refuses(codec, photo, latents) -> None:
    with pytest.raises(PhotoError, match="1024"):
        codec.analyse(photo.resize((512, 512)))
    for level in (0.9, 6.1, float("nan")):
        with pytest.raises(BitstreamError, match="level"):
            codec.compress(latents, level)


def test_random_faces_come_from_their_seeds(codec, photo) -> None:
    assert same(codec.random_face(11), photo)
    assert not same(codec.random_face(12), photo)


@pytest.mark.parametrize("number", [1, 6])
def test_damaged_files_cost_one_plain_error(undrawn, files, number) -> None:
    random = np.random.default_rng(number)
    refused = 0
    for _ in range(100):
        data = mutated(files[number], random)
        try:
            picture = undrawn.decode(data, LAYERS[random.integers(3)])
            assert picture.mode == "RGB"
        except BitstreamError as error:
            assert str(error).strip() and "\n" not in str(error)
            refused += 1
    assert refused > 60  # the others were damaged in a layer that was not asked for


def test_damage_that_checksums_miss_crashes_nothing(undrawn, files) -> None:
    random = np.random.default_rng(0)
    whole = unpack(files[2])
    pairs = [(mutated(whole.scn, random), whole.fcn) for _ in range(8)]
    pairs += [(whole.scn, mutated(whole.fcn, random)) for _ in range(8)]
    pairs += [(random.bytes(60), random.bytes(600)) for _ in range(3)]
    pairs += [(bytes([value]) * 50, bytes([value]) * 900) for value in (0, 255)]
    pairs += [(whole.scn, b"\0"), (b"", whole.fcn), (whole.scn[:4], whole.fcn[:4])]
    for scn, fcn in pairs:
        level = 1 + random.integers(251) / 50
        data = Container(undrawn.model_id, level, scn, fcn).pack()
        try:
            undrawn.decode(data)
        except BitstreamError as error:
            assert str(error).strip() and "\n" not in str(error)


def command(*argv: object) -> str:
    """Standard output of ``python -m hsc`` in a process of its own."""
    # as many threads as here: how a floating-point sum is split decides its last bit
    env = os.environ | {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    done = subprocess.run(
        [sys.executable, "-m", "hsc", *map(str, argv)],
        cwd=ROOT, env=env, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_line_on_a_folder(codec, photo, tmp_path) -> None:
    originals, packed, drawn = (tmp_path / name for name in ("in", "hsc", "out"))
    originals.mkdir()
    photo.save(originals / "generated.png")
    with Image.open(ROOT / "assets/examples/astronaut.png") as astronaut:
        astronaut.convert("RGB").save(originals / "astronaut.jpg", quality=95)
    command("encode", originals, packed, "--level", "1", "--device", "cpu")
    command("decode", packed, drawn, "--device", "cpu")
    names = ["astronaut", "generated"]
    assert sorted(path.name for path in drawn.iterdir()) == [f"{name}.png" for name in names]
    for name in names:
        data = (packed / f"{name}.hsc").read_bytes()
        with Image.open(drawn / f"{name}.png") as picture:
            # the second process drew these very pixels, from the bytes alone
            assert same(picture, codec.decode(data))
    said = json.loads(command("info", packed / "astronaut.hsc"))
    assert said == hsc.describe((packed / "astronaut.hsc").read_bytes())
    assert (said["level"], said["width"], said["model"]) == (1, 1024, codec.model_name)


@pytest.mark.parametrize("edits", [{}, {"smile": 1.0, "age": 10}])
def test_a_preview_is_the_picture_seen_small(codec, files, edits):
    opened = codec.open(files[3])
    small = codec.preview(opened, edits)
    drawn = codec.draw(opened, edits)
    assert small.size == (256, 256)
    nearest = drawn.resize(small.size, Image.Resampling.BOX)
    error = np.abs(np.asarray(small, float) - np.asarray(nearest, float)).mean()
    other = codec.preview(codec.open(files[3], "scn"), edits)
    apart = np.abs(np.asarray(other, float) - np.asarray(nearest, float)).mean()
    assert error < apart / 2


def test_one_opened_file_draws_many_edits(codec, files, pictures):
    opened = codec.open(files[3])
    for edits in ({"smile": 1.0}, {}, {"yaw": -5.0}):
        expected = codec.decode(files[3], edits=edits)
        assert np.array_equal(np.asarray(codec.draw(opened, edits)), np.asarray(expected))
