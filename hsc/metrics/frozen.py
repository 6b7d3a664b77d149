"""Loading a network whose weights never change."""

from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from hsc.errors import WeightsError

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "weights"
Network = TypeVar("Network", bound=nn.Module)


def load_frozen(network: Network, path: str | Path) -> Network:
    """Fill ``network`` from a safetensors file, in evaluation mode and without gradients.

    The file holds half precision; the network stays in float32.

    Raises:
        WeightsError: the file is missing, is not safetensors or belongs to another network.
    """
    path = Path(path)
    if not path.is_file():
        raise WeightsError(
            f"expected the weights of {type(network).__name__} at {path}, found no file: "
            "run the importer that writes it."
        )
    try:
        network.load_state_dict(load_file(path))
    except (SafetensorError, RuntimeError) as error:
        raise WeightsError(
            f"expected the weights of {type(network).__name__} in {path}, found something else: "
            "run the importer that writes it again."
        ) from error
    return network.eval().requires_grad_(False)
