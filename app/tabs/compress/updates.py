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
from app.files import keep_bytes, keep_picture
from app.results import Compressed, CurrentFace
from app.services.examples import LEVEL, Example
from app.services.facts import recipe
from app.tabs.compress import html
from app.tabs.compress.view import CompressView

GENERATED = "generated-face"  # file name of generated faces


class LayerValues(TypedDict):
    """What one choice of layers shows; switch.js reads it by these names. Files are paths."""

    readout: str
    pair: list[str]
    pair_label: str
    file: str
    picture: str
    recipe: str
    link: str
    share: str


class ResultUpdates:
    """How results are shown in a view."""

    def __init__(self, view: CompressView, examples: list[Example]) -> None:
        self.view = view
        self.examples = examples

    def partial(self, result: Compressed, layers: str, photo: Path, *, fresh: bool) -> Update:
        """A result that may not have its file or all its pictures yet.

        Pictures of the last file stay, faded, until theirs are replaced.

        Args:
            fresh: whether this is another face than the last result's.
        """
        view = self.view
        update: Update = {}
        if fresh:
            update[view.faces] = _thumbnails(result)
        if result.data is None:
            return update
        crop = _crop_file(result)
        update |= {
            view.welcome: gr.Markdown(visible=False),
            view.browser_cache: {},
            view.readout: html.readout(result, layers, self._source(photo)),
            view.original: crop,
            view.save_file: gr.DownloadButton(
                value=keep_bytes(result.file(layers), f"{_name(photo, result)}.hsc")
            ),
            view.only_scn: _picture(result.picture_scn, _scn_label(result)),
            view.both: _picture(result.picture_both, _both_label(result)),
        }
        if result.refining:
            done, total = result.refining.done, result.refining.total
            del update[view.browser_cache]  # until it ends, what shows is the file before
            update[view.note] = note(f"Refining, step {done} of {total} …", busy=True)
        elif result.picture_scn is None:
            update[view.note] = note("Drawing what SCN says …", busy=True)
        elif result.picture_both is None:
            update[view.note] = note("Adding what FCN says …", busy=True)
            if fresh:
                update[view.slider] = (crop, _face_file(result.picture_scn))
        return update

    def complete(self, current: CurrentFace, photo: Path) -> Update:
        """The picture of the chosen layers, and everything that belongs to it."""
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
            view.current: current,
            view.browser_cache: {
                "identity": identity_of(result),
                "level": result.level,
                "layers": by_layers,
                "only_scn": [_face_file(result.picture_scn), _scn_label(result)],
                "both": [_face_file(result.picture_both), _both_label(result)],
                "times": html.times(result),
            },
            view.readout: values["readout"],
            view.slider: gr.ImageSlider(
                value=(values["pair"][0], values["pair"][1]), label=values["pair_label"]
            ),
            view.measures: "",
            view.save_file: gr.DownloadButton(value=values["file"]),
            view.save_picture: gr.DownloadButton(value=values["picture"]),
            view.save_recipe: gr.DownloadButton(value=values["recipe"]),
            view.link: values["link"],
            view.share: values["share"],
            view.note: "",
            view.times: html.times(result),
        }

    def layer_values(self, current: CurrentFace, photo: Path) -> LayerValues:
        """What depends on the choice of layers; missing files are written."""
        result, file = current.result, current.file
        name = _name(photo, result)
        return {
            "readout": html.readout(result, current.layers, self._source(photo)),
            "pair": [_crop_file(result), _face_file(current.picture)],
            "pair_label": f"Original | from {len(file):,} bytes",
            "file": keep_bytes(file, f"{name}.hsc"),
            "picture": keep_picture(current.picture, f"{name}.png"),
            "recipe": keep_bytes(recipe(current), f"{name}.json"),
            "link": html.slow_link(result.sizes(current.layers), result.prepared.upload_bytes),
            "share": html.share_link(self._link(current, photo)),
        }

    def example(self, example: Example) -> Update:
        """An example at once, from its shipped pictures, until it is rendered here."""
        view, sizes = self.view, example.sizes
        crop, scn, both = map(example.picture, ("crop", "scn", "both"))
        ratio = example.photo.stat().st_size / sizes.total
        return {
            view.welcome: gr.Markdown(visible=False),
            view.browser_cache: {},
            view.readout: html.size_line(sizes, LEVEL, ratio, self._source(example.photo)),
            view.original: crop,
            view.only_scn: gr.Image(value=scn, label="SCN only", elem_classes=["picture"]),
            view.both: gr.Image(
                value=both,
                label=f"SCN + FCN · {sizes.total:,} bytes",
                elem_classes=["picture"],
            ),
            view.slider: gr.ImageSlider(value=(crop, both), label="Original | decoded"),
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

    def _source(self, photo: Path) -> str:
        """What the file size is compared with."""
        ours = seed_of(photo) is not None or photo.name in {e.photo.name for e in self.examples}
        return "the picture's own file" if ours else "your upload"


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


def _picture(picture: Image.Image | None, label: str) -> gr.Image:
    """An update of a picture: the new one, or the old one marked as out of date."""
    if picture is None:
        return gr.Image(elem_classes=["picture", "stale"])
    return gr.Image(value=_face_file(picture), label=label, elem_classes=["picture"])


def _face_file(picture: Image.Image | None) -> str:
    assert picture is not None, "a complete result has its pictures"
    return keep_picture(picture, "face.png")


def _crop_file(result: Compressed) -> str:
    return keep_picture(result.prepared.crop, "original.png")


def _scn_label(result: Compressed) -> str:
    return f"SCN only · {result.sizes('scn').total:,} bytes"


def _both_label(result: Compressed) -> str:
    return f"SCN + FCN · {result.sizes().total:,} bytes"


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
    return f"{stem}-level{result.level:g}"
