"""The full codec on a GPU; where there is none, on one that refuses what a GPU refuses.

The stand-in (`stand_in_gpu`) computes as the CPU does, so there bytes are the same ones, as long as
no gradient decides them: a GPU computes those in bfloat16. A real GPU rounds otherwise: what it
writes may differ in a few symbols, but never what is read.

But for one test, the codec is the one that ships without its correction.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from exact_digests import digests
from fakes import SameThread
from generated import closeness, face, to_pil
from paths import ASTRONAUT, STREAMS, stream
from PIL import Image
from stand_in_gpu import CUDA, Misplaced, OnGpu, Recording, StandIn, stand_in_gpu

import hsc.weights.model_id
from app import executor
from app.results import Edits
from app.services.exploring import Place
from app.studio import Studio
from hsc.codec import Codec
from hsc.generators.half_backend import HalfSynthesis
from hsc.levels import LEVELS
from hsc.metrics.picture import psnr
from hsc.research import stages
from hsc.research.evaluation.stages import Pipeline
from hsc.research.options import TrainOptions
from hsc.research.training.config import shipped
from hsc.types import Inversion
from hsc.weights.model_id import ASSETS

NAMES = [f"level{level.number}" for level in LEVELS]


@pytest.fixture(scope="module")
def here(quick_model: Path) -> Codec:
    """On the CPU."""
    return Codec.load("cpu", quick_model, backend="reference")


@pytest.fixture(scope="module")
def gpu(here: Codec) -> Iterator[StandIn | None]:
    """The stand-in, or None on a machine that has a GPU."""
    if torch.cuda.is_available():
        yield None
        return
    with pytest.MonkeyPatch.context() as patch, stand_in_gpu(patch) as mode:
        # a GPU analyses in float32: so does then the CPU beside it
        patch.setattr("hsc.encoder.computes_bfloat16", lambda _: False)
        yield mode


@pytest.fixture(scope="module")
def there(gpu: StandIn | None, quick_model: Path) -> Codec:
    codec = Codec.load("cuda", quick_model)
    assert codec.device.type == "cuda" and codec.backend == "float16"
    return codec


@pytest.fixture(scope="module")
def picture(here: Codec) -> Image.Image:
    return here.random_face(21)


@pytest.fixture(scope="module")
def found(there: Codec, picture: Image.Image) -> Inversion:
    return there.analyse(picture)


def test_the_stand_in_refuses_what_a_gpu_refuses(gpu: StandIn | None) -> None:
    if gpu is None:  # the real one does
        return
    there, here = torch.ones(2, 3, device="cuda"), torch.ones(2, 3)
    assert isinstance(there, OnGpu) and there.device == CUDA
    assert isinstance(there @ there.T, OnGpu) and not isinstance(there.cpu(), OnGpu)
    assert (there * torch.tensor(2.0)).cpu().equal(here * 2)  # a number may come from anywhere
    assert there[torch.tensor([1])].cpu().equal(here[:1])
    with pytest.raises(Misplaced, match="on the GPU and on the CPU"):
        there + here
    with pytest.raises(Misplaced):
        here[torch.zeros(2, dtype=torch.long, device="cuda")]
    with pytest.raises((TypeError, RuntimeError), match="numpy"):
        there.numpy()
    for waiting in (there.cpu, there.sum().item, lambda: here.to("cuda")):
        with pytest.raises(Misplaced, match="recorded"), torch.cuda.graph(Recording()):
            waiting()


def test_what_one_device_writes_the_other_reads(
    here: Codec, there: Codec, gpu: StandIn | None, picture: Image.Image, found: Inversion
) -> None:
    pairs = (here, here.analyse(picture)), (there, found)
    for level in (1, 3.4, 6):
        files = [codec.compress(latents, level) for codec, latents in pairs]
        assert len(files[1]) == pytest.approx(len(files[0]), rel=0.02)
        assert files[0] == files[1] or gpu is None
        for data in files:
            opened = [codec.open(data) for codec in (here, there)]
            assert opened[1].w_plus.cpu().equal(opened[0].w_plus)
            drawn = [codec.preview(o) for codec, o in zip((here, there), opened)]
            assert closeness(*drawn) > 45


@pytest.mark.parametrize("name", NAMES)
def test_golden_streams_decode_there(there: Codec, name: str) -> None:
    data, networks = stream(name), there.networks
    expected = json.loads((STREAMS / "digests.json").read_text())[name]
    assert digests(data, networks.scn, networks.fcn, networks.context) == expected
    with Image.open(STREAMS / f"{name}.png") as golden:
        assert closeness(there.decode(data).reduce(4), golden.convert("RGB")) > 45


def test_recorded_launches_draw_what_is_asked_now(there: Codec) -> None:
    recorded = there.networks.synthesis
    assert recorded.graphs
    plain = HalfSynthesis(recorded.synthesis)
    opened = [there.open(stream(name)) for name in NAMES[:2]]
    with torch.no_grad():
        for parts in (opened[:1], opened[1:2], opened[:2]):
            feature = torch.cat([o.feature for o in parts])
            w_plus = torch.cat([o.w_plus for o in parts])
            drawn, expected = recorded.image(feature, w_plus), plain.image(feature, w_plus)
            assert psnr(drawn.cpu(), expected.cpu()).min() > 55
    assert list(recorded._recorded)[-2:] == [1, 2]


def test_every_edit_in_one_strip(here: Codec, there: Codec) -> None:
    edits = [{edit.name: edit.high} for edit in here.edit_names]
    data = stream("level2")
    strip = there.decode_many(data, edits=edits, preview=True)
    expected = here.decode_many(data, edits=edits, preview=True)
    near = {str(e): closeness(a, b) for e, a, b in zip(edits, strip, expected)}
    assert all(value > 40 for value in near.values()), near


def test_a_strip_is_drawn_together(there: Codec, gpu: StandIn | None) -> None:
    if gpu is None:  # launches are counted by the stand-in
        return
    opened = there.open(stream("level2"))

    def launches(count: int) -> int:
        before = gpu.launched
        assert len(there.draw_many([opened] * count, preview=True)) == count
        return gpu.launched - before

    launches(1)
    assert launches(16) < 2 * launches(1)


@pytest.mark.parametrize("what", ["scn", "fcn", "morph", "mix", "average"])
def test_other_pictures(here: Codec, there: Codec, what: str) -> None:
    a, b = stream("level1"), stream("level3")
    opened = {
        "scn": lambda codec: codec.open(a, "scn"),
        "fcn": lambda codec: codec.open(a, "fcn"),
        "morph": lambda codec: codec.morph(a, b, 0.4),
        "mix": lambda codec: codec.mix(a, b, "coarse"),
        "average": lambda codec: codec.average([a, b]),
    }[what]
    assert closeness(there.preview(opened(there)), here.preview(opened(here))) > 45


def test_refinement_steps_there(there: Codec, picture: Image.Image, found: Inversion) -> None:
    plain = there.compress(found, 2)
    refined = there.compress(there.refine(picture, found, 2, 4), 2)
    assert refined != plain
    original = picture.reduce(4)
    nearer, before = (closeness(there.decode(f).reduce(4), original) for f in (refined, plain))
    assert nearer > before


def test_the_correction_runs_there(there: Codec, picture: Image.Image, found: Inversion) -> None:
    whole = Codec.load("cuda", ASSETS)
    files = there.compress(found, 6), whole.compress(whole.analyse(picture), 6)
    original = picture.reduce(4)
    before, nearer = (closeness(there.decode(file).reduce(4), original) for file in files)
    assert nearer > before


def test_the_services_run_there(there: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executor, "_model_thread", SameThread())  # the stand-in is of this one
    studio = Studio(lambda: there)
    result = studio.compress(ASTRONAUT, 2)
    assert result.picture_both is not None and result.device.startswith("cuda")
    edit = there.edit_names[0].name
    editing, exploring = studio.editing, studio.explorer
    shown = editing.target(ASTRONAUT, 2)
    assert editing.preview(shown, Edits.of({edit: 0.5})).size == (256, 256)
    assert len(editing.strip(shown, edit)) > 2
    axes = [axis.name for axis in exploring.axes()][:2]
    spot = exploring.on_map(result.prepared, 2, *axes)
    assert np.isfinite([*spot.before, *spot.after]).all()
    for place in (
        Place(seed=3), Place(stage="before"), Place(stage="after"), Place(edit=(edit, 0.5)),
        Place(at=spot.after, x=axes[0], y=axes[1], from_photo=True),
    ):  # fmt: skip
        assert exploring.face(place, result.prepared, 2, small=True).size == (256, 256)


def test_the_bench_runs_there(there: Codec) -> None:
    pipeline = Pipeline(there, 3)
    laps = pipeline.round(ASTRONAUT.read_bytes())
    assert all(seconds >= 0 for seconds in laps.values())
    assert closeness(pipeline.picture, there.decode(pipeline.file)) > 55
    assert pipeline.pictures_per_second(2, 1) > 0


def test_stages_train_there(
    gpu: StandIn | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces, work, weights = (tmp_path / name for name in ("faces", "runs", "weights"))
    faces.mkdir()
    for seed in (1, 2):
        to_pil(face(seed)).reduce(4).save(faces / f"{seed}.png")
    shutil.copytree(hsc.weights.model_id.ASSETS, weights)
    monkeypatch.setattr(hsc.weights.model_id, "ASSETS", weights)
    small = {
        "shard": "2", "synthetic": "1", "least_px": "256", "pool_least": "2", "klt_pictures": "16",
    }  # fmt: skip
    before = {path.name: path.read_bytes() for path in weights.iterdir()}
    for stage in ("pairs", "identity", "latents", "feature", "joint", "decoder"):
        changes = {key: value for key, value in small.items() if key in shipped(stage)}
        options = TrainOptions(
            work=work, data=[faces], device="cuda", steps=2, minutes=5.0, batch=2, changes=changes
        )
        stages.run(stage, options)
    changed = {name for name, data in before.items() if (weights / name).read_bytes() != data}
    assert {"fcn.safetensors", "inversion.safetensors"} <= changed
    assert "generator.safetensors" not in changed
