"""The camera, coded live: a part of the room for clips. Its frames come by routes of their own."""

from __future__ import annotations

from starlette.routing import Route

from app.components.events import QUICK, Update
from app.protocols import FaceCodec
from app.tabs.base import Opens, Tab
from app.tabs.live import camera
from app.tabs.live.view import LiveView


class LiveTab(Tab):
    """What the camera sees beside what its bytes draw; script.js does the rest."""

    name = "live"
    title = "Live"
    of_faces = True

    def build(self, tab: Opens) -> None:
        self.view = view = LiveView()
        sliders = view.sliders.sliders
        self.fitted = sliders
        for button, call in (
            (view.start, "start"), (view.stop, "stop"), (view.save, "save"),
        ):  # fmt: skip
            button.click(None, None, None, js=f"() => window.liveCamera.{call}()", **QUICK)
        view.reset.click(view.sliders.reset, None, sliders, **QUICK)

    def fit(self, codec: FaceCodec) -> Update:
        """The codec's own edits."""
        return self.view.sliders.fit(codec)

    @classmethod
    def routes(cls) -> list[Route]:
        """Where the camera's frames go."""
        return camera.routes()
