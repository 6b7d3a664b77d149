"""What the viewer of the Compress tab offers: the original, layers, levels, and other codecs.

Pictures without an address are made when they are chosen; `OnDemand` makes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import gradio as gr
from PIL import Image

from app.components.events import Update
from app.components.html import note
from app.executor import CancelToken
from app.files import address
from app.results import Compressed, CurrentFace
from app.services.baselines import BaselineResult
from app.services.examples import LEVEL, Example
from app.services.facts import LEVELS
from app.services.measure import Distances, likeness
from app.studio import Studio
from app.viewer import Choice, content, drawn, patch, wanted
from hsc.errors import HscError

ORIGINAL = "original"
LAYERS = {"scn+fcn": "HSC", "scn": "Essence (SCN) alone", "fcn": "Likeness (FCN) alone"}
"""Choices that are layers of the current file, by the codec's names."""
LEVEL_PREFIX, REFINED = "level-", "refined"
ARRIVING = "arriving"
"""Begins the version of what is to be replaced at once: nothing is made for it on demand."""
OTHER_LEVELS, OTHERS = "Other levels", "Other codecs, as many bytes"


def version_of(current: CurrentFace) -> str:
    """Names what the choices are of: a face, its level and its layers."""
    result = current.result
    return f"{result.prepared.key}-{result.refined}-{result.level:g}-{current.layers}"


def whole_content(
    current: CurrentFace,
    urls: Mapping[str, str],
    codecs: list[BaselineResult],
) -> dict[str, Any]:
    """The choices for a face that is drawn, or for a draft of it.

    Args:
        urls: address by name of choice, of the pictures that are there.
        codecs: those to offer.
    """
    result = current.result
    kind = ", refined" if result.refined else ", draft" if result.draft else ""
    choices = [
        Choice(ORIGINAL, "Original", urls.get(ORIGINAL, "")),
        *(
            Choice(
                name,
                f"{label} level {result.level:g}{kind}" if name == "scn+fcn" else label,
                urls.get(name, ""),
                len(result.file("scn")) if name == "scn" else len(result.file()),
            )
            for name, label in LAYERS.items()
        ),
    ]
    if not result.refined:
        choices.append(Choice(REFINED, "HSC, refined", group=OTHER_LEVELS))
    choices += [
        Choice(f"{LEVEL_PREFIX}{level.number}", f"HSC level {level.number}", group=OTHER_LEVELS)
        for level in LEVELS
        if level.number != result.level
    ]
    choices += [Choice(each.name, each.label, group=OTHERS) for each in codecs if not each.missing]
    return content(
        choices,
        ORIGINAL,
        current.layers,
        version=f"{ARRIVING}-{version_of(current)}" if result.draft else version_of(current),
        subject=result.prepared.key,
        waiting=result.draft,
    )


def arriving_content(result: Compressed, scn: Image.Image | None) -> dict[str, Any]:
    """The choices for another face, while its pictures come: the original, then its essence."""
    choices = [Choice(ORIGINAL, "Original", drawn(result.crop, "original.webp"))]
    if scn is not None:
        essence = Choice("scn", LAYERS["scn"], drawn(scn, "face.webp"), len(result.file("scn")))
        choices.append(essence)
    return content(
        choices,
        ORIGINAL,
        choices[-1].name,
        version=f"{ARRIVING}-{result.prepared.key}",
        subject=result.prepared.key,
        waiting=True,
    )


def example_content(example: Example) -> dict[str, Any]:
    """The choices for an example's shipped pictures, until they are rendered here."""
    names = ("crop", "scn", "both")
    crop, scn, both = (address(example.picture(name)) for name in names)
    sizes = example.sizes
    return content(
        [
            Choice(ORIGINAL, "Original", crop),
            Choice("scn+fcn", f"HSC level {LEVEL:g}", both, sizes.total),
            Choice("scn", LAYERS["scn"], scn, example.essence_bytes),
        ],
        ORIGINAL,
        "scn+fcn",
        version=f"example-{example.name}",
        subject=f"example-{example.name}",
    )


class OnDemand:
    """Makes the pictures that a visitor chooses."""

    def __init__(self, studio: Studio, viewer: gr.HTML, line: gr.HTML) -> None:
        self.studio = studio
        self.viewer = viewer
        self.line = line

    def make(
        self, current: CurrentFace | None, search: CancelToken, event: gr.EventData
    ) -> Iterator[Update]:
        """The picture that was asked for, then its figures where there are any."""
        asked = wanted(event)
        if current is None or asked.version != version_of(current):
            return  # it is asked for again, of what shows then
        try:
            for choice, words in self._steps(asked.name, current, search):
                update: Update = {self.line: note(words, busy=True) if words else ""}
                if choice:
                    update[self.viewer] = patch(asked.version, choice)
                yield update
        except HscError as error:
            label = LAYERS.get(asked.name, asked.name.upper())
            yield {
                self.line: "",
                self.viewer: patch(asked.version, Choice(asked.name, label, missing=str(error))),
            }

    def _steps(
        self, name: str, current: CurrentFace, search: CancelToken
    ) -> Iterator[tuple[Choice | None, str]]:
        """A choice with its picture, and what is being done."""
        result, studio = current.result, self.studio
        if name == ORIGINAL:
            yield Choice(name, "Original", drawn(result.crop, "original.webp")), ""
        elif name in LAYERS:
            file = result.file("scn" if name == "scn" else "scn+fcn")
            picture = studio.decode(file, name).picture
            label = LAYERS[name] + (f" level {result.level:g}" if name == "scn+fcn" else "")
            yield Choice(name, label, drawn(picture, "face.webp"), len(file)), ""
        elif name == REFINED:
            yield from self._refined(result, search)
        elif name.startswith(LEVEL_PREFIX):
            level = float(name.removeprefix(LEVEL_PREFIX))
            file = studio.compression.file(result.prepared, level)
            picture = studio.decode(file).picture
            label = f"HSC level {level:g}"
            yield (
                Choice(name, label, drawn(picture, "face.webp"), len(file), group=OTHER_LEVELS),
                "",
            )
        else:
            yield None, f"Coding as {name.upper()} in {len(current.file):,} bytes …"
            with studio.executor.waited_for():  # the search for a better file takes a core
                for fitted in studio.baselines.steps(result.crop, len(current.file), [name]):
                    yield codec_choice(fitted), "" if _figures(fitted) else "Measuring …"
            yield None, ""

    def _refined(
        self, plain: Compressed, search: CancelToken
    ) -> Iterator[tuple[Choice | None, str]]:
        result = plain
        for result in self.studio.refine(plain, search.watch()):
            if result.refining:
                yield None, f"Refining, step {result.refining.done} of {result.refining.total} …"
        if result.picture_both is None or result.refining:
            raise HscError("The search was given up.")
        url = drawn(result.picture_both, "face.webp")
        yield Choice(REFINED, "HSC, refined", url, len(result.file()), group=OTHER_LEVELS), ""


def codec_choice(result: BaselineResult) -> Choice:
    """A codec's picture within the budget, or its smallest one, and its figures."""
    choice = Choice(result.name, result.label, group=OTHERS)
    fit = result.best if result.best and result.best.fits else result.full
    if fit is None:
        return replace(choice, missing=result.missing or "not available here")
    choice = replace(choice, url=drawn(fit.picture, "face.webp"), bytes=len(fit.data))
    if not fit.fits:
        return replace(choice, note=f"cannot go below {len(fit.data):,} bytes")
    size = f"coded at {fit.px} px" if fit.px else ""
    return replace(choice, note=", ".join(filter(None, (size, _figures(result)))))


def _figures(result: BaselineResult) -> str:
    """How near a codec's picture is, in a few words; "" while it is not known."""
    measured: Distances | None = result.best_measured
    if measured is None or measured.lpips is None:
        return ""
    words = f"LPIPS {measured.lpips:.2f} at 256 px"
    said = likeness(measured)
    return f"{words}, {said.words.lower()}" if said else words
