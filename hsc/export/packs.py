"""The weights of the receiver: the precision that a visitor loads, and the packs they travel in.

Weights of graphs are rounded to fewer bits than half precision has, which no eye tells (a test
holds pictures to 45 dB), because zeros compress. What decides symbols lies on the grid that its
exact arithmetic snaps it to anyway, and gives the same symbols.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save
from torch import Tensor

from hsc.numerics.exact import WEIGHT_BITS, WEIGHT_LIMIT, snap

CONTEXT = ("synthesis.const", "synthesis.conv1.", "synthesis.blocks.8.", "synthesis.blocks.16.")
"""Tensors of the generator that G_16(S^) is computed from."""
EXACT = (*CONTEXT[1:], "scn.g_s", "scn.mean", "fcn.prior.", "fcn.enhancement.scales.")
"""Tensors that exact arithmetic snaps before it uses them."""
MANTISSA_BITS = 7
"""Of the weights that only graphs use; half precision has 10."""
FEW = 2048
"""Tensors of fewer values are kept as they are."""
INSIDE = 1024
"""Bytes up to which a tensor stays inside its graph."""
ORDER = ("semantics", "features", "edits", "encoding")
"""Packs in the order in which a visitor needs them: for a face of SCN alone, for its feature map,
for edits, and for writing the edited face to a file."""


def stored(name: str, tensor: Tensor) -> Tensor:
    """A weight as the receiver has it, float32.

    Args:
        name: as in the receiver's packs; it tells which are part of exact arithmetic.
    """
    if name.startswith(EXACT):
        return snap(tensor.double(), WEIGHT_BITS, WEIGHT_LIMIT).float()
    if tensor.numel() < FEW:
        return tensor.float()
    mantissa, exponent = torch.frexp(tensor.float())
    scale = 2.0 ** (MANTISSA_BITS + 1)
    return torch.ldexp((mantissa * scale).round() / scale, exponent)


def smallest(tensor: Tensor) -> np.ndarray[Any, Any]:
    """In half precision where that changes no value, else as it is."""
    if tensor.dtype == torch.float32 and torch.equal(tensor.half().float(), tensor):
        tensor = tensor.half()
    array: np.ndarray[Any, Any] = tensor.contiguous().numpy()
    return array


def packed(data: bytes) -> bytes:
    """Even bytes, then odd bytes, in gzip: exponents compress well beside each other.

    A browser unpacks gzip itself, so the size depends on no host's settings. For weights, Huffman
    codes alone are shorter than with a search for repetitions; graphs do repeat themselves.
    """
    data += b"\0" * (len(data) % 2)
    planes = data[0::2] + data[1::2]
    return min((_gzip(planes, strategy) for strategy in STRATEGIES), key=len)


STRATEGIES = (zlib.Z_HUFFMAN_ONLY, zlib.Z_DEFAULT_STRATEGY)


def _gzip(data: bytes, strategy: int) -> bytes:
    gzip = zlib.compressobj(6, zlib.DEFLATED, 16 + zlib.MAX_WBITS, 9, strategy)
    return gzip.compress(data) + gzip.flush()


@dataclass
class Packs:
    """Tensors by pack and name; graphs that have the same tensor share it."""

    tensors: dict[str, dict[str, np.ndarray[Any, Any]]] = field(
        default_factory=lambda: {name: {} for name in ORDER}
    )
    _places: dict[tuple[str, bytes], tuple[str, str]] = field(default_factory=dict)

    def put(self, pack: str, name: str, array: np.ndarray[Any, Any]) -> tuple[str, str]:
        """A tensor under its own name."""
        self.tensors[pack][name] = array
        return self._places.setdefault((array.dtype.str, array.tobytes()), (pack, name))

    def share(self, pack: str, name: str, array: np.ndarray[Any, Any]) -> tuple[str, str]:
        """The pack and name of a tensor of this content; a new one where there is none."""
        found = self._places.get((array.dtype.str, array.tobytes()))
        return found or self.put(pack, name, array)

    def externalise(self, graphs: Mapping[str, tuple[str, bytes]]) -> dict[str, bytes]:
        """Take the weights out of ONNX files, and write the packs.

        Args:
            graphs: pack and bytes by name; the order of ``ORDER`` is theirs.

        Returns:
            Content of the files by name: the packs, and ``graphs`` with the ONNX files in it.
        """
        import onnx
        from onnx.external_data_helper import set_external_data

        models, places = {}, {}
        for name, (pack, data) in sorted(graphs.items(), key=lambda item: ORDER.index(item[1][0])):
            models[name] = onnx.load_from_string(data)
            for tensor in models[name].graph.initializer:
                array = onnx.numpy_helper.to_array(tensor)
                if array.nbytes > INSIDE:
                    places[name, tensor.name] = self.share(pack, f"{name}/{tensor.name}", array)
        files = {name: save(tensors) for name, tensors in self.tensors.items()}
        entries = {name: _entries(data) for name, data in files.items()}
        protos = {}
        for name, model in models.items():
            for tensor in model.graph.initializer:
                if place := places.get((name, tensor.name)):
                    offset, length = entries[place[0]][place[1]]
                    set_external_data(tensor, place[0], offset, length)
                    tensor.ClearField("raw_data")
            protos[name] = np.frombuffer(model.SerializeToString(), np.uint8)
        self.used = {
            name: [p for p in ORDER if any(k[0] == name and v[0] == p for k, v in places.items())]
            for name in models
        }
        return files | {"graphs": save(protos)}


def _entries(data: bytes) -> dict[str, tuple[int, int]]:
    """Offset and length of every tensor in the bytes of a safetensors file."""
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    return {
        name: (
            start + entry["data_offsets"][0],
            entry["data_offsets"][1] - entry["data_offsets"][0],
        )
        for name, entry in header.items()
    }


def write_packs(files: Mapping[str, bytes], out: Path) -> None:
    """One ``NAME.pack`` a file."""
    for name, data in files.items():
        (out / f"{name}.pack").write_bytes(packed(data))
