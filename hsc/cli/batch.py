"""A file or a folder of files through one function, with progress and errors a line each."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from hsc.cli.report import print_error, print_progress
from hsc.errors import HscError


@dataclass(frozen=True)
class Batch:
    """Which file goes where.

    ``folder`` tells whether IN was a folder: then a failure does not stop the rest.
    """

    jobs: tuple[tuple[Path, Path], ...]
    folder: bool


def plan(source: Path, target: Path, *, suffixes: Collection[str], to: str) -> Batch:
    """Pair every input with its output, and check what can be checked before any work is done.

    Args:
        source: a file, or a folder whose files with ``suffixes`` are taken (not its subfolders).
        target: for a file, a name ending in ``to``, or a folder that exists; for a folder, a
            folder, which is created when the first file is written.
        suffixes: what the names of inputs in a folder end in, in lower case.
        to: what the names of outputs end in.

    Raises:
        HscError: nothing to do, or nowhere to put it.
        OSError: ``source`` cannot be looked at.
    """
    if not source.is_dir():
        source.stat()  # says why it cannot be read, before seconds go into loading the model
        return single(source, target, to)
    if target.exists() and not target.is_dir():
        raise HscError(f"{source} is a folder, so the output must be one too; {target} is a file.")
    names = sorted(
        path
        for path in source.iterdir()
        if path.suffix.lower() in suffixes and path.is_file() and not path.name.startswith(".")
    )
    if not names:
        raise HscError(f"There is no file in {source} that ends in {', '.join(sorted(suffixes))}.")
    return Batch(tuple((path, target / f"{path.stem}{to}") for path in names), folder=True)


def single(source: Path, target: Path, to: str) -> Batch:
    """One input, looked at or not, and where its output goes. Raises HscError as ``plan``."""
    if target.is_dir():
        target = target / f"{source.stem}{to}"
    if target.suffix.lower() != to:
        raise HscError(f"Expected an output name that ends in {to}, got {target}.")
    return Batch(((source, target),), folder=False)


def process(batch: Batch, work: Callable[[Path, Path], str]) -> int:
    """Do ``work(source, target)`` for every pair.

    Args:
        batch: from ``plan``.
        work: reads ``source``, writes ``target``, returns what to say of it. In a folder, its
            HscError or OSError costs a line and the next file follows; otherwise it is raised.

    Returns:
        The exit status: 2 if any file failed.
    """
    if not batch.folder:
        source, target = batch.jobs[0]
        target.parent.mkdir(parents=True, exist_ok=True)
        work(source, target)
        return 0
    written: dict[Path, Path] = {}
    failed = False
    for number, (source, target) in enumerate(batch.jobs, start=1):
        try:
            if target in written:
                raise HscError(
                    f"{target.name} already holds {written[target].name}; rename one of the two."
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            said = work(source, target)
        except (HscError, OSError) as error:
            failed = True
            print_error(error, about=source.name)
        else:
            written[target] = source
            print_progress(number, len(batch.jobs), f"{source.name} {said}")
    return 2 if failed else 0
