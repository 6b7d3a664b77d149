"""A face in, as a file or as text: its picture, its layers, every byte, and text again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from app.address import face_in, face_link, own_address
from app.components import LIVE, MODEL_EVENT, QUICK, Tab, friendly
from app.files import keep_picture
from app.results import Edits, Sizes
from app.studio import Studio
from app.tabs.decode_layout import PROVE, DecodeLayout
from app.views import byte_table, charts
from hsc.bitstream.fields import fields
from hsc.errors import BitstreamError, HscError
from hsc.paths import SHIPPED

EXAMPLE = SHIPPED / "examples" / "astronaut.png"
EXAMPLE_LEVEL = 2
CUT = "This file has no FCN layer, so this is what SCN alone draws."
NAMES = {"scn": "SCN", "fcn": "FCN", "scn+fcn": "SCN + FCN"}

Update = dict[Any, Any]


class DecodeTab(Tab):
    """Layout and events; create it inside a `gr.Tab`."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.receiving = studio.decode_tools
        self.at = at = DecodeLayout()
        sliders = at.edits.sliders
        looks = [at.data, at.layers, *sliders]
        drawn = [at.note, at.picture, at.proof]
        arrived = [
            *(at.data, *drawn, at.facts, at.strip, at.more, at.welcome, at.prove, at.parts),
            *(*self._texts(), *sliders),
        ]
        self.arrival = arrived
        at.file.upload(friendly(self.new_file), [at.file, at.layers, at.sent], arrived, **LIVE)
        at.file.clear(lambda: {at.note: ""}, None, [at.note], **QUICK)
        at.pasted.submit(friendly(self.new_text), [at.pasted, at.layers, at.sent], arrived, **LIVE)
        at.example.click(friendly(self.new_example), [at.layers, at.sent], arrived, **MODEL_EVENT)
        at.layers.input(friendly(self.draw), looks, drawn, **LIVE)
        at.parts.select(friendly(self.choose_layers), looks, [at.layers, *drawn], **LIVE)
        gr.on([s.input for s in sliders], friendly(self.follow), looks, drawn, **LIVE)
        gr.on([s.release for s in sliders], friendly(self.draw), looks, drawn, **LIVE)
        at.reset.click(friendly(self.undo), looks[:2], [*drawn, *sliders], **LIVE)
        at.prove.click(
            friendly(self.show_proof), looks[:2], [at.proof, at.note], **MODEL_EVENT
        )
        at.sent.input(friendly(self.send), [at.data, at.sent], self._texts(), **QUICK)
        self.fitted = tuple(sliders)

    def fit(self, codec: Any) -> Update:
        """The codec's own edits."""
        return self.at.edits.fit(codec)

    def new_file(
        self, data: bytes | None, layers: str, sent: str, request: gr.Request
    ) -> Iterator[Update]:
        """A file was dropped."""
        if data is not None:
            yield from self._arrive(data, layers, sent, request)

    def new_text(
        self, text: str, layers: str, sent: str, request: gr.Request
    ) -> Iterator[Update]:
        """A face was pasted as text."""
        yield from self._arrive(self.receiving.read(text), layers, sent, request)

    def new_example(self, layers: str, sent: str, request: gr.Request) -> Iterator[Update]:
        """Nobody has a .hsc file at hand: make one from the example picture."""
        yield {self.at.note: charts.note(self._waiting("Compressing the example …"), busy=True)}
        prepared = self.studio.prepare(EXAMPLE)
        data = self.studio.compression.file(prepared, EXAMPLE_LEVEL)
        yield from self._arrive(data, layers, sent, request)

    def from_address(self, layers: str, sent: str, request: gr.Request) -> Iterator[Update]:
        """The page was opened with a face in its address."""
        text = face_in(request.query_params)
        if text:
            yield from self._arrive(self.receiving.read(text), layers, sent, request)

    def _arrive(
        self, data: bytes, layers: str, sent: str, request: gr.Request
    ) -> Iterator[Update]:
        """A new face: forget the last one's edits, say what the bytes say, and draw it."""
        at = self.at
        data, facts, warning = self._usable(data)
        known = {
            at.data: data,
            at.facts: charts.facts(facts) + charts.bytes_bar(Sizes.of(facts)),
            at.strip: byte_table.strip(fields(data)),
            at.more: gr.Column(visible=True),
            at.welcome: gr.Markdown(visible=False),
            at.prove: gr.Button(PROVE, visible=True),
            at.proof: "",
            at.parts: gr.Gallery(visible=False),
            **at.edits.reset(),
            **self.send(data, sent, request),
        }
        yield known | {at.note: charts.note(self._waiting("Drawing …"), busy=True)}
        yield from self.draw(data, layers, warning=warning)
        if "fcn" in facts["layers"]:
            yield {at.parts: self._parts(data, facts)}

    def _usable(self, data: bytes) -> tuple[bytes, Any, str]:
        """What of a file can be drawn, its facts, and what is wrong with the rest of it."""
        try:
            data, _, facts = self.studio.decoding.readable(data, "scn+fcn")
            return data, facts, ""
        except BitstreamError as error:
            data, _, facts = self.studio.decoding.readable(data, "scn")
            return data, facts, f"This is what SCN alone draws. {error}"

    def _parts(self, data: bytes, facts: Any) -> Any:
        """What each layer draws, as small pictures to choose from."""
        sizes = facts["bytes"]
        words = {
            "scn": f"SCN: {sizes['scn']:,} bytes",
            "fcn": f"FCN: {sizes['fcn']:,} bytes",
            "scn+fcn": f"Both: {sizes['scn'] + sizes['fcn']:,} bytes",
        }
        value = [
            (keep_picture(self.studio.decoding.preview(data, layers), "layer.png"), label)
            for layers, label in words.items()
        ]
        return gr.Gallery(value=value, visible=True, selected_index=None)

    def choose_layers(
        self, event: gr.SelectData, data: bytes | None, layers: str, *values: float
    ) -> Iterator[Update]:
        """One of the small pictures was chosen."""
        layers = ("scn", "fcn", "scn+fcn")[event.index]
        yield {self.at.layers: layers}
        yield from self.draw(data, layers, *values)

    def follow(self, data: bytes | None, layers: str, *values: float) -> Iterator[Update]:
        """A slider moves, by mouse or by keyboard: a small picture at once, then the whole one."""
        if data is None:
            return
        drawing = self.studio.decoding
        look = Edits.of(self.at.edits.amounts(values))
        readable, shown, _ = drawing.readable(data, layers)
        if not drawing.is_cached(readable, shown, look):
            small = drawing.preview(readable, shown, look)
            yield {self.at.picture: keep_picture(small, "preview.png")}
        yield from self.draw(data, layers, *values)

    def draw(
        self, data: bytes | None, layers: str, *values: float, warning: str = ""
    ) -> Iterator[Update]:
        """The whole picture, and a warning with it; the last good one stays where none is drawn."""
        at = self.at
        if data is None:
            return
        yield {at.note: charts.note(self._waiting("Drawing …"), busy=True), at.proof: ""}
        try:
            amounts = at.edits.amounts(values)
            decoded = self.studio.decode(data, layers, amounts)
        except HscError:
            yield {at.note: ""}
            raise
        warning = warning or (CUT if decoded.layers != layers else "")
        yield {
            at.note: charts.note(warning, warn=True) if warning else "",
            at.picture: gr.Image(
                value=keep_picture(decoded.picture, "decoded.png"),
                label=f"Decoded from {NAMES[decoded.layers]}" + (", edited" if amounts else ""),
            ),
        }

    def undo(self, data: bytes | None, layers: str) -> Iterator[Update]:
        """Every edit back to nothing."""
        yield self.at.edits.reset()
        yield from self.draw(data, layers)

    def show_proof(self, data: bytes | None, layers: str) -> Iterator[Update]:
        """Draw the file afresh, and damaged."""
        if data is None:
            return
        at = self.at
        yield {at.note: charts.note("Drawing it again with nothing remembered …", busy=True)}
        data, layers, _ = self.studio.decoding.readable(data, layers)
        yield {at.proof: byte_table.proof_panel(self.receiving.prove(data, layers)), at.note: ""}

    def send(self, data: bytes | None, sent: str, request: gr.Request) -> Update:
        """The face as text, as a QR code and as a link."""
        at = self.at
        if data is None:
            return {}
        address = own_address(dict(request.headers), request.url.scheme if request.url else "http")
        made = self.receiving.as_text(data, sent, face_link(address))
        return {
            at.code: byte_table.code_panel(made, sent),
            at.text: gr.Textbox(
                value=made.text, label=f"The face as text: {len(made.text):,} characters"
            ),
            at.link: gr.Textbox(value=made.link, visible=bool(made.link)),
        }

    def _texts(self) -> list[Any]:
        return [self.at.code, self.at.text, self.at.link]

    def _waiting(self, words: str) -> str:
        return words if self.studio.ready else "Loading the model …"
