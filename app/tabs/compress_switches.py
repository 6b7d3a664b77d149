"""Levels and layers of the first screen: what was shown before comes back in the browser alone."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from app.components import LIVE, QUICK, friendly, layers_of
from app.results import CurrentFace
from app.scripts import function
from app.studio import Studio
from app.tabs.compress_layout import CancelToken
from app.tabs.compress_updates import CompressUpdates, Update, identity_of


class CompressSwitches(CompressUpdates):
    """The first screen's components, and what happens when a level or a layer is chosen.

    The browser keeps what `CompressUpdates.whole` says of each level (app/scripts/switch.js), and
    shows it at once when it is chosen again; the studio only notes that.
    """

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self.studio = studio

    @abstractmethod
    def draw(self, photo: str | None, *controls: Any) -> Iterator[Update]:
        """Show a photo's bytes and pictures as the controls say."""

    def listen(self, controls: list[Any], seen: list[Any]) -> Any:
        """Wire the level and the layers; the event after which what is chosen is noted."""
        # An event's listeners run one after the other, so those that must not wait come first: what
        # the page has shown before, it shows by itself,
        in_browser = {
            "fn": None,
            "inputs": [self.level, self.scn, self.fcn, self.kept],
            "outputs": [
                self.kept, self.readout, self.only_scn, self.both, self.compare, self.measures,
                self.save_file, self.save_picture, self.save_recipe, self.link, self.share,
                self.times, self.note,
            ],
            "js": function("switch.js"),
            **QUICK,
        }  # fmt: skip
        switches = [self.level.input, self.level.release, self.scn.input, self.fcn.input]
        gr.on(switches, **in_browser)
        # and whoever asks for something else does not wait for a search.
        gr.on(
            [self.photo.change, self.level.input, self.scn.input, self.fcn.input],
            CancelToken.another,
            self.wishes,
            None,
            **QUICK,
        )
        self.refine.input(CancelToken.unless, [self.wishes, self.refine], None, **QUICK)
        switched = gr.on(
            switches, friendly(self.switched), [self.kept, self.shown, *controls], seen, **LIVE
        )
        switched.then(**in_browser)  # over what was on its way when it was switched
        return switched

    def switched(
        self, known: dict | None, shown: CurrentFace | None, photo: str | None, *controls: Any
    ) -> Iterator[Update]:
        """A level or a layer was chosen: note what the page shows of it, or draw what it lacks."""
        face, align, level, scn, fcn = controls
        layers, known = layers_of(scn, fcn), known or {}
        there = known.get("level") == level and layers in known.get("layers", ())
        if not there or not photo or not shown or known["of"] != identity_of(shown.result):
            yield from self.draw(photo, *controls)
            return
        result = shown.result
        if result.level != level:
            result = next(self.studio.steps(photo, level, face, align))
            if result.picture_both is None:  # forgotten here
                yield from self.draw(photo, *controls)
                return
        picture = self.studio.decode(result.file(layers), layers).picture
        shown = self.switched_to(result, layers, shown, picture)
        self.seen(shown, Path(photo))
        yield {self.shown: shown}
