"""What a tab is: one folder below app/tabs, and one entry in the list `app.tabs.TABS`.

A folder holds
    view.py     the layout: a class with the tab's components as attributes
    events.py   the tab's class: handlers, and which events run them
    api.py      its named endpoints, where it has any
    html.py     how its results read, and style.css and script.js, where it has any

A tab may have parts, which are tabs of their own inside it, such as those of the Lab.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import gradio as gr
from gradio.blocks import Block
from starlette.routing import Route

from app.components.events import Opens, Update
from app.components.visitor_face import VisitorFace
from app.protocols import FaceCodec
from app.studio import Studio

__all__ = ["Opens", "PageContext", "Tab"]


@dataclass(frozen=True)
class PageContext:
    """The page around a tab.

    Attributes:
        blocks: the page itself, for what happens when it is opened.
        tabs: the row of tabs, for selecting another one.
        face: the visitor's face, for all tabs.
    """

    blocks: gr.Blocks
    tabs: gr.Tabs
    face: VisitorFace


class Tab(ABC):
    """One tab over the studio.

    Attributes:
        name: of its folder, and the tab's id; an address opens it by ``?tab=``.
        title: what visitors read.
        parts: the tabs inside it.
        aliases: other names by which an address opens it.
        endpoints: names of its public endpoints.
        in_row: False for a tab that a link in the head opens instead.
        of_faces: whether it is about faces, and left out where the model shows something else.
        fitted: the components that `fit` changes.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    parts: ClassVar[tuple[type[Tab], ...]] = ()
    aliases: ClassVar[tuple[str, ...]] = ()
    endpoints: ClassVar[tuple[str, ...]] = ()
    in_row: ClassVar[bool] = True
    of_faces: ClassVar[bool] = False

    def __init__(self, studio: Studio, page: PageContext) -> None:
        self.studio = studio
        self.page = page
        self.fitted: Sequence[Block] = ()

    @abstractmethod
    def build(self, tab: Opens) -> None:
        """Lay the tab out and wire its events; called inside its `gr.Tab`."""

    def add_endpoint(self) -> None:  # noqa: B027 - most tabs have one, some have none
        """Add the tab's named endpoints; called inside a hidden column."""

    def open_part(self, name: str) -> Update:
        """What selects the part of that name, where the tab has it."""
        return {}

    @property
    def part_rows(self) -> Sequence[Block]:
        """The components that `open_part` changes."""
        return ()

    def fit(self, codec: FaceCodec) -> Update:
        """What to change once the codec is loaded: ranges, facts, samples."""
        return {}

    @classmethod
    def routes(cls) -> list[Route]:
        """What the server must answer beside the page."""
        return [route for part in cls.parts for route in part.routes()]

    @classmethod
    def with_parts(cls) -> Iterator[type[Tab]]:
        """This tab, and its parts."""
        yield cls
        yield from cls.parts

    @classmethod
    def asset(cls, name: str) -> str:
        """The text of a file in the tab's folder; "" where there is none."""
        path = Path(__file__).parent / cls.name / name
        return path.read_text(encoding="utf-8") if path.is_file() else ""
