"""A face in, as a file or as text: its picture, its layers, every byte, and text again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
from gradio.blocks import Block
from PIL import Image

from app.address import face_in, face_link, own_address, receiver_link
from app.cache import fingerprint
from app.components.events import LIVE, MODEL_EVENT, QUICK, Update, friendly
from app.components.html import busy_note, note
from app.components.local_previews import source
from app.executor import CancelToken
from app.protocols import FaceCodec
from app.results import CurrentFace, Edits, FileFacts
from app.services.examples import FOLDER
from app.services.facts import fields
from app.tabs.base import Opens, Tab
from app.tabs.receive import api, html
from app.tabs.receive.view import PROVE, ReceiveView
from app.viewer import Choice, content, drawn, patch, wanted
from hsc.errors import BitstreamError, HscError

EXAMPLE = FOLDER / "astronaut.png"
EXAMPLE_LEVEL = 2
DECODED, PLAIN = "decoded", "plain"
NO_FCN = "This file has no likeness layer (FCN): this is what its essence (SCN) alone draws."
LAYER_NAMES = {
    "scn": "Essence (SCN) alone",
    "fcn": "Likeness (FCN) alone",
    "scn+fcn": "Essence + likeness",
}


class ReceiveTab(Tab):
    """Handlers and wiring of the receiver's side."""

    name = "receive"
    title = "Receive"
    aliases = ("decode",)
    endpoints = ("decode",)

    def build(self, tab: Opens) -> None:
        self.decode_tools = self.studio.decode_tools
        self.view = view = ReceiveView()
        sliders = view.edits.sliders
        self.fitted = sliders
        request: list[Block] = [view.data, view.layers, *sliders]
        picture = [view.note, view.viewer, view.proof, view.previews.source]
        arrival = [
            view.data,
            view.taken,
            *picture,
            view.facts,
            view.bytes,
            view.more,
            view.welcome,
            view.prove,
            *self._text_outputs(),
            *sliders,
        ]
        asked = [view.layers, view.sent_layers]
        view.file.upload(
            friendly(self.new_file, view.note), [view.file, *asked], [*arrival, view.file], **LIVE
        )
        view.file.clear(lambda: {view.note: ""}, None, [view.note], **QUICK)
        view.pasted.submit(
            friendly(self.new_text, view.note), [view.pasted, *asked], arrival, **LIVE
        )
        view.example.click(friendly(self.new_example, view.note), asked, arrival, **MODEL_EVENT)
        view.layers.input(friendly(self.draw, view.note), request, picture, **LIVE)
        view.viewer.wanted(
            friendly(self.draw_layer, view.note),
            view.data,
            view.viewer,
            **MODEL_EVENT | {"trigger_mode": "multiple"},
        )
        # a file that was received does not change: the search for a better one ends
        tab.select(CancelToken.cancel, self.page.face.search, None, **QUICK)
        tab.select(
            friendly(self.take_over, view.note),
            [view.data, view.taken, self.page.face.current, *asked],
            arrival,
            **MODEL_EVENT,
        )
        view.previews.follow.click(
            friendly(self.preview, view.note), request, [view.note, view.viewer], **LIVE
        )
        gr.on(
            [view.previews.settle.click, *(s.release for s in sliders)],
            friendly(self.draw, view.note),
            request,
            picture,
            **LIVE,
        )
        view.reset.click(
            friendly(self.reset_edits, view.note), request[:2], [*picture, *sliders], **LIVE
        )
        view.prove.click(
            friendly(self.prove, view.note), request[:2], [view.proof, view.note], **MODEL_EVENT
        )
        view.sent_layers.input(
            friendly(self.as_text), [view.data, view.sent_layers], self._text_outputs(), **QUICK
        )
        self.page.blocks.load(
            friendly(self.from_link, view.note), asked, [self.page.tabs, *arrival], **MODEL_EVENT
        )

    def add_endpoint(self) -> None:
        api.add(self.studio)

    def fit(self, codec: FaceCodec) -> Update:
        """The codec's own edits."""
        return self.view.edits.fit(codec)

    def new_file(
        self, data: bytes | None, layers: str, sent_layers: str, request: gr.Request
    ) -> Iterator[Update]:
        """A file was dropped. The last face stays where it is refused, so its name goes away."""
        if data is None:
            return
        try:
            yield from self._arrive(data, layers, sent_layers, request)
        except HscError:
            yield {self.view.file: None}
            raise

    def new_text(
        self, text: str, layers: str, sent_layers: str, request: gr.Request
    ) -> Iterator[Update]:
        """A face was pasted as text."""
        yield from self._arrive(self.decode_tools.read(text), layers, sent_layers, request)

    def new_example(self, layers: str, sent_layers: str, request: gr.Request) -> Iterator[Update]:
        """Nobody has a .hsc file at hand: make one from the example picture."""
        yield {self.view.note: busy_note(self.studio, "Compressing the example …")}
        prepared = self.studio.prepare(EXAMPLE)
        data = self.studio.compression.file(prepared, EXAMPLE_LEVEL)
        yield from self._arrive(data, layers, sent_layers, request)

    def from_link(self, layers: str, sent_layers: str, request: gr.Request) -> Iterator[Update]:
        """The page was opened with a face in its address: show it."""
        text = face_in(request.query_params)
        if text:
            yield {self.page.tabs: gr.Tabs(selected=self.name)}
            yield from self._arrive(self.decode_tools.read(text), layers, sent_layers, request)

    def take_over(
        self,
        data: bytes | None,
        taken: bytes | None,
        current: CurrentFace | None,
        layers: str,
        sent_layers: str,
        request: gr.Request,
    ) -> Iterator[Update]:
        """The room was opened: show the file that Compress made, unless another one was given."""
        if current is None or data != taken or current.file == data:
            return
        yield {self.view.taken: current.file}
        yield from self._arrive(current.file, layers, sent_layers, request)

    def draw(
        self, data: bytes | None, layers: str, *values: float, warning: str = ""
    ) -> Iterator[Update]:
        """The whole picture, and a warning with it; the last good one stays where none is drawn."""
        view = self.view
        if data is None:
            return
        yield {view.note: busy_note(self.studio, "Rendering …"), view.proof: ""}
        amounts = view.edits.amounts(values)
        decoded = self.studio.decode(data, layers, amounts)
        warning = warning or (NO_FCN if decoded.layers != layers else "")
        shown = self._choices(data, decoded.layers, decoded.picture, bool(amounts))
        yield {
            view.note: note(warning, warn=True),
            view.viewer: shown,
            view.previews.source: source(data, decoded.layers),
        }

    def _choices(
        self, data: bytes, layers: str, picture: Image.Image, edited: bool, small: bool = False
    ) -> dict[str, Any]:
        """What the viewer offers: the picture asked for, the same unedited, each layer."""
        decoding, has_fcn = self.studio.decoding, layers != "scn" or self._has_fcn(data)
        name = LAYER_NAMES[layers] + (", edited" if edited else "")
        choices = [Choice(DECODED, name, drawn(picture, "decoded.webp"), len(data))]
        if edited:
            plain = decoding.render(data, layers).value
            choices.append(
                Choice(PLAIN, f"{LAYER_NAMES[layers]}, unedited", drawn(plain, "d.webp"))
            )
        for layer in ("scn", "fcn", "scn+fcn") if has_fcn else ():
            if layer == layers and not edited:
                continue
            cached = decoding.is_cached(data, layer)
            url = drawn(decoding.render(data, layer).value, "layer.webp") if cached else ""
            choices.append(Choice(layer, LAYER_NAMES[layer], url, self._bytes(data, layer)))
        others = [choice.name for choice in choices if choice.name != DECODED]
        return content(
            choices,
            PLAIN if edited else next(iter(others), DECODED),
            DECODED,
            version=fingerprint(data),
            waiting=small,
        )

    def _bytes(self, data: bytes, layers: str) -> int:
        """What a file with these layers takes: likeness alone needs the essence's bytes too."""
        return self.studio.decoding.size(data, "scn" if layers == "scn" else "scn+fcn")

    def _has_fcn(self, data: bytes) -> bool:
        return "fcn" in self.studio.decoding.readable(data, "scn+fcn")[2]["layers"]

    def draw_layer(self, data: bytes | None, event: gr.EventData) -> dict[str, Any]:
        """A layer was chosen in the viewer that was not rendered yet."""
        asked = wanted(event)
        if data is None or asked.version != fingerprint(data) or asked.name not in LAYER_NAMES:
            return patch("-")
        picture = self.studio.decode(data, asked.name).picture
        url = drawn(picture, "layer.webp")
        size = self._bytes(data, asked.name)
        return patch(asked.version, Choice(asked.name, LAYER_NAMES[asked.name], url, size))

    def preview(self, data: bytes | None, layers: str, *values: float) -> Update:
        """A small picture while a slider moves, unless the whole one is there already."""
        if data is None:
            return {}
        decoding = self.studio.decoding
        edits = Edits.of(self.view.edits.amounts(values))
        readable, available, _ = decoding.readable(data, layers)
        if decoding.is_cached(readable, available, edits):
            return {}
        small = decoding.preview(readable, available, edits)
        edited = bool(edits.named)
        return {self.view.viewer: self._choices(readable, available, small, edited, small=True)}

    def reset_edits(self, data: bytes | None, layers: str) -> Iterator[Update]:
        """Every edit back to nothing."""
        yield self.view.edits.reset()
        yield from self.draw(data, layers)

    def prove(self, data: bytes | None, layers: str) -> Iterator[Update]:
        """Draw the file afresh, and damaged."""
        if data is None:
            return
        view = self.view
        yield {view.note: note("Rendering it again with nothing remembered …", busy=True)}
        data, layers, _ = self.studio.decoding.readable(data, layers)
        yield {view.proof: html.proof_panel(self.decode_tools.prove(data, layers)), view.note: ""}

    def as_text(self, data: bytes | None, sent_layers: str, request: gr.Request) -> Update:
        """The face as text, as a QR code and as links: to the receiver, and to this page."""
        view = self.view
        if data is None:
            return {}
        address = own_address(dict(request.headers), request.url.scheme if request.url else "http")
        link = receiver_link(address) if address else ""
        made = self.decode_tools.as_text(data, sent_layers, link)
        return {
            view.qr: html.qr_panel(made, sent_layers),
            view.text: gr.Textbox(
                value=made.text, label=f"The face as text: {len(made.text):,} characters"
            ),
            view.receiver: html.receiver_panel(made),
            view.link: gr.Textbox(value=face_link(address) + made.text, visible=bool(address)),
        }

    def _arrive(
        self, data: bytes, layers: str, sent_layers: str, request: gr.Request
    ) -> Iterator[Update]:
        """A new face: forget the last one's edits, say what the bytes say, and draw it."""
        view = self.view
        data, facts, warning = self._readable(data)
        yield {
            view.data: data,
            view.facts: html.facts(facts),
            view.bytes: html.byte_table(fields(data)),
            view.more: gr.Column(visible=True),
            view.welcome: gr.Markdown(visible=False),
            view.prove: gr.Button(PROVE, visible=True),
            view.proof: "",
            view.viewer: None,
            **view.edits.reset(),
            **self.as_text(data, sent_layers, request),
            view.note: busy_note(self.studio, "Rendering …"),
        }
        yield from self.draw(data, layers, warning=warning)

    def _readable(self, data: bytes) -> tuple[bytes, FileFacts, str]:
        """What of a file can be drawn, its facts, and what is wrong with the rest of it."""
        try:
            data, _, facts = self.studio.decoding.readable(data, "scn+fcn")
            return data, facts, ""
        except BitstreamError as error:
            data, _, facts = self.studio.decoding.readable(data, "scn")
            return data, facts, f"This is what the essence (SCN) alone draws. {error}"

    def _text_outputs(self) -> list[Block]:
        return [self.view.qr, self.view.receiver, self.view.text, self.view.link]
