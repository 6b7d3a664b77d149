"""The bench times the codec that is shipped, and tells its stages apart."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from paths import ASTRONAUT

from hsc.errors import HscError
from hsc.research.evaluation import bench, generators
from hsc.research.evaluation.generators import RenderTiming
from hsc.research.evaluation.stages import DECODING, ENCODING, LIVE, Pipeline
from hsc.research.options import BenchOptions


def test_a_timed_round_makes_what_the_codec_makes(codec, found) -> None:
    pipeline = Pipeline(codec, 2.5)
    laps = pipeline.round(ASTRONAUT.read_bytes())
    assert pipeline.file == codec.compress(found, 2.5)
    assert pipeline.picture.tobytes() == codec.decode(pipeline.file).tobytes()
    assert set(laps) == {*ENCODING, *DECODING, *LIVE, "encode", "decode"}
    assert sum(laps[s] for s in ENCODING) <= laps["encode"]
    assert sum(laps[s] for s in DECODING) <= laps["decode"]
    assert pipeline.pictures_per_second(2, 1) > 0


def test_variants_are_devices_times_backends() -> None:
    assert bench.variants("cpu", None) == [bench.Variant("cpu")]
    assert [v.backend for v in bench.variants("cpu", ["a", "b"])] == ["a", "b"]
    assert bench.variants("auto", None)[0].device == "cpu"


def timing(label: str, scale: float) -> bench.Timing:
    stages = dict.fromkeys((*ENCODING, "encode", *DECODING, "decode", *LIVE), scale)
    per_second = {"1": scale, "16": scale}
    return bench.Timing(
        label, "a machine", 1234.0, stages, stages, per_second, 900.0, None, 1500, "512 x 512"
    )


def test_the_report_has_every_stage_of_every_variant(tmp_path, monkeypatch, capfd) -> None:
    made = iter([timing("cpu, one", 1.0), timing("cpu, two", 2.0)])
    drawn = RenderTiming("OpenVINO, f32", 250.4, 240.0, 52.5, 1.5)
    monkeypatch.setattr(bench, "_apart", lambda *_: next(made))
    monkeypatch.setattr(bench, "_in_a_process", lambda *_: [asdict(drawn)])
    bench.run(BenchOptions(
        rounds=3, device="cpu", backends=["one", "two"], json=True, out=tmp_path, openvino=True
    ))  # fmt: skip
    printed = json.loads(capfd.readouterr().out)
    assert printed == json.loads((tmp_path / "bench.json").read_text())
    assert printed["timings"][1] == asdict(timing("cpu, two", 2.0))
    lines = bench.table(printed).splitlines()
    assert "cpu, one" in lines[0] and "cpu, two" in lines[0]
    assert [line.split("|")[3].strip() for line in lines[2:-2]] == ["2.0"] * (
        len(ENCODING) + len(DECODING) + len(LIVE) + 2 + len(bench.BATCHES)
    )
    assert "| OpenVINO, f32 | 250 | 240 | 52 | 1.5 |" in " ".join(bench.page(printed).split())


def test_a_photo_without_a_face_is_refused(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (64, 64)).save(tmp_path / "grey.png")
    with pytest.raises(HscError, match="face"):
        bench.measure(bench.Variant("cpu"), tmp_path / "grey.png", 3.0, 1)


def test_generators_take_turns_and_say_how_near_they_are(monkeypatch) -> None:
    turns: list[str] = []

    def grey(w_plus: torch.Tensor) -> torch.Tensor:
        turns.append("grey")
        return torch.zeros(1, 3, 1024, 1024)

    monkeypatch.setattr(generators, "in_openvino", lambda *_: (grey, "fake"))
    fast, other = generators.compare(["float32"], rounds=1)
    assert (fast.label, other.label) == ("hsc, float32", "OpenVINO, fake")
    assert fast.psnr > 100 > 30 > other.psnr
    assert len(turns) == generators.WARM_UP + 1
    assert 0 < fast.least <= fast.median


def test_openvino_is_asked_for_by_name(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(HscError, match="pip install openvino"):
        generators.in_openvino(None, None)
