"""Memory that is free again goes back to the system while the page runs."""

import os
import sys
import time

import pytest
from visitors import resident_mb

from app import cleanup

BLOCK, COUNT = 64 << 10, 2000  # 125 MB, in blocks that the C library takes from its heap


def test_what_lies_free_between_blocks_in_use_is_given_back(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.setenv(cleanup.VARIABLE, str(tmp_path))
    if not sys.platform.startswith("linux"):
        return  # other systems' libraries see to it themselves
    blocks = [(bytearray(BLOCK), bytearray(2048)) for _ in range(COUNT)]
    held = resident_mb(os.getpid())
    between = [small for _, small in blocks]  # what outlives the large ones, as visitors' things do
    del blocks
    cleanup.start()
    waited = time.monotonic()
    while resident_mb(os.getpid()) > held - 100 and time.monotonic() - waited < 30:
        time.sleep(0.05)
    assert resident_mb(os.getpid()) < held - 100 and len(between) == COUNT
