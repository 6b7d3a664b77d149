"""The first screen: a photo in, its few bytes, and what they draw."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import gradio as gr

from app.address import number_in
from app.components import LIVE, MODEL_EVENT, QUICK, Tab, friendly, layers_of
from app.files import keep_picture
from app.results import CurrentFace
from app.services.difference import difference
from app.services.measure import Measures
from app.studio import Studio
from app.tabs.compress_layout import DIFFERENCE, CancelToken
from app.tabs.compress_switches import CompressSwitches
from app.tabs.compress_updates import GENERATED, Update, seed_of
from app.views import charts
from hsc.errors import NoFaceError

NO_LAYER = "Both layers are off, so nothing arrives and nothing can be drawn: switch one on."
# Measuring never stands in the way of a picture: it has a queue of its own.
MEASURING = LIVE | {"concurrency_id": "measure"}


class CompressTab(CompressSwitches, Tab):
    """The first screen with its events; create it inside a `gr.Tab`."""

    def __init__(self, studio: Studio, measures: Measures) -> None:
        super().__init__(studio)
        self.measuring = measures
        self._wire()

    def _wire(self) -> None:
        controls = [self.photo, self.face, self.align, self.level, self.scn, self.fcn]
        seen = [
            self.note, self.no_face, self.faces, self.welcome, self.readout, self.original,
            self.only_scn, self.both, self.compare, self.measures, self.link, self.share,
            self.times, self.save_file, self.save_picture, self.save_recipe, self.shown,
            self.kept,
        ]  # fmt: skip
        chosen = [self.face, self.align]
        switched = self.listen(controls, seen)
        drawn = [
            switched,
            self.photo.change(
                friendly(self.new_photo),
                [self.photo, self.level, self.scn, self.fcn],
                [*seen, *chosen],
                **LIVE,
            ),
            self.faces.select(
                friendly(self.other_face), controls, [*seen, *chosen], **MODEL_EVENT
            ),
            self.centre.click(
                friendly(self.use_centre), controls, [*seen, *chosen], **MODEL_EVENT
            ),
        ]
        searching = [self.refine, self.shown, self.photo, self.wishes]
        searched = [
            event.then(friendly(self.refined), searching, seen, **MODEL_EVENT) for event in drawn
        ]
        searched.append(
            self.refine.input(
                friendly(self.refined_or_plain),
                [self.refine, self.shown, self.wishes, *controls],
                seen,
                **MODEL_EVENT,
            )
        )
        drawn += searched
        looked = [self.compare, self.difference, self.position, self.amplification]
        look = [self.shown, self.view, self.amplification]
        for event in drawn:
            event.then(
                friendly(self.measure), [self.shown, self.wishes], self.measures, **MEASURING
            )
            event.then(self.look, look, looked, **QUICK)
        gr.on([self.view.input, self.amplification.input], self.look, look, looked, **QUICK)
        gr.on(
            [self.position.input, self.position.release],
            lambda place: gr.ImageSlider(slider_position=place),
            self.position,
            self.compare,
            trigger_mode="always_last",
            **QUICK,
        )
        self.examples.click(self.example, self.examples, [*seen, self.photo], **QUICK)
        made = [self.photo, self.seed]
        self.invent.click(friendly(self.invent_face), None, made, **MODEL_EVENT)
        self.seed.submit(friendly(self.invent_face), self.seed, made, **MODEL_EVENT)

    def new_photo(
        self, photo: str | None, level: float, scn: bool, fcn: bool
    ) -> Iterator[Update]:
        """A photo was chosen or cleared: forget the last one's face."""
        afresh = {
            self.face: 0,
            self.align: True,
            self.no_face: gr.Column(visible=False),
            self.faces: gr.Gallery(value=None, visible=False),
        }
        if not photo:
            yield afresh | {
                self.note: "",
                self.kept: {},
                self.welcome: gr.Markdown(visible=True),
            }
            return
        yield afresh | {self.note: charts.note(self._waiting("Finding the face …"), busy=True)}
        yield from self.draw(photo, 0, True, level, scn, fcn, fresh=True)

    def other_face(self, event: gr.SelectData, *controls: Any) -> Iterator[Update]:
        """Another of several faces was chosen."""
        photo, _, _, level, scn, fcn = controls
        yield {self.face: event.index, self.align: True}
        yield from self.draw(photo, event.index, True, level, scn, fcn, fresh=True)

    def use_centre(self, *controls: Any) -> Iterator[Update]:
        """No face was found, and the centre is to be used all the same."""
        photo, _, _, level, scn, fcn = controls
        yield {self.align: False, self.no_face: gr.Column(visible=False)}
        yield from self.draw(photo, 0, False, level, scn, fcn, fresh=True)

    def draw(
        self,
        photo: str | None,
        face: int,
        align: bool,
        level: float,
        scn: bool,
        fcn: bool,
        fresh: bool = False,
    ) -> Iterator[Update]:
        """Show the photo's bytes and pictures as they come; what is remembered comes whole.

        `fresh` shows what SCN draws under the border too until FCN has refined it. An example's
        pictures are there already, and stay until theirs are whole.
        """
        if not photo:
            return
        layers, path = layers_of(scn, fcn), Path(photo)
        patient = fresh and any(each.photo.name == path.name for each in self.known)
        try:
            for result in self.studio.steps(photo, level, face, align):
                update = self.growing(result, layers or "scn+fcn", path, fresh)
                if result.data is None:
                    update[self.note] = charts.note(self._waiting("Compressing …"), busy=True)
                if result.picture_both is None and not patient:
                    yield update
            if not layers:
                yield update | {self.note: charts.note(NO_LAYER, warn=True)}
                return
            if layers == "fcn":
                yield update | {self.note: charts.note("Drawing …", busy=True)}
            file = result.file(layers)
            picture = self.studio.decode(file, layers).picture
            shown = CurrentFace(result, layers, file, picture, face, align, seed_of(path))
            yield update | self.whole(shown, path)
        except NoFaceError:
            yield {self.note: "", self.no_face: gr.Column(visible=True)}
        except Exception:
            yield {self.note: ""}  # a toast says what is wrong; the last good pictures stay
            raise

    def refined(
        self, wanted: bool, shown: CurrentFace | None, photo: str | None, wishes: CancelToken
    ) -> Iterator[Update]:
        """Search for a better file of what is shown, where that is wanted."""
        yield {self.note: gr.skip()}  # Gradio clears what no answer names
        if not wanted or shown is None or shown.result.refined or not photo:
            return
        path, wish, result = Path(photo), wishes.count, None
        try:
            for result in self.studio.refine(shown.result, lambda: wishes.count != wish):
                update = self.growing(result, shown.layers, path, fresh=False)
                if result.picture_both is None or result.refining:
                    yield update
            if result is None or result.refining:
                yield {self.note: ""}
                return
            file = result.file(shown.layers)
            picture = self.studio.decode(file, shown.layers).picture
            better = replace(shown, result=result, file=file, picture=picture)
            yield update | self.whole(better, path)
        except Exception:
            yield {self.note: ""}  # a toast says what is wrong; the last good pictures stay
            raise

    def refined_or_plain(
        self,
        wanted: bool,
        shown: CurrentFace | None,
        wishes: CancelToken,
        photo: str | None,
        *controls: Any,
    ) -> Iterator[Update]:
        """The switch was turned: search, or show the file as the encoder alone made it."""
        if wanted:
            yield from self.refined(wanted, shown, photo, wishes)
        else:
            yield from self.draw(photo, *controls)

    def look(self, shown: CurrentFace | None, view: str, amplification: int) -> Update:
        """Before and after with a border between them, or where they differ."""
        apart = view == DIFFERENCE
        update: Update = {
            self.compare: gr.ImageSlider(visible=not apart),
            self.position: gr.Slider(visible=not apart),
            self.amplification: gr.Radio(visible=apart),
            self.difference: gr.Image(visible=apart),
        }
        if apart and shown:
            seen = difference(shown.result.crop, shown.picture, amplification)
            update[self.difference] = gr.Image(
                value=keep_picture(seen, "difference.png"),
                label=f"Difference from the original, |x − x̂| × {amplification}",
                visible=True,
            )
        return update

    def measure(self, shown: CurrentFace | None, wishes: CancelToken) -> Iterator[str]:
        """The figures, as they come, while it is this picture that shows."""
        if shown is None:
            return
        wish = wishes.count
        for measured in self.measuring.steps(shown.result.crop, shown.picture):
            if wishes.count != wish:
                return
            yield charts.measures(measured)

    def example(self, number: int) -> Update:
        """Show an example as it ships, and hand its photo over to be drawn here."""
        chosen = self.known[number]
        return self.stand_in(chosen) | {self.photo: str(chosen.photo)}

    def from_link(self, request: gr.Request) -> Update:
        """Set what a link asks for: `?level=3&layers=scn&example=2` or `&seed=7`."""
        query = {name: values[-1] for name, values in parse_qs(str(request.query_params)).items()}
        level = number_in(query, "level", 1, 6)
        update: Update = {self.level: gr.skip() if level is None else level}
        if query.get("layers") in ("scn", "fcn", "scn fcn", "scn+fcn"):
            update |= {self.scn: "scn" in query["layers"], self.fcn: "fcn" in query["layers"]}
        example = number_in(query, "example", 1, len(self.known))
        if example and self.known:
            update[self.photo] = str(self.known[int(example) - 1].photo)
        elif "seed" in query and query["seed"].isdecimal():
            update[self.photo], update[self.seed] = self.invent_face(int(query["seed"][:9]))
        return update

    def invent_face(self, seed: float | None = None) -> tuple[str, int]:
        """Draw a face that belongs to nobody; without a seed, any."""
        number = random.randrange(1_000_000) if seed is None else abs(int(seed))
        face = self.studio.random_face(number)
        return keep_picture(face, f"{GENERATED}-{number}.png"), number

    def _waiting(self, words: str) -> str:
        return words if self.studio.ready else "Loading the model, this takes a few seconds …"
