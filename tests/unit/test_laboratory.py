"""RESULTS.md says of the laboratory what its reports say, and nothing where there is none."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from hsc.research import results
from hsc.research.data.held_out import HeldOutPicture
from hsc.research.evaluation import bound, report, verification
from hsc.research.evaluation.bench import Timing
from hsc.research.evaluation.full_size_metric import FIGURES
from hsc.research.evaluation.study import page

COMMON = {
    "date": "2026-01-01", "model": "hsc-face-0000", "weights": {"scn": "ab" * 32},
    "machine": "a machine",
}  # fmt: skip


def row(codec: str, kind: str, level: float, size: float, **figures) -> dict:
    name = f"{codec}, {kind}, level {level:g}"
    return {
        "what": name,
        "count": 2,
        "codec": codec,
        "kind": kind,
        "level": level,
        "bytes": size,
        "px": 1024,
        "fits": 1.0,
    } | figures


def study() -> dict:
    looking = {"decode_seconds": 0.5, "look_seconds": 0.25}
    rows = [
        row("HSC", "file", 1, 500, lpips_256=0.14, face_found=1.0, verified_pairs=4.0,
            **looking),
        row("HSC", "S^ read directly", 1, 45, landmark_error=0.04, decode_seconds=0.01,
            look_seconds=0.001),
        row("AVIF", "best size", 1, 490, lpips_256=0.5, face_found=0.5) | {"fits": 0.5},
        row("AVIF", "full size", 1, 5600, lpips_256=0.07) | {"fits": 0.0},
    ]  # fmt: skip
    saving = {
        "anchor": "AVIF",
        "metric": "lpips_256",
        "percent": -60.0,
        "low": 0.1,
        "high": 0.2,
        "better_everywhere": None,
    }
    never = {
        "anchor": "AVIF",
        "metric": "dists_256",
        "percent": None,
        "low": None,
        "high": None,
        "better_everywhere": "test",
    }
    return COMMON | {
        "kind": "evaluate", "pictures": {"ffhq": 2}, "codecs": {"AVIF": "some encoder"},
        "notes": ["A note."], "summary": rows, "bd_rate": [saving, never],
    }  # fmt: skip


def bounded() -> dict:
    """As if FCN alone kept pictures from the original."""
    figures = {metric.key: 0.25 for metric in FIGURES} | {"bytes": 500}
    better = figures | {"lpips_1024": 0.125}
    seen = (bound.FILE, *bound.PERFECT.values(), *bound.STATIONS.values())
    names = {bound.at(1, name): figures for name in seen}
    names[bound.at(1, bound.PERFECT["FCN"])] = better
    names |= {bound.FREE: better | {"bytes": None}, bound.FITTED: better}
    rows = [row | {"what": name} for name, row in names.items()]
    return {"kind": "bound", "levels": [1.0], "steps": 9, "pictures": 2, "summary": rows}


def test_no_report_no_section(tmp_path: Path) -> None:
    assert results.sections(results.reports(tmp_path, tmp_path)) == []


def test_every_report_has_its_section(tmp_path: Path) -> None:
    report.save(study() | {"kind": "report"}, tmp_path)
    stages = {"GIE": 12.3, "encode": 20.0, "decode": 30.0}
    timing = Timing(
        "cpu, one", "a machine", 900, stages, stages, {"1": 6.5}, 800, None, 1500, "512 x 512"
    )
    bench = {"kind": "bench", "notes": ["Median of 3 rounds."], "timings": [asdict(timing)]}
    report.save(COMMON | bench, tmp_path)
    points = [("as the codec has it", 1.0), ("without slices", 1.2)]
    rows = [
        {"group": "priors", "title": title, "level": 1.0, "bytes": 500 * factor, "lpips": 0.15}
        for title, factor in points
    ]
    cost = {
        "group": "priors",
        "title": "without slices",
        "percent": 20.0,
        "better_everywhere": None,
    }
    ablation = {
        "kind": "ablation",
        "rows": rows,
        "worth": [cost],
        "budgets": {"priors": {"steps": 90, "train": 7, "test": 3}},
    }
    report.save(COMMON | ablation, tmp_path)
    report.save(COMMON | bounded(), tmp_path)
    text = "\n\n".join(results.sections(results.reports(tmp_path, tmp_path)))
    flat = " ".join(text.split())
    assert "CC BY-NC-SA 4.0" in text and "A note." in text and "AVIF: some encoder." in text
    assert (
        "| 1: AVIF * | 490 |" in flat
        and "-60 % (0.100 to 0.200)" in text
        and "ours throughout" in text
    )
    assert "(4 pairs)" in text
    assert "| S^ read directly | 10.0 | 1.0 | 11.0 |" in flat
    assert "| GIE | 12.3 |" in flat and "Median of 3 rounds." in text
    assert "cpu, one: ran on a machine." in text
    assert "| level 1: FCN | -0.125 | " in flat
    assert "level 1: FCN in LPIPS@1024 (-0.125, of that -0.000 by rounding)" in text
    assert "| GIE, nothing coded | - |" in flat
    assert "LPIPS@1024 of the oracle, 0.125, with S coded" in flat and "1: 0.250, 0.250, 0" in flat
    assert "entropy model of F: 90 steps on 7 faces, measured on 3 held-out ones" in text
    assert "| entropy model of F: without slices | 600 | 0.150 | +20.0 % |" in flat


def test_the_page_of_a_study_needs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a picture")
    text = page.html(study(), {"<ffhq>/a.jpg": tmp_path / "a.jpg"})
    assert "&lt;ffhq&gt;/a.jpg" in text and "<ffhq>" not in text
    assert "<script src" not in text and "<link" not in text and "Plotly.newPlot" in text
    assert "prefers-color-scheme: dark" in text  # and charts are repainted in the page's colours
    assert "published: Li et al." not in text.partition("What it looks like")[2]


def test_who_is_taken_for_whom() -> None:
    """Two photographs of a, one each of b and c, coded well and coded to nothing."""
    places = np.zeros((4, 128))
    places[:, 0] = [0.0, 0.3, 2.0, 4.0]
    people = ["a", "a", "b", "c"]
    found = {
        name: verification.Descriptors() for name in (verification.ORIGINAL, "1: HSC", "1: JPEG")
    }
    for place in places:
        found[verification.ORIGINAL].add(place)
        found["1: HSC"].add(place + 0.01, 500)
        found["1: JPEG"].add(np.full(128, np.nan), 700, False)
    result = verification.summarise(found, people) | {"pictures": {"ffhq": 4}}
    assert (result["people"], result["people_with_pairs"], result["pairs"]) == (3, 1, 2)
    rows = {row["what"]: row for row in result["rows"]}
    assert rows["1: HSC"]["itself"] == rows["1: HSC"]["another"] == 1
    assert rows["1: HSC"]["own_distance"] == pytest.approx(0.01 * 128**0.5)
    assert rows["1: JPEG"]["itself"] == 0 and rows["1: JPEG"]["own_distance"] is None
    flat = " ".join(verification.table(result).split())
    # one person has two photographs: one trial says little
    assert "| 1: HSC | 500 | 100 | 100 (44 to 100) | 100 (21 to 100) |" in flat
    assert "| 1: JPEG * | 700 | 0 | 0 (0 to 56) | 0 (0 to 79) |" in flat
    assert "4 pictures" in verification.note(result) and "1 people" in verification.note(result)


def test_pairs_come_first(tmp_path: Path) -> None:
    names = ["ffhq/00015.jpg", "ffhq/00056.jpg", "ffhq/00097.jpg"]
    names += ["london/006_03.jpg", "london/006_08.jpg", "london/011_03.jpg"]
    pictures = [HeldOutPicture(name, tmp_path / name) for name in names]
    chosen = [p.name for p in verification.chosen(pictures, 3)]
    assert {"london/006_03.jpg", "london/006_08.jpg"} < set(chosen) and len(chosen) == 3
    assert len(verification.chosen(pictures, 1)) == 1
    assert verification.chosen(pictures, None) == pictures
