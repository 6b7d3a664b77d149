"""``validate verification``: is a decoded face taken for the person it shows, and for no other.

Every held-out person of whom there are two photographs gives genuine pairs: a picture decoded from
a file against the other photograph. All others are strangers to each other.
"""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from hsc.baselines import RESOLUTIONS, Encodings, OtherCodec, available_codecs
from hsc.codec import Codec
from hsc.domains.ffhq_face import find_faces
from hsc.errors import HscError
from hsc.metrics.identity_dlib import dlib_identity
from hsc.research.data.held_out import HeldOutPicture, held_out_pictures, spread
from hsc.research.evaluation import report
from hsc.research.evaluation.study.candidates import FILE, OURS, READ, SEMANTICS, ours, semantics_of
from hsc.research.evaluation.study.folder import StudyPicture
from hsc.research.evaluation.study.store import plain
from hsc.research.evaluation.study.verification import (
    FALSE_ACCEPTS,
    interval,
    mean_distances,
    verify,
)
from hsc.research.options import ValidateOptions
from hsc.vision.semantic_probe import SemanticProbe

LEVELS = (1.0, 3.0)
CODECS = ("jpeg", "webp", "avif", "heic")
ORIGINAL = "original"
NOTE = (
    "Distances are dlib's descriptors'. A picture is accepted as somebody below a distance that at "
    "most {rate:.0%} of the pairs of coded pictures and photographs of strangers are; it is each "
    "row's own, so that all have the same rate of false accepts. Own original: the decoded picture "
    "against the photograph that it was made from, {pictures} pictures; other photograph: against "
    "another one of that person, {pairs} comparisons of {people} people. No face found: not "
    "accepted. In brackets Wilson's 95% interval, with people for trials, since one person's "
    "comparisons hang together. Other codecs in as many bytes at the resolution that looks best "
    "by LPIPS at 256 px; an asterisk: some files did not fit. " + READ + ": a linear map from the "
    "decoded semantics; nothing is rendered."
)


@dataclass
class Descriptors:
    """Descriptors and sizes of one way to code, picture by picture."""

    descriptors: list[np.ndarray] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    fits: list[bool] = field(default_factory=list)

    def add(self, descriptor: np.ndarray, size: int = 0, fits: bool = True) -> None:
        self.descriptors.append(descriptor)
        self.sizes.append(size)
        self.fits.append(fits)


def run(options: ValidateOptions) -> None:
    """Compare every pair, print and save the shares.

    Args:
        options: faces, limit, levels, codecs, out and device.

    Raises:
        HscError: there are no held-out pictures, of one person only, or a codec is not here.
    """
    pictures = chosen(held_out_pictures(options.faces), options.limit)
    levels = sorted(set(options.levels or LEVELS))
    others = (
        available_codecs(list(options.codecs))
        if options.codecs
        else [codec for codec in available_codecs() if codec.name in CODECS]
    )
    codec, probe = Codec.load(options.device), SemanticProbe.pretrained()
    found: dict[str, Descriptors] = {}
    for number, picture in enumerate(pictures, start=1):
        image = picture.load()
        found.setdefault(ORIGINAL, Descriptors()).add(identity(image))
        for what, descriptor, size, fits in _coded(codec, probe, others, image, levels):
            found.setdefault(what, Descriptors()).add(descriptor, size, fits)
        report.print_progress(number, len(pictures), picture.name)
    result = summarise(found, [person(p) for p in pictures])
    result = report.report("verification", codec, pictures, []) | result
    report.save(result, options.out)
    print(note(result) + "\n\n" + table(result))


def person(picture: HeldOutPicture) -> str:
    """Who it shows, by its name."""
    return StudyPicture(picture.name, picture.path).person


def chosen(pictures: Sequence[HeldOutPicture], limit: int | None) -> list[HeldOutPicture]:
    """People with several pictures first, the rest evenly, so many at most, in order of names."""
    counts = Counter(map(person, pictures))
    several = [p for p in pictures if counts[person(p)] > 1][:limit]
    single = [p for p in pictures if counts[person(p)] == 1]
    single = spread(single, (limit or len(pictures)) - len(several))
    return sorted([*several, *single], key=lambda p: p.name)


def identity(image: Image.Image) -> np.ndarray:
    """dlib's descriptor of the largest face, (128,); nan where none is found."""
    faces = find_faces(image)
    return dlib_identity(image, faces[0]) if faces else np.full(128, np.nan)


def _coded(
    codec: Codec,
    probe: SemanticProbe,
    others: Sequence[OtherCodec],
    image: Image.Image,
    levels: Sequence[float],
) -> Iterator[tuple[str, np.ndarray, int, bool]]:
    """Name, descriptor, bytes and whether it fits, of every way to code one picture."""
    budgets: dict[float, int] = {}
    for candidate in ours(codec, image, levels):
        level, size = candidate.level, len(candidate.data)
        name = OURS if candidate.kind == FILE else f"{OURS}, {candidate.kind}"
        yield at(level, name), identity(candidate.picture), size, True
        if candidate.kind == FILE:
            budgets[level] = size
        if candidate.kind == SEMANTICS:
            w_plus, _ = semantics_of(codec, candidate.data)
            face = probe.observe(w_plus).face
            assert face is not None, "a linear read-out always has a face"
            descriptor = np.asarray(face.descriptor)
            yield at(level, f"{OURS}, {READ}"), descriptor, size, True
    for other in others:
        files, smallest = Encodings(image, other), RESOLUTIONS[-1]
        for level in levels:
            best = files.best_downscaled(budgets[level], from_px=smallest)
            smallest = best.px if best.fits else smallest
            yield at(level, other.label), identity(best.picture), len(best.data), best.fits


def at(level: float, name: str) -> str:
    """The name of a row."""
    return f"{level:g}: {name}"


def summarise(found: dict[str, Descriptors], people: Sequence[str]) -> dict:
    """Shares and mean distances of every way to code, in order of levels."""
    stacked = {what: np.stack(gathered.descriptors) for what, gathered in found.items()}
    originals = stacked[ORIGINAL]
    if verify(originals, originals, people) is None:
        raise HscError("expected pictures of at least two people whose faces are found, got fewer.")
    several = sum(count > 1 for count in Counter(people).values())
    rows, pairs = [], 0
    for what in sorted(found, key=lambda name: (name != ORIGINAL, name.partition(":")[0])):
        shares = verify(originals, stacked[what], people)
        assert shares is not None, "strangers are strangers whatever is compared with them"
        pairs = shares.pairs
        own, another, strangers = mean_distances(originals, stacked[what], people)
        rows.append(plain({
            "what": what,
            "bytes": float(np.mean(found[what].sizes)),
            "fits": all(found[what].fits),
            "face_found": float(np.isfinite(stacked[what]).all(1).mean()),
            "limit": shares.limit, "itself": shares.itself, "another": shares.another,
            "strangers": shares.strangers,
            "own_distance": own, "other_distance": another, "stranger_distance": strangers,
        }))  # fmt: skip
    counts = {"people": len(set(people)), "people_with_pairs": several, "pairs": pairs}
    return {"false_accepts": FALSE_ACCEPTS, "rows": rows} | counts


def note(result: dict) -> str:
    """How to read the table."""
    return NOTE.format(
        rate=result["false_accepts"], pairs=result["pairs"],
        pictures=sum(result["pictures"].values()), people=result["people_with_pairs"],
    )  # fmt: skip


def table(result: dict) -> str:
    """Who is taken for whom."""
    header = ["verification", "bytes", "face found %", "own original %", "other photograph %"]
    header += ["accepted below", "distance to own", "to other photograph", "to strangers"]
    lines = []
    for row in result["rows"]:
        first = row["what"] == ORIGINAL
        lines.append([
            row["what"] + ("" if row["fits"] else " *"),
            "-" if first else report.number(row["bytes"], 0),
            report.number(100 * row["face_found"], 0),
            "-" if first else _share(row["itself"], result["people"]),
            _share(row["another"], result["people_with_pairs"]),
            report.number(row["limit"], 2),
            *(report.number(row[f"{key}_distance"], 2) for key in ("own", "other", "stranger")),
        ])  # fmt: skip
    return report.table(header, lines)


def _share(share: float | None, people: int) -> str:
    if share is None or math.isnan(share) or not people:
        return "-"
    low, high = interval(share, people)
    return f"{100 * share:.0f} ({100 * low:.0f} to {100 * high:.0f})"
