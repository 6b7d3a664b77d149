"""Previews that this browser draws itself: the switch for them, and what they are drawn from.

A room has three things for `local_previews.js`, whose ids begin with the room's name: the switch,
the source (the file that is edited), and two buttons that are not seen, ``follow`` and ``settle``,
which the script presses for a preview and for the whole picture.
"""

from __future__ import annotations

import base64
import time
from pathlib import Path

import gradio as gr

# The server draws until the visitor chooses the browser.
_SWITCH = """
<fieldset class="local-previews"><legend>Previews</legend>
<label><input type="radio" name="{name}-previews" value="browser">This browser</label>
<label data-gpu hidden>
<input type="radio" name="{name}-previews" value="gpu">Its graphics card</label>
<label><input type="radio" name="{name}-previews" value="server" checked>Server</label>
<output></output></fieldset>
"""


class LocalPreviews:
    """The components of a room.

    Args:
        name: begins their ids, as in ``window.localPreviews.attach(name, ...)``.

    Attributes:
        source: an output of every handler that shows another file or a whole picture.
        follow: clicked when a slider moves, unless the browser draws the preview.
        settle: clicked when a slider comes to rest.
    """

    def __init__(self, name: str) -> None:
        room = f"window.localPreviews.room('{name}')"
        gr.HTML(
            _SWITCH.format(name=name),
            js_on_load=f"{room}.show(element);",
            elem_id=f"{name}-previews",
        )
        self.follow = gr.Button(
            "Draw a preview", elem_id=f"{name}-follow", elem_classes=["pressed-by-script"]
        )
        self.settle = gr.Button(
            "Draw the whole picture", elem_id=f"{name}-settle", elem_classes=["pressed-by-script"]
        )
        self.source = gr.HTML(
            js_on_load=f"watch('value', () => {room}.wholePictureCame());",
            elem_id=f"{name}-source",
            elem_classes=["pressed-by-script"],
        )


def source(data: bytes = b"", layers: str = "") -> str:
    """The file that is edited, for the script. No two values are equal: each tells of a picture."""
    file = base64.b64encode(data).decode()
    return f'<i data-file="{file}" data-layers="{layers}" data-time="{time.time_ns()}"></i>'


def script() -> str:
    """What the page needs before the scripts of the rooms."""
    return Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
