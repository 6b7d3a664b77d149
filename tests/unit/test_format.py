"""docs/format.md is complete: a decoder written from that page alone reads the golden streams.

It uses NumPy and nothing of ``hsc``; sections are those of the page.
"""

import hashlib
import json
from binascii import crc_hqx
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from paths import STREAMS
from safetensors.numpy import load_file

WEIGHTS = Path(__file__).resolve().parents[2] / "assets" / "weights"
PASSES = [
    (0, 8, 0), (0, 8, 1), (8, 20, 0), (8, 20, 1), (20, 40, None), (40, 72, None), (72, 128, None),
]  # fmt: skip
Layer = tuple[np.ndarray, np.ndarray]


def unpack(data: bytes) -> tuple[float, bytes, bytes]:
    """Section 1."""
    assert data[:4] == b"HSC\1"
    sizes, at = [], 7
    for _ in range(2):
        size = shift = 0
        more = True
        while more:
            size, more = size | (data[at] & 127) << shift, data[at] > 127
            at, shift = at + 1, shift + 7
        sizes.append(size)
    a, b = (int.from_bytes(data[at + n : at + n + 2], "little") for n in (0, 2))
    scn, fcn = data[at + 4 : at + 4 + sizes[0]], data[at + 4 + sizes[0] :]
    assert crc_hqx(data[:at] + scn, 0xFFFF) == a and crc_hqx(fcn, a) == b
    return round(1 + data[6] / 50, 2), scn, fcn


def symbols(layer: bytes, indexes: list[int], tables: dict[str, np.ndarray]) -> Iterator[int]:
    """Section 3; ``indexes`` may grow while this runs."""
    cut = 8 - -len(layer) % 4
    layer = layer[:cut] + bytes(8 - cut) + layer[cut:] + bytes(64)
    x, words = int.from_bytes(layer[:8], "little"), iter(np.frombuffer(layer[8:], "<u4").tolist())

    def refilled(x: int) -> int:
        return x << 32 | next(words) if x < 2**31 else x

    for i in indexes:
        size, low = int(tables["sizes"][i]), x & 0xFFFF
        cdf = tables["cdfs"][i, :size].tolist()
        k = int(np.searchsorted(cdf, low, "right")) - 1
        x = refilled((cdf[k + 1] - cdf[k]) * (x >> 16) + low - cdf[k])
        if k == size - 2:
            count, v = 0, 15
            while v == 15:
                v, x = x & 15, refilled(x >> 4)
                count += v
            u = 0
            for j in range(count):
                u, x = u | (x & 15) << 4 * j, refilled(x >> 4)
            k = -(u >> 1) - 1 if u & 1 else k + (u >> 1)
        yield int(tables["offsets"][i]) + k


def snap(v: np.ndarray, bits: int = 10, limit: float = 2048) -> np.ndarray:
    """Section 4."""
    return np.floor(np.clip(v, -limit, limit) * 2.0**bits + 0.5) / 2.0**bits


def weight(array: np.ndarray) -> np.ndarray:
    return snap(array.astype(np.float64), 14, 16)


def gains(rows: np.ndarray, level: float) -> Layer:
    rows, a = rows.astype(np.float64), min(int(level), 5)
    g = snap(rows[a - 1] + (level - a) * (rows[a] - rows[a - 1]), 6)
    return g, snap(np.exp2(-g), 20)


def index(s: np.ndarray) -> np.ndarray:
    return np.clip(np.floor((s + 4) * 4 + 0.5), 0, 39).astype(int)


def shifted(x: np.ndarray) -> np.ndarray:
    """The nine neighbours of every position, (C, 9, H, W)."""
    h, w = x.shape[1:]
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    return np.stack([padded[:, r : r + h, c : c + w] for r in range(3) for c in range(3)], 1)


def conv(x: np.ndarray, tensors: dict[str, np.ndarray], name: str) -> np.ndarray:
    kernel, bias = (weight(tensors[f"{name}.{n}"]) for n in ("weight", "bias"))
    columns = shifted(x) if kernel.shape[-1] == 3 else x
    flat = kernel.reshape(len(kernel), -1) @ columns.reshape(kernel[0].size, -1)
    return flat.reshape(-1, *x.shape[1:]) + bias[:, None, None]


def style(t: dict[str, np.ndarray], name: str, w: np.ndarray) -> np.ndarray:
    affine = weight(t[f"{name}.affine.weight"]), weight(t[f"{name}.affine.bias"])
    return snap(affine[0] @ w + affine[1])[:, None, None]


def styled(x: np.ndarray, t: dict[str, np.ndarray], name: str, w: np.ndarray) -> np.ndarray:
    x = snap(x * style(t, f"{name}.modulation", w))
    if (depthwise := t.get(f"{name}.depthwise.weight")) is not None:
        x = snap((shifted(x) * weight(depthwise).reshape(-1, 9, 1, 1)).sum(1), 14)
    v = snap(conv(x, t, f"{name}.conv") + weight(t[f"{name}.noise"])[0], 16)
    return snap(np.where(v < 0, v * 0.2, v))


def haar(x: np.ndarray) -> np.ndarray:
    low, (a, b, d) = x[:128], (x[128 + n :: 3] for n in range(3))
    out = np.empty((128, 2 * x.shape[1], 2 * x.shape[2]))
    out[:, ::2, ::2], out[:, ::2, 1::2] = (low + a + b + d) / 2, (low + a - b - d) / 2
    out[:, 1::2, ::2], out[:, 1::2, 1::2] = (low - a + b - d) / 2, (low - a - b + d) / 2
    return out


def g_16(w: np.ndarray, t: dict[str, np.ndarray]) -> np.ndarray:
    """Section 6."""
    x = styled(snap(t["synthesis.const"][0].astype(np.float64)), t, "synthesis.conv1", w[0])
    for px, first in ((8, 1), (16, 4)):
        block = f"synthesis.blocks.{px}"
        x = snap(haar(snap(x * style(t, f"{block}.up", w[first]))))
        x = styled(x, t, f"{block}.conv1", w[first + 1])
        x = styled(x, t, f"{block}.conv2", w[first + 2])
    return x


def leaky(v: np.ndarray) -> np.ndarray:
    return snap(np.where(v < 0, v / 4, v))


def fine(t: dict[str, np.ndarray], level: float) -> Layer:
    """Tables and steps of fine styles."""
    gain, step = gains(t["fine.log2_gain"], level)
    return index(gain), step


def decode(data: bytes) -> tuple[np.ndarray, ...]:
    """w+, its fine styles, y_hat and its fine styles: sections 5 and 7."""
    level, scn, fcn = unpack(data)
    names = ("entropy", "scn", "fcn", "generator")
    tables, s, f, g = (load_file(WEIGHTS / f"{name}.safetensors") for name in names)
    gain, step = gains(s["log2_gain"], level)
    fine_tables, fine_step = fine(s, level)
    q = np.array(list(symbols(scn, [*index(gain), *fine_tables], tables)))
    y, fine_s = snap(q[:256] * step, 12), snap(q[256:] * fine_step, 12)
    w_plus = snap(weight(s["mean"]).ravel() + weight(s["g_s"]) @ y).reshape(23, 512)
    h = leaky(snap(conv(g_16(w_plus, g), f, "prior.context.conv1")))
    context = leaky(snap(conv(h, f, "prior.context.conv2")))
    base = min(level, 5)
    gain, step = (v[:, None, None] for v in gains(f["log2_gain"], base))
    indexes: list[int] = []
    stream = symbols(fcn, indexes, tables)
    y_hat, row = np.zeros((128, 16, 16)), np.arange(16)
    for p, (start, stop, parity) in enumerate(PASSES):
        cells = np.ones((16, 16), bool) if parity is None else (row[:, None] + row) % 2 == parity
        known = y_hat[: stop if parity == 1 else start]
        x = snap(np.concatenate([context, known, np.full((1, 16, 16), (base - 1) / 5)]))
        for name in ("conv1", "conv2"):
            x = leaky(snap(conv(x, f, f"prior.networks.{p}.{name}")))
        mean, log2_scale = np.split(snap(conv(x, f, f"prior.networks.{p}.conv3")), 2)
        new = index(log2_scale + gain[start:stop])[:, cells]
        indexes += new.ravel().tolist()
        q = np.array([next(stream) for _ in range(new.size)]).reshape(new.shape)
        y_hat[start:stop, cells] = snap(mean[:, cells] + q * step[start:stop, 0])
    if level > 5:
        gain, step = (v[:, None, None] for v in gains(f["enhancement.log2_gain"], level))
        x = snap(np.concatenate([context, y_hat, np.full((1, 16, 16), (level - 1) / 5)]))
        for name in ("conv1", "conv2"):
            x = leaky(snap(conv(x, f, f"enhancement.scales.{name}")))
        new = index(snap(conv(x, f, "enhancement.scales.conv3")) + gain)
        indexes += new.ravel().tolist()
        q = np.array([next(stream) for _ in range(new.size)]).reshape(new.shape)
        y_hat = np.concatenate([y_hat, snap(q * step)])
    fine_tables, fine_step = fine(f, level)
    indexes += fine_tables.tolist()
    q = np.array([next(stream) for _ in range(64)])
    return w_plus, fine_s, y_hat, snap(q * fine_step, 12)


@pytest.mark.parametrize("name", ["level1", "level2.7", "level5.5", "level6"])
def test_a_decoder_written_from_the_page_reads_golden_streams(name: str) -> None:
    found = decode((STREAMS / f"{name}.hsc").read_bytes())
    digests = [hashlib.sha256(v.astype("<f8").tobytes()).hexdigest() for v in found]
    assert digests == list(json.loads((STREAMS / "digests.json").read_text())[name].values())
