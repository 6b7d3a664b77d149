"""Pictures beside photographs at the photographs' own size, and the recogniser that judges them."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from fakes import save_dists
from generated import face, to_pil, uneven_decoder
from PIL import Image
from safetensors.torch import save_file

from hsc.cli import main
from hsc.errors import HscError
from hsc.metrics import recipes
from hsc.metrics.identity_faceres import DESCRIPTOR_DIM, SEPARABLE_LAYERS, FaceRes
from hsc.research.evaluation import bound, full_size, report
from hsc.research.evaluation import full_size_metric as measures
from hsc.research.evaluation.full_size import photographs
from hsc.research.evaluation.full_size_metric import EYE_PX, MOUTH_PX, FullSizeEvaluator

pytestmark = pytest.mark.usefixtures("quick_model_in_use")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """DISTS and faceres with the right shapes: their real ones are not in the repository."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)
    save_file(FaceRes().state_dict(), folder / "faceres.safetensors")
    return {"dists": save_dists(folder), "faceres": folder / "faceres.safetensors"}


@pytest.fixture(scope="module")
def evaluator(weights: dict[str, Path]) -> FullSizeEvaluator:
    return FullSizeEvaluator(torch.device("cpu"), **weights)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two photographs large enough, one of them not of 1024 px, and one that is too small."""
    folder = tmp_path_factory.mktemp("faces")
    to_pil(face(1)).save(folder / "one.png")
    to_pil(face(2)).resize((948, 948), Image.Resampling.LANCZOS).save(folder / "two.png")
    to_pil(face(3)).reduce(2).save(folder / "small.png")
    return folder


def test_only_large_photographs_are_taken_at_their_own_size(faces: Path) -> None:
    found = photographs(faces)
    assert [picture.name for picture in found] == ["one.png", "two.png"]
    assert [picture.load().width for picture in found] == [1024, 948]
    assert len(photographs(faces, 1)) == 1
    with pytest.raises(HscError, match="--faces"):
        photographs(None)
    with pytest.raises(HscError, match="900 px"):
        photographs(faces.parent / "nothing")


def test_a_picture_is_compared_at_the_photographs_size(evaluator: FullSizeEvaluator) -> None:
    picture = to_pil(face(2))
    own = picture.resize((948, 948), Image.Resampling.LANCZOS)
    reference = evaluator.reference(own)
    assert reference.large.shape[-1] == 948 and reference.small.shape[-1] == 256
    sizes = {
        key: {(right - left, bottom - top) for left, top, right, bottom in boxes}
        for key, boxes in reference.windows.items()
    }
    assert sizes == {"lpips_eyes": {(EYE_PX, EYE_PX)}, "lpips_mouth": {(MOUTH_PX, MOUTH_PX)}}
    equal = evaluator.compare(reference, picture)
    assert equal["psnr_1024"] == equal["psnr_256"] == np.inf
    zero = ("lpips_1024", "lpips_eyes", "lpips_mouth", "dists_256", "identity_faceres", "skin")
    assert all(equal[key] == pytest.approx(0, abs=1e-4) for key in zero)

    blurred = evaluator.compare(reference, picture.reduce(8).resize(picture.size))
    assert blurred["lpips_eyes"] > 0.1 and blurred["lpips_mouth"] > 0.05
    assert 20 < blurred["psnr_1024"] < blurred["psnr_256"] < 60
    brighter = evaluator.compare(reference, picture.point(lambda v: min(255, v + 12)))
    assert 2 < brighter["skin_l"] < brighter["skin"] < 10


def test_windows_stay_inside_of_the_picture() -> None:
    for point in ((3.0, 2.0), (1020.0, 700.0)):
        left, top, right, bottom = measures.box_around(np.array(point), 192, 1024)
        assert min(left, top) >= 0 and max(right, bottom) <= 1024
        assert right - left == bottom - top == 192


def test_without_a_face_there_are_no_figures_of_one(
    evaluator: FullSizeEvaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measures, "find_faces", lambda image: [])
    blank = Image.new("RGB", (960, 960), "tan")
    figures = evaluator.compare(evaluator.reference(blank), blank.resize((1024, 1024)))
    lost = ("lpips_eyes", "lpips_mouth", "identity_dlib", "skin")
    assert all(np.isnan(figures[key]) for key in lost)
    assert figures["lpips_1024"] == pytest.approx(0, abs=1e-4)


def test_from_the_command_line(faces, weights, tmp_path, monkeypatch, capfd) -> None:
    evaluator = partial(FullSizeEvaluator, **weights)
    monkeypatch.setattr(full_size, "FullSizeEvaluator", evaluator)
    decoder, out = uneven_decoder(tmp_path / "decoder.safetensors"), tmp_path / "out"
    options = ["--faces", str(faces), "--levels", "1", "--out", str(out), "--device", "cpu"]
    assert main(["validate", "full-size", *options, "--compare-decoder", str(decoder)]) == 0
    printed = capfd.readouterr().out
    assert "2 photographs of 948 to 1024 px" in printed and "LPIPS@1024" in printed

    result = json.loads((out / "full-size.json").read_text())
    rows = {(row["what"], row["decoder"]): row for row in result["summary"]}
    assert set(rows) == {
        (what, decoder)
        for what in ("S only", "level 1")
        for decoder in ("original", "shipped", "compared")
    }  # fmt: skip
    for what in ("S only", "level 1"):
        before, after = rows[what, "original"], rows[what, "compared"]
        assert before["bytes"] == after["bytes"] and before["count"] == after["count"] == 2
        # S alone is drawn by the generator's own blocks, whatever draws files
        assert (before["lpips_1024"] == after["lpips_1024"]) == (what == "S only")
    assert rows["S only", "original"]["bytes"] < rows["level 1", "original"]["bytes"]
    assert set(result["decoders"]) == {"original", "shipped", "compared"}
    assert {path.name for path in (out / "full-size").iterdir()} == {"one.png", "two.png"}
    with Image.open(out / "full-size" / "one.png") as sheet:
        assert sheet.width > 4 * 2 * EYE_PX and sheet.height > 2 * (EYE_PX + MOUTH_PX)


def test_the_recognisers_descriptor_has_unit_length(weights: dict[str, Path]) -> None:
    network = FaceRes.pretrained(weights["faceres"])
    descriptor = network.describe(to_pil(face(1)))
    assert descriptor.shape == (DESCRIPTOR_DIM,)
    assert np.linalg.norm(descriptor) == pytest.approx(1, abs=1e-5)


def test_its_weights_come_out_of_the_graph(tmp_path: Path, monkeypatch) -> None:
    rng = np.random.default_rng(0)
    tensors = {"conv1/convolution/merged_input": rng.normal(size=(3, 3, 3, 32))}
    tensors["conv1_bn/batchnorm_1/sub"] = rng.normal(size=32)
    for index, (c_in, c_out, _) in enumerate(SEPARABLE_LAYERS, start=1):
        depthwise, pointwise = f"conv_dw_{index}", f"conv_pw_{index}"
        tensors[f"{depthwise}/depthwise_kernel"] = rng.normal(size=(3, 3, c_in, 1))
        tensors[f"{depthwise}_bn/batchnorm_1/mul"] = rng.normal(size=c_in)
        tensors[f"{depthwise}_bn/batchnorm_1/sub"] = rng.normal(size=c_in)
        tensors[f"{pointwise}/convolution/merged_input"] = rng.normal(size=(1, 1, c_in, c_out))
        tensors[f"{pointwise}_bn/batchnorm_1/sub"] = rng.normal(size=c_out)
    monkeypatch.setattr(recipes, "the_file", lambda folder, pattern: folder / pattern)
    monkeypatch.setattr(recipes, "read_tensors", lambda manifest: tensors)
    state = recipes.read_faceres(tmp_path)
    FaceRes().load_state_dict(state)  # every tensor, and no other
    gain = tensors["conv_dw_3_bn/batchnorm_1/mul"]
    kernel = tensors["conv_dw_3/depthwise_kernel"][1, 2, :, 0] * gain
    assert np.allclose(state["layers.2.depthwise.weight"][:, 0, 1, 2].numpy(), kernel)


def test_which_part_is_the_bound(weights, faces, tmp_path, monkeypatch, capfd) -> None:
    evaluator = partial(FullSizeEvaluator, **weights)
    monkeypatch.setattr("hsc.research.evaluation.bound.FullSizeEvaluator", evaluator)
    options = ["--faces", str(faces), "--out", str(tmp_path), "--device", "cpu", "--limit", "1"]
    assert main(["validate", "bound", *options, "--levels", "3", "--steps", "4"]) == 0
    result = report.read("bound", tmp_path)
    rows = {row["what"]: row for row in result["summary"]}
    whole = rows[bound.at(3, bound.FILE)]
    exact_f, exact_s = (rows[bound.at(3, bound.PERFECT[part])] for part in ("FCN", "SCN"))
    # four steps are enough to bring the generator nearer, and F itself is better than few bytes
    assert rows[bound.FITTED]["lpips_256"] < rows[bound.FREE]["lpips_256"]
    assert exact_f["lpips_1024"] < whole["lpips_1024"]
    assert exact_f["bytes"] < exact_s["bytes"] < whole["bytes"]
    # the oracle's own F, with all but F coded, is nearer than after FCN
    kept, after = (rows[bound.at(3, what)]["lpips_1024"] for what in bound.STATIONS.values())
    coded = rows[bound.at(3, bound.PERFECT["encoder"])]["lpips_1024"]
    assert kept < after <= coded
    assert f"level 3: {kept:.3f}, {after:.3f}, {coded:.3f}" in bound.verdict(result)
    gain = bound.gains(result)[3.0]["FCN"]["lpips_1024"]
    assert gain == pytest.approx(whole["lpips_1024"] - exact_f["lpips_1024"]) and gain > 0
    assert "level 3: " in bound.verdict(result) and "FCN in LPIPS@1024" in bound.verdict(result)
    assert f" {-gain:+.3f} |" in bound.gains_table(result)
    assert "by 4 gradient" in bound.note(result) and bound.note(result).startswith("1 photograph")
    assert bound.verdict(result) in capfd.readouterr().out
    assert (tmp_path / "bound.jpg").is_file()
