"""The viewer's Python side: a component, and the values that it shows.

A tab makes it once and then sends it values::

    self.viewer = viewer("edit-viewer", "The face before and after the edit")
    ...
    yield {self.viewer: content(
        [
            Choice("before", "Decoded", drawn(plain, "before.webp"), bytes=len(file)),
            Choice("after", "Edited", drawn(edited, "after.webp"), note="smile +1"),
            Choice("original", "Original"),          # no address: made when it is chosen
        ],
        left="before", right="after", version=key_of_what_shows,
    )}

    self.viewer.wanted(handler, [...], self.viewer)  # asked for a choice without an address

    def handler(..., event: gr.EventData) -> dict:
        asked = wanted(event)
        return patch(asked.version, Choice(asked.name, "Original", drawn(crop, "original.webp")))

What the browser does, without the server: the divider, zoom and pan of both sides together (wheel,
pinch, double tap, keyboard), the loupe, flipping while a key or the mouse is held, the difference
|left - right|, full screen. The last picture stays until the next one is decoded.

In the browser, ``window.hscViewer.get(elem_id)`` has ``url(name)``, ``shown(side)``,
``choose(side, name)``, ``arrived(side)``, a promise of the picture that the list names, and
``overlay(side, canvas)``, which lays a live preview over a side until
its next picture comes (or until ``overlay(side, null)``). The element sends ``viewer:shown`` with
``{side, name, url}`` after every change. ``side`` is ``"left"`` or ``"right"``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from app.files import address, keep_picture

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Choice:
    """A picture that a side can show.

    Attributes:
        name: tells the choices apart; the same one under a later value is the same choice.
        label: as the list has it.
        url: address of the picture, relative to the page; "" where it is made when it is chosen.
        bytes: of the file that the picture comes from; None says nothing of bytes.
        note: a few words below the label, such as "enlarged from 181 px".
        missing: why there is no picture; it is not asked for again.
        group: heading in the list; choices of one group follow each other.
    """

    name: str
    label: str
    url: str = ""
    bytes: int | None = None
    note: str = ""
    missing: str = ""
    group: str = ""


@dataclass(frozen=True)
class Wanted:
    """A choice that was made and has no address yet.

    Attributes:
        name: of the choice.
        side: "left" or "right".
        version: of the value that offered it, for `patch`.
    """

    name: str
    side: str
    version: str


def viewer(
    elem_id: str, label: str, value: dict[str, Any] | None = None, *, empty: str = ""
) -> gr.HTML:
    """The component; its value comes from `content` or `patch`.

    Its event ``wanted`` says that a choice without an address was made.

    Args:
        label: what it shows, for those who cannot see it.
        value: to begin with.
        empty: what stands there as long as there is no picture.
    """
    template = (FOLDER / "template.html").read_text(encoding="utf-8")
    return gr.HTML(
        value,
        html_template=template.replace("LABEL", escape(label)).replace("EMPTY", escape(empty)),
        js_on_load=(
            f"window.hscViewer.mount({json.dumps(elem_id)}, element, props, watch, "
            "(asked) => trigger('wanted', asked));"
        ),
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes=["viewer-box"],
    )


def content(
    choices: Iterable[Choice],
    left: str,
    right: str,
    *,
    version: str = "",
    subject: str = "",
    fresh: bool = False,
    waiting: bool = False,
) -> dict[str, Any]:
    """What the viewer shows from now on.

    A side follows ``left`` or ``right`` when that is another name than in the last value, or when
    the visitor's own choice is no longer offered; else the visitor's choice stays.

    Args:
        choices: in the order of the lists.
        left, right: names of the choices to show.
        version: of what is shown; `patch` names it, and a patch for another one is dropped.
        subject: of the pictures. With another one than before, both sides and the zoom are reset.
        fresh: resets them for want of a subject's name.
        waiting: whether better pictures follow at once; their captions are grey until then.
    """
    return {
        "choices": [asdict(choice) for choice in choices],
        "left": left,
        "right": right,
        "version": version,
        "subject": subject,
        "fresh": fresh,
        "waiting": waiting,
    }


def patch(version: str, *choices: Choice) -> dict[str, Any]:
    """Choices that change or are new, for a value that is shown already.

    With "" for its version it says only that nothing better follows than what shows.
    """
    return {"patch": version, "choices": [asdict(choice) for choice in choices]}


def wanted(event: gr.EventData) -> Wanted:
    """What a ``wanted`` event says."""
    data = event._data or {}  # the event is the viewer's own, so Gradio has no class for it
    return Wanted(*(str(data.get(key, "")) for key in ("name", "side", "version")))


def drawn(picture: Image.Image, name: str) -> str:
    """Write a picture without loss and return its address; names that end in .webp are smaller."""
    return address(keep_picture(picture, name))


def script() -> str:
    """The viewer's JavaScript, once a page."""
    return (FOLDER / "script.js").read_text(encoding="utf-8")


def style() -> str:
    """The viewer's style sheet, once a page."""
    return (FOLDER / "style.css").read_text(encoding="utf-8")
