"""What a folder of results holds, a line of JSON a file, so that a stopped run goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hsc.errors import HscError

NAME = "manifest.jsonl"


class Manifest:
    """``manifest.jsonl`` in the folder of results.

    The first line has the command's options, every other one a file: its source with size and time
    of change, and its result with size, or the error.

    Args:
        folder: of the results; it is made when the first line is written.
        options: whatever changes the results.

    Raises:
        HscError: the folder holds results of other options.
    """

    def __init__(self, folder: Path, options: Mapping[str, Any]) -> None:
        self.folder, self.path = folder, folder / NAME
        self.options: dict[str, Any] = dict(options)
        self.files: dict[str, dict[str, Any]] = {}
        if self.path.is_file():
            self._read()

    def _read(self) -> None:
        text = self.path.read_text(encoding="utf-8")
        if not text.endswith("\n"):  # stopped in the middle of a line
            text = text[: text.rfind("\n") + 1]
            self.path.write_text(text, encoding="utf-8")
        lines = [json.loads(line) for line in text.splitlines()]
        if not lines:
            return
        before = lines[0]
        differ = [k for k, v in self.options.items() if before.get(k) != v]
        if differ:
            said = ", ".join(f"{k} {before.get(k)}, not {self.options[k]}" for k in differ)
            raise HscError(
                f"{self.folder} holds results of other options ({said}): name another folder."
            )
        self.options = before
        self.files = {line["source"]: line for line in lines[1:]}

    def has(self, source: Path, target: Path) -> bool:
        """Whether a source as it is now has been done, and its result is there."""
        known = self.files.get(source.name)
        if known is None or known.get("error"):
            return False
        same = known["source_bytes"], known["changed"]
        try:
            there = target.stat().st_size == known["bytes"]
        except OSError:
            return False
        return there and same == _state(source)

    def check_model(self, model: str) -> None:
        """Note the model of the first result. Raises HscError when it was another one before."""
        if self.options.setdefault("model", model) != model:
            raise HscError(
                f"{self.folder} holds results of model {self.options['model']}, and workers have "
                f"loaded {model}: name another folder."
            )

    def add(self, source: Path, target: Path, size: int) -> None:
        """A result that has been written."""
        source_bytes, changed = _state(source)
        self._append(
            {"source": source.name, "source_bytes": source_bytes, "changed": changed,
             "result": target.name, "bytes": size}
        )  # fmt: skip

    def add_error(self, source: Path, error: str) -> None:
        """A file that gave no result; it is tried again next time."""
        self._append({"source": source.name, "error": error})

    def _append(self, line: dict[str, Any]) -> None:
        lines = [line] if self.path.is_file() else [self.options, line]
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            file.write("".join(json.dumps(each, ensure_ascii=False) + "\n" for each in lines))


def _state(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns
