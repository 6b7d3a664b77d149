"""The first screen: a photo, its file, and the pictures rendered from the file."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import gradio as gr
from gradio.blocks import Block

from app.address import number_in
from app.components.events import (
    BACKGROUND,
    LIVE,
    MODEL_EVENT,
    QUICK,
    Update,
    friendly,
    keep_downloads,
)
from app.components.html import busy_note, note
from app.executor import CancelToken
from app.files import keep_picture
from app.results import Compressed, CurrentFace, LevelSize, whole
from app.services.refining import sharpening
from app.tabs.base import Opens, Tab
from app.tabs.compress import api, compare_api, html
from app.tabs.compress.choices import OnDemand
from app.tabs.compress.share import SharePanel
from app.tabs.compress.switches import LayerSwitches, layers_of
from app.tabs.compress.updates import GENERATED, ResultUpdates, seed_of, with_layers
from app.tabs.compress.view import CompressView
from hsc.errors import NoFaceError

NO_LAYER = "Both layers are off, so nothing arrives and nothing can be drawn: switch one on."
# Measuring has a queue of its own, so that no picture waits for it.
MEASURING = LIVE | {"concurrency_id": "measure"}
# So has what the viewer asks for; every choice is answered, however fast they come.
SIZING = LIVE | {"concurrency_id": "level bytes"}
ON_DEMAND = MODEL_EVENT | {"concurrency_id": "on demand", "trigger_mode": "multiple"}


class CompressTab(Tab):
    """Handlers and wiring of the first screen."""

    name = "compress"
    title = "Compress"
    aliases = ("compare",)
    endpoints = ("compress", "compare")

    def build(self, tab: Opens) -> None:
        self.examples = self.page.face.given
        self.view = CompressView(self.page.face, self.studio.refines_by_itself)
        self.updates = ResultUpdates(self.view, self.examples, self.studio.baselines.empty())
        self._wire()

    def add_endpoint(self) -> None:
        api.add(self.studio)
        compare_api.add(self.studio)

    def _wire(self) -> None:
        view = self.view
        controls: list[Block] = [
            view.photo, view.face, view.align, view.level, view.scn, view.fcn, view.drawing
        ]  # fmt: skip
        outputs: list[Block] = [
            view.note, view.no_face, view.faces, view.welcome, view.readout, view.viewer,
            view.chip, view.stops, view.measures, view.link, view.share, view.times,
            view.save_file, view.save_picture, view.save_recipe, view.current,
            view.browser_cache, view.sharpening,
        ]  # fmt: skip
        with_face = [*outputs, view.face, view.align]
        switches = LayerSwitches(view, self.updates, self.studio, self.draw)
        drawing = [
            switches.wire(controls, [*outputs, view.photo]),
            view.photo.change(
                friendly(self.new_photo, view.note, self.updates.stays),
                [view.photo, view.level, view.scn, view.fcn, view.drawing, view.current],
                with_face,
                **LIVE,
            ),
            view.faces.select(
                friendly(self.other_face, view.note, self.updates.stays),
                controls,
                with_face,
                # not the default, which leaves a choice out while another one is drawn
                **MODEL_EVENT | {"trigger_mode": "multiple"},
            ),
            view.centre.click(
                friendly(self.use_centre, view.note), controls, with_face, **MODEL_EVENT
            ),
        ]
        refining = [
            event.then(
                friendly(self.refine, view.note),
                [view.refine, view.current, view.photo, view.search],
                outputs,
                **MODEL_EVENT,
            )
            for event in drawing
        ]
        refining.append(
            view.refine.input(
                friendly(self.refine_or_draw, view.note),
                [view.refine, view.current, view.search, *controls],
                [*outputs, view.photo],
                **LIVE,
            )
        )
        with view.sharing:
            share = SharePanel(self.studio, view.share_face, view.current)
        share.wire(view.search)
        downloads = [view.save_file, view.save_picture, view.save_recipe]
        for event in drawing + refining:
            event.then(
                friendly(self.measure), [view.current, view.search], view.measures, **MEASURING
            ).then(friendly(self.level_bytes), [view.current, view.search], view.stops, **SIZING)
            event.then(**keep_downloads("compress", downloads))
        if self.studio.refines_by_itself:
            for event in drawing:
                event.then(
                    friendly(self.sharpen),
                    [view.current, view.photo, view.search],
                    [*outputs, view.stop],
                    **BACKGROUND,
                ).then(**keep_downloads("compress", downloads))
            view.stop.click(CancelToken.cancel, view.search, None, **QUICK)
        view.viewer.wanted(
            friendly(OnDemand(self.studio, view.viewer, view.note).make, view.note),
            [view.current, view.search],
            [view.viewer, view.note],
            **ON_DEMAND,
        )
        view.examples.click(self.show_example, view.examples, [*outputs, view.photo], **QUICK)
        made = [view.photo, view.seed]
        view.invent.click(friendly(self.invent_face), None, made, **MODEL_EVENT)
        view.seed.submit(friendly(self.invent_face), view.seed, made, **MODEL_EVENT)
        self.page.blocks.load(
            friendly(self.from_link),
            None,
            [view.photo, view.seed, view.level, view.scn, view.fcn],
            **MODEL_EVENT,
        )

    def new_photo(
        self,
        photo: str | None,
        level: float,
        scn: bool,
        fcn: bool,
        drawing: CancelToken,
        current: CurrentFace | None,
    ) -> Iterator[Update]:
        """A photo was chosen or cleared: forget the last one's face."""
        view = self.view
        afresh: Update = {
            **({} if whole(current) else self.updates.forgotten()),
            view.face: 0,
            view.align: True,
            view.no_face: gr.Column(visible=False),
            view.faces: gr.Gallery(value=None, visible=False),
        }
        if not photo:
            yield afresh | {
                view.note: "",
                view.browser_cache: {},
                view.welcome: gr.HTML(visible=True),
            }
            return
        yield afresh | {view.note: busy_note(self.studio, "Finding the face …")}
        yield from self.draw(photo, 0, True, level, scn, fcn, drawing, fresh=True)

    def other_face(self, event: gr.SelectData, *controls: Any) -> Iterator[Update]:
        """Another of several faces was chosen."""
        photo, _, _, level, scn, fcn, drawing = controls
        yield {self.view.face: event.index, self.view.align: True}
        yield from self.draw(photo, event.index, True, level, scn, fcn, drawing, fresh=True)

    def use_centre(self, *controls: Any) -> Iterator[Update]:
        """No face was found, and the centre is to be used all the same."""
        photo, _, _, level, scn, fcn, drawing = controls
        yield {self.view.align: False, self.view.no_face: gr.Column(visible=False)}
        yield from self.draw(photo, 0, False, level, scn, fcn, drawing, fresh=True)

    def draw(
        self,
        photo: str | None,
        face: int,
        align: bool,
        level: float,
        scn: bool,
        fcn: bool,
        drawing: CancelToken,
        fresh: bool = False,
    ) -> Iterator[Update]:
        """Show the photo's file and pictures as they come; cached ones come at once. What takes
        long ends when the visitor asks for something else.

        With `fresh` the viewer shows the original and then the essence until both layers are
        there. An example's shipped pictures stay until its own are complete. Before any photo was
        chosen, the first example stands for one.
        """
        if not photo:
            if self.examples:
                yield {self.view.photo: str(self.examples[0].photo)}
            return
        view, path = self.view, Path(photo)
        layers = layers_of(scn, fcn)
        is_example = fresh and any(each.photo.name == path.name for each in self.examples)
        try:
            drafts, cancelled = bool(layers) and not is_example, drawing.watch()
            for result in self.studio.steps(photo, level, face, align, drafts, cancelled):
                if cancelled():
                    return
                if result.correcting:
                    yield {view.note: self.updates.correcting(result)}
                    continue
                update = self.updates.partial(result, layers or "scn+fcn", path, fresh=fresh)
                if result.data is None:
                    update[view.note] = busy_note(self.studio, "Compressing …")
                if result.picture_both is None and not is_example:
                    yield update
                elif result.draft:
                    drawn = self._current(result, layers, face, align, path)
                    yield update | self.updates.draft(drawn, path)
                    fresh = False  # the draft stays until the file's own picture is there
            if cancelled():
                return
            if not layers:
                yield self.updates.stays() | update | {view.note: note(NO_LAYER, warn=True)}
                return
            if layers == "fcn":
                yield update | {view.note: note("Rendering …", busy=True)}
            current = self._current(result, layers, face, align, path)
            yield from self._finish(update, current, path)
        except NoFaceError:
            yield {view.note: "", view.no_face: gr.Column(visible=True)}

    def _current(
        self, result: Compressed, layers: str, face: int, align: bool, photo: Path
    ) -> CurrentFace:
        """The face with the picture of the chosen layers."""
        file = result.file(layers)
        picture = self.studio.decode(file, layers).picture
        return CurrentFace(result, layers, file, picture, face, align, seed_of(photo))

    def refine(
        self, enabled: bool, current: CurrentFace | None, photo: str | None, search: CancelToken
    ) -> Iterator[Update]:
        """Search for a better file of what is shown, where the switch is on."""
        if not (enabled and whole(current) and photo) or current.result.refined:
            return
        path, result = Path(photo), None
        for result in self.studio.refine(current.result, search.watch()):
            update = self.updates.partial(result, current.layers, path, fresh=False)
            if result.picture_both is None or result.refining:
                yield update
        if result is None or result.refining:
            return  # cancelled
        yield from self._finish(update, self._of(current, result), path)

    def sharpen(
        self, current: CurrentFace | None, photo: str | None, search: CancelToken
    ) -> Iterator[Update]:
        """Search on for a better file while nobody waits. Each better picture is shown, and can be
        kept, as it is found; a change of anything ends the search, and so does Stop."""
        view, refining = self.view, self.studio.refining
        if not (whole(current) and photo) or current.result.picture_both is None:
            return
        known, words, cancelled = current.result.data, "", search.watch()
        for result in refining.steps(current.result, cancelled):
            progress = result.refining
            words = sharpening(progress) if progress else words
            said = note(f"Looking for a nearer picture: {words}", busy=bool(progress))
            update: Update = {
                view.sharpening: said,
                view.stop: gr.Button(interactive=bool(progress)),
            }
            if result.data != known and not cancelled():
                known = result.data
                better = self._of(current, replace(result, refining=None))
                measured = self.studio.measures.measure(result.crop, better.picture)
                update = self.updates.complete(better, Path(photo)) | update
                update = self.updates.shown(better, Path(photo)) | update
                update[view.measures] = html.measures(measured)
                update[view.stops] = self._stops(better)
                if cancelled():
                    return
            yield update
        # what was given up may be of another level than the one that shows now
        done = note(f"Refined: {words}") if words and not cancelled() else ""
        yield {view.sharpening: done, view.stop: gr.Button(interactive=False)}

    def _of(self, current: CurrentFace, result: Compressed) -> CurrentFace:
        """The same face from another result."""
        picture = self.studio.decode(result.file(current.layers), current.layers).picture
        return with_layers(current, result, current.layers, picture)

    def _finish(self, update: Update, current: CurrentFace, photo: Path) -> Iterator[Update]:
        """The picture and its figures at once, then the files to save."""
        shown = update | self.updates.shown(current, photo)
        yield shown | {self.view.note: note("Writing the files …", busy=True)}
        yield shown | self.updates.complete(current, photo)

    def refine_or_draw(
        self,
        enabled: bool,
        current: CurrentFace | None,
        search: CancelToken,
        photo: str | None,
        face: int,
        align: bool,
        level: float,
        scn: bool,
        fcn: bool,
        drawing: CancelToken,
    ) -> Iterator[Update]:
        """The switch was turned: search, or show the file as the encoder alone made it."""
        if enabled:
            yield from self.refine(enabled, current, photo, search)
        else:
            yield from self.draw(photo, face, align, level, scn, fcn, drawing)

    def measure(self, current: CurrentFace | None, search: CancelToken) -> Iterator[str]:
        """The figures, as they come, until another picture is asked for."""
        if not whole(current):
            return
        cancelled = search.watch()
        for measured in self.studio.measures.steps(current.result.crop, current.picture):
            if cancelled():
                return
            yield html.measures(measured)

    def level_bytes(self, current: CurrentFace | None, search: CancelToken) -> Iterator[str]:
        """The bytes of every named level of this face, as they come."""
        if not whole(current):
            return
        cancelled = search.watch()
        stops = self._stops(current, cancelled)
        if stops:
            yield stops

    def _stops(self, current: CurrentFace, cancelled: Callable[[], bool] = lambda: False) -> str:
        """The named levels with their bytes, the chosen one with those of the file that shows; ""
        where it was cancelled."""
        result, sizes = current.result, dict[int, LevelSize]()
        layers = "scn" if current.layers == "scn" else "scn+fcn"
        for known in self.studio.compression.level_sizes(result.prepared, layers):
            if known.level == result.level:  # which may be refined
                known = LevelSize(known.level, result.sizes(layers).total, exact=True)
            sizes[known.level] = known
            if cancelled():
                return ""
        return html.stops(sizes, result.level)

    def show_example(self, number: int) -> Update:
        """Show an example's shipped pictures, and pass its photo on to be rendered here."""
        example = self.examples[number]
        return self.updates.example(example) | {self.view.photo: str(example.photo)}

    def from_link(self, request: gr.Request) -> Update:
        """Set what a link asks for: `?level=3&layers=scn&example=2` or `&seed=7`."""
        view = self.view
        query = {name: values[-1] for name, values in parse_qs(str(request.query_params)).items()}
        level = number_in(query, "level", 1, 6)
        update: Update = {view.level: gr.skip() if level is None else level}
        if query.get("layers") in ("scn", "fcn", "scn fcn", "scn+fcn"):
            update |= {view.scn: "scn" in query["layers"], view.fcn: "fcn" in query["layers"]}
        example = number_in(query, "example", 1, len(self.examples))
        if example and self.examples:
            update[view.photo] = str(self.examples[int(example) - 1].photo)
        elif "seed" in query and query["seed"].isdecimal():
            update[view.photo], update[view.seed] = self.invent_face(int(query["seed"][:9]))
        return update

    def invent_face(self, seed: float | None = None) -> tuple[str, int]:
        """A generated face; without a seed, a random one."""
        number = random.randrange(1_000_000) if seed is None else abs(int(seed))
        face = self.studio.random_face(number)
        return keep_picture(face, f"{GENERATED}-{number}.png"), number
