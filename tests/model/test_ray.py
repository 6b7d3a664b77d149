"""A folder through a local Ray cluster of two workers, of which some are killed.

Over stand-in work, with one folder of generated faces through the real codec at the end.
"""

import io
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
import torch
from fakes import FakeCodec
from paths import ROOT
from PIL import Image
from ray_work import Upper

from hsc import cluster
from hsc.cli import main, on_ray
from hsc.cli.batch import plan
from hsc.errors import HscError
from hsc.images import marks


@pytest.fixture(scope="module", autouse=True)
def two_processors(quick_model_in_use: None) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        # workers are started by Ray, not by pytest
        patch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{ROOT / 'tests' / 'support'}")
        ray.init(
            address="local", num_cpus=2, num_gpus=0, include_dashboard=False, log_to_driver=False,
            logging_level="error", object_store_memory=100 * 2**20,
        )  # fmt: skip
        yield
        ray.shutdown()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    (tmp_path / "log").mkdir()
    return tmp_path / "log"


def begun(log: Path) -> Counter[str]:
    """How often each piece was begun."""
    return Counter(path.name.split("-")[0] for path in log.iterdir())


def folder_of(root: Path, *texts: str) -> Path:
    folder = root / "in"
    folder.mkdir(exist_ok=True)
    for text in texts:
        (folder / f"{text}.txt").write_text(text)
    return folder


def process(
    folder: Path, out: Path, log: Path, model: str = "upper", workers: int = 1, **options: object
) -> int:
    work = Upper(log, model)
    batch = plan(folder, out, suffixes=(".txt",), to=".hsc")
    return on_ray.process(batch, work, options, address="local", workers=workers, gpu=False)


def test_a_worker_is_killed_and_everything_is_done(log, tmp_path, capfd) -> None:
    names = ["a", "kill", *(f"x{n:02d}" for n in range(40))]
    folder, out = folder_of(tmp_path, *names), tmp_path / "out"
    assert process(folder, out, log, workers=2) == 0
    assert {p.stem: p.read_text() for p in out.glob("*.hsc")} == {n: n.upper() for n in names}
    workers = {path.name.split("-")[1] for path in log.iterdir()}
    assert len(workers) >= 2
    counts = begun(log)
    # only what the killed one had on its way can have been begun twice
    twice = {name for name, count in counts.items() if count > 1}
    assert "kill" in twice and len(twice) <= cluster.AHEAD * cluster.BATCH
    assert max(counts.values()) == 2
    assert "42/42 " in capfd.readouterr().err
    # nothing is done again
    assert process(folder, out, log) == 0
    assert begun(log) == counts and "42/42 were done before" in capfd.readouterr().err


def test_a_stopped_run_goes_on(log, tmp_path, capfd) -> None:
    folder, out = folder_of(tmp_path, "a", "b", "bad", "bug"), tmp_path / "out"
    assert process(folder, out, log) == 2
    said = capfd.readouterr().err
    assert "bad.txt: no face was found" in said and "bug.txt: KeyError: 'unexpected'" in said
    assert sorted(p.name for p in out.iterdir()) == ["a.hsc", "b.hsc", "manifest.jsonl"]
    before = begun(log)
    # a source that changed, a result that is gone, a new file, and those that failed
    (folder / "a.txt").write_text("aa")
    (out / "b.hsc").unlink()
    folder_of(tmp_path, "c", "d")
    with (out / "manifest.jsonl").open("a") as manifest:
        manifest.write('{"source": "c.txt", "resu')  # killed in the middle of a line
    assert process(folder, out, log) == 2
    assert set(begun(log) - before) == {"aa", "b", "c", "d", "bad", "bug"}
    lines = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert lines[0] == {"model": "upper"} and len(lines) == 11
    with pytest.raises(HscError, match="level None, not 2"):
        process(folder, out, log, level=2)
    folder_of(tmp_path, "e")
    with pytest.raises(HscError, match="of model upper, and workers have loaded lower"):
        process(folder, out, log, model="lower")


def test_a_file_that_costs_three_workers_is_given_up(log) -> None:
    names = ["a", "poison", "b", "c"]
    found = cluster.run(Upper(log), names, str.encode, address="local", workers=2, gpu=False)
    results = {result.name: result for result in found}
    assert results["poison"].error == "3 workers were lost over it"
    assert {n: results[n].value for n in "abc"} == {n: n.upper().encode() for n in "abc"}
    assert begun(log)["poison"] == 3


def test_what_cannot_be_read_and_workers_without_weights(log) -> None:
    def load(name: str) -> bytes:
        if name == "gone":
            raise FileNotFoundError(2, "No such file or directory", name)
        return name.encode()

    found = cluster.run(Upper(log), ["gone", "a"], load, address="local", workers=1, gpu=False)
    assert {r.name: (r.value, r.error) for r in found} == {
        "gone": (None, "No such file or directory"), "a": (b"A", None)
    }  # fmt: skip
    work = Upper(log, "missing")
    with pytest.raises(HscError, match="cannot load the model: the weights are missing"):
        list(cluster.run(work, ["a"], load, address="local", workers=1, gpu=False))


def test_one_file_is_no_work_for_a_cluster(tmp_path) -> None:
    (tmp_path / "a.png").touch()
    argv = ["encode", str(tmp_path / "a.png"), str(tmp_path / "a.hsc"), "--ray", "local"]
    assert main(argv) == 2


@pytest.fixture
def one_thread() -> Iterator[None]:
    """As many as a worker of one CPU has: the last bits of gradients depend on their number."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_faces_there_and_back(tmp_path, one_thread) -> None:
    """The same bytes as without a cluster, through the real codec."""
    faces, out = tmp_path / "faces", tmp_path / "out"
    faces.mkdir()
    for seed in range(2):
        FakeCodec().random_face(seed).save(faces / f"{seed}.png")
    argv = ["encode", str(faces), str(out), "--no-align", "--device", "cpu", "--level", "1"]
    assert main([*argv, "--ray", "local", "--workers", "1"]) == 0
    here = on_ray.Encode("cpu", {"level": 1.0, "align": False})
    head = json.loads((out / "manifest.jsonl").read_text().splitlines()[0])
    assert head["model"] == here.start() and head["level"] == 1
    files = [(out / f"{seed}.hsc").read_bytes() for seed in range(2)]
    assert here([(faces / f"{seed}.png").read_bytes() for seed in range(2)]) == files
    back = on_ray.Decode("cpu", None, [], {"layers": "scn"})
    back.codec = here.codec
    damaged, *pictures = back([files[0][:20], *files])
    assert isinstance(damaged, HscError)
    for picture, data in zip(pictures, files):
        with Image.open(io.BytesIO(picture)) as decoded:
            assert decoded.tobytes() == here.codec.decode(data, "scn").tobytes()
            assert marks.read(picture) == marks.of(here.codec.decode(data, "scn"))
