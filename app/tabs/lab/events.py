"""The Lab: a row of parts that look into the codec."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr
from gradio.blocks import Block

from app.components.events import QUICK, Update
from app.protocols import FaceCodec
from app.studio import Studio
from app.tabs.base import Opens, PageContext, Tab
from app.tabs.explore.events import ExploreTab
from app.tabs.lab.view import LabView
from app.tabs.vision.events import VisionTab

# Gradio tells of a changed state only where the event went through the queue.
COUNTING: dict[str, Any] = QUICK | {"queue": True, "concurrency_limit": None}


class PartOpens:
    """What a part's events listen to in the place of a tab of its own.

    Args:
        opened: counts how often the part came to show, with the Lab or inside it.
    """

    def __init__(self, opened: gr.State) -> None:
        self.select: Callable[..., Any] = opened.change


class LabTab(Tab):
    """Builds its parts and hands on what the page asks of them."""

    name = "lab"
    title = "Lab"
    parts = (ExploreTab, VisionTab)
    aliases = tuple(part.name for part in parts)
    endpoints = tuple(name for part in parts for name in part.endpoints)

    def __init__(self, studio: Studio, page: PageContext) -> None:
        super().__init__(studio, page)
        self.shown = [part for part in self.parts if studio.of_faces or not part.of_faces]
        self.tabs = [part(studio, page) for part in self.shown]

    def build(self, tab: Opens) -> None:
        self.view = view = LabView()
        names = [part.name for part in self.shown]
        titles = [(part.name, part.title) for part in self.shown]
        counts = []
        for part, (inner, count) in zip(self.tabs, view.parts(titles), strict=True):
            part.build(PartOpens(count))
            counts.append(count)
            inner.select(lambda name=part.name: name, None, view.open, **QUICK).then(
                _counted, [view.open, gr.State(part.name), count], count, **COUNTING
            )
        # the part that showed when one left shows again
        for name, count in zip(names, counts, strict=True):
            first = name == names[0]
            tab.select(
                _counted_again,
                [view.open, gr.State(name), gr.State(first), count],
                count,
                **COUNTING,
            )
        self.fitted = [block for part in self.tabs for block in part.fitted]

    def add_endpoint(self) -> None:
        for part in self.tabs:
            part.add_endpoint()

    def fit(self, codec: FaceCodec) -> Update:
        """What the parts change."""
        update: Update = {}
        for part in self.tabs:
            update |= part.fit(codec)
        return update

    def open_part(self, name: str) -> Update:
        """The part of that name."""
        if name not in {part.name for part in self.shown}:
            return {}
        return {self.view.row: gr.Tabs(selected=name)}

    @property
    def part_rows(self) -> Sequence[Block]:
        return (self.view.row,)


def _counted(shown: str, name: str, count: int) -> int:
    """A part was chosen."""
    return count + 1 if shown == name else count


def _counted_again(shown: str, name: str, first: bool, count: int) -> int:
    """The Lab was opened: whatever part shows there is opened with it."""
    return _counted(shown or (name if first else ""), name, count)
