"""``hsc evaluate FOLDER --out REPORT_DIR``."""

import csv
import hashlib
import json
import math
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
from PIL import Image

from hsc import cluster
from hsc.baselines import OtherCodec, available_codecs
from hsc.codec import Codec
from hsc.errors import HscError
from hsc.images.bandwidth import FULL_PX
from hsc.levels import LEVELS
from hsc.research.data.held_out import file_px
from hsc.research.evaluation import report
from hsc.research.evaluation.contact_sheet import ContactSheet
from hsc.research.evaluation.study import page, summary
from hsc.research.evaluation.study.candidates import (
    BEST,
    FILE,
    FULL,
    OURS,
    READ,
    SEMANTICS,
    Candidate,
    others,
    ours,
    semantics_of,
    what,
)
from hsc.research.evaluation.study.folder import StudyPicture, size_note, study_pictures
from hsc.research.evaluation.study.measures import Measured, Measures, Reference, features
from hsc.research.evaluation.study.store import Store, key_of
from hsc.research.options import EvaluateOptions
from hsc.vision.semantic_probe import SemanticProbe

TILE_PX = 224


@dataclass(frozen=True)
class StudySetup:
    """What a study works with."""

    codec: Codec
    measures: Measures
    probe: SemanticProbe
    levels: Sequence[float]
    others: Sequence[OtherCodec]
    align: bool
    weights: dict[str, str]


def run(options: EvaluateOptions) -> None:
    """Measure a folder; figures that are there already are kept.

    Args:
        options: folder, out, levels, codecs, device, limit, align.

    Raises:
        HscError: no usable picture, an unknown codec, or weights of a metric are missing.
    """
    pictures, notes = study_pictures(options.folder, options.limit)
    setup = load_setup(options)
    if options.ray:
        measure_on_cluster(pictures, setup, options)
    measured: list[tuple[StudyPicture, Store]] = []
    skipped: list[str] = []
    try:
        for number, picture in enumerate(pictures, start=1):
            said = picture.name
            try:
                measured.append((picture, study(picture, setup, options.out)))
            except HscError as error:
                said = f"{picture.name} was left out: {error}"
                skipped.append(said)
            report.print_progress(number, len(pictures), said)
    finally:
        if measured:  # a run that is stopped leaves a report of what it has
            write(measured, setup, notes + skipped, options.out)
    if not measured:
        raise HscError("none of the pictures could be measured: " + "; ".join(skipped))
    print(page.text(json.loads((options.out / "report.json").read_text(encoding="utf-8"))))
    print(f"\n{options.out / 'index.html'}")


def load_setup(options: EvaluateOptions) -> StudySetup:
    """Load the codec and the networks of the measures. Raises HscError as `run`."""
    codec = Codec.load(options.device)
    return StudySetup(
        codec,
        Measures(codec.device),
        SemanticProbe.pretrained(),
        sorted(set(options.levels or (level.number for level in LEVELS))),
        available_codecs(list(options.codecs) if options.codecs else None),
        options.align,
        report.weight_hashes(),
    )


def measure_on_cluster(
    pictures: Sequence[StudyPicture], setup: StudySetup, options: EvaluateOptions
) -> None:
    """Have a Ray cluster write what `study` would, of the pictures that are not complete.

    Pictures that fail there are left to `study`, which says why.
    """
    missing = {p.name: p for p in pictures if not _kept(p, setup, options.out).complete}
    if not missing:
        return

    def load(name: str) -> SentPicture:
        files = _kept(missing[name], setup, options.out).files()
        return SentPicture(name, missing[name].path.read_bytes(), files)

    done = cluster.run(
        StudyWork(options), missing, load, address=options.ray or "local",
        workers=options.workers, batch=1, gpu=options.device != "cpu",
    )  # fmt: skip
    for number, result in enumerate(done, start=1):
        for name, data in (result.value or {}).items():
            path = options.out / name
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(path.name + ".part")
            part.write_bytes(data)
            part.replace(path)
        report.print_progress(number, len(missing), f"{result.name} {result.error or 'measured'}")


@dataclass(frozen=True)
class SentPicture:
    """A picture and its figures so far, by their paths below the study's folder."""

    name: str
    data: bytes
    files: dict[str, bytes]


class StudyWork:
    """What workers of a cluster do: the files of a picture, measured in a folder of their own."""

    def __init__(self, options: EvaluateOptions) -> None:
        self.options = options

    def start(self) -> str:
        """Load everything; the hash of all weights."""
        self.setup = load_setup(self.options)
        return key_of(json.dumps(self.setup.weights, sort_keys=True))

    def __call__(self, payloads: Sequence[SentPicture]) -> list[dict[str, bytes] | Exception]:
        """The files of each picture, or why there are none."""
        return [self._one(sent) for sent in payloads]

    def _one(self, sent: SentPicture) -> dict[str, bytes] | Exception:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            original = f"original/{sent.name}"
            for target, data in (sent.files | {original: sent.data}).items():
                (folder / target).parent.mkdir(parents=True, exist_ok=True)
                (folder / target).write_bytes(data)
            picture = StudyPicture(sent.name, folder / original)
            try:
                study(picture, self.setup, folder)
            except (HscError, OSError) as error:
                return error
            return _kept(picture, self.setup, folder).files()


@dataclass(frozen=True)
class KeptFigures:
    """What a study's folder holds of one picture.

    Attributes:
        complete: whether nothing is left to measure.
    """

    folder: Path
    stem: str
    store: Store
    complete: bool

    @property
    def sheet(self) -> Path:
        return self.folder / "sheets" / f"{self.stem}.jpg"

    def files(self) -> dict[str, bytes]:
        """Contents by path below the folder."""
        paths = [self.store.path, self.store.path.with_suffix(".npz"), self.sheet]
        there = [path for path in paths if path.is_file()]
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in there}


def _kept(picture: StudyPicture, setup: StudySetup, folder: Path) -> KeptFigures:
    key = key_of(picture.path.read_bytes(), str(setup.align), json.dumps(setup.weights))
    store = Store(folder, picture.stem, key)
    files = [what(OURS, kind, level) for kind in (FILE, SEMANTICS, READ) for level in setup.levels]
    missing = [c for c in setup.others if not all(w in store.rows for w in _names(c, setup.levels))]
    sheet = folder / "sheets" / f"{picture.stem}.jpg"
    complete = all(w in store.rows for w in files) and not missing and sheet.is_file()
    return KeptFigures(folder, picture.stem, store, complete)


def study(picture: StudyPicture, setup: StudySetup, folder: Path) -> Store:
    """Every figure of one picture, computed or as it was kept."""
    kept = _kept(picture, setup, folder)
    store, sheet = kept.store, kept.sheet
    if kept.complete:
        return store
    image = picture.load(setup.align)
    measures = CachedMeasures(setup.measures.reference(image), setup.measures)
    store.features["original"] = features(measures.reference.observation) | {
        "dino": measures.reference.dino.cpu().numpy()
    }
    rendered: dict[str, Image.Image] = {}
    for candidate in ours(setup.codec, image, setup.levels):
        measures.at(candidate, store)
        rendered[candidate.what] = candidate.picture
        if candidate.kind == SEMANTICS:
            _read_directly(candidate, measures, setup, store)
    budgets = {level: store.rows[what(OURS, FILE, level)]["bytes"] for level in setup.levels}
    for codec in setup.others:  # rendered again for the sheet even where the figures are kept
        print(f"  {picture.name}: {codec.label}", file=sys.stderr, flush=True)
        for candidate in others(image, [codec], budgets):
            rendered[candidate.what] = candidate.picture
            if candidate.what not in store.rows:
                measures.at(candidate, store)
        store.save()
    if file_px(picture.path) < FULL_PX:
        for row in store.rows.values():  # an enlarged photograph has no detail to compare with
            if "lpips_1024" in row:
                row["lpips_1024"] = math.nan
    store.save()
    _sheet(image, rendered, setup, store).save(sheet)
    return store


class CachedMeasures:
    """Measures pictures against one original, equal ones once."""

    def __init__(self, reference: Reference, measures: Measures) -> None:
        self.reference, self.measures = reference, measures
        self.known: dict[bytes, Measured] = {}

    def at(self, candidate: Candidate, store: Store) -> None:
        """Put a candidate's figures into the store."""
        digest = hashlib.sha256(candidate.picture.tobytes()).digest()
        if digest not in self.known:
            self.known[digest] = self.measures.measure(self.reference, candidate.picture)
        found = self.known[digest]
        store.rows[candidate.what] = candidate.figures | found.figures
        store.features[candidate.what] = found.features


def _read_directly(
    candidate: Candidate, measures: CachedMeasures, setup: StudySetup, store: Store
) -> None:
    """The read-outs of S^ itself, no picture being rendered."""
    w_plus, seconds = semantics_of(setup.codec, candidate.data)
    started = time.perf_counter()
    observation = setup.probe.observe(w_plus)
    looking = {"decode_seconds": seconds, "look_seconds": time.perf_counter() - started}
    name = what(OURS, READ, candidate.level)
    figures = candidate.figures | {"kind": READ} | looking
    store.rows[name] = figures | measures.measures.vision(measures.reference, observation)
    store.features[name] = features(observation)


def _names(codec: OtherCodec, levels: Iterable[float]) -> list[str]:
    return [what(codec.label, kind, level) for level in levels for kind in (BEST, FULL)]


def _sheet(
    image: Image.Image, rendered: dict[str, Image.Image], setup: StudySetup, store: Store
) -> ContactSheet:
    """Levels down; the original, ours, and every other codec at its best size across."""
    sheet = ContactSheet(("original", OURS, *(c.label for c in setup.others)), TILE_PX)
    for level in setup.levels:
        row = [what(OURS, FILE, level)] + [what(c.label, BEST, level) for c in setup.others]
        size = store.rows[row[0]]["bytes"]
        sheet.add(f"level {level:g}/{size:,} bytes", [image, *(rendered[w] for w in row)])
    return sheet


def write(
    measured: Sequence[tuple[StudyPicture, Store]], setup: StudySetup, notes: list[str], out: Path
) -> None:
    """``report.json``, ``figures.csv`` and ``index.html``."""
    pictures, stores = zip(*measured)
    rows = summary.summarise(stores, [p.person for p in pictures])
    result = {
        "kind": "evaluate",
        "date": date.today().isoformat(),
        "model": setup.codec.model_name,
        "weights": setup.weights,
        "machine": report.machine(setup.codec.device),
        "pictures": dict(Counter(p.collection for p in pictures)),
        "codecs": {c.label: c.settings for c in setup.others},
        "notes": [*notes, size_note(pictures)],
        "summary": rows,
        "bd_rate": summary.savings(rows),
    }
    text = json.dumps(result, indent=1, allow_nan=False)
    (out / "report.json").write_text(text + "\n", encoding="utf-8")
    _write_csv(measured, out / "figures.csv")
    sheets = {p.name: out / "sheets" / f"{p.stem}.jpg" for p in pictures}
    (out / "index.html").write_text(page.html(result, sheets), encoding="utf-8")


def _write_csv(measured: Sequence[tuple[StudyPicture, Store]], path: Path) -> None:
    rows = [
        {"picture": picture.name, "what": name} | row
        for picture, store in measured
        for name, row in store.rows.items()
    ]
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(
            {k: "" if isinstance(v, float) and np.isnan(v) else v for k, v in row.items()}
            for row in rows
        )
