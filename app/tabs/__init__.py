"""The tabs, in the order of the page. This list is their registration: see `app.tabs.base`."""

from __future__ import annotations

from app.tabs.about.events import AboutTab
from app.tabs.base import Tab
from app.tabs.compare.events import CompareTab
from app.tabs.compress.events import CompressTab
from app.tabs.decode.events import DecodeTab
from app.tabs.edit.events import EditTab
from app.tabs.explore.events import ExploreTab
from app.tabs.photographs.events import PhotographsTab
from app.tabs.vision.events import VisionTab

TABS: tuple[type[Tab], ...] = (
    CompressTab,
    CompareTab,
    EditTab,
    DecodeTab,
    PhotographsTab,
    ExploreTab,
    VisionTab,
    AboutTab,
)
