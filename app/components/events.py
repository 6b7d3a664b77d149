"""How events run and fail: queue settings, toasts, and scripts that agree with the page by name."""

from __future__ import annotations

import functools
import inspect
import json
import logging
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, ParamSpec, Protocol, TypeVar, cast

import gradio as gr
from gradio.blocks import Block

from app.components.html import is_busy
from hsc.errors import HscError

log = logging.getLogger(__name__)

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")
Update = dict[Block, Any]
"""Component -> its new value, or an instance with its new properties."""


class Opens(Protocol):
    """Something that is opened: a `gr.Tab`, or a part of a tab."""

    @property
    def select(self) -> Callable[..., Any]: ...


# Every event that runs the model: one at a time, in one queue. Only named endpoints are part of the
# API, and slow events show a note, and no veil over the pictures.
MODEL_EVENT: dict[str, Any] = {
    "concurrency_id": "model",
    "concurrency_limit": 1,
    "api_visibility": "private",
    "show_progress": "hidden",
}
# For sliders: while an event runs, only the newest value waits.
LIVE: dict[str, Any] = {**MODEL_EVENT, "trigger_mode": "always_last"}
# For what no visitor waits for: it stands in nobody's way, and gives way by itself.
BACKGROUND: dict[str, Any] = {
    **MODEL_EVENT, "concurrency_id": "background", "concurrency_limit": None
}  # fmt: skip
QUICK: dict[str, Any] = {
    "queue": False,
    "api_visibility": "private",
    "show_progress": "hidden",
}

UNEXPECTED = "Something went wrong on our side: the log has the details."


def friendly(
    function: Callable[Arguments, Answer],
    note: Block | None = None,
    after_failure: Callable[[], Update] = dict,
) -> Callable[Arguments, Answer]:
    """A handler whose errors are one-sentence toasts, and whose busy note never stays.

    The library's errors become the toast's sentence; everything else is logged, and the toast says
    only that it was.

    Args:
        note: where a generator of updates says what it is doing. It is cleared when the generator
            fails, and when it ends busy; the last good pictures stay.
        after_failure: the update of a generator that failed, such as buttons that work again:
            Gradio's ``then`` does not come after an event that failed.
    """
    name = getattr(function, "__name__", repr(function))
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def steps(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Iterator[Any]:
            update, busy = None, False
            with (
                _errors_as_toasts(name),
                closing(cast("Generator[Any]", function(*args, **kwargs))) as updates,
            ):
                try:
                    for update in updates:
                        if isinstance(update, dict) and note in update:
                            busy = is_busy(update[note])
                        yield update
                except Exception:
                    if last := ({note: ""} if note else {}) | after_failure():
                        yield last
                    raise
                if update is None:
                    yield gr.skip()  # Gradio clears every output that a generator never names
                elif busy:
                    yield {note: ""}

        return cast("Callable[Arguments, Answer]", steps)

    @functools.wraps(function)
    def call(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Answer:
        with _errors_as_toasts(name):
            return function(*args, **kwargs)

    return call


def toast(message: object) -> gr.Error:
    """An error that the page shows for eight seconds and the log does not repeat."""
    if isinstance(message, gr.Error):
        return message
    text = str(message)
    return gr.Error(text[:1].upper() + text[1:], duration=8, print_exception=False)


def script_event(
    script: Path, inputs: Mapping[str, Block], outputs: Mapping[str, Block]
) -> dict[str, Any]:
    """Arguments of an event that runs in the browser alone.

    Args:
        script: a file with one function, from an object of input values by name to an object of
            updates by name. Outputs that it leaves out stay as they are.
        inputs, outputs: component by name.
    """
    source = script.read_text(encoding="utf-8")
    js = (
        "(...values) => {"
        f" const names = {{inputs: {json.dumps(list(inputs))},"
        f" outputs: {json.dumps(list(outputs))}}};"
        " const given = Object.fromEntries(names.inputs.map((name, i) => [name, values[i]]));"
        f" const updates = ({source.strip()})(given);"
        " const unknown = Object.keys(updates).filter((name) => !names.outputs.includes(name));"
        f" if (unknown.length) throw new Error(`{script.name}: no output named ${{unknown}}`);"
        " return names.outputs.map((name) => updates[name]); }"
    )
    return {
        "fn": None,
        "inputs": list(inputs.values()),
        "outputs": list(outputs.values()),
        "js": js,
        **QUICK,
    }


def keep_downloads(group: str, buttons: Sequence[gr.DownloadButton]) -> dict[str, Any]:
    """Arguments of an event after which the browser keeps what buttons download.

    Args:
        group: a name for the buttons; files kept under it before are dropped.
    """
    js = f"(...files) => window.keepDownloads({json.dumps(group)}, files)"  # static/keep.js
    return {"fn": None, "inputs": list(buttons), "outputs": None, "js": js, **QUICK}


@contextmanager
def _errors_as_toasts(function: str) -> Iterator[None]:
    try:
        yield
    except (HscError, gr.Error) as error:
        raise toast(error) from error
    except Exception as error:
        log.exception("in %s", function)
        raise toast(UNEXPECTED) from error
