"""RESULTS.md says of the laboratory what its reports say, and nothing where there is none."""

from dataclasses import asdict
from pathlib import Path

from hsc.evaluation import bound, laboratory, report
from hsc.evaluation.bench import Timing
from hsc.evaluation.judge import METRICS
from hsc.evaluation.study import page

COMMON = {
    "date": "2026-01-01", "model": "hsc-face-0000", "weights": {"scn": "ab" * 32},
    "machine": "a machine",
}  # fmt: skip


def row(codec: str, kind: str, level: float, size: float, **figures) -> dict:
    name = f"{codec}, {kind}, level {level:g}"
    return {"what": name, "count": 2, "codec": codec, "kind": kind, "level": level,
            "bytes": size, "px": 1024, "fits": 1.0} | figures


def study() -> dict:
    looking = {"decode_seconds": 0.5, "look_seconds": 0.25}
    rows = [
        row("HSC", "file", 1, 500, lpips_256=0.14, face_found=1.0, verified_pairs=4.0,
            verification_limit=0.71, **looking),
        row("HSC", "S^ read directly", 1, 45, landmark_error=0.04, decode_seconds=0.01,
            look_seconds=0.001),
        row("AVIF", "best size", 1, 490, lpips_256=0.5, face_found=0.5) | {"fits": 0.5},
        row("AVIF", "full size", 1, 5600, lpips_256=0.07) | {"fits": 0.0},
    ]  # fmt: skip
    saving = {"anchor": "AVIF", "metric": "lpips_256", "percent": -60.0, "low": 0.1, "high": 0.2,
              "better_everywhere": None}
    never = {"anchor": "AVIF", "metric": "dists_256", "percent": None, "low": None, "high": None,
             "better_everywhere": "test"}
    return COMMON | {
        "kind": "evaluate", "pictures": {"ffhq": 2}, "codecs": {"AVIF": "some encoder"},
        "notes": ["A note."], "summary": rows, "bd_rate": [saving, never],
    }  # fmt: skip


def bounded() -> dict:
    """As if FCN alone kept pictures from the original."""
    figures = {metric.key: 0.25 for metric in METRICS} | {"bytes": 500}
    better = figures | {"lpips_256": 0.125}
    names = {bound.at(1, name): figures for name in (bound.FILE, *bound.PERFECT.values())}
    names[bound.at(1, bound.PERFECT["FCN"])] = better
    names |= {bound.FREE: better | {"bytes": None}, bound.FITTED: better}
    rows = [row | {"what": name} for name, row in names.items()]
    return {"kind": "bound", "levels": [1.0], "steps": 9, "pictures": {"ffhq": 2}, "summary": rows}


def test_no_report_no_section(tmp_path: Path) -> None:
    assert laboratory.sections(tmp_path, tmp_path) == []


def test_every_report_has_its_section(tmp_path: Path) -> None:
    report.save(study() | {"kind": "report"}, tmp_path)
    stages = {"GIE": 12.3, "encode": 20.0, "decode": 30.0}
    timing = Timing("cpu, one", "a machine", 900, stages, stages, 800, None, 1500, "512 x 512")
    bench = {"kind": "bench", "notes": ["Median of 3 rounds."], "timings": [asdict(timing)]}
    report.save(COMMON | bench, tmp_path)
    points = [("as the codec has it", 1.0), ("without slices", 1.2)]
    rows = [
        {"group": "priors", "title": title, "level": 1.0, "bytes": 500 * factor, "lpips": 0.15}
        for title, factor in points
    ]
    cost = {"group": "priors", "title": "without slices", "percent": 20.0,
            "better_everywhere": None}
    ablation = {"kind": "ablation", "rows": rows, "worth": [cost],
                "budgets": {"priors": {"steps": 90, "train": 7, "test": 3}}}
    report.save(COMMON | ablation, tmp_path)
    report.save(COMMON | bounded(), tmp_path)
    text = "\n\n".join(laboratory.sections(tmp_path, tmp_path))
    flat = " ".join(text.split())
    assert "CC BY-NC-SA 4.0" in text and "A note." in text and "AVIF: some encoder." in text
    assert "| 1: AVIF * | 490 |" in flat and "-60 %" in text and "ours throughout" in text
    assert "(0.71)" in text and "(4 pairs)" in text
    assert "| S^ read directly | 10.0 | 1.0 | 11.0 |" in flat
    assert "| GIE | 12.3 |" in flat and "Median of 3 rounds." in text
    assert "| level 1: FCN | -0.125 | " in flat
    assert "level 1: FCN in LPIPS (-0.125)" in text and "| GIE, nothing coded | - |" in flat
    assert "entropy model of F: 90 steps on 7 faces, measured on 3 held-out ones" in text
    assert "| entropy model of F: without slices | 600 | 0.150 | +20.0 % |" in flat


def test_the_page_of_a_study_needs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"a picture")
    text = page.html(study(), {"<ffhq>/a.jpg": tmp_path / "a.jpg"})
    assert "&lt;ffhq&gt;/a.jpg" in text and "<ffhq>" not in text
    assert "<script src" not in text and "<link" not in text and "Plotly.newPlot" in text
    assert "published: Li et al." not in text.partition("What it looks like")[2]
