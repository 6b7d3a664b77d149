"""Results as updates of the Compress tab's components."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict
from urllib.parse import urlencode

import gradio as gr
from PIL import Image

from app.components.events import Update
from app.components.html import note
from app.components.slow_link import slow_link
from app.components.visitor_face import chip
from app.files import address, keep_bytes, keep_picture
from app.results import Compressed, CurrentFace
from app.services.baselines import BaselineResult
from app.services.examples import LEVEL, SEEDS, Example
from app.services.facts import recipe
from app.tabs.compress import html
from app.tabs.compress.choices import ORIGINAL, arriving_content, example_content, whole_content
from app.tabs.compress.view import CompressView
from app.viewer import drawn, patch

GENERATED = "generated-face"  # file name of generated faces
INVENTED = {f"{name}.jpg" for name in SEEDS}  # those among the examples


class LayerValues(TypedDict):
    """What one choice of layers shows; switch.js reads it by these names. Files are paths."""

    readout: str
    viewer: dict[str, Any]
    chip: str
    file: str
    picture: str
    recipe: str
    link: str
    share: str


class ResultUpdates:
    """How results are shown in a view.

    Args:
        codecs: the other codecs that the viewer offers.
    """

    def __init__(
        self, view: CompressView, examples: list[Example], codecs: list[BaselineResult]
    ) -> None:
        self.view = view
        self.examples = examples
        self.codecs = codecs

    def partial(self, result: Compressed, layers: str, photo: Path, *, fresh: bool) -> Update:
        """A result that may not have its file or all its pictures yet.

        What shows stays until the next is complete, but for another face: that comes in steps.

        Args:
            fresh: whether this is another face than the last result's.
        """
        view = self.view
        update: Update = {}
        if fresh:
            update[view.faces] = _thumbnails(result)
        if result.data is None:
            return update
        if result.refining:
            done, total = result.refining.done, result.refining.total
            update[view.note] = note(f"Refining, step {done} of {total} …", busy=True)
            return update
        update |= {view.welcome: gr.HTML(visible=False), view.browser_cache: {}}
        if fresh:
            scn = result.picture_scn
            update |= {
                view.readout: html.readout(result, layers, self._source(photo)),
                view.viewer: arriving_content(result, scn),
                view.chip: self.chip(result, layers, photo),
                view.stops: html.stops({}, result.level),
                view.measures: "",
            }
        if result.picture_scn is None:
            update[view.note] = note("Rendering the essence (SCN) …", busy=True)
        elif result.picture_both is None:
            update[view.note] = note("Adding the likeness (FCN) …", busy=True)
        return update

    def draft(self, current: CurrentFace, photo: Path) -> Update:
        """A draft, which can be saved, until the file itself is there."""
        view, values = self.view, self.layer_values(current, photo)
        return {
            view.current: current,
            view.readout: values["readout"],
            view.viewer: values["viewer"],
            view.chip: values["chip"],
            view.measures: "",
            view.link: values["link"],
            view.times: "",
            view.sharpening: "",
            **self._saved(values),
            # it would make the file, not its draft
            view.save_recipe: gr.DownloadButton(value=None, interactive=False),
            view.note: self.correcting(current.result),
        }

    def correcting(self, result: Compressed) -> str:
        """What is done while a file is made in steps."""
        step = result.correcting
        how_far = f", step {step.done} of {step.total}" if step else ""
        shown = "A draft. Bringing it" if result.draft else "Bringing the picture"
        return note(f"{shown} nearer to the photograph{how_far} …", busy=True)

    def forgotten(self) -> Update:
        """No face is at work: what was a draft is not made any more."""
        view, nothing = self.view, gr.DownloadButton(value=None)
        saved = view.save_file, view.save_picture, view.save_recipe
        return {view.current: None, view.share: "", **dict.fromkeys(saved, nothing), **self.stays()}

    def stays(self) -> Update:
        """What shows is no longer waiting for what follows."""
        return {self.view.viewer: patch("")}

    def shown(self, current: CurrentFace, photo: Path) -> Update:
        """The picture of the chosen layers and the figures of its file, together."""
        view, result = self.view, current.result
        return {
            view.current: current,
            view.welcome: gr.HTML(visible=False),
            view.readout: html.readout(result, current.layers, self._source(photo)),
            view.viewer: self._viewer(current),
            view.chip: self.chip(result, current.layers, photo),
            view.measures: "",
            view.link: slow_link(result.sizes(current.layers), result.prepared.upload_bytes),
            view.times: html.times(result),
            view.sharpening: "",
        }

    def complete(self, current: CurrentFace, photo: Path) -> Update:
        """What can be saved and what the browser may remember, which takes longer to write."""
        view, result = self.view, current.result
        pictures = {"scn": result.picture_scn, "scn+fcn": result.picture_both}
        pictures[current.layers] = current.picture
        by_layers = {
            layers: self.layer_values(with_layers(current, result, layers, picture), photo)
            for layers, picture in pictures.items()
            if picture is not None
        }
        values = by_layers[current.layers]
        return {
            view.browser_cache: {
                "identity": identity_of(result),
                "level": result.level,
                "layers": by_layers,
                "times": html.times(result),
            },
            **self._saved(values),
            view.note: "",
        }

    def _saved(self, values: LayerValues) -> Update:
        view = self.view
        return {
            view.save_file: gr.DownloadButton(value=values["file"]),
            view.save_picture: gr.DownloadButton(value=values["picture"]),
            view.save_recipe: gr.DownloadButton(value=values["recipe"], interactive=True),
            view.share: values["share"],
        }

    def layer_values(self, current: CurrentFace, photo: Path) -> LayerValues:
        """What depends on the choice of layers; missing files are written."""
        result, file = current.result, current.file
        name = _name(photo, result)
        return {
            "readout": html.readout(result, current.layers, self._source(photo)),
            "viewer": self._viewer(current),
            "chip": self.chip(result, current.layers, photo),
            "file": keep_bytes(file, f"{name}.hsc"),
            "picture": keep_picture(current.picture, f"{name}.png"),
            "recipe": keep_bytes(recipe(current), f"{name}.json"),
            "link": slow_link(result.sizes(current.layers), result.prepared.upload_bytes),
            "share": html.share_link(self._link(current, photo)),
        }

    def chip(self, result: Compressed, layers: str, photo: Path) -> str:
        """The face in the head of the page."""
        small = result.crop.resize((64, 64), Image.Resampling.LANCZOS)
        size = result.sizes(layers).total
        name = "Invented face" if seed_of(photo) is not None else photo.stem[:24]
        return chip(name, f"level {result.level:g} · {size:,} bytes", drawn(small, "chip.webp"))

    def _viewer(self, current: CurrentFace) -> dict[str, Any]:
        result = current.result
        pictures = {
            ORIGINAL: result.crop,
            "scn": result.picture_scn,
            "scn+fcn": result.picture_both,
            current.layers: current.picture,
        }
        urls = {
            name: drawn(picture, "face.webp")
            for name, picture in pictures.items()
            if picture is not None
        }
        return whole_content(current, urls, self.codecs)

    def example(self, example: Example) -> Update:
        """An example at once, from its shipped pictures, until it is rendered here."""
        view, sizes = self.view, example.sizes
        small = address(str(example.known / "thumbnail.jpg"))
        return {
            view.welcome: gr.HTML(visible=False),
            view.browser_cache: {},
            view.readout: html.example_readout(example),
            view.viewer: example_content(example),
            view.chip: chip(example.name, f"level {LEVEL:g} · {sizes.total:,} bytes", small),
            view.measures: "",
        }

    def _link(self, current: CurrentFace, photo: Path) -> str:
        """A link to these settings, and to the face if it is generated or an example."""
        query: dict[str, Any] = {"level": f"{current.result.level:g}", "layers": current.layers}
        stems = [each.photo.stem for each in self.examples]
        if current.seed is not None:
            query["seed"] = current.seed
        elif photo.stem in stems:
            query["example"] = stems.index(photo.stem) + 1
        return "?" + urlencode(query, safe="+")

    def _source(self, photo: Path) -> str | None:
        """What the file size is compared with; None for an invented face."""
        if seed_of(photo) is not None or photo.name in INVENTED:
            return None
        example = photo.name in {each.photo.name for each in self.examples}
        return "the photo's own file" if example else "your upload"


def with_layers(
    current: CurrentFace, result: Compressed, layers: str, picture: Image.Image
) -> CurrentFace:
    """The same face from a result's layers, which draw this picture."""
    return replace(current, result=result, layers=layers, file=result.file(layers), picture=picture)


def identity_of(result: Compressed) -> str:
    """Tells results of one face from those of another; a refined one is not the plain one's."""
    return f"{result.prepared.key}-{result.refined}"


def seed_of(photo: Path) -> int | None:
    """The seed of a generated face, from its file's name."""
    found = re.fullmatch(rf"{GENERATED}-(\d+)", photo.stem)
    return int(found[1]) if found else None


def _thumbnails(result: Compressed) -> gr.Gallery:
    """The faces to choose from, shown where there are several."""
    faces = result.prepared.faces
    value = [
        (keep_picture(face, "face.png"), f"Face {number}") for number, face in enumerate(faces, 1)
    ]
    return gr.Gallery(value=value, visible=len(faces) > 1)


def _name(photo: Path, result: Compressed) -> str:
    """A name for what is saved: the photo's, without what file systems dislike, and the level."""
    stem = re.sub(r"[^\w-]+", "-", photo.stem).strip("-")[:40] or "face"
    return f"{stem}-level{result.level:g}" + ("-draft" if result.draft else "")
