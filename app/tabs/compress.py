"""The first screen: a photo in, its few bytes, and what they draw."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from app import charts
from app.components import LIVE, MODEL_EVENT, QUICK, Tab, fitted_slider, friendly, layers_of
from app.files import keep_bytes, keep_picture
from app.results import Compressed
from app.service import Studio
from app.tabs.compress_layout import CompressLayout
from hsc.errors import NoFaceError

GENERATED = "generated-face"  # file name of the faces that the page makes up
NO_LAYER = "Both layers are off, so nothing arrives and nothing can be drawn: switch one on."

Update = dict[Any, Any]  # component -> its new value or properties


class CompressTab(CompressLayout, Tab):
    """The first screen with its events; create it inside a `gr.Tab`."""

    def __init__(self, studio: Studio) -> None:
        super().__init__()
        self.studio = studio
        self._wire()
        self.fitted = (self.smile,)

    def fit(self, codec: Any) -> dict[Any, Any]:
        return {self.smile: fitted_slider(codec, "smile")}

    def _wire(self) -> None:
        controls = [
            self.photo, self.face, self.align, self.level, self.scn, self.fcn, self.smile
        ]  # fmt: skip
        shown = [
            self.note, self.no_face, self.faces, self.welcome, self.readout,
            self.original, self.only_scn, self.both, self.compare, self.times, self.save_file,
            self.save_picture,
        ]  # fmt: skip
        chosen = [self.face, self.align, self.smile]
        self.photo.change(
            friendly(self.new_photo),
            [self.photo, self.level, self.scn, self.fcn],
            [*shown, *chosen],
            **LIVE,
        )
        self.faces.select(friendly(self.other_face), controls, [*shown, *chosen], **MODEL_EVENT)
        self.centre.click(friendly(self.use_centre), controls, [*shown, *chosen], **MODEL_EVENT)
        gr.on(
            [
                self.level.input,
                self.level.release,
                self.scn.input,
                self.fcn.input,
                self.smile.input,
                self.smile.release,
            ],
            friendly(self.draw),
            controls,
            shown,
            **LIVE,
        )
        gr.on(
            [self.position.input, self.position.release],
            lambda place: gr.ImageSlider(slider_position=place),
            self.position,
            self.compare,
            trigger_mode="always_last",
            **QUICK,
        )
        self.invent.click(
            friendly(self.invent_face), None, [self.photo, self.seed], **MODEL_EVENT
        )
        self.seed.submit(
            friendly(self.invent_face), self.seed, [self.photo, self.seed], **MODEL_EVENT
        )

    def new_photo(
        self, photo: str | None, level: float, scn: bool, fcn: bool
    ) -> Iterator[Update]:
        """A photo was chosen or cleared: forget the last one's face and edits."""
        afresh = {
            self.face: 0,
            self.align: True,
            self.smile: 0,
            self.no_face: gr.Column(visible=False),
            self.faces: gr.Gallery(value=None, visible=False),
        }
        if not photo:
            yield afresh | {
                self.note: "",
                self.welcome: gr.Markdown(visible=True),
            }
            return
        yield afresh | {self.note: charts.note(self._waiting("Finding the face …"), busy=True)}
        yield from self.draw(photo, 0, True, level, scn, fcn, 0, fresh=True)

    def other_face(self, event: gr.SelectData, *controls: Any) -> Iterator[Update]:
        """Another of several faces was chosen."""
        photo, _, _, level, scn, fcn, _ = controls
        yield {self.face: event.index, self.align: True, self.smile: 0}
        yield from self.draw(photo, event.index, True, level, scn, fcn, 0, fresh=True)

    def use_centre(self, *controls: Any) -> Iterator[Update]:
        """No face was found, and the centre is to be used all the same."""
        photo, _, _, level, scn, fcn, _ = controls
        yield {self.align: False, self.no_face: gr.Column(visible=False), self.smile: 0}
        yield from self.draw(photo, 0, False, level, scn, fcn, 0, fresh=True)

    def draw(
        self,
        photo: str | None,
        face: int,
        align: bool,
        level: float,
        scn: bool,
        fcn: bool,
        smile: float,
        fresh: bool = False,
    ) -> Iterator[Update]:
        """Show the photo's bytes and pictures as they come; what is remembered comes whole.

        `fresh` shows what SCN draws under the slider too until FCN has refined it.
        """
        if not photo:
            return
        layers = layers_of(scn, fcn)
        try:
            for result in self.studio.steps(photo, level, face, align):
                update = self._shown(result, layers or "scn+fcn", Path(photo), fresh)
                if result.picture_both is None:
                    yield update
            if not layers:
                yield update | {self.note: charts.note(NO_LAYER, warn=True)}
                return
            if smile or layers == "fcn":
                yield update | {self.note: charts.note("Drawing …", busy=True)}
            yield update | self._chosen(result, layers, smile, Path(photo))
        except NoFaceError:
            yield {self.note: "", self.no_face: gr.Column(visible=True)}
        except Exception:
            yield {self.note: ""}  # a toast says what is wrong; the last good pictures stay
            raise

    def _shown(self, result: Compressed, layers: str, photo: Path, fresh: bool) -> Update:
        """What to show of a result that may not have its file or all its pictures yet.

        Pictures of the last file stay, faded, until theirs are replaced.
        """
        update: Update = {}
        if fresh:
            update[self.faces] = self._thumbnails(result)
        if result.data is None:
            return update | {self.note: charts.note(self._waiting("Compressing …"), busy=True)}
        crop = self._crop_file(result)
        file = keep_bytes(result.file(layers), f"{_stem(photo)}-level{result.level:g}.hsc")
        update |= {
            self.welcome: gr.Markdown(visible=False),
            self.readout: charts.readout(result, layers, _source(photo)),
            self.original: crop,
            self.save_file: gr.DownloadButton(value=file),
            self.only_scn: _picture(
                result.picture_scn, f"SCN only · {result.sizes('scn').total:,} bytes"
            ),
            self.both: _picture(
                result.picture_both, f"SCN + FCN · {result.sizes().total:,} bytes"
            ),
        }
        if result.picture_scn is None:
            update[self.note] = charts.note("Drawing what SCN says …", busy=True)
        elif result.picture_both is None:
            update[self.note] = charts.note("Adding what FCN says …", busy=True)
            if fresh:
                update[self.compare] = (crop, keep_picture(result.picture_scn, "face.png"))
        return update

    def _chosen(self, result: Compressed, layers: str, smile: float, photo: Path) -> Update:
        """What the file with the chosen layers draws, edited as chosen."""
        file = result.file(layers)
        chosen = self.studio.decode(file, layers, {"smile": smile})
        path = keep_picture(chosen.picture, "face.png")
        return {
            self.compare: gr.ImageSlider(
                value=(self._crop_file(result), path), label=f"Original | from {len(file):,} bytes"
            ),
            self.save_picture: gr.DownloadButton(
                value=keep_picture(chosen.picture, f"{_stem(photo)}-decoded.png")
            ),
            self.note: "",
            self.times: charts.times(result),
        }

    def _thumbnails(self, result: Compressed) -> Any:
        """The faces to choose from, shown where there are several."""
        faces = result.prepared.faces
        value = [
            (keep_picture(face, "face.png"), f"Face {number}")
            for number, face in enumerate(faces, 1)
        ]
        return gr.Gallery(value=value, visible=len(faces) > 1)

    def _crop_file(self, result: Compressed) -> str:
        return keep_picture(result.prepared.crop, "original.png")

    def _waiting(self, words: str) -> str:
        return words if self.studio.ready else "Loading the model, this takes a few seconds …"

    def invent_face(self, seed: float | None = None) -> tuple[str, int]:
        """Draw a face that belongs to nobody; without a seed, any."""
        number = random.randrange(1_000_000) if seed is None else abs(int(seed))
        face = self.studio.random_face(number)
        return keep_picture(face, f"{GENERATED}-{number}.png"), number


def _picture(drawn: Image.Image | None, label: str) -> Any:
    """An update of a picture: the new one, or the old one marked as out of date."""
    if drawn is None:
        return gr.Image(elem_classes=["picture", "stale"])
    return gr.Image(
        value=keep_picture(drawn, "face.png"), label=label, elem_classes=["picture"]
    )


def _stem(photo: str | Path) -> str:
    """A photo's file name without its ending and without what file systems dislike."""
    return re.sub(r"[^\w-]+", "-", Path(photo).stem).strip("-")[:40] or "face"


def _source(photo: Path) -> str:
    """What the file size is compared with."""
    return "the picture's own file" if photo.name.startswith(GENERATED) else "your upload"
