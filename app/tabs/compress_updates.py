"""What the first screen shows of a result: updates of its components, from results alone."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import gradio as gr
from PIL import Image

from app.files import keep_bytes, keep_picture
from app.results import Compressed, CurrentFace
from app.services.examples import LEVEL, Example, examples
from app.tabs.compress_layout import CompressLayout
from app.views import charts
from hsc.sidecar import sidecar

GENERATED = "generated-face"  # file name of the faces that the page makes up
Update = dict[Any, Any]  # component -> its new value or properties


class CompressUpdates(CompressLayout):
    """The first screen's components, and how results are shown in them."""

    def growing(self, result: Compressed, layers: str, photo: Path, fresh: bool) -> Update:
        """A result that may not have its file or all its pictures yet.

        Pictures of the last file stay, faded, until theirs are replaced.
        """
        update: Update = {}
        if fresh:
            update[self.faces] = _thumbnails(result)
        if result.data is None:
            return update
        crop = _crop_file(result)
        update |= {
            self.welcome: gr.Markdown(visible=False),
            self.kept: {},
            self.readout: charts.readout(result, layers, _source(photo)),
            self.original: crop,
            self.save_file: gr.DownloadButton(
                value=keep_bytes(result.file(layers), f"{_name(photo, result)}.hsc")
            ),
            self.only_scn: _picture(result.picture_scn, _scn_label(result)),
            self.both: _picture(result.picture_both, _both_label(result)),
        }
        if result.refining:
            done, of = result.refining.done, result.refining.total
            del update[self.kept]  # what is shown meanwhile is still the file before
            update[self.note] = charts.note(f"Refining, step {done} of {of} …", busy=True)
        elif result.picture_scn is None:
            update[self.note] = charts.note("Drawing what SCN says …", busy=True)
        elif result.picture_both is None:
            update[self.note] = charts.note("Adding what FCN says …", busy=True)
            if fresh:
                update[self.compare] = (crop, _face_file(result.picture_scn))
        return update

    def whole(self, shown: CurrentFace, photo: Path) -> Update:
        """The picture that the chosen layers draw, and all that follows from it."""
        result = shown.result
        drawn = {"scn": result.picture_scn, "scn+fcn": result.picture_both}
        drawn[shown.layers] = shown.picture
        by_layers = {
            layers: self.seen(self.switched_to(result, layers, shown, picture), photo)
            for layers, picture in drawn.items()
        }
        seen = by_layers[shown.layers]
        return {
            self.shown: shown,
            self.kept: {
                "of": identity_of(result),
                "level": result.level,
                "layers": by_layers,
                "only_scn": [_face_file(result.picture_scn), _scn_label(result)],
                "both": [_face_file(result.picture_both), _both_label(result)],
                "times": charts.times(result),
            },
            self.readout: seen["readout"],
            self.compare: gr.ImageSlider(value=tuple(seen["compare"]), label=seen["label"]),
            self.measures: charts.measures(None),
            self.save_file: gr.DownloadButton(value=seen["file"]),
            self.save_picture: gr.DownloadButton(value=seen["picture"]),
            self.save_recipe: gr.DownloadButton(value=seen["recipe"]),
            self.link: seen["link"],
            self.share: seen["share"],
            self.note: "",
            self.times: charts.times(result),
        }

    @staticmethod
    def switched_to(
        result: Compressed, layers: str, shown: CurrentFace, picture: Image.Image
    ) -> CurrentFace:
        """The same face from a result's layers, which draw this picture."""
        file = result.file(layers)
        return replace(shown, result=result, layers=layers, file=file, picture=picture)

    def seen(self, shown: CurrentFace, photo: Path) -> dict[str, Any]:
        """What depends on the choice of layers, as app/scripts/switch.js reads it; its files are
        written where they are not there any more."""
        result, file = shown.result, shown.file
        recipe = sidecar(
            file,
            layers=shown.layers,
            encode={
                "level": result.level,
                "layers": "scn+fcn" if "fcn" in shown.layers else "scn",
                "face": shown.face,
                "align": shown.align,
                "refine": result.refined,
            },
            seed=shown.seed,
        )
        name = _name(photo, result)
        return {
            "readout": charts.readout(result, shown.layers, _source(photo)),
            "compare": [_crop_file(result), _face_file(shown.picture)],
            "label": f"Original | from {len(file):,} bytes",
            "file": keep_bytes(file, f"{name}.hsc"),
            "picture": keep_picture(shown.picture, f"{name}.png"),
            "recipe": keep_bytes(json.dumps(recipe, indent=2).encode(), f"{name}.json"),
            "link": charts.slow_link(result.sizes(shown.layers), result.prepared.upload_bytes),
            "share": self._share(shown, photo),
        }

    def stand_in(self, example: Example) -> Update:
        """An example at once, from what ships of it."""
        crop, scn, both = map(example.picture, ("crop", "scn", "both"))
        sizes = example.sizes
        return {
            self.welcome: gr.Markdown(visible=False),
            self.kept: {},
            self.readout: charts.size_line(
                sizes, LEVEL, example.photo.stat().st_size / sizes.total, _source(example.photo)
            ),
            self.original: crop,
            self.only_scn: gr.Image(value=scn, label="SCN only", elem_classes=["picture"]),
            self.both: gr.Image(
                value=both,
                label=f"SCN + FCN · {sizes.total:,} bytes",
                elem_classes=["picture"],
            ),
            self.compare: gr.ImageSlider(value=(crop, both), label="Original | decoded"),
        }

    def _share(self, shown: CurrentFace, photo: Path) -> str:
        """A link to these settings, with the face where it is one that anyone can have."""
        query: dict[str, Any] = {"level": f"{shown.result.level:g}", "layers": shown.layers}
        number = next(
            (n for n, each in enumerate(self.known, 1) if each.photo.stem == photo.stem), None
        )
        if shown.seed is not None:
            query["seed"] = shown.seed
        elif number:
            query["example"] = number
        link = "?" + urlencode(query, safe="+")
        return f'<button type="button" class="copy" data-copy="{link}">Copy a link to this</button>'


def seed_of(photo: Path) -> int | None:
    """The seed of a face that the page made up, from its file's name."""
    found = re.fullmatch(rf"{GENERATED}-(\d+)", photo.stem)
    return int(found[1]) if found else None


def _picture(drawn: Image.Image | None, label: str) -> Any:
    """An update of a picture: the new one, or the old one marked as out of date."""
    if drawn is None:
        return gr.Image(elem_classes=["picture", "stale"])
    return gr.Image(
        value=_face_file(drawn), label=label, elem_classes=["picture"]
    )


def identity_of(result: Compressed) -> str:
    """Tells results of one face from those of another; a refined one is not the plain one's."""
    return f"{result.prepared.key}-{result.refined}"


def _face_file(picture: Image.Image) -> str:
    return keep_picture(picture, "face.png")


def _scn_label(result: Compressed) -> str:
    return f"SCN only · {result.sizes('scn').total:,} bytes"


def _both_label(result: Compressed) -> str:
    return f"SCN + FCN · {result.sizes().total:,} bytes"


def _thumbnails(result: Compressed) -> Any:
    """The faces to choose from, shown where there are several."""
    faces = result.prepared.faces
    value = [
        (keep_picture(face, "face.png"), f"Face {number}") for number, face in enumerate(faces, 1)
    ]
    return gr.Gallery(value=value, visible=len(faces) > 1)


def _crop_file(result: Compressed) -> str:
    return keep_picture(result.prepared.crop, "original.png")


def _name(photo: Path, result: Compressed) -> str:
    """A name for what is saved: the photo's, without what file systems dislike, and the level."""
    stem = re.sub(r"[^\w-]+", "-", photo.stem).strip("-")[:40] or "face"
    return f"{stem}-level{result.level:g}"


def _source(photo: Path) -> str:
    """What the file size is compared with."""
    ours = seed_of(photo) is not None or photo.name in {each.photo.name for each in examples()}
    return "the picture's own file" if ours else "your upload"
