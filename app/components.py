"""Building blocks that the tabs share."""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable
from typing import Any

import gradio as gr

from hsc.errors import HscError

log = logging.getLogger(__name__)

# Every event that runs the model: one at a time, in one queue. Nothing but `compress` and `decode`
# is part of the API, and slow events show words in a note rather than a veil over the pictures.
MODEL_EVENT: dict[str, Any] = {
    "concurrency_id": "model",
    "concurrency_limit": 1,
    "api_visibility": "private",
    "show_progress": "hidden",
}
# For sliders: while an event runs, only the newest value waits.
LIVE = {**MODEL_EVENT, "trigger_mode": "always_last"}
QUICK: dict[str, Any] = {
    "queue": False,
    "api_visibility": "private",
    "show_progress": "hidden",
}

UNEXPECTED = "Something went wrong on our side: the log has the details."


class Tab:
    """One tab: make it inside a `gr.Tab`.

    Attributes:
        fitted: the components that `fit` changes.
    """

    fitted: tuple[Any, ...] = ()

    def fit(self, codec: Any) -> dict[Any, Any]:
        """What to change once the codec is loaded: ranges, facts, samples."""
        return {}


class PhotoInput(gr.Image):
    """An image input that hands over the path of the file as it was uploaded.

    gr.Image would decode it, and answer an unreadable one with a long message that shows a path of
    the server; so hsc reads it instead, and nothing is lost or re-encoded on the way.
    """

    is_template = True

    def preprocess(self, payload: Any) -> str | None:
        if payload is None:
            return None
        return payload.path or super().preprocess(payload)


def picture(label: str, alt: str, elem_id: str, **options: Any) -> gr.Image:
    """A decoded picture, without loss and without tools other than a full-screen view."""
    return gr.Image(
        label=label,
        alt_text=alt,
        elem_id=elem_id,
        format="png",
        type="filepath",
        interactive=False,
        buttons=options.pop("buttons", ["fullscreen"]),
        elem_classes=["picture"],
        **options,
    )


def layers_of(scn: bool, fcn: bool) -> str:
    """The switches as the codec names them; empty when both are off."""
    return "+".join(name for name, on in (("scn", scn), ("fcn", fcn)) if on)


def friendly(function: Callable) -> Callable:
    """Turn the library's errors into one-sentence toasts; log everything else and say so."""
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            try:
                yield from function(*args, **kwargs)
            except (HscError, gr.Error) as error:
                raise toast(error) from error
            except Exception as error:
                log.exception("in %s", function.__name__)
                raise toast(UNEXPECTED) from error

    else:

        @functools.wraps(function)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except (HscError, gr.Error) as error:
                raise toast(error) from error
            except Exception as error:
                log.exception("in %s", function.__name__)
                raise toast(UNEXPECTED) from error

    return wrapped


def toast(message: object) -> gr.Error:
    """An error that the page shows for eight seconds and the log does not repeat."""
    if isinstance(message, gr.Error):
        return message
    text = str(message)
    return gr.Error(text[:1].upper() + text[1:], duration=8, print_exception=False)
