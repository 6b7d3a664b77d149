"""One photograph: its faces, its file, and the picture drawn from it; `batch` has many."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import gradio as gr
from gradio.blocks import Block

from app.components.events import LIVE, MODEL_EVENT, QUICK, Update, friendly, keep_downloads
from app.components.html import busy_note, note
from app.files import keep_bytes, keep_picture
from app.protocols import FaceCodec
from app.results import Edits
from app.services.photographs import OTHERS, FoundPhotograph, Step, no_face, parts
from app.tabs.base import Opens, Tab
from app.tabs.photographs import api, html
from app.tabs.photographs.batch import BatchPart
from app.tabs.photographs.view import PhotographView
from app.viewer import Choice, content, drawn, patch, wanted
from hsc.errors import HscError

RESULT, ORIGINAL, NUMBERED, BACKGROUND = "result", "original", "numbered", "background"
NAMES = {ORIGINAL: "Original", NUMBERED: "Faces numbered", BACKGROUND: "Background alone"}
LARGE = "Of {} × {} pixels, {} of the longer side are kept."
CUT = "Not all of this file arrived: {}."


@dataclass(frozen=True)
class Shown:
    """What a visitor looks at.

    Attributes:
        photo: path of the photograph; None where a ``.hscp`` file was opened.
        data: the ``.hscp`` file.
        numbers: of the faces in the file, as the page numbers them.
        count: of faces that can be chosen.
        chosen: the face that is edited, None for none.
        edits: by the page's number.
        hidden: the page's numbers of faces that an opened file does not draw.
        original: the viewer's addresses by choice.
    """

    photo: str | None = None
    data: bytes = b""
    numbers: tuple[int, ...] = ()
    count: int = 0
    chosen: int | None = None
    edits: dict[int, Edits] = field(default_factory=dict)
    hidden: tuple[int, ...] = ()
    original: dict[str, str] = field(default_factory=dict)


class PhotographsTab(Tab):
    """Handlers and wiring of the view of one photograph."""

    name = "photographs"
    title = "Photographs"
    endpoints = ("photographs", "batch")
    of_faces = True

    def build(self, tab: Opens) -> None:
        self.photographs = self.studio.photographs
        with gr.Tabs(elem_id="photographs-parts", elem_classes=["parts"]):
            with gr.Tab("One photograph", id="one"):
                self.view = view = PhotographView()
            with gr.Tab("Many photographs", id="batch"):
                self.batch = BatchPart(self.studio)
        sliders = view.sliders.sliders
        self.fitted = sliders
        settings: list[Block] = [view.shown, view.level, view.background]
        result: list[Block] = [
            view.shown, view.note, view.viewer, view.parts, view.save_file, view.save_picture,
        ]  # fmt: skip
        people: list[Block] = [view.people, view.coded, view.faces]
        editing: list[Block] = [view.editing, view.edited, *sliders]
        drawing = [
            view.photo.upload(
                friendly(self.new_photo, view.note),
                [view.photo, view.level, view.background],
                [*result, *people, *editing],
                **LIVE,
            ),
            view.invent.click(
                friendly(self.invent, view.note),
                [view.level, view.background],
                [*result, *people, *editing, view.photo],
                **MODEL_EVENT,
            ),
            view.file.upload(
                friendly(self.new_file, view.note),
                [view.file],
                [*result, *people, *editing, view.photo],
                **LIVE,
            ),
            gr.on(
                [view.level.release, view.background.release],
                friendly(self.code, view.note),
                [*settings, view.coded],
                result,
                **LIVE,
            ),
            view.coded.input(
                friendly(self.code, view.note), [*settings, view.coded], result, **LIVE
            ),
            gr.on(
                [slider.release for slider in sliders],
                friendly(self.edit_face, view.note),
                [view.shown, *sliders],
                result,
                **LIVE,
            ),
            view.reset.click(
                friendly(self.reset, view.note), [view.shown], [*result, *sliders], **LIVE
            ),
        ]
        for event in drawing:
            event.then(**keep_downloads("photograph", [view.save_file, view.save_picture]))
        view.faces.select(self.choose, [view.shown], [view.shown, *editing], **QUICK)
        view.viewer.wanted(
            friendly(self.show_other), [view.shown], view.viewer,
            **LIVE | {"concurrency_id": "measure"},
        )  # fmt: skip

    def add_endpoint(self) -> None:
        api.add(self.studio)

    def fit(self, codec: FaceCodec) -> Update:
        """The codec's own edits."""
        return self.view.sliders.fit(codec)

    def new_photo(self, photo: str | None, level: float, background: float) -> Iterator[Update]:
        """A photograph was chosen: find its faces, then code and draw all of them."""
        if not photo:
            return
        view = self.view
        yield {view.note: busy_note(self.studio, "Finding the faces …")}
        found = self.photographs.find(photo)
        count = len(found.faces)
        shown = Shown(photo=photo, count=count, original={ORIGINAL: drawn(found.picture, "o.webp")})
        names = [str(number) for number in range(count)]
        thumbnails = [
            (keep_picture(face, "face.png"), name)
            for face, name in zip(found.thumbnails, names, strict=True)
        ]
        choices = [
            Choice(RESULT, "From the file"),
            Choice(ORIGINAL, NAMES[ORIGINAL], shown.original[ORIGINAL], found.upload_bytes),
        ]
        yield self._people(names, thumbnails, "Faces to code; others stay in the background") | {
            view.shown: shown,
            view.viewer: content(choices, ORIGINAL, ORIGINAL, fresh=True, waiting=True),
        }
        yield from self.code(shown, level, background, names, fresh=True)

    def invent(self, level: float, background: float) -> Iterator[Update]:
        """A group of people who do not exist."""
        yield {self.view.note: busy_note(self.studio, "Inventing six people …")}
        seed = random.randrange(10_000)
        path = keep_picture(self.photographs.invent(seed), f"group-{seed}.png")
        yield {self.view.photo: path}
        yield from self.new_photo(path, level, background)

    def new_file(self, data: bytes | None) -> Iterator[Update]:
        """A ``.hscp`` file was opened."""
        if data is None:
            return
        file = self.photographs.read(data)
        count = len(file.faces)
        numbers = tuple(range(count))
        shown = Shown(data=data, numbers=numbers, count=count)
        names = [str(number) for number in numbers]
        yield {self.view.photo: None, self.view.note: busy_note(self.studio, "Drawing …")}
        thumbnails = [
            (keep_picture(picture, "face.png"), str(number))
            for number, picture in self.photographs.thumbnails(file)
        ]
        yield self._people(names, thumbnails, "Faces to draw") | {self.view.shown: shown}
        yield from self.draw(shown, fresh=True)

    def code(
        self,
        shown: Shown | None,
        level: float,
        background: float,
        coded: list[str],
        fresh: bool = False,
    ) -> Iterator[Update]:
        """Code the photograph with the faces that are ticked, and draw it."""
        if shown is None:
            return
        left = tuple(number for number in range(shown.count) if str(number) not in coded)
        if shown.photo is None:  # an opened file has what it has
            yield from self.draw(replace(shown, hidden=left))
            return
        found = self.photographs.find(shown.photo)
        budget = int(background)
        for step in self.photographs.encode_steps(found, level, budget, left):
            if isinstance(step, Step):
                yield {self.view.note: self._progress("Coding", step)}
            else:
                shown = replace(shown, data=step.data, numbers=step.coded)
        yield from self.draw(shown, found, fresh)

    def draw(
        self, shown: Shown, found: FoundPhotograph | None = None, fresh: bool = False
    ) -> Iterator[Update]:
        """Draw the file as it is edited, and say what its parts are."""
        view = self.view
        file = self.photographs.read(shown.data)
        places = {number: place for place, number in enumerate(shown.numbers)}
        edits = {places[n]: each.amounts for n, each in shown.edits.items() if n in places}
        hidden = [places[number] for number in shown.hidden]
        result = None
        for step in self.photographs.decode_steps(shown.data, hidden, edits):
            if isinstance(step, Step):
                yield {view.note: self._progress("Drawing", step)}
            else:
                result = step
        if result is None:
            return
        if found is None and shown.photo is not None:
            found = self.photographs.find(shown.photo)
        picture = drawn(result.picture, "photograph.webp")
        edited = [str(number) for number, each in shown.edits.items() if each.named]
        words = f"edited: {', '.join(edited)}" if edited else ""
        choices = [Choice(RESULT, "From the file", picture, len(shown.data), words)]
        if found is not None:
            choices += [
                Choice(ORIGINAL, "Original", shown.original[ORIGINAL], found.upload_bytes),
                *(
                    Choice(name, f"{label} in as many bytes", group="The whole photograph by")
                    for name, label in OTHERS.items()
                ),
                Choice(NUMBERED, NAMES[NUMBERED]),
            ]
        choices.append(
            Choice(BACKGROUND, NAMES[BACKGROUND], bytes=len(file.background), group="Parts")
        )
        missing = [f"face {number} is missing" for number in result.missing]
        missing += [f"face {number} is drawn from SCN alone" for number in result.partial]
        warning = "" if shown.count else no_face()
        if missing:
            warning = CUT.format(", ".join(missing))
        elif found is not None and found.shrunk_from:
            width, height = found.shrunk_from
            warning = LARGE.format(width, height, max(found.picture.size))
        yield {
            view.shown: shown,
            view.note: note(warning, warn=True),
            view.viewer: content(
                choices,
                RESULT if found is None else ORIGINAL,
                RESULT,
                version=picture,
                fresh=fresh and found is None,
            ),
            view.parts: html.parts_panel(
                parts(file, shown.numbers),
                (file.width, file.height),
                found.upload_bytes if found else None,
            ),
            view.save_file: gr.DownloadButton(
                value=keep_bytes(shown.data, "photograph.hscp"), visible=True
            ),
            view.save_picture: gr.DownloadButton(
                value=keep_picture(result.picture, "photograph.png"), visible=True
            ),
        }

    def choose(self, event: gr.SelectData, shown: Shown | None) -> Update:
        """A face was chosen: its edits are on the sliders."""
        view = self.view
        if shown is None:
            return {view.editing: gr.Column(visible=False)}
        number = int(event.index)
        amounts = shown.edits.get(number, Edits()).amounts
        return {
            view.shown: replace(shown, chosen=number),
            view.editing: gr.Column(visible=True),
            view.edited: f"<h2>Edit face {number}</h2>",
            **{slider: amounts.get(name, 0) for name, slider in view.sliders.by_name.items()},
        }

    def edit_face(self, shown: Shown | None, *values: float) -> Iterator[Update]:
        """A slider was moved."""
        if shown is None or shown.chosen is None:
            return
        made = Edits.of(self.view.sliders.amounts(values))
        yield from self.draw(replace(shown, edits=shown.edits | {shown.chosen: made}))

    def reset(self, shown: Shown | None) -> Iterator[Update]:
        """The chosen face as its file has it."""
        if shown is None or shown.chosen is None:
            return
        yield self.view.sliders.reset()
        edits = {n: each for n, each in shown.edits.items() if n != shown.chosen}
        yield from self.draw(replace(shown, edits=edits))

    def show_other(self, shown: Shown | None, event: gr.EventData) -> dict[str, Any]:
        """A side of the viewer asks for a picture that is not there yet."""
        asked = wanted(event)
        name = asked.name
        if shown is None:
            return gr.skip()
        if name == BACKGROUND:
            file = self.photographs.read(shown.data)
            picture = self.photographs.background(file)
            choice = Choice(
                name, NAMES[name], drawn(picture, "background.webp"), len(file.background),
                group="Parts",
            )  # fmt: skip
        elif shown.photo is None:
            return gr.skip()
        else:
            found = self.photographs.find(shown.photo)
            if name == NUMBERED:
                choice = Choice(name, NAMES[name], drawn(found.numbered, "numbered.webp"))
            else:
                choice = self._other(found, name, len(shown.data))
        return patch(asked.version, choice)

    def _other(self, found: FoundPhotograph, name: str, budget: int) -> Choice:
        label = f"{OTHERS.get(name, name)} in as many bytes"
        group = "The whole photograph by"
        try:
            other = self.photographs.other(found, name, budget)
        except HscError as error:
            return Choice(name, label, missing=str(error), group=group)
        width, height = other.coded_size
        words = f"coded at {width} × {height}"
        if other.bytes > budget:
            words += ", as small as it gets"
        return Choice(
            name, label, drawn(other.picture, f"{name}.webp"), other.bytes, words, group=group
        )

    def _people(self, names: list[str], thumbnails: list[tuple[str, str]], label: str) -> Update:
        view = self.view
        return {
            view.people: gr.Column(visible=bool(names)),
            view.coded: gr.CheckboxGroup(choices=names, value=names, label=label),
            view.faces: gr.Gallery(value=thumbnails, selected_index=None),
            view.editing: gr.Column(visible=False),
        }

    def _progress(self, doing: str, step: Step) -> str:
        return busy_note(self.studio, f"{doing}: {step.what}, {step.done + 1} of {step.total} …")
