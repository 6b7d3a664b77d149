"""Visitors of a running studio over plain HTTP: what a browser sends, without a browser."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

PATIENCE = 600.0  # seconds for a whole visit


@dataclass
class Visit:
    """One call as its visitor saw it.

    Attributes:
        positions: place in the queue by time, 0 being the next.
        started, ended: when the studio began and finished it; None when it did not.
        left: when the visitor left the queue; None when they stayed.
        output: what came back; error: the one sentence that did instead.
    """

    positions: list[tuple[float, int]] = field(default_factory=list)
    started: float | None = None
    ended: float | None = None
    left: float | None = None
    output: list[Any] | None = None
    error: str | None = None
    event_id: str | None = None


class Visitor:
    """One browser session.

    Args:
        other: another visitor, who knows already which functions the page has.
    """

    def __init__(self, url: str, other: Visitor | None = None) -> None:
        self.url = url.rstrip("/")
        self.session = uuid.uuid4().hex
        self.http = httpx.Client(base_url=self.url, timeout=PATIENCE)
        if other:
            self.functions, self.defaults = other.functions, other.defaults
            return
        config = self.http.get("/config").json()
        self.functions = {d["api_name"]: d["id"] for d in config["dependencies"]}
        values = {c["id"]: c["props"].get("value") for c in config["components"]}
        self.defaults = {
            d["api_name"]: [values[i] for i in d["inputs"]] for d in config["dependencies"]
        }

    def upload(self, name: str, data: bytes) -> dict[str, Any]:
        """Send a file; what stands for it in a call. Raises httpx.HTTPStatusError."""
        sent = self.http.post("/gradio_api/upload", files={"files": (name, data)})
        sent.raise_for_status()
        return {"path": sent.json()[0], "orig_name": name, "meta": {"_type": "gradio.FileData"}}

    def join(self, function: str, *arguments: Any) -> str:
        """Enter the queue; the number of the call. Raises httpx.HTTPStatusError.

        Arguments that are left out at the end are the page's own defaults; none at all are none.
        """
        rest = self.defaults[function][len(arguments) :] if arguments else []
        body = {
            "data": [*arguments, *rest],
            "fn_index": self.functions[function],
            "session_hash": self.session,
        }
        joined = self.http.post("/gradio_api/queue/join", json=body)
        joined.raise_for_status()
        return joined.json()["event_id"]

    def wait(self, event_id: str, until: Callable[[Visit], bool] = lambda _: False) -> Visit:
        """Follow a call to its end, or leave, closing the stream, as soon as ``until`` says so."""
        visit = Visit(event_id=event_id)
        path = f"/gradio_api/queue/data?session_hash={self.session}"
        with self.http.stream("GET", path) as stream:
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    _note(visit, json.loads(line[6:]))
                if visit.ended is not None or until(visit):
                    return visit
        return visit

    def call(self, function: str, *arguments: Any) -> Visit:
        """Enter the queue and wait for the end."""
        return self.wait(self.join(function, *arguments))

    def cancel(self, function: str, event_id: str) -> None:
        """Leave the queue, as the page does when its visitor goes."""
        body = {
            "session_hash": self.session,
            "fn_index": self.functions[function],
            "event_id": event_id,
        }
        self.http.post("/gradio_api/cancel", json=body).raise_for_status()

    def fetch(self, file: dict[str, Any]) -> bytes:
        """The contents of a file that a call gave back."""
        return self.http.get(f"/gradio_api/file={file['path']}").raise_for_status().content


def _note(visit: Visit, message: dict[str, Any]) -> None:
    kind, now = message["msg"], time.monotonic()
    if kind == "estimation":
        visit.positions.append((now, message["rank"]))
    elif kind == "process_starts":
        visit.started = now
    elif kind in ("process_completed", "unexpected_error"):
        visit.ended = now
        output = message.get("output") or {}
        if message.get("success"):
            visit.output = output.get("data")
        else:
            visit.error = output.get("error") or message.get("message") or ""


def together(calls: list[Callable[[], Any]]) -> list[Any]:
    """Run calls side by side; their values in order. The first exception is raised again."""
    values: list[Any] = [None] * len(calls)

    def run(index: int) -> None:
        try:
            values[index] = calls[index]()
        except BaseException as error:
            values[index] = error

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    for value in values:
        if isinstance(value, BaseException):
            raise value
    return values


def resident_mb(pid: int) -> float:
    """Memory that a process holds now, in megabytes; works on Linux and macOS."""
    said = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=True
    )
    return int(said.stdout) / 1024


def processor_seconds(pid: int) -> float:
    """Processor time that a process has used so far, which a busy machine does not stretch; where
    the system does not tell, the time."""
    try:
        said = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return time.monotonic()
    return (int(said[11]) + int(said[12])) / os.sysconf("SC_CLK_TCK")  # its own and the kernel's


def files_below(folder: Path) -> list[Path]:
    """Everything that lies in a folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
