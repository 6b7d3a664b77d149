"""``--ray ADDRESS``: a folder through the workers of a Ray cluster."""

from __future__ import annotations

import argparse
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hsc import cluster
from hsc.cli import parsing
from hsc.cli.batch import Batch
from hsc.cli.manifest import Manifest
from hsc.cli.report import print_error, print_progress
from hsc.errors import HscError


def add_options(parser: argparse.ArgumentParser) -> None:
    """``--ray ADDRESS`` and ``--workers N``."""
    parser.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="spread a folder over a Ray cluster: HOST:PORT, ray://HOST:PORT, auto for one that "
        "runs here, or local to start one",
    )
    parser.add_argument(
        "--workers",
        type=parsing.count,
        metavar="N",
        help="models on the cluster (default: one a GPU, or one a CPU where there is no GPU)",
    )


class _CodecWork:
    """Workers with a codec; what is sent are the files' bytes."""

    def __init__(self, device: str, backend: str | None = None) -> None:
        self.device, self.backend = device, backend

    def start(self) -> str:
        import hsc

        self.codec = hsc.load(device=self.device, backend=self.backend)
        return f"{self.codec.model_name} {self.codec.model_id:04x}"

    def __call__(self, payloads: Sequence[bytes]) -> Sequence[bytes | Exception]:
        values: list[bytes | Exception] = []
        for data in payloads:
            try:
                values.append(self.one(data))
            except (HscError, OSError) as error:
                values.append(error)
            except Exception as error:  # it must not cost the rest of a million pictures
                values.append(HscError(f"{type(error).__name__}: {error}"))
        return values

    def one(self, data: bytes) -> bytes:
        """The result of one file."""
        raise NotImplementedError


class Encode(_CodecWork):
    """Pictures to ``.hsc`` files; ``options`` are those of ``Codec.encode``."""

    def __init__(self, device: str, options: Mapping[str, Any]) -> None:
        super().__init__(device)
        self.options = options

    def one(self, data: bytes) -> bytes:
        return self.codec.encode(data, **self.options)


@dataclass(frozen=True)
class Direction:
    """An edit of the user's own, read here because workers do not have the file."""

    name: str
    tensor: Any
    low: float
    high: float

    @classmethod
    def read(cls, path: Path, low: float, high: float) -> Direction:
        """Raises HscError: the file is none of numpy's."""
        import numpy as np
        import torch

        try:
            return cls(path.stem, torch.from_numpy(np.load(path)), low, high)
        except (ValueError, TypeError) as error:
            raise HscError(f"expected a .npy file of numbers, {path} is none: {error}") from error

    @property
    def summary(self) -> list[Any]:
        """What the manifest keeps of it."""
        digest = hashlib.sha256(self.tensor.numpy().tobytes()).hexdigest()
        return [self.name, digest[:16], self.low, self.high]


class Decode(_CodecWork):
    """``.hsc`` files to PNG; ``options`` are those of ``Codec.decode``.

    Args:
        directions: edits of the user's own.
    """

    def __init__(
        self,
        device: str,
        backend: str | None,
        directions: Sequence[Direction],
        options: Mapping[str, Any],
    ) -> None:
        super().__init__(device, backend)
        self.directions, self.options = directions, options

    def start(self) -> str:
        said = super().start()
        for each in self.directions:
            self.codec.add_direction(each.name, each.tensor, each.low, each.high)
        return said

    def __call__(self, payloads: Sequence[bytes]) -> Sequence[bytes | Exception]:
        try:  # a GPU renders a batch at once
            return [_png(p) for p in self.codec.decode_many(list(payloads), **self.options)]
        except (HscError, OSError):
            return super().__call__(payloads)

    def one(self, data: bytes) -> bytes:
        return _png(self.codec.decode(data, **self.options))


def _png(picture: Any) -> bytes:
    from hsc.images import marks

    buffer = io.BytesIO()
    marks.save(picture, buffer, "PNG")
    return buffer.getvalue()


def process(
    batch: Batch,
    work: cluster.Work,
    options: Mapping[str, Any],
    *,
    address: str,
    workers: int | None,
    gpu: bool,
) -> int:
    """As ``hsc.cli.batch.process``, on a cluster. Files that the manifest has are left.

    Args:
        batch: of a folder.
        options: whatever changes the results; the manifest keeps them.

    Returns:
        The exit status: 2 if any file failed.

    Raises:
        HscError: IN is one file, the folder of results is of other options, or as ``cluster.run``.
    """
    if not batch.folder:
        raise HscError("expected a folder with --ray, got one file.")
    manifest = Manifest(batch.jobs[0][1].parent, options)
    jobs = _unique(batch)
    failed, done = len(jobs) < len(batch.jobs), 0
    left = {s.name: (s, t) for s, t in jobs if not manifest.has(s, t)}
    if len(left) < len(jobs):
        print_progress(len(jobs) - len(left), len(batch.jobs), "were done before")
        done = len(jobs) - len(left)
    if not left:
        return 2 if failed else 0
    found = cluster.run(
        work, left, lambda name: left[name][0].read_bytes(),
        address=address, workers=workers, gpu=gpu,
    )  # fmt: skip
    for result in found:
        source, target = left[result.name]
        if result.model:
            manifest.check_model(result.model)
        if result.error is not None:
            failed = True
            manifest.add_error(source, result.error)
            print_error(HscError(result.error), about=source.name)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        # moved into place, so that no half of a file passes for a result
        part = target.with_name(target.name + ".part")
        part.write_bytes(result.value)
        part.replace(target)
        manifest.add(source, target, len(result.value))
        done += 1
        print_progress(done, len(batch.jobs), f"{source.name} {len(result.value)} bytes")
    return 2 if failed else 0


def _unique(batch: Batch) -> list[tuple[Path, Path]]:
    """The jobs of which each has a result of its own; an error is said of the others."""
    first: dict[Path, Path] = {}
    for source, target in batch.jobs:
        if target in first:
            words = f"{target.name} already holds {first[target].name}; rename one of the two."
            print_error(HscError(words), about=source.name)
        else:
            first[target] = source
    return [(source, target) for target, source in first.items()]
