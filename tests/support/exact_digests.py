"""Digests of what a decoder must reproduce bit by bit; also run as a process of its own."""

import hashlib
import sys
from pathlib import Path

import torch

from hsc.bitstream import unpack
from hsc.errors import BitstreamError
from hsc.generators.mobilestylegan.exact_features import ExactSynthesis
from hsc.generators.mobilestylegan.synthesis import Synthesis
from hsc.latent_codecs.feature_slices.model import FeatureCodec
from hsc.latent_codecs.gaussian import load_tables
from hsc.latent_codecs.styles_klt import SemanticCodec
from hsc.weights.loading import load_into, path_of

Layers = tuple[SemanticCodec, FeatureCodec, ExactSynthesis]


def digest(values: torch.Tensor) -> str:
    """SHA-256 of float64 values, little-endian."""
    return hashlib.sha256(values.cpu().numpy().astype("<f8").tobytes()).hexdigest()


def digests(
    data: bytes,
    scn: SemanticCodec,
    fcn: FeatureCodec,
    context: ExactSynthesis,
    only_scn: bool = False,
) -> dict[str, str | None]:
    """Of the decoded semantics and of the latent of the features, each with its fine styles."""
    container = unpack(data, allow_cut=only_scn)
    symbols = scn.read_symbols(container.scn, container.level)
    w_plus_hat = scn.dequantise(torch.from_numpy(symbols), container.level)
    fine_s = scn.fine_latent(symbols, container.level)
    found = {"w_plus_hat": digest(w_plus_hat), "fine_s": digest(fine_s.double())}
    if container.fcn is None or only_scn:
        return found | {"y_hat": None, "fine": None}
    semantics = context.feature(w_plus_hat)
    y_hat, fine = fcn.coder.decompress(container.fcn, semantics, container.level)
    return found | {"y_hat": digest(y_hat), "fine": digest(fine.double())}


def coders() -> Layers:
    """The two layers and the context of the second, with the weights that ship."""
    synthesis = load_into(Synthesis(), path_of("generator"), "synthesis.")
    fcn = load_into(FeatureCodec(), path_of("fcn"))
    scn = load_into(SemanticCodec(), path_of("scn"))
    tables = load_tables(path_of("entropy"))
    scn.update(tables)
    fcn.update(tables)
    return scn, fcn, ExactSynthesis(synthesis)


def answer(data: bytes, layers: Layers, only_scn: bool) -> dict:
    """What Python makes of a file, as ``web/test/answers.js`` says it: digests, or the refusal."""
    try:
        return digests(data, *layers, only_scn=only_scn)
    except BitstreamError as error:
        return {"refusal": str(error)}


if __name__ == "__main__":
    print(digests(Path(sys.argv[1]).read_bytes(), *coders()))
