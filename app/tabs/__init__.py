"""The tabs, in the order of the page. This list is their registration: see `app.tabs.base`."""

from __future__ import annotations

from app.tabs.about.events import AboutTab
from app.tabs.base import Tab
from app.tabs.compress.events import CompressTab
from app.tabs.edit.events import EditTab
from app.tabs.lab.events import LabTab
from app.tabs.photographs.events import PhotographsTab
from app.tabs.receive.events import ReceiveTab
from app.tabs.video.events import VideoTab

TABS: tuple[type[Tab], ...] = (
    CompressTab,
    EditTab,
    ReceiveTab,
    PhotographsTab,
    VideoTab,
    LabTab,
    AboutTab,
)
