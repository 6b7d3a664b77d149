"""Training logs: CSV with a header, whose columns may come late."""

import csv
from collections.abc import Mapping
from pathlib import Path

from hsc.research import distributed


def read_log(path: Path) -> list[dict[str, str]]:
    """The rows of a log, each with the cells that it has.

    Older logs have no header and ``name=value`` cells; they are read as well.
    """
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.reader(file))
    if not lines:
        return []
    if "=" in lines[0][0]:
        pairs = ((cell.partition("=")[::2] for cell in line) for line in lines)
        return [dict(line) for line in pairs]
    header, *rows = lines
    return [{n: cell for n, cell in zip(header, row) if cell} for row in rows]


class CsvLog:
    """Appends rows of figures to a CSV file and prints them; of several processes the first does.

    A row with a new figure rewrites the file with one more column: steps differ in what they
    measure, and held-out figures come first after minutes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self.columns: list[str] = []
        if path.is_file() and distributed.is_first():
            self._rewrite(read_log(path))

    def write(self, row: Mapping[str, float | int | str]) -> None:
        if not distributed.is_first():
            return
        text = {k: f"{v:.5g}" if isinstance(v, float) else str(v) for k, v in row.items()}
        print(" ".join(f"{k}={v}" for k, v in text.items()), flush=True)
        if set(text) <= set(self.columns):
            with self.path.open("a", newline="", encoding="utf-8") as file:
                csv.DictWriter(file, self.columns).writerow(text)
        else:
            self._rewrite([*(read_log(self.path) if self.path.is_file() else []), text])

    def _rewrite(self, rows: list[dict[str, str]]) -> None:
        self.columns = list(dict.fromkeys(name for row in rows for name in row))
        unfinished = self.path.with_suffix(".new")
        with unfinished.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, self.columns)
            writer.writeheader()
            writer.writerows(rows)
        unfinished.replace(self.path)
