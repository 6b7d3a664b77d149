"""Download weights that are not in the repository from the Hugging Face Hub.

A Space may be pushed without its large files. It then carries ``assets/weights.json``, which names
the repository, one commit of it, and the SHA-256 of every file. What is missing is looked for in
the local cache first and fetched only when it is not there; it is used only when its hash is right.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from hsc.errors import WeightsError
from hsc.weights.model_id import ASSETS, file_hash

MANIFEST = ASSETS.parent / "weights.json"
LOCAL = "from the folder assets/weights"


@dataclass(frozen=True)
class Manifest:
    """The contents of ``weights.json``.

    Attributes:
        repo, revision: on the Hub; the revision is a full commit.
        files: name -> SHA-256.
    """

    repo: str
    revision: str
    files: dict[str, str]

    @classmethod
    def read(cls, path: Path) -> "Manifest":
        """Raises WeightsError when the file is something else."""
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            repo, revision, files = str(said["repo"]), str(said["revision"]), dict(said["files"])
        except (ValueError, KeyError, TypeError) as error:
            raise WeightsError(
                f"expected repo, revision and files in {path.name}, found something else: "
                "make it again with tools/space.py."
            ) from error
        if len(revision) != 40 or set(revision) - set("0123456789abcdef"):
            raise WeightsError(
                f"expected a full commit as the revision in {path.name}, got {revision!r}: only a "
                "commit cannot change under its name."
            )
        return cls(repo, revision, files)


def provide(manifest: Path = MANIFEST, folder: Path = ASSETS) -> str:
    """Add missing files to the weights folder.

    Returns:
        A description of the source of the weights.

    Raises:
        WeightsError: a file cannot be had, or is not the one that was pinned.
    """
    if not manifest.is_file():
        return LOCAL
    wanted = Manifest.read(manifest)
    missing = [name for name in wanted.files if not (folder / name).is_file()]
    for name in missing:
        path = _fetched(wanted, name)
        if file_hash(path) != wanted.files[name]:
            raise WeightsError(
                f"expected the pinned contents of {name}, {wanted.repo} has others at that "
                "commit: delete the cached file and start again."
            )
        folder.mkdir(parents=True, exist_ok=True)
        _place(path, folder / name)
    return f"from {wanted.repo} at {wanted.revision[:8]} on the Hugging Face Hub, hashes checked"


def _fetched(wanted: Manifest, name: str) -> Path:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import (
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RemoteEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    def fetch(local_only: bool) -> Path:
        path = hf_hub_download(
            repo_id=wanted.repo,
            filename=name,
            revision=wanted.revision,
            local_files_only=local_only,
        )
        return Path(path)

    try:
        return fetch(local_only=True)
    except LocalEntryNotFoundError:
        pass  # not in the cache yet
    try:
        return fetch(local_only=False)
    except (RepositoryNotFoundError, RevisionNotFoundError, RemoteEntryNotFoundError) as error:
        lacks = {
            RepositoryNotFoundError: f"no {wanted.repo} that one may read",
            RevisionNotFoundError: f"no commit {wanted.revision[:8]} in {wanted.repo}",
        }.get(type(error), f"no {name} in {wanted.repo} at {wanted.revision[:8]}")
        raise WeightsError(
            f"expected the Hub to have what assets/weights.json names, there is {lacks}: lay out "
            "the Space again, naming a commit that has these weights."
        ) from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise WeightsError(
            f"expected to fetch {name} from {wanted.repo}, the Hub did not give it: check the "
            "network, or put the file into assets/weights."
        ) from error


def _place(source: Path, target: Path) -> None:
    """A link to the cached file, moved into place so that nobody reads half of it."""
    part = target.with_name(f"{target.name}.{os.getpid()}")
    part.symlink_to(source.resolve())
    part.replace(target)
