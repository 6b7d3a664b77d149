"""Many files through a Ray cluster: one model a worker, batches, and other workers for lost ones.

Files travel through Ray, so that workers need no folder in common with whoever asks. Ray is an
extra: ``pip install "hsc-studio[cluster]"``.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

from hsc.errors import HscError

BATCH = 8
"""Files that a worker gets at once."""
AHEAD = 2
"""Batches on their way to each worker, so that it need not wait for the next one."""
MOST_LOSSES = 3
"""Workers that a file may cost before it is given up."""


class Work(Protocol):
    """What each worker does. It is pickled, so it holds options only until ``start``."""

    def start(self) -> str:
        """Load the model, and say which one it is. Raises HscError."""

    def __call__(self, payloads: Sequence[Any]) -> Sequence[Any]:
        """The value of each payload, or the HscError or OSError in its place."""


@dataclass(frozen=True)
class Result:
    """What became of one file.

    Attributes:
        name: the file's.
        model: what ``Work.start`` said of the worker that did it.
        value: what the work returned; None where ``error`` says why there is nothing.
    """

    name: str
    model: str
    value: Any = None
    error: str | None = None


@dataclass
class _Item:
    name: str
    losses: int = 0


@dataclass
class _Worker:
    """An actor; ``batches`` are on their way, the oldest first."""

    actor: Any
    batches: dict[Any, list[_Item]] = field(default_factory=dict)

    @property
    def alone(self) -> bool:
        """Whether it has a file that may have cost a worker."""
        return any(item.losses for items in self.batches.values() for item in items)


class _Actor:
    """The class of Ray's actors. Its constructor does nothing, so that ``start`` can fail."""

    def __init__(self, work: Work) -> None:
        self.work = work

    def start(self) -> str:
        return self.work.start()

    def do(self, payloads: Sequence[Any]) -> list[tuple[Any, str | None]]:
        """Values and errors; whatever a file does to the work, the others are done."""
        try:
            values = self.work(payloads)
        except Exception as error:
            if len(payloads) == 1:
                return [(None, f"{type(error).__name__}: {error}")]
            return [self.do([payload])[0] for payload in payloads]
        return [(None, str(v)) if isinstance(v, Exception) else (v, None) for v in values]


def run(
    work: Work,
    names: Iterable[str],
    load: Callable[[str], Any],
    *,
    address: str,
    workers: int | None = None,
    batch: int = BATCH,
    gpu: bool = True,
) -> Iterator[Result]:
    """Do the work for every name, and yield the results in the order in which they come.

    A worker that is lost (killed, out of memory, its machine gone) is replaced. What it was doing
    is done by others, a file at a time, and a file that costs three workers becomes an error.

    Args:
        names: of the files, each once.
        load: the payload of a name, read only when a worker is about to get it. Its HscError or
            OSError becomes that file's error.
        address: of a running cluster as ``ray.init`` takes it, or ``local`` to start one here.
        workers: how many; by default as many as the cluster has GPUs, or CPUs where it has none.
        gpu: whether workers may take a GPU each.

    Raises:
        HscError: Ray is missing, the cluster cannot be reached, workers cannot load the model, or
            they have loaded different ones.
    """
    ray = _ray()
    began = not ray.is_initialized()
    if began:
        try:
            ray.init(
                address=address, log_to_driver=False, logging_level="error",
                include_dashboard=False if address == "local" else None,
            )  # fmt: skip
        except (ConnectionError, ValueError, RuntimeError, OSError) as error:
            raise HscError(f"no Ray cluster answers at {address}: {error}") from error
    try:
        yield from _Pool(ray, work, workers, gpu).results(names, load, batch)
    finally:
        if began:
            ray.shutdown()


def _ray() -> Any:
    # it would tell its makers of every cluster
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise HscError('Ray is missing: pip install "hsc-studio[cluster]"') from error
    return ray


class _Pool:
    """The workers, and what is on its way to them."""

    def __init__(self, ray: Any, work: Work, workers: int | None, gpu: bool) -> None:
        self.ray = ray
        resources = ray.cluster_resources()
        gpus = int(resources.get("GPU", 0)) if gpu else 0
        need = {"num_gpus": 1} if gpus else {"num_cpus": 1}
        self.actor = ray.remote(_Actor).options(**need)
        self.work = ray.put(work)
        self.model: str | None = None
        self.failures = 0
        """Workers that have ended since the last result."""
        self.starting: dict[Any, _Worker] = {}
        self.ready: list[_Worker] = []
        self.again: deque[list[_Item]] = deque()
        self.suspects: deque[_Item] = deque()
        self.size = workers or gpus or max(1, int(resources.get("CPU", 1)))
        for _ in range(self.size):
            self._begin()

    def _begin(self) -> None:
        worker = _Worker(self.actor.remote(self.work))
        self.starting[worker.actor.start.remote()] = worker

    def results(
        self, names: Iterable[str], load: Callable[[str], Any], batch: int
    ) -> Iterator[Result]:
        """See `run`."""
        fresh = (_Item(name) for name in names)
        more = True
        while True:
            for worker in self.ready:
                while len(worker.batches) < (1 if self.suspects or worker.alone else AHEAD):
                    if self.suspects:
                        items = [self.suspects.popleft()]
                    else:
                        items = self.again.popleft() if self.again else list(islice(fresh, batch))
                    if not items:
                        more = False
                        break
                    yield from self._send(worker, items, load)
            busy = any(worker.batches for worker in self.ready)
            if not (more or self.again or self.suspects or busy):
                return
            refs = [*self.starting, *(ref for worker in self.ready for ref in worker.batches)]
            # a worker that waits for a place on the cluster may never begin: the others go on
            for ref in self.ray.wait(refs, num_returns=1)[0]:
                yield from self._arrived(ref)

    def _send(
        self, worker: _Worker, items: list[_Item], load: Callable[[str], Any]
    ) -> Iterator[Result]:
        sent, payloads = [], []
        for item in items:
            try:
                payloads.append(load(item.name))
                sent.append(item)
            except (HscError, OSError) as error:
                yield Result(item.name, self.model or "", error=_words(error))
        if sent:
            worker.batches[worker.actor.do.remote(payloads)] = sent

    def _arrived(self, ref: Any) -> Iterator[Result]:
        exceptions = self.ray.exceptions
        if ref in self.starting:
            worker = self.starting.pop(ref)
            try:
                self._check(self.ray.get(ref))
            except exceptions.RayTaskError as error:
                raise HscError(f"a worker cannot load the model: {error.cause}") from error
            except exceptions.RayError as error:
                self._lost(error)
                return
            self.ready.append(worker)
            return
        owner = next((worker for worker in self.ready if ref in worker.batches), None)
        if owner is None:  # of a worker that is known to be lost
            return
        try:
            values = self.ray.get(ref)
        except exceptions.RayError as error:
            self.ready.remove(owner)
            yield from self._repeat(owner)
            self._lost(error)
            return
        self.failures = 0
        for item, (value, said) in zip(owner.batches.pop(ref), values):
            yield Result(item.name, self.model or "", value, said)

    def _repeat(self, lost: _Worker) -> Iterator[Result]:
        """Put back what a lost worker had.

        Its oldest batch is suspected, though its results may just have been on their way: suspects
        are sent alone, so that whoever costs a worker again is known.
        """
        first, *waiting = lost.batches.values()
        self.again.extend(waiting)
        for item in first:
            item.losses += 1
            if item.losses < MOST_LOSSES:
                self.suspects.append(item)
            else:
                words = f"{MOST_LOSSES} workers were lost over it"
                yield Result(item.name, self.model or "", error=words)

    def _lost(self, error: Exception) -> None:
        self.failures += 1
        if self.failures > MOST_LOSSES * self.size:
            raise HscError(f"workers end without a result: {error}") from error
        self._begin()

    def _check(self, model: str) -> None:
        if self.model not in (None, model):
            raise HscError(f"workers have loaded {self.model} and {model}: install one version.")
        self.model = model


def _words(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
