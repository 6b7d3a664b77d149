"""Our picture beside those of other codecs, as HTML cards."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from PIL import Image

from app.files import address, keep_picture
from app.results import CurrentFace
from app.services.baselines import BaselineResult, Fit
from app.services.measure import Distances, likeness


def cards(current: CurrentFace, ours: Distances | None, results: Iterable[BaselineResult]) -> str:
    """All cards: the original and ours, the others at their best and at full size, who is missing.

    Args:
        ours: figures of our picture; None until they are measured.
    """
    results = list(results)
    available = [result for result in results if not result.missing]
    missing = [result for result in results if result.missing]
    budget = len(current.file)
    hsc = _card(
        "HSC", f"{budget:,} bytes", _image(current.picture, "The face drawn from our file"), ours,
        kind="ours",
    )  # fmt: skip
    best = [_baseline(each.label, each.best, each.best_measured) for each in available]
    full = [_baseline(each.label, each.full, each.full_measured) for each in available]
    original = _card("Original", "", _image(current.result.crop, "The original"), None)
    return (
        f'<h3>At their best in {budget:,} bytes</h3><p class="note">Each codec may shrink the '
        "picture first and is shown at the size in pixels with the least LPIPS, the perceptual "
        "distance at 256 pixels. Of two face recognisers the stricter one's words count; in "
        "brackets the distances of both, dlib and FaceRes.</p>"
        f'<div class="cards">{original}{hsc}{"".join(best)}</div>'
        f"<h3>At full size, 1024 × 1024</h3>"
        f'<p class="note">Not a fair fight: at so few bytes most have no setting that is low '
        f'enough.</p><div class="cards">{"".join(full)}</div>'
        + (_missing(missing) if missing else "")
    )


def _missing(results: Iterable[BaselineResult]) -> str:
    names = " and ".join(escape(result.label) for result in results)
    why = escape(" ".join(result.missing or "" for result in results))
    return f'<p class="note missing" title="{why}">Left out, not installed here: {names}.</p>'


def _baseline(label: str, fit: Fit | None, measured: Distances | None) -> str:
    if fit is None:
        return _card(label, "waiting …", '<div class="empty"></div>', None, kind="waiting")
    image = _image(fit.picture, f"The face by {label}")
    if not fit.fits:
        words = f"cannot go below {len(fit.data):,} bytes"
        return _card(label, words, image, None, kind="over")
    return _card(label, f"{len(fit.data):,} bytes, {fit.px} px", image, measured)


def _card(label: str, words: str, image: str, measured: Distances | None, kind: str = "") -> str:
    return (
        f'<figure class="card {kind}">{image}<figcaption><b>{escape(label)}</b> '
        f"<span>{words}</span>{_figures(measured)}</figcaption></figure>"
    )


def _figures(measured: Distances | None) -> str:
    if measured is None or measured.lpips is None:
        return ""
    line = f"LPIPS {measured.lpips:.3f} at 256 px<br>PSNR {measured.psnr:.1f} dB"
    if said := likeness(measured):
        known = (measured.identity, measured.faceres)
        figures = ", ".join(f"{value:.2f}" for value in known if value is not None)
        line += f"<br>{escape(said.words)} ({figures})"
    return f"<small>{line}</small>"


def _image(picture: Image.Image, alt: str) -> str:
    where = address(keep_picture(picture, "face.png"))
    return f'<a href="{where}" target="_blank"><img src="{where}" alt="{alt}"></a>'
