"""Prints what a decoder meets in a file, step by step, to check another implementation by:

    python tests/golden/trace.py tests/golden/streams/level1.hsc

The document that explains it is docs/format.md.
"""

import sys
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent / "support")]

from exact_digests import coders, digests  # noqa: E402

from hsc.bitstream import unpack  # noqa: E402
from hsc.bitstream.fields import fields  # noqa: E402
from hsc.bitstream.text import to_text  # noqa: E402
from hsc.latent_codecs.feature_slices.prior import Pass  # noqa: E402

SHOWN = 6
"""How many values of each kind."""


def main(data: bytes) -> None:
    for field in fields(data):
        start = field.data[:SHOWN].hex(" ") + (" ..." if len(field.data) > SHOWN else "")
        print(f"{field.start:4}  {start:28}{field.name}: {field.value}")
    print("text:", to_text(data)[:32], "...")
    scn, fcn, exact = coders()
    container = unpack(data)
    level = container.level
    row("SCN tables", scn.scale_indexes(level))
    row("SCN symbols", scn.read_symbols(container.scn, level))
    w_plus_hat = scn.decompress(container.scn, level)  # (1, 23, 512)
    row("w+^ of style 0", w_plus_hat[0, 0])
    context = exact.feature(w_plus_hat)  # (1, 512, 16, 16)
    row("G_16 of channel 0", context[0, 0].flatten())
    y_hat, _ = fcn.coder.decompress(container.fcn or b"", context, level)  # (1, 128 or 256, 16, 16)

    def show(
        now: Pass, mean: torch.Tensor, gain: torch.Tensor, tables: torch.Tensor
    ) -> torch.Tensor:
        symbols = torch.round((now.of(y_hat) - mean) * gain).long()
        if now.channels.start == 0:
            row(f"tables of channel 0, parity {now.parity}", tables[0, 0])
            row(f"symbols of channel 0, parity {now.parity}", symbols[0, 0])
        return symbols

    fcn.coder.walk(context, level, show)
    row("y^ of channel 0", y_hat[0, 0].flatten())
    for name, digest in digests(data, scn, fcn, exact).items():
        print(f"SHA-256 of {name}, float64 little-endian: {digest}")


def row(name: str, values: object) -> None:
    print(f"{name}:", *torch.as_tensor(values)[:SHOWN].tolist())


if __name__ == "__main__":
    main(Path(sys.argv[1]).read_bytes())
