"""Share: one button makes the link, the card and the clip of the face that shows."""

from __future__ import annotations

import time
from collections.abc import Iterator
from html import escape

import gradio as gr

from app.address import face_link, own_address
from app.components.events import MODEL_EVENT, QUICK, Update, friendly, keep_downloads
from app.components.html import note
from app.executor import CancelToken
from app.files import address, keep_bytes
from app.results import CurrentFace, whole
from app.services.clips import kinds
from app.services.decode_tools import AsText
from app.services.links import FaceLink
from app.studio import Studio

# Cards and clips take seconds of one core, for which no picture waits.
SHARING = MODEL_EVENT | {"concurrency_id": "share"}
NO_FACE = "There is no face yet, or it is still being drawn: press Share when it is there."
NAMES = {"mp4": "MP4", "gif": "GIF", "webp": "WebP"}
MARKED = (
    "Card and clip say inside the file that a neural network drew them "
    "(IPTC digital source type), and what with."
)


class SharePanel:
    """What the button opens; make it where it is to stand.

    Args:
        button: that is pressed for it.
        current: state with the face that shows.
    """

    def __init__(self, studio: Studio, button: gr.Button, current: gr.State) -> None:
        self.studio, self.button, self.current = studio, button, current
        # always there, and hidden by the style sheet while it is empty: what is set in the very
        # event that makes a column visible may be lost on the way
        with gr.Column(elem_id="share-panel"):
            self.note = gr.HTML(elem_id="share-note", elem_classes=["note-box"])
            self.link = gr.HTML(elem_id="share-link", apply_default_css=False)
            self.made = gr.HTML(elem_id="share-made", apply_default_css=False)
            with gr.Row(elem_id="share-save"):
                self.save_card = gr.DownloadButton(
                    "Card (PNG)", size="sm", elem_id="save-card", min_width=90, visible=False
                )
                self.save_clip = gr.DownloadButton(
                    "Clip", size="sm", elem_id="save-clip", min_width=90, visible=False
                )
                self.kind = gr.Radio(
                    [(NAMES[kind], kind) for kind in kinds()],
                    value=kinds()[0],
                    label="Kind of clip",
                    show_label=False,
                    container=False,
                    visible=False,
                    elem_id="clip-kind",
                    elem_classes=["segmented"],
                )

    def wire(self, search: gr.State) -> None:
        """Connect the button; static/share.js closes the panel when another face shows.

        Args:
            search: state with the visitor's `CancelToken`: a better file would take the place of
                the one that is being shared.
        """
        gr.on([self.button.click, self.kind.input], CancelToken.cancel, search, None, **QUICK)
        outputs = [
            self.note, self.link, self.made, self.save_card, self.save_clip, self.kind,
        ]  # fmt: skip
        request = [self.current, self.kind]
        downloads = keep_downloads("share", [self.save_card, self.save_clip])
        self.button.click(friendly(self.share, self.note), request, outputs, **SHARING).then(
            **downloads
        )
        self.kind.input(friendly(self.share, self.note), request, outputs, **SHARING).then(
            **downloads
        )

    def share(
        self, current: CurrentFace | None, kind: str, request: gr.Request
    ) -> Iterator[Update]:
        """The link at once, then the card, then the clip."""
        if not whole(current):
            yield {self.note: note(NO_FACE)}
            return
        sharing = self.studio.sharing
        scheme = request.url.scheme if request.url else "http"
        own = own_address(dict(request.headers), scheme)
        link = sharing.link(current.file, face_link(own))
        code = self.studio.decode_tools.as_text(link.data, "scn", link.address)
        shown: Update = {self.link: _link(link, code)}
        yield shown | {self.note: note("Making the card …", busy=True), self.made: ""}
        card = keep_bytes(sharing.card(current, face_link(own)), "card.png")
        shown[self.save_card] = gr.DownloadButton(value=card, visible=True)
        yield shown | {
            self.note: note("Making the clip …", busy=True),
            self.made: _pictures(card, None, kind),
        }
        clip = keep_bytes(sharing.clip(current, kind), f"face.{kind}")
        yield shown | {
            self.note: "",
            self.made: _pictures(card, clip, kind),
            self.save_clip: gr.DownloadButton(f"Clip ({NAMES[kind]})", value=clip, visible=True),
            self.kind: gr.Radio(visible=True),
        }


def _link(link: FaceLink, code: AsText) -> str:
    """The link to copy, and what is in it; relative where others could not follow it. The code is
    for the stage, which shows it large (static/stage.js)."""
    href = link.link if link.address else f"?face={link.text}"
    what = "the whole face" if len(code.data) == len(link.data) else "the face's essence"
    says = "Scan me" if link.address else "The face as text"
    return (
        # never the same, so that the browser always puts it in anew
        f'<div data-made="{time.monotonic_ns()}">'
        f'<button type="button" class="copy" data-copy="{escape(href)}">Copy the link</button>'
        f"<p>{escape(link.carries)}</p>"
        f"<template><figure>{code.qr}<figcaption><b>{says}</b>"
        f"<span>{len(code.data):,} bytes: {what}</span></figcaption></figure></template></div>"
    )


def _pictures(card: str, clip: str | None, kind: str) -> str:
    """The card and the clip, as they are."""
    shown = f'<img src="{address(card)}" alt="The card: original, decoded face, bytes, QR code">'
    if clip is None:
        shown += '<div class="coming" aria-hidden="true"></div>'
    elif kind == "mp4":
        shown += (
            f'<video src="{address(clip)}" autoplay loop muted playsinline controls'
            ' aria-label="The face arriving byte by byte, beside AVIF"></video>'
        )
    else:
        shown += f'<img src="{address(clip)}" alt="The face arriving byte by byte, beside AVIF">'
    return f'<div class="shared">{shown}</div><p>{MARKED}</p>'
