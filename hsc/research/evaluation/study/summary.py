"""Means over the pictures of a study, and figures of the whole set (BD-rate, verification)."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

from hsc.baselines import CODECS
from hsc.metrics.dino import frechet
from hsc.research.evaluation.study.bd_rate import bd_rate
from hsc.research.evaluation.study.candidates import BEST, FILE, OURS
from hsc.research.evaluation.study.measures import LESS_IS_BETTER, PERCEPTUAL
from hsc.research.evaluation.study.store import Store, plain
from hsc.research.evaluation.study.verification import verify
from hsc.vision.agreement import SAME_PLACE

Row = dict[str, Any]
IDENTITY = ("codec", "kind", "level")
LEAST_FOR_FRECHET = 8
"""With fewer pictures a distance of distributions says nothing."""
BD_METRICS = ("lpips_1024", "lpips_256", "dists_256", "ms_ssim", "identity_l2", "dino_similarity")


def summarise(stores: Sequence[Store], people: Sequence[str]) -> list[Row]:
    """One row for every candidate that all pictures have, in their order.

    Means leave out what is not there (nan); shares count every picture.
    """
    if not stores:
        return []
    shared = [w for w in stores[0].rows if all(w in store.rows for store in stores)]
    originals = _features(stores, "original", "identity")
    return [_row(what, stores, people, originals) for what in shared]


def _row(what: str, stores: Sequence[Store], people: Sequence[str], originals: np.ndarray) -> Row:
    rows = [store.rows[what] for store in stores]
    row: Row = {"what": what, "count": len(rows)} | {k: rows[0][k] for k in IDENTITY}
    for key in dict.fromkeys(key for r in rows for key in r if key not in IDENTITY):
        values = [float(r.get(key, math.nan)) for r in rows]
        there = [v for v in values if not math.isnan(v)]
        row[key] = sum(there) / len(there) if there else math.nan
    sizes = [r["bytes"] for r in rows]
    row |= {"bytes_min": min(sizes), "bytes_max": max(sizes)}
    errors = np.array([r["landmark_error"] for r in rows])
    row["landmarks_in_place"] = float((np.nan_to_num(errors, nan=np.inf) < SAME_PLACE).mean())
    if "dino" in stores[0].features.get(what, {}) and len(rows) >= LEAST_FOR_FRECHET:
        real, rendered = (_features(stores, w, "dino") for w in ("original", what))
        row["dino_frechet"] = frechet(torch.from_numpy(real), torch.from_numpy(rendered))
    if "identity" in stores[0].features.get(what, {}):
        found = verify(originals, _features(stores, what, "identity"), people)
        figures = asdict(found) if found else {}
        row |= {f"verified_{k}": math.nan if v is None else v for k, v in figures.items()}
    return plain(row)


def _features(stores: Sequence[Store], what: str, name: str) -> np.ndarray:
    return np.stack([store.features[what][name] for store in stores])


def savings(summary: Sequence[Row]) -> list[Row]:
    """BD-rate of our files against every other codec at its best size, for every metric."""
    test = [row for row in summary if row["codec"] == OURS and row["kind"] == FILE]
    found = []
    for codec in CODECS.values():
        anchor = [r for r in summary if r["codec"] == codec.label and r["kind"] == BEST]
        if not anchor:
            continue
        for key in BD_METRICS:
            saving = bd_rate(curve(anchor, key), curve(test, key), key in LESS_IS_BETTER)
            found.append({"anchor": codec.label, "metric": key} | asdict(saving))
    return found


def curve(rows: Sequence[Row], key: str) -> list[tuple[float, float]]:
    """(bytes, figure) of the rows that have the figure."""
    return [(r["bytes"], r[key]) for r in rows if r.get(key) is not None]


def labels() -> Mapping[str, str]:
    """What each perceptual figure is called."""
    return {metric.key: metric.label for metric in PERCEPTUAL} | {
        "dino_frechet": "Frechet distance, DINOv2"
    }
