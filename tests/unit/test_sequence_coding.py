"""Frames given the one before, and clips frame by frame, on a tiny random model."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from paths import ROOT
from PIL import Image
from tiny_model import SPEC, Latents, TinyCodec, tiny_networks

from hsc.bitstream.rans import encode_symbols
from hsc.config import SHIPPED
from hsc.domains.ffhq_face import Face
from hsc.domains.ffhq_face.align import face_square
from hsc.domains.ffhq_face.search import MEAN_SHAPE
from hsc.editing.motion import warp
from hsc.errors import BitstreamError, HscError, NoFaceError
from hsc.latent_codecs.feature_slices.places import place_weights
from hsc.sequence import decoding, encoding
from hsc.sequence.container import Header, SequenceFile, pack, unpack
from hsc.sequence.decoding import Between, Lasting, decode_frames
from hsc.sequence.encoding import encode_frames
from hsc.sequence.quantise import choose, table_bits
from hsc.sequence.rates import PILOT
from hsc.sequence.temporal import LOOKED_AT, Expected, State, TemporalCodec
from hsc.sequence.track import REACH, Follower, placed
from hsc.types import DecodedLatents

NETWORKS = tiny_networks()
SIZE = (96, 80)


Coded = tuple[tuple[bytes, ...], State]


def coded(level: float, times: list[float], price: float = 0) -> list[Coded]:
    """The moving face at some times: a key frame, then predicted ones, rounded unless priced."""
    codec, latents = TemporalCodec(NETWORKS, level, price), Latents(NETWORKS)
    found = [codec.encode_key(latents(times[0]))]
    for time in times[1:]:
        found.append(codec.encode(latents(time), found[-1][1]))
    return found


def moving(count: int, still_from: int = 1000) -> Iterator[Image.Image]:
    """Pictures of a bright square that moves over a ramp."""
    columns, rows = np.meshgrid(np.arange(SIZE[0]), np.arange(SIZE[1]))
    for number in range(count):
        pixels = np.stack([columns * 2, rows * 2, columns + rows], -1).astype(np.uint8)
        left = 20 + 2 * min(number, still_from)
        pixels[30:50, left : left + 20] = 250
        yield Image.fromarray(pixels)


def file_of(codec: TinyCodec, count: int = 12, level: float = 2) -> bytes:
    """A sequence of the moving square, a key frame every 0.5 s."""
    encoded = encode_frames(codec, moving(count), level, fps=10, key_seconds=0.5)
    frames = tuple(each.frame for each in encoded)
    return pack(Header(codec.model_id, level, 10, 3, *SIZE, count), frames)


@pytest.mark.parametrize("level", [1, 2.3, 6])
def test_the_decoder_finds_what_the_encoder_left(level: float) -> None:
    codec, state = TemporalCodec(NETWORKS, level), None
    for layers, left in coded(level, [0, 0.5, 1, 1, 4]):
        state = codec.decode(layers, state)
        assert torch.equal(state.symbols, left.symbols)
        assert torch.equal(state.y_hat, left.y_hat)
        assert torch.equal(state.latents.feature, left.latents.feature)
        assert torch.equal(state.latents.w_plus, left.latents.w_plus)


def test_errors_do_not_add_up() -> None:
    """The tenth predicted frame's latent is within half a step."""
    codec, latents = TemporalCodec(NETWORKS, 4), Latents(NETWORKS)
    times = [0.3 * number for number in range(11)]
    _, last = coded(4, times)[-1]
    feature_s = last.latents.feature_s
    y = NETWORKS.fcn.base_latent(latents(times[-1]).feature, feature_s, 4)[0]
    assert float(((y - last.y_hat) * codec.gain).abs().max()) <= 0.5 + 1e-3


def test_a_face_at_rest_costs_nothing_and_stays_as_it_is() -> None:
    times = [0, 3, 3, 3, 3]
    frames = coded(2, times)
    assert [layers for layers, _ in frames[3:]] == [(b"",), (b"",)]
    assert torch.equal(frames[2][1].latents.feature, frames[4][1].latents.feature)


def test_latents_do_not_depend_on_features() -> None:
    """What a device computes a little differently changes no symbol and no latent."""
    frames = coded(3, [0, 0.5, 1, 1.5])
    codec = TemporalCodec(NETWORKS, 3)
    rough = codec.decode(frames[0][0], None)
    for layers, left in frames[1:]:
        latents = replace(rough.latents, feature=rough.latents.feature + 1e-3)
        rough = codec.decode(layers, replace(rough, latents=latents))
        assert torch.equal(rough.symbols, left.symbols)
        assert torch.equal(rough.y_hat, left.y_hat)


def test_another_process_reads_the_same_frames() -> None:
    frames = coded(2, [0, 1, 2, 2.5])
    program = """
import hashlib, sys, torch
from tiny_model import tiny_networks
from hsc.sequence.temporal import TemporalCodec
torch.set_num_threads(2)
codec, state = TemporalCodec(tiny_networks(), 2), None
for line in sys.stdin.read().split(";"):
    state = codec.decode(tuple(bytes.fromhex(word) for word in line.split(",")), state)
print(hashlib.sha256(state.symbols.numpy().tobytes()
                     + state.y_hat.numpy().tobytes()).hexdigest())
"""
    words = ";".join(",".join(layer.hex() for layer in layers) for layers, _ in frames)
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=words,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'support'}", "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    last = frames[-1][1]
    own = last.symbols.numpy().tobytes() + last.y_hat.numpy().tobytes()
    assert done.stdout.strip() == hashlib.sha256(own).hexdigest()


def test_hostile_layers_are_refused_or_read() -> None:
    codec = TemporalCodec(NETWORKS, 2)
    frames = coded(2, [0, 2])
    before = codec.decode(frames[0][0], None)
    random = np.random.default_rng(0)
    for size in (1, 2, 5, 9, 60):
        for first in (0, 15, 31, 32, 255):
            layer = bytes([first]) + random.bytes(size - 1)
            try:
                after = codec.decode((layer,), before)
            except BitstreamError:
                continue
            assert first < 32 and after.symbols.abs().max() <= 2**15
    with pytest.raises(BitstreamError, match="key frame"):
        codec.decode(frames[1][0], None)


def test_what_s_takes_of_a_frame_is_told() -> None:
    codec = TemporalCodec(NETWORKS, 3)
    (key, _), (moved, _), (rest, _) = coded(3, [0, 2, 2])[:3]
    assert codec.scn_bits(key) == 8 * len(key[0]) and codec.scn_bits(rest) == 0
    assert 0 < codec.scn_bits(moved) < 8 * len(moved[0])


def test_tables_follow_the_magnitude() -> None:
    expected = Expected(NETWORKS.tables)
    wide = np.arange(40)[8:]  # the means of the narrowest are nearly zero, and equal
    assert (expected.index(expected.means, 0)[8:] == wide).all()
    assert (expected.index(expected.means, 4)[8:] == np.minimum(wide + 4, 39)).all()


FLAT = np.tile(np.where(np.arange(65) > 0, 3.0, 0.0), (1, 1))
"""A table by which every change takes three bits."""


def chosen(*ahead: list[float], price: float = 0.1) -> list[int]:
    given = np.array(ahead)
    index = np.zeros(given.shape[1], np.int64)
    return choose(given, index, FLAT, price).tolist()


def test_small_differences_are_left() -> None:
    given = [0.0, 0.6, -0.6, 0.7, -0.7, 1.4, 1.6, -2.6]
    assert chosen(given) == [0, 0, 0, 1, -1, 1, 2, -3]
    assert chosen(given, price=0) == [0, 1, -1, 1, -1, 1, 2, -3]
    assert chosen(given, price=9) == [0] * 8


def test_eyes_and_mouth_are_worth_more() -> None:
    """In a domain of aligned faces; elsewhere all places are alike."""
    given, prices = np.array([[0.8, 0.8]]), np.array([1.0, 1 / 6])
    assert choose(given, np.zeros(2, np.int64), FLAT, 0.25 * prices).tolist() == [0, 1]
    weights = place_weights(SHIPPED, LOOKED_AT)
    assert (weights[7, 6], weights[11, 7], weights[2, 2]) == (3, 6, 1)
    assert (weights == weights[:, ::-1]).all()
    assert (place_weights(NETWORKS.config, LOOKED_AT) == 1).all()


def test_what_goes_back_is_left_and_what_stays_is_coded() -> None:
    now = [0.9, 0.6, 0.7, -1.2]
    after = [0.0, 0.8, -0.2, -0.1]
    assert chosen(now) == [1, 0, 1, -1]
    assert chosen(now, after, price=0.2) == [0, 1, 0, -1]


def test_the_bits_of_a_table_are_those_of_its_coder() -> None:
    """A thousand symbols of one table take as many bytes as was said."""
    bits = table_bits(NETWORKS.tables)
    for table, magnitude in ((10, 0), (10, 1), (20, 2), (30, 5), (4, 60)):
        symbols = np.full(1000, magnitude)
        layer = encode_symbols(symbols, np.full(1000, table), NETWORKS.tables)
        assert 8 * len(layer) == pytest.approx(1000 * bits[table, magnitude], rel=0.25, abs=80)


@pytest.mark.parametrize("price", [0.1, 1.0])
def test_a_higher_price_takes_fewer_bytes_and_no_frame_drifts(price: float) -> None:
    """Thirty frames by closed loop: the last ones are no farther from what they show."""
    times = [0.2 * number for number in range(31)]
    latents = Latents(NETWORKS)
    codec = TemporalCodec(NETWORKS, 3)
    rounded, priced = coded(3, times), coded(3, times, price)

    def sizes(frames: list[Coded]) -> int:
        return sum(len(layers[0]) for layers, _ in frames[1:])

    assert sizes(priced) < sizes(rounded)
    lost = [codec.lost(latents(time), state) for time, (_, state) in zip(times, priced)]
    assert np.mean(lost[21:]) < 1.2 * np.mean(lost[6:16])


def test_a_clip_comes_back_frame_by_frame() -> None:
    codec = TinyCodec()
    encoded = list(encode_frames(codec, moving(12), level=6, fps=10, key_seconds=0.5))
    assert [each.frame.key for each in encoded] == [n % 5 == 0 for n in range(12)]
    shown = list(decode_frames(codec, file_of(codec, level=6)))
    assert len(shown) == 36
    assert [(each.number, round(each.part * 3)) for each in shown] == [
        (n, slot) for n in range(12) for slot in range(3)
    ]
    assert not any(each.lost for each in shown)
    plain = list(decode_frames(codec, file_of(codec, level=6), between=False))
    assert [each.picture.tobytes() for each in plain] == [
        each.picture.tobytes() for each in shown[::3]
    ]


def test_a_clip_takes_at_most_the_rate_that_is_asked_for() -> None:
    """And less of a lower rate."""
    sizes = {}
    count = PILOT + 4  # more than those that choose the level
    for kbits in (9.0, 10.5):
        encoded = list(encode_frames(TinyCodec(), moving(count), kbits=kbits, fps=10))
        level = encoded[0].level
        header = Header(0x1234, level, 10, 3, *SIZE, count)
        sizes[kbits] = len(pack(header, tuple(each.frame for each in encoded)))
        assert sizes[kbits] <= kbits * 1000 / 8 * count / 10
    assert sizes[9.0] < sizes[10.5]


def test_what_a_rate_gives_is_what_a_decoder_finds() -> None:
    """Frames come in groups, each from a key frame to the next."""
    encoded = list(encode_frames(TinyCodec(), moving(8), kbits=50, fps=10, key_seconds=0.5))
    assert [each.frame.key for each in encoded] == [n % 5 == 0 for n in range(8)]
    codec, state = TemporalCodec(NETWORKS, encoded[0].level), None
    for each in encoded:
        state = codec.decode(each.frame.layers, state)
        assert torch.equal(state.latents.feature, each.latents.feature)


def test_no_rate_is_too_low_without_being_told() -> None:
    with pytest.raises(HscError, match="at least 2 kbit/s"):
        next(encode_frames(TinyCodec(), moving(2), kbits=1))


def test_a_clip_is_cut_into_equal_parts() -> None:
    assert encoding.key_seconds_of(12, 10) == 1.4
    assert encoding.key_seconds_of(62, 10) == 3.3
    assert encoding.key_seconds_of(0, 10) == encoding.KEY_SECONDS


def test_frames_between_follow_the_motion() -> None:
    """Half way, a pattern that moves is nearer to its true place than the mean of both."""
    codec = TinyCodec()
    columns, rows = torch.meshgrid(torch.arange(16.0), torch.arange(16.0), indexing="xy")

    def at(x: float) -> DecodedLatents:
        planes = [torch.sin((columns - x) / (1 + n / 4) + rows / 3) for n in range(8)]
        feature = torch.stack(planes)[None]
        return DecodedLatents(torch.zeros(1, *SPEC.w_plus_shape), feature, feature, "scn+fcn")

    a, middle, b = at(0), at(0.75), at(1.5)
    between = Between(codec, a, b)
    assert not between.cut
    inner = (..., slice(3, -3), slice(3, -3))
    moved = (between.at(0.5).feature - middle.feature)[inner].square().mean()
    mean = ((a.feature + b.feature) / 2 - middle.feature)[inner].square().mean()
    assert moved < 0.5 * mean
    assert Between(codec, a, replace(b, feature=b.feature + 3)).cut


def test_where_motion_explains_nothing_the_nearer_frame_is_shown() -> None:
    codec = TinyCodec()
    random = torch.Generator().manual_seed(0)
    a, b = (
        DecodedLatents(torch.zeros(1, *SPEC.w_plus_shape), feature, feature, "scn+fcn")
        for feature in 0.6 * torch.randn(2, 1, 8, 16, 16, generator=random)
    )
    between = Between(codec, a, b)
    unexplained = (between.believed == 0).expand_as(a.feature)
    assert not between.cut and unexplained.float().mean() > 0.9
    near_a, near_b = warp(a.feature, between.to_b / 3), warp(b.feature, between.to_a / 3)
    for part, nearer in ((1 / 3, near_a), (2 / 3, near_b)):
        apart = between.at(part).feature - nearer
        assert apart[unexplained].abs().max() < 1e-5


def test_what_lasts_is_the_mean_of_the_detail() -> None:
    detail = torch.full((1, 8, 16, 16), 0.2)
    lasting = Lasting(torch.ones(8))
    seen = []
    for passing in (0.0, 0.2, -0.2, 0.0):
        feature_s = torch.ones_like(detail)
        latents = DecodedLatents(torch.zeros(1), feature_s, feature_s + detail + passing, "scn+fcn")
        found = lasting.of(latents).lasting
        assert found is not None
        seen.append(float(found.mean()))
    assert seen == pytest.approx([0.2, 0.3, 0.2, 0.2])
    far = DecodedLatents(torch.zeros(1), detail, detail + 5, "scn+fcn")  # another scene
    after = lasting.of(far).lasting
    assert after is not None and float(after.mean()) == pytest.approx(5)


def test_memory_holds_a_few_frames_only() -> None:
    """The encoder never reads far ahead of what it has given."""
    read = 0

    def counted() -> Iterator[Image.Image]:
        nonlocal read
        for image in moving(40):
            read += 1
            yield image

    for given, _ in enumerate(encode_frames(TinyCodec(), counted(), fps=10), 1):
        assert read <= given + REACH + 1


def test_any_key_frame_is_a_beginning() -> None:
    codec = TinyCodec()
    file = unpack(file_of(codec))
    late = SequenceFile(file.header, file.frames[5:], file.sizes[5:])
    whole = list(decode_frames(codec, file))
    shown = list(decode_frames(codec, late))
    assert len(shown) == len(whole) == 36
    assert all(each.lost for each in shown[:15])
    for a, b in zip(shown[15:], whole[15:]):
        assert a.picture.tobytes() == b.picture.tobytes()


def test_a_lost_frame_shows_the_last_good_one_until_the_next_key_frame() -> None:
    codec = TinyCodec()
    data = bytearray(file_of(codec))
    sizes = unpack(bytes(data)).sizes
    data[19 + sum(sizes[:7]) + 6] ^= 1
    whole = list(decode_frames(codec, file_of(codec)))
    shown = list(decode_frames(codec, bytes(data)))
    assert len(shown) == 36
    assert [each.lost for each in shown] == [7 <= each.number < 10 for each in shown]
    for a, b in zip(shown, whole):
        if a.lost:
            assert a.picture.tobytes() == whole[18].picture.tobytes()
        elif a.number != 6:
            assert a.picture.tobytes() == b.picture.tobytes()


def test_a_cut_becomes_a_key_frame() -> None:
    def cut() -> Iterator[Image.Image]:
        yield from moving(4)
        for _ in range(4):
            noise = np.random.default_rng(3).integers(0, 255, (SIZE[1], SIZE[0], 3))
            yield Image.fromarray(noise.astype(np.uint8))

    keys = [
        each.frame.number
        for each in encode_frames(TinyCodec(), cut(), level=5, fps=10)
        if each.frame.key
    ]
    assert keys[0] == 0
    assert len(keys) <= 2


def test_edits_are_held_back_alike_in_every_frame() -> None:
    codec = TinyCodec()
    list(decode_frames(codec, file_of(codec, 3), {"smile": 1.0}, between=False))
    assert codec.drawn == [{"smile": 0.5}] * 3


def test_a_file_of_another_model_is_refused() -> None:
    codec = TinyCodec()
    data = file_of(codec, 2)
    codec.model_id = 1
    with pytest.raises(BitstreamError, match="model 1234"):
        next(decode_frames(codec, data))


def test_a_face_is_put_back_where_it_was() -> None:
    codec = TinyCodec()
    shown = next(decode_frames(codec, file_of(codec, 2)))
    canvas = decoding.put_back(shown, SIZE)
    assert canvas.size == SIZE
    square = shown.place.square
    assert canvas.getpixel((1, 40)) == (128, 128, 128)  # the centre crop leaves the sides
    assert square.side == pytest.approx(80, abs=0.5)
    inside = canvas.getpixel((int(square.x), 20))
    assert inside != (128, 128, 128)


class Jittery:
    """A domain whose subject of 300 px stands still and is found a pixel or two beside it."""

    noun = "face"

    def __init__(self, blind: range = range(0)) -> None:
        self.blind, self.seen, self.random = blind, 0, np.random.default_rng(0)

    def find(self, image: Image.Image) -> list[tuple[float, ...]]:
        """A box, unless the frame is one of those without a face."""
        self.seen += 1
        if self.seen - 1 in self.blind:
            return []
        x, y = 200 + self.random.normal(0, 2, 2)
        return [(x - 150, y - 150, x + 150, y + 150)]


def squares(blind: range = range(0), count: int = 40) -> list[tuple[float, float]]:
    follower = Follower("centre_crop")
    follower.domain = Jittery(blind)  # type: ignore[assignment]
    image = Image.new("RGB", (400, 400))
    return [(place.square.x, place.square.y) for _, place in placed([image] * count, follower)]


def test_a_crop_does_not_shake() -> None:
    steady = np.diff(np.array(squares())[REACH:-REACH], axis=0).std()
    assert steady < 0.4 * 2 * 2**0.5  # of two neighbouring finds


def test_a_head_that_moves_stays_in_its_place() -> None:
    """It nods twice a second by a tenth of the crop, at 10 frames a second."""
    follower = Follower("centre_crop")
    nods = iter(200 + 30 * np.sin(2 * np.pi * 0.2 * np.arange(40)))
    boxes = ([(50, y - 150, 350, y + 150)] for y in nods)
    follower.domain = SimpleNamespace(noun="face", find=lambda image: next(boxes))  # type: ignore[assignment]
    image = Image.new("RGB", (400, 400))
    found = [place.square.y for _, place in placed([image] * 40, follower)]
    apart = found - (200 + 30 * np.sin(2 * np.pi * 0.2 * np.arange(40)))
    assert np.abs(apart).max() < 0.02 * 300


def test_a_frame_without_a_face_keeps_its_place() -> None:
    found = squares(range(10, 20))
    assert len(found) == 40
    assert np.ptp([x for x, _ in found]) < 12


def test_a_clip_without_a_face_is_refused() -> None:
    with pytest.raises(NoFaceError, match="begins with a face"):
        squares(range(100))


def test_landmarks_that_jump_are_not_believed(monkeypatch) -> None:
    """The detector looks again where the followed face would have grown by a fifth."""
    follower, blank = Follower("ffhq_face"), Image.new("RGB", (200, 200))
    faces = [Face((60, 60, 140, 140), MEAN_SHAPE * 30 + (100 + x, 100)) for x in (0, 40)]
    found = iter(faces)
    detector = SimpleNamespace(noun="face", turns=(), find=lambda image: [next(found)])
    monkeypatch.setattr(follower, "domain", detector)
    first = follower.square(blank)
    near = MEAN_SHAPE * 30.5 + (102, 100)
    monkeypatch.setattr("hsc.sequence.track.landmarks_in", lambda image, box: near)
    followed = follower.square(blank)
    monkeypatch.setattr(
        "hsc.sequence.track.landmarks_in", lambda image, box: MEAN_SHAPE * 36 + (102, 100)
    )
    again = follower.square(blank)
    assert first is not None and followed is not None and again is not None
    assert followed.x == pytest.approx(first.x + 2, abs=0.5)
    assert again == face_square(faces[1])
