"""A result in numbers, as HTML: the file's size, the distances, the slow link, the times."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

from app.components.html import bytes_bar, note
from app.files import address
from app.results import Compressed, LevelSize, Sizes
from app.services.examples import LEVEL, Example
from app.services.facts import LEVELS, level_name
from app.services.measure import Distances, likeness, lpips_words, psnr_words

WHOLE = 0.995
"""Share of a photo's pixels from which on a face's crop is the photo."""


def welcome(given: Sequence[Example]) -> str:
    """What this is, before a face was chosen; static/face.js presses what the buttons stand for."""
    faces = "".join(
        f'<button type="button" data-choose="{number}" aria-label="{escape(each.label)}">'
        f'<img src="{address(str(each.known / "thumbnail.jpg"))}" alt=""></button>'
        for number, each in enumerate(given)
    )
    size = f"{given[0].sizes.total:,}" if given else "a few thousand"
    return (
        f'<div class="welcome"><h2>A face in {size} bytes</h2>'
        "<p>A photograph of a face takes millions of bytes. Here only what makes it <em>that</em> "
        "face is sent, and a generator that knows faces draws the rest.</p>"
        '<div class="start"><button type="button" class="first" data-choose="photo">Choose a photo'
        f"</button>{faces}"
        '<button type="button" data-choose="invent">Invent a face</button></div></div>'
    )


def example_readout(example: Example) -> str:
    """As `readout`, of an example's shipped file."""
    return size_line(example.sizes, LEVEL, None)


def stops(sizes: Mapping[int, LevelSize], level: float = LEVEL) -> str:
    """The named levels below their slider, each with the bytes of its file; script.js moves it.

    Args:
        sizes: by number of level; those that are not known yet are left out.
        level: the one that is chosen.
    """

    def size(known: LevelSize) -> str:
        if known.exact:
            return f"{known.size:,}"
        about = round(known.size, 2 - len(str(known.size)))
        return f'<span title="its file is made when you choose it">≈ {about:,}</span>'

    buttons = "".join(
        f'<button type="button" data-level="{each.number}" '
        f'aria-pressed="{str(each.number == level).lower()}" title="{escape(each.name)}">'
        f"<b>{each.number}</b> {escape(each.name)}"
        + (
            f"<small>{size(sizes[each.number])}<i> bytes</i></small>"
            if each.number in sizes
            else '<small class="unknown">… bytes</small>'
        )
        + "</button>"
        for each in LEVELS
    )
    return f'<div class="stops" role="group" aria-label="Named levels">{buttons}</div>'


def readout(result: Compressed, layers: str, source: str | None = "your upload") -> str:
    """The file size in large type, what it compares to, and its parts as a bar.

    Args:
        layers: those that the file carries.
        source: the file whose part with the face the ratio is relative to, in words; None for a
            face that nobody photographed, which is smaller than nothing.
    """
    sizes, whole = result.sizes(layers), result.sizes()
    ratio = result.face_ratio(layers) if source else None
    if source and result.prepared.share < WHOLE:
        source = f"the face's part of {source}"
    return size_line(sizes, result.level, ratio, source or "", whole)


def size_line(
    sizes: Sizes,
    level: float,
    ratio: float | None,
    source: str = "your upload",
    whole_file: Sizes | None = None,
) -> str:
    """As `readout`, from the numbers alone."""
    compared = f"<b>{_ratio(ratio)} ×</b> smaller than {escape(source)}" if ratio else ""
    dot = " <i>·</i> " if compared else ""
    bpp = f'<span class="bpp">{dot}<b>{sizes.bpp:.4f}</b> bits per pixel</span>'
    return (
        '<div class="readout">'
        f'<p class="size"><span>{sizes.total:,}</span> bytes'
        f"<em>{escape(level_name(level))}</em></p>"
        f'<p class="compared">{compared}{bpp}</p>'
        f"{bytes_bar(sizes, whole_file)}</div>"
    )


def measures(measured: Distances | None) -> str:
    """How near the picture is to the original: words first, the figure behind each after them."""
    if measured is None:
        return ""
    rows = [
        _person(measured),
        _measure(
            "Look", measured.lpips, lpips_words, "LPIPS {:.3f} at 256 px",
            "a perceptual distance on AlexNet features; 0 is no difference",
        ),
        _measure(
            "Pixels", measured.psnr, psnr_words, "PSNR {:.1f} dB at 256 px",
            "a good JPEG has more than 35 dB",
        ),
    ]  # fmt: skip
    said = likeness(measured) if measured.of_faces and not measured.no_face else None
    differ = note(said.differ) if said and said.differ else ""
    return f'<dl class="measures">{"".join(rows)}</dl>{differ}'


def share_link(link: str) -> str:
    """A button that copies a link to an example or an invented face; page.js does it. An upload has
    none: who opened it would not see the face."""
    if "example=" not in link and "seed=" not in link:
        return ""
    return f'<button type="button" class="copy" data-copy="{link}">Copy a link to this</button>'


def times(result: Compressed) -> str:
    """What each stage took, in words."""
    done = [f"{name} {seconds:.1f} s" for name, seconds in result.seconds.items()]
    if not done:
        return ""
    return note(f"Took: {' · '.join(done)} · on {result.device or 'cpu'}")


def _person(measured: Distances) -> str:
    """What both recognisers say, in the words of the stricter one."""
    what = (
        "two face recognisers compare the picture with the original: dlib, which training looks "
        "at (one person: under 0.33), and FaceRes, which it does not (under 0.53)"
    )
    if not measured.of_faces:
        return ""
    if measured.no_face:
        return _row("Person", "No face was found in the original", "", "")
    said = likeness(measured)
    if said is None:
        return _row("Person", "Measuring …", "", what)
    known = (("dlib", measured.identity), ("FaceRes", measured.faceres))
    figures = " · ".join(f"{name} {value:.2f}" for name, value in known if value is not None)
    return _row("Person", said.words, figures, what)


def _measure(
    name: str, value: float | None, words: Callable[[float], str], form: str, what: str
) -> str:
    if value is None:
        return _row(name, "Measuring …", "", what)
    return _row(name, words(value), form.format(value), what)


def _row(name: str, words: str, figure: str, what: str) -> str:
    """Words and figure; what the figure is goes into the title and is read out."""
    return (
        f'<div title="{escape(what)}"><dt>{name}</dt><dd><b>{escape(words)}</b> '
        f"<span>{figure}</span> <small>{escape(what)}</small></dd></div>"
    )


def _ratio(ratio: float) -> str:
    """Two or three significant figures: 3128.4 -> '3,100'; 4.26 -> '4.3'."""
    if ratio >= 1000:
        return f"{round(ratio, -2):,.0f}"
    return f"{ratio:,.0f}" if ratio >= 20 else f"{ratio:.1f}"
