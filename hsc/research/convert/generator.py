"""The generator's weight file: mapping and synthesis in one."""

from pathlib import Path

from torch import Tensor

from hsc.research.convert.random_face import read_mapping, read_synthesis
from hsc.weights.loading import ASSETS
from hsc.weights.packages import Package, Recipe, the_file

RANDOM_FACE = Package(
    "pypi",
    "random-face",
    "2021.7.21.1",
    "e5d10e2be7df63f06123855ec591ca35dcb1d059eba47ddcb175d7d26b4019b5",
    "Apache-2.0",
)
MAPPING, SYNTHESIS = "mapping.", "synthesis."


def read_generator(folder: Path) -> dict[str, Tensor]:
    """State dicts of :class:`Mapping` and :class:`Synthesis`, each under its prefix."""
    data = the_file(folder, "SynthesisNetwork.xml").parent
    state = {MAPPING + name: value for name, value in read_mapping(data).items()}
    return state | {SYNTHESIS + name: value for name, value in read_synthesis(data).items()}


GENERATOR = Recipe(
    "generator.safetensors",
    ASSETS,
    (RANDOM_FACE,),
    read_generator,
    # Every latent is an offset from it.
    keep=(MAPPING + "w_mean",),
)
