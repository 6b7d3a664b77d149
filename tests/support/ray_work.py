"""Work for a Ray cluster that needs no weights, and workers that are killed over it."""

from __future__ import annotations

import os
import signal
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from hsc.errors import HscError


class Upper:
    """Writes text in capitals. Every piece that is begun leaves a file in ``log``, by its worker.

    ``kill`` kills its worker the first time that any has it, ``poison`` each time; ``bad`` is
    refused, ``bug`` is an exception that nobody expects.
    """

    def __init__(self, log: Path, model: str = "upper") -> None:
        self.log, self.model = log, model

    def start(self) -> str:
        if self.model == "missing":
            raise HscError("the weights are missing")
        return self.model

    def __call__(self, payloads: Sequence[bytes]) -> list[bytes | Exception]:
        return [self._one(data) for data in payloads]

    def _one(self, data: bytes) -> bytes | Exception:
        text = data.decode()
        first = not any(self.log.glob(f"{text}-*"))
        (self.log / f"{text}-{os.getpid()}-{uuid.uuid4().hex}").touch()
        if text.startswith("poison") or (text.startswith("kill") and first):
            os.kill(os.getpid(), signal.SIGKILL)
        if text.startswith("bug"):
            raise KeyError("unexpected")
        if text.startswith("bad"):
            return HscError("no face was found")
        time.sleep(0.01)
        return text.upper().encode()
