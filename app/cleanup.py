"""Deletes visitors' old files and gives freed memory back, however their calls ended.

Gradio deletes the files that it knows of. It does not know those of a call that was cancelled, of
an upload that broke off, or of a process that was killed; here every file is deleted by its age.
Freed memory stays with the process until it is given back here.
"""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

from hsc.memory import give_back

log = logging.getLogger(__name__)

PREFIX = "hsc-studio-"
LONGEST = 55 * 60  # seconds since a file was written or last shown
EVERY = 60  # seconds
VARIABLE = "GRADIO_TEMP_DIR"


def start() -> Path:
    """Give the page a folder of its own for uploads and results, and sweep it from now on.

    Call it before the page is built. The folder is deleted when the process ends; files that
    killed processes left are deleted by their age. A folder that GRADIO_TEMP_DIR names is used and
    swept instead.
    """
    named = os.environ.get(VARIABLE)
    folder = Path(named or tempfile.mkdtemp(prefix=PREFIX))
    if not named:
        os.environ[VARIABLE] = str(folder)
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    threading.Thread(target=_sweep_on, args=(folder,), daemon=True, name="sweep").start()
    return folder


def sweep(folder: Path, longest: float = LONGEST, now: float | None = None) -> int:
    """Delete the files below a folder that are older than ``longest`` seconds.

    Args:
        now: seconds since the epoch; the clock's unless given.

    Returns:
        How many files were deleted.
    """
    now = time.time() if now is None else now
    deleted = 0
    # the deepest first, so that a folder is looked at after what was in it
    for path in sorted(folder.rglob("*"), key=lambda path: -len(path.parts)):
        try:
            stat = path.lstat()
            if now - max(stat.st_mtime, stat.st_ctime) <= longest:
                continue
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink()
                deleted += 1
        except OSError:  # gone meanwhile, or a folder that is in use
            continue
    return deleted


def _sweep_on(folder: Path) -> None:
    while True:
        try:
            for each in {folder, *Path(tempfile.gettempdir()).glob(PREFIX + "*")}:
                sweep(each)
        except Exception:  # this thread must outlive a full disk or a missing folder
            log.exception("while deleting old files")
        give_back()
        time.sleep(EVERY)
