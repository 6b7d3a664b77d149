"""Where things are on the Compress tab, the first screen."""

from __future__ import annotations

import gradio as gr

from app.components.html import note
from app.components.images import picture
from app.components.visitor_face import VisitorFace
from app.executor import CancelToken
from app.services.examples import Example
from app.services.measure import AMPLIFICATIONS
from app.texts import text

BEFORE_AFTER, DIFFERENCE = "Before | after", "Difference"


class CompressView:
    """The tab's components, as attributes; create it inside a `gr.Tab`.

    Args:
        face: the visitor's face, whose photo is rendered here.
        examples: offered below the photo.
    """

    def __init__(self, face: VisitorFace, examples: list[Example]) -> None:
        self.photo = face.photo
        self.current = face.current
        self.face = gr.State(0)
        self.align = gr.State(True)
        self.search = gr.State(CancelToken())
        # what each choice of layers shows at this level, which switch.js remembers
        self.browser_cache = gr.JSON(visible=False)
        with gr.Row(elem_id="studio"):
            with gr.Column(scale=3, min_width=300, elem_id="controls"):
                self._choose(examples)
                self._controls()
            with gr.Column(scale=8, min_width=320, elem_id="side-by-side"):
                self.welcome = gr.Markdown(text("welcome"), elem_id="welcome")
                self._results()

    def _choose(self, examples: list[Example]) -> None:
        with gr.Column(elem_id="choose"):
            self.photo.render()
            self.examples = gr.Dataset(
                components=[gr.Image(visible=False)],
                samples=[[str(each.known / "thumbnail.jpg")] for each in examples],
                sample_labels=None,
                type="index",
                label="Or try one of these",
                elem_id="examples",
            )
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
                    min_width=128,
                    scale=2,
                )
            self.note = gr.HTML(elem_id="note")
            with gr.Column(visible=False, elem_id="no-face") as self.no_face:
                gr.HTML(note("No face was found in this picture.", warn=True))
                self.centre = gr.Button(
                    "Use the centre of the picture", size="sm", elem_id="use-centre"
                )
            self.faces = gr.Gallery(
                label="Which face?",
                format="png",
                columns=4,
                height="auto",
                allow_preview=False,
                object_fit="cover",
                buttons=[],
                interactive=False,
                visible=False,
                elem_id="faces",
            )

    def _controls(self) -> None:
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
                self.scn = gr.Checkbox(
                    True, label="SCN", info="the kind of face", elem_id="use-scn"
                )
                self.fcn = gr.Checkbox(True, label="FCN", info="the likeness", elem_id="use-fcn")
            self.refine = gr.Checkbox(
                False,
                label="Refine",
                info="A search of seconds for more likeness in as many bytes, best from level 3 on",
                elem_id="refine",
            )

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
                with gr.Column(scale=5, min_width=320, elem_id="big"):
                    self._viewer()
                with gr.Column(scale=2, min_width=240, elem_id="beside"):
                    self._panel()
            self.link = gr.HTML(elem_id="link")

    def _viewer(self) -> None:
        self.slider = gr.ImageSlider(
            label="Original | decoded",
            format="png",
            type="filepath",
            interactive=False,
            buttons=["fullscreen"],
            max_height=640,
            elem_id="compare",
        )
        self.difference = picture(
            "Difference", "Where the decoded face differs from the original", "difference",
            visible=False,
        )  # fmt: skip

    def _panel(self) -> None:
        self.mode = gr.Radio(
            [BEFORE_AFTER, DIFFERENCE],
            value=BEFORE_AFTER,
            show_label=False,
            label="View",
            container=False,
            elem_id="view",
            elem_classes=["segmented"],
        )
        self.position = gr.Slider(
            0,
            100,
            value=50,
            step=1,
            label="Border between before and after",
            show_label=False,
            container=False,
            buttons=[],
            elem_id="position",
        )
        self.amplification = gr.Radio(
            [(f"× {amount}", amount) for amount in AMPLIFICATIONS],
            value=4,
            show_label=False,
            label="Amplified",
            container=False,
            visible=False,
            elem_id="amplification",
            elem_classes=["segmented"],
        )
        self.measures = gr.HTML(elem_id="measures")
        self.save_file = gr.DownloadButton(
            "Download .hsc", variant="primary", size="md", elem_id="save-file"
        )
        with gr.Row(elem_id="save-more"):
            self.save_picture = gr.DownloadButton(
                "Picture", size="sm", elem_id="save-picture", min_width=80
            )
            self.save_recipe = gr.DownloadButton(
                "Recipe (JSON)", size="sm", elem_id="save-recipe", min_width=110
            )
        self.share = gr.HTML(elem_id="share")
        self.times = gr.HTML(elem_id="times")
        gr.Markdown(text("caveat"), elem_classes=["caveat"])
