"""Where things are on the Compress tab: the picture, and beside it what it costs."""

from __future__ import annotations

import gradio as gr

from app.components.html import note
from app.components.landing import landing_html
from app.components.visitor_face import VisitorFace
from app.tabs.compress import html
from app.tabs.compress.choices import example_content
from app.texts import text
from app.viewer import viewer


class CompressView:
    """The tab's components, as attributes; create it inside a `gr.Tab`.

    Args:
        face: the visitor's face, whose photo is rendered here.
        by_itself: whether the search for a better file goes on by itself; else there is a switch.
    """

    def __init__(self, face: VisitorFace, by_itself: bool = False) -> None:
        self.by_itself = by_itself
        self.photo = face.photo
        self.current = face.current
        self.chip = face.chip
        self.examples, self.invent, self.seed = face.examples, face.invent, face.seed
        self.face = gr.State(0)
        self.align = gr.State(True)
        self.search, self.drawing = face.search, face.drawing
        # what each choice of layers shows at this level, which switch.js remembers
        self.browser_cache = gr.JSON(visible=False)
        first = face.given[0] if face.given else None
        with gr.Row(elem_id="studio", elem_classes=["room"]):
            with gr.Column(elem_id="big", elem_classes=["room-viewer"]):
                self.landing = gr.HTML(landing_html(), elem_id="landing", apply_default_css=False)
                self.viewer = viewer(
                    "viewer",
                    "The original, and what is drawn from the file",
                    example_content(first) if first else None,
                    empty="Choose a photo of a face.",
                )
            with gr.Column(elem_id="panel", elem_classes=["room-panel"]):
                self.welcome = gr.HTML(html.welcome(face.given), elem_id="welcome")
                self.readout = gr.HTML(
                    html.example_readout(first) if first else "", elem_id="readout"
                )
                self.note = gr.HTML(elem_id="note")
                self._questions()
                self._controls()
                self.measures = gr.HTML(elem_id="measures")
                self._results()
        self.link = gr.HTML(elem_id="link")

    def _questions(self) -> None:
        with gr.Column(visible=False, elem_id="no-face") as self.no_face:
            gr.HTML(note("No face was found in this picture.", warn=True))
            self.centre = gr.Button(
                "Use the centre of the picture", size="sm", elem_id="use-centre"
            )
        self.faces = gr.Gallery(
            label="Which face?",
            format="png",
            columns=6,
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
                buttons=[],
                elem_id="level",
            )
            self.stops = gr.HTML(html.stops({}), elem_id="stops", apply_default_css=False)
            with gr.Row(elem_id="layers"):
                self.scn = gr.Checkbox(
                    True, label="Essence (SCN)", info="what kind of face", elem_id="use-scn"
                )
                self.fcn = gr.Checkbox(
                    True, label="Likeness (FCN)", info="what makes it this one", elem_id="use-fcn"
                )
                self.refine = gr.Checkbox(
                    False,
                    label="Refine",
                    info="seconds of search, as many bytes",
                    visible=not self.by_itself,
                    elem_id="refine",
                )
            with gr.Row(elem_id="sharpening", visible=self.by_itself):
                self.sharpening = gr.HTML(elem_id="sharpening-words")
                self.stop = gr.Button(
                    "Stop", size="sm", min_width=60, interactive=False, elem_id="sharpening-stop"
                )

    def _results(self) -> None:
        with gr.Row(elem_id="save"):
            self.save_file = gr.DownloadButton(
                "Download .hsc", variant="primary", size="md", elem_id="save-file", min_width=130
            )
            self.save_picture = gr.DownloadButton(
                "Picture (PNG)", size="md", elem_id="save-picture", min_width=80
            )
            self.save_recipe = gr.DownloadButton(
                "Recipe (JSON)", size="md", elem_id="save-recipe", min_width=80
            )
            self.share_face = gr.Button("Share", size="md", elem_id="share-face", min_width=80)
            self.share = gr.HTML(elem_id="share")
        self.sharing = gr.Column(elem_id="share-buttons")
        self.times = gr.HTML(elem_id="times")
        gr.Markdown(text("caveat"), elem_classes=["caveat"])
