"""What is laid out for the Hub is what belongs there, and the check notices what does not."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from paths import ROOT

from hsc.weights.hub import Manifest

COMMIT = "0123456789abcdef0123456789abcdef01234567"
sys.path.append(str(ROOT / "tools"))

import space  # noqa: E402


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Space without its weights: the weights would be copied for nothing."""
    folder = tmp_path_factory.mktemp("space")
    space.lay_out_space(folder, f"someone/faces@{COMMIT}")
    return folder


def test_a_space_is_fit_and_complete(laid_out: Path) -> None:
    assert space.problems(laid_out) == []
    names = {p.relative_to(laid_out).parts[0] for p in laid_out.rglob("*") if p.is_file()}
    assert names == {
        ".gitattributes", "LICENSE", "README.md", "app", "app.py", "assets", "hsc",
        "pre-requirements.txt", "requirements.txt", "web",
    }  # fmt: skip
    manifest = Manifest.read(laid_out / "assets" / "weights.json")
    assert (manifest.repo, manifest.revision) == ("someone/faces", COMMIT)
    assert "generator.safetensors" in manifest.files
    # it imports on its own, without the repository around it
    done = subprocess.run(
        [sys.executable, "-c", "import app.page, hsc.codec; print(hsc.__file__)"],
        cwd=laid_out, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0 and str(laid_out) in done.stdout, done.stderr


def test_the_model_repository_is_fit(tmp_path: Path) -> None:
    space.lay_out_model(tmp_path)
    assert space.problems(tmp_path) == []
    card = (tmp_path / "README.md").read_text()
    assert card.startswith("---\nlicense: cc-by-nc-sa-4.0\n") and "# Model card" in card
    assert f"`{json.loads((tmp_path / 'decoder.json').read_text())['name']}`" in card
    (tmp_path / "scn.safetensors").write_bytes(b"version https://git-lfs")
    (tmp_path / "fcn.safetensors").unlink()
    said = "\n".join(space.problems(tmp_path))
    for words in (
        "a pointer of Git LFS",
        "scn.safetensors is not the one",
        "fcn.safetensors is mi",
    ):
        assert words in said


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("runs/log.txt", b"", "does not belong"),
        ("photo.heic", b"", "of a kind"),
        ("app/__pycache__/page.py", b"", "does not belong"),
        ("assets/large.md", bytes(11 << 20), "no LFS attribute"),
        ("assets/huge.png", bytes(101 << 20), "101 MB"),
    ],
)
def test_what_slips_in_is_noticed(laid_out: Path, name: str, content: bytes, words: str) -> None:
    path = laid_out / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    try:
        assert any(words in problem and name in problem for problem in space.problems(laid_out))
    finally:
        path.unlink()


def test_a_wrong_front_page_is_noticed(laid_out: Path) -> None:
    path = laid_out / "README.md"
    good = path.read_text()
    path.write_text(good.replace("sdk_version: 6", "sdk_version: 5"))
    assert any("sdk_version" in problem for problem in space.problems(laid_out))
    path.write_text(good)
    manifest = laid_out / "assets" / "weights.json"
    said = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(said | {"revision": "main"}))
    assert any("full commit" in problem for problem in space.problems(laid_out))
