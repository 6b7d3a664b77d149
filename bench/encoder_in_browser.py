"""What the encoder would cost in a browser: megabytes to load, seconds of WASM, and what it loses.

    python bench/encoder_in_browser.py [--rounds 3] [--modules web/node_modules]

Writes GIE with its feedback (the generator up to 128 px, and the face recogniser that it asks) as
one ONNX graph with the stored weights of the receiver, and runs it in Node by onnxruntime-web, in
WASM of one thread, on an aligned picture of 512 px. Prints the weights beyond those that the
receiver has already, seconds, and how near pictures of its latents are to those of Python's.
Finding and aligning the face is not in it. Needs Node.js with npm, and the package onnx.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import save
from torch import Tensor, nn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from hsc.export.graphs import OPSET, with_stored_weights  # noqa: E402
from hsc.export.packs import packed, smallest, stored  # noqa: E402
from hsc.images.tensors import to_tensor  # noqa: E402
from hsc.inversion import encoder  # noqa: E402
from hsc.inversion.self_renderer import SelfRenderer  # noqa: E402
from hsc.networks import Networks, load_networks  # noqa: E402

FACE = ROOT / "assets" / "examples" / "face-1" / "crop.webp"
NODE = """
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { readFileSync, writeFileSync } from "node:fs";
const [modules, folder, rounds] = process.argv.slice(2);
const path = createRequire(modules + "/").resolve("onnxruntime-web");
const loaded = await import(pathToFileURL(path));
const ort = loaded.default ?? loaded;
ort.env.wasm.numThreads = 1;
const file = readFileSync(folder + "/picture.bin");
const pixels = new Float32Array(file.buffer, file.byteOffset, file.length / 4);
const seconds = [];
let began = performance.now();
const session = await ort.InferenceSession.create(readFileSync(folder + "/encoder.onnx"));
const started = (performance.now() - began) / 1000;
let found;
for (let i = 0; i <= rounds; i++) {
  began = performance.now();
  found = await session.run({ picture: new ort.Tensor("float32", pixels, [1, 3, 512, 512]) });
  seconds.push((performance.now() - began) / 1000);
}
for (const name of ["w_plus", "feature"]) {
  writeFileSync(`${folder}/${name}.bin`, new Uint8Array(found[name].data.buffer));
}
const [first, ...later] = seconds;
later.sort((a, b) => a - b);
const memory = process.memoryUsage().rss / 1e6;
console.log(JSON.stringify({ started, first, later: later[Math.floor(later.length / 2)], memory }));
"""


def pooled(pyramid: list[Tensor]) -> Tensor:
    """As ``hsc.inversion.encoder.pool``; ONNX pools to equal cells only, so by matrices."""
    return torch.cat([_averaged(p).flatten(1) for p in pyramid[1:]], 1)


def _averaged(x: Tensor) -> Tensor:
    px = int(x.shape[-1])
    cells = torch.zeros(3, px)
    for i in range(3):
        low, high = i * px // 3, -(-(i + 1) * px // 3)
        cells[i, low:high] = 1 / (high - low)
    return cells @ x @ cells.T


class Encode(nn.Module):
    """An aligned picture (1, 3, 512, 512) in [-1, 1] -> S (1, 23, 512) and F (1, 512, 32, 32)."""

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        renderer = networks.self_renderer
        assert networks.encoder is not None and renderer is not None
        self.encoder, self.synthesis = networks.encoder, networks.generator
        self.exit128, self.identity = renderer.exit128, renderer.identity

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        renderer = SelfRenderer(self.exit128, self.identity)
        found = self.encoder(picture, self.synthesis, renderer)
        return found.w_plus, found.feature


def megabytes(network: Encode) -> float:
    """Of the weights that the receiver does not have, as a pack of its own would hold them."""
    own = nn.ModuleList([network.encoder, network.exit128, *filter(None, [network.identity])])
    tensors = {n: smallest(stored(n, t.detach())) for n, t in own.state_dict().items()}
    return len(packed(save(tensors))) / 1e6


def installed(folder: Path) -> Path:
    """What web/package-lock.json pins."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "web" / name, folder)
    command = ["npm", "ci", "--ignore-scripts", "--no-audit"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder / "node_modules"


def psnr(a: Tensor, b: Tensor) -> float:
    """Of pictures in [-1, 1], dB."""
    return float(10 * torch.log10(4 / (a.clamp(-1, 1) - b.clamp(-1, 1)).square().mean()))


@torch.no_grad()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--modules", type=Path, help="an installed node_modules; else npm ci")
    arguments = parser.parse_args()
    networks = load_networks(torch.device("cpu"), None, "reference")
    network = Encode(networks).eval()
    with Image.open(FACE) as image:
        small = image.convert("RGB").resize((512, 512), Image.Resampling.LANCZOS)
    picture = to_tensor(small, torch.device("cpu"))
    w_plus, feature = network(picture)
    encoder.pool = pooled
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        torch.onnx.export(
            with_stored_weights(network), (picture,), folder / "encoder.onnx",
            input_names=["picture"], output_names=["w_plus", "feature"], opset_version=OPSET,
            do_constant_folding=False, dynamo=False,
        )  # fmt: skip
        (folder / "picture.bin").write_bytes(picture.numpy().tobytes())
        (folder / "run.mjs").write_text(NODE)
        modules = (arguments.modules or installed(folder)).resolve()
        done = subprocess.run(
            ["node", folder / "run.mjs", modules, folder, str(arguments.rounds)],
            capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(done.stderr)
        found = json.loads(done.stdout.splitlines()[-1])
        graph = (folder / "encoder.onnx").stat().st_size / 1e6

        def read(name: str, like: Tensor) -> Tensor:
            values = np.fromfile(folder / f"{name}.bin", np.float32)
            return torch.from_numpy(values).reshape(like.shape)

        own = networks.renderer.image(read("feature", feature), read("w_plus", w_plus))
    wanted = networks.renderer.image(feature, w_plus)
    seen = to_tensor(small.resize(tuple(own.shape[-2:][::-1])), torch.device("cpu"))
    print(f"weights beyond the receiver's: {megabytes(network):.1f} MB; whole graph {graph:.0f} MB")
    print(
        f"started in {found['started']:.1f} s, first picture {found['first']:.2f} s, later ones "
        f"{found['later']:.2f} s (median of {arguments.rounds}), {found['memory']:.0f} MB of memory"
    )
    print(
        f"pictures of its latents are {psnr(own, wanted):.1f} dB from those of Python's; from the "
        f"photograph {psnr(own, seen):.2f} dB, Python's {psnr(wanted, seen):.2f} dB"
    )
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
