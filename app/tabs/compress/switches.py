"""The level and the layers; the browser shows again by itself what it has shown before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.events import Dependency

from app.components.events import LIVE, QUICK, Update, friendly, script_event
from app.executor import CancelToken
from app.results import CurrentFace
from app.studio import Studio
from app.tabs.compress.updates import ResultUpdates, identity_of, with_layers
from app.tabs.compress.view import CompressView

Draw = Callable[[str | None, int, bool, float, bool, bool, CancelToken], Iterator[Update]]


class LayerSwitches:
    """What happens when a level or a layer is chosen.

    The browser caches what `ResultUpdates.complete` returns for each level, and shows it at once
    when it is chosen again (switch.js). The server then only records the choice.

    Args:
        draw: `CompressTab.draw`.
    """

    def __init__(
        self, view: CompressView, updates: ResultUpdates, studio: Studio, draw: Draw
    ) -> None:
        self.view = view
        self.updates = updates
        self.studio = studio
        self.draw = draw

    def wire(self, controls: list[Block], outputs: list[Block]) -> Dependency:
        """Wire the level and the layers; the event after which the server knows the choice."""
        view = self.view
        in_browser = script_event(
            Path(__file__).with_name("switch.js"),
            inputs={
                "level": view.level,
                "scn": view.scn,
                "fcn": view.fcn,
                "cache": view.browser_cache,
            },
            outputs={
                "cache": view.browser_cache,
                "readout": view.readout,
                "viewer": view.viewer,
                "chip": view.chip,
                "measures": view.measures,
                "save_file": view.save_file,
                "save_picture": view.save_picture,
                "save_recipe": view.save_recipe,
                "link": view.link,
                "share": view.share,
                "times": view.times,
                "note": view.note,
            },
        )
        switches = [view.level.input, view.level.release, view.scn.input, view.fcn.input]
        # An event's listeners run one after the other, so those that must not wait come first: what
        # the page has shown before, it shows by itself,
        gr.on(switches, **in_browser)
        # and whoever asks for something else does not wait for a search, or for a draft's file.
        another = [view.photo.change, view.faces.select, view.invent.click, view.seed.submit]
        gr.on(
            [*another, view.level.input, view.scn.input, view.fcn.input],
            cancel_all,
            [view.search, view.drawing],
            None,
            **QUICK,
        )
        view.refine.input(CancelToken.cancel_unless, [view.search, view.refine], None, **QUICK)
        switched = gr.on(
            switches,
            friendly(self.switched, view.note, self.updates.stays),
            [view.browser_cache, view.current, *controls],
            outputs,
            **LIVE,
        )
        switched.then(**in_browser)  # again, over updates that were still on their way
        return switched

    def switched(
        self,
        cache: dict[str, Any] | None,
        current: CurrentFace | None,
        photo: str | None,
        face: int,
        align: bool,
        level: float,
        scn: bool,
        fcn: bool,
        drawing: CancelToken,
    ) -> Iterator[Update]:
        """A level or a layer was chosen: record what the page shows, or render what it lacks."""
        layers, cache = layers_of(scn, fcn), cache or {}
        in_browser = cache.get("level") == level and layers in cache.get("layers", ())
        same_face = current is not None and cache.get("identity") == identity_of(current.result)
        if not (in_browser and same_face and photo and current):
            yield from self.draw(photo, face, align, level, scn, fcn, drawing)
            return
        result = current.result
        if result.level != level:
            result = next(self.studio.steps(photo, level, face, align))
            if result.picture_both is None:  # no longer cached here
                yield from self.draw(photo, face, align, level, scn, fcn, drawing)
                return
        picture = self.studio.decode(result.file(layers), layers).picture
        current = with_layers(current, result, layers, picture)
        self.updates.layer_values(current, Path(photo))
        # a draft has no recipe
        yield {
            self.view.current: current,
            self.view.save_recipe: gr.DownloadButton(interactive=True),
        }


def cancel_all(*tokens: CancelToken) -> None:
    """End whatever a visitor waits for."""
    for token in tokens:
        token.cancel()


def layers_of(scn: bool, fcn: bool) -> str:
    """The switches as the codec names them; empty when both are off."""
    return "+".join(name for name, on in (("scn", scn), ("fcn", fcn)) if on)
