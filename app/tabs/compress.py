"""The first screen: a photo in, its few bytes, and what they draw."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from app import charts
from app.components import (
    LIVE,
    MODEL_EVENT,
    QUICK,
    PhotoInput,
    edit_slider,
    friendly,
    layers_of,
    picture,
)
from app.files import keep_bytes, keep_picture
from app.results import Compressed
from app.service import Studio
from app.texts import text
from hsc.errors import NoFaceError

EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"
GENERATED = "generated-face"  # file name of the faces that the page makes up
NO_LAYER = "Both layers are off, so nothing arrives and nothing can be drawn: switch one on."

Update = dict[Any, Any]  # component -> its new value or properties


class CompressTab:
    """Layout and events; create it inside a `gr.Tab`."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        with gr.Row(elem_id="studio"):
            with gr.Column(scale=3, min_width=300, elem_id="controls"):
                self._choose()
                self._steer()
            with gr.Column(scale=8, min_width=320, elem_id="side-by-side"):
                self.welcome = gr.Markdown(text("welcome"), elem_id="welcome")
                self._results()
        self._wire()

    def _choose(self) -> None:
        with gr.Column(elem_id="choose"):
            self.photo = PhotoInput(
                label="Photo",
                placeholder="Drop a photo of a face\nor click to choose one",
                height=250,
                elem_id="photo",
                buttons=[],
            )
            files = sorted(str(path) for path in EXAMPLES.glob("*.*g"))
            if files:
                gr.Examples(files, self.photo, label="Or try", elem_id="examples")
            with gr.Row(elem_id="invent"):
                self.invent = gr.Button("Invent a face", size="sm", elem_id="invent-face", scale=3)
                self.seed = gr.Number(
                    value=7,
                    precision=0,
                    minimum=0,
                    label="Seed",
                    show_label=False,
                    container=False,
                    elem_id="seed",
                    min_width=90,
                    scale=1,
                )
            self.note = gr.HTML(elem_id="note")
            with gr.Column(visible=False, elem_id="no-face") as self.no_face:
                gr.HTML(charts.note("No face was found in this picture.", warn=True))
                self.centre = gr.Button(
                    "Use the centre of the picture", size="sm", elem_id="use-centre"
                )
            self.faces = gr.Gallery(
                label="Which face?",
                format="png",
                columns=4,
                height=120,
                allow_preview=False,
                object_fit="cover",
                buttons=[],
                interactive=False,
                visible=False,
                elem_id="faces",
            )
            self.face = gr.State(0)
            self.align = gr.State(True)

    def _steer(self) -> None:
        with gr.Column(elem_id="steer"):
            self.level = gr.Slider(
                1,
                6,
                value=3,
                step=0.5,
                label="Bitrate level",
                info="1 is a few hundred bytes, 6 a few thousand.",
                buttons=["reset"],
                elem_id="level",
            )
            with gr.Row(elem_id="layers"):
                self.scn = gr.Checkbox(True, label="SCN", info="who it is", elem_id="use-scn")
                self.fcn = gr.Checkbox(
                    True, label="FCN", info="what they look like", elem_id="use-fcn"
                )
            self.smile = edit_slider("smile")

    def _results(self) -> None:
        # always there and hidden by the style sheet while the welcome is shown: pictures set in the
        # very event that makes their column visible are lost on the way
        with gr.Column(elem_id="results"):
            self.readout = gr.HTML(elem_id="readout")
            with gr.Row(elem_id="trio"):
                self.original = picture("Original", "The face as it was cut out", "original")
                self.only_scn = picture("SCN only", "The face drawn from SCN alone", "only-scn")
                self.both = picture("SCN + FCN", "The face drawn from both layers", "both")
            with gr.Row(elem_id="look"):
                self.compare = gr.ImageSlider(
                    label="Original | decoded",
                    format="png",
                    type="filepath",
                    interactive=False,
                    buttons=["fullscreen"],
                    max_height=640,
                    elem_id="compare",
                )
                with gr.Column(scale=2, min_width=240, elem_id="beside"):
                    self.position = gr.Slider(
                        0,
                        100,
                        value=50,
                        step=1,
                        label="Before | after",
                        buttons=["reset"],
                        elem_id="position",
                    )
                    self.save_file = gr.DownloadButton(
                        "Download .hsc", variant="primary", size="md", elem_id="save-file"
                    )
                    self.save_picture = gr.DownloadButton(
                        "Download picture", size="md", elem_id="save-picture"
                    )
                    self.times = gr.HTML(elem_id="times")
                    gr.Markdown(text("caveat"), elem_classes=["caveat"])

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
        """Show the photo's bytes and pictures as they come; what is remembered comes at once.

        `fresh` shows what SCN draws under the slider too until FCN has refined it.
        """
        if not photo:
            return
        layers = layers_of(scn, fcn)
        result = None
        try:
            for result in self.studio.steps(photo, level, face, align):
                yield self._growing(result, layers or "scn+fcn", Path(photo), fresh)
            if layers:
                yield self._chosen(result, layers, smile, Path(photo))
            else:
                yield {self.note: charts.note(NO_LAYER, warn=True)}
        except NoFaceError:
            yield {self.note: "", self.no_face: gr.Column(visible=True)}
        except Exception:
            yield {self.note: ""}  # a toast says what is wrong; the last good pictures stay
            raise

    def _chosen(
        self, result: Compressed, layers: str, smile: float, photo: Path
    ) -> Update:
        """What the file with the chosen layers draws, edited as chosen."""
        chosen = self.studio.decode(result.file(layers), layers, {"smile": smile})
        path = keep_picture(chosen.picture, f"{_stem(photo)}-decoded.png")
        words = f"Original | from {len(result.file(layers)):,} bytes"
        return {
            self.compare: gr.ImageSlider(value=(self._crop_file(result), path), label=words),
            self.save_picture: gr.DownloadButton(value=path),
            self.note: "",
            self.times: charts.times(result),
        }

    def _growing(
        self, result: Compressed, layers: str, photo: Path, fresh: bool
    ) -> Update:
        """What to show of a result that may not have all its pictures yet."""
        crop = self._crop_file(result)
        if result.data is None:
            several = len(result.prepared.faces) > 1
            update: Update = {self.note: charts.note(self._waiting("Compressing …"), busy=True)}
            if fresh:
                update[self.faces] = gr.Gallery(
                    value=[
                        (keep_picture(face, "face.png"), f"Face {number}")
                        for number, face in enumerate(result.prepared.faces, 1)
                    ],
                    visible=several,
                )
            return update
        if result.picture_scn is None:
            # pictures of the last file stay, faded, until theirs are replaced
            hsc_name = f"{_stem(photo)}-level{result.level:g}.hsc"
            data = result.file(layers)
            return {
                self.welcome: gr.Markdown(visible=False),
                self.readout: charts.readout(result, layers, _source(photo)),
                self.original: crop,
                self.only_scn: _picture(None, stale=True),
                self.both: _picture(None, stale=True),
                self.save_file: gr.DownloadButton(value=keep_bytes(data, hsc_name)),
                self.note: charts.note("Drawing what SCN says …", busy=True),
            }
        scn = keep_picture(result.picture_scn, "scn.png")
        if result.picture_both is None:
            update = {
                self.only_scn: _picture(scn, f"SCN only · {result.sizes('scn').total:,} bytes"),
                self.note: charts.note("Adding what FCN says …", busy=True),
            }
            return update | ({self.compare: (crop, scn)} if fresh else {})
        both = keep_picture(result.picture_both, "scn+fcn.png")
        return {self.both: _picture(both, f"SCN + FCN · {result.sizes().total:,} bytes")}

    def _crop_file(self, result: Compressed) -> str:
        return keep_picture(result.prepared.crop, "original.png")

    def _waiting(self, words: str) -> str:
        return words if self.studio.ready else "Loading the model, this takes a few seconds …"

    def invent_face(self, seed: float | None = None) -> tuple[str, int]:
        """Draw a face that belongs to nobody; without a seed, any."""
        number = random.randrange(1_000_000) if seed is None else abs(int(seed))
        face = self.studio.random_face(number)
        return keep_picture(face, f"{GENERATED}-{number}.png"), number


def _picture(path: str | None, label: str | None = None, *, stale: bool = False) -> Any:
    """An update of a picture: the value and label where given, and whether it is out of date."""
    given = {"value": path, "label": label}
    return gr.Image(
        **{name: value for name, value in given.items() if value is not None},
        elem_classes=["picture", "stale"] if stale else ["picture"],
    )


def _stem(photo: str | Path) -> str:
    """A photo's file name without its ending and without what file systems dislike."""
    return re.sub(r"[^\w-]+", "-", Path(photo).stem).strip("-")[:40] or "face"


def _source(photo: Path) -> str:
    """What the file size is compared with."""
    return "the picture's own file" if photo.name.startswith(GENERATED) else "your upload"
