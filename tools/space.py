"""Lay out exactly what is pushed to a Space and to the model repository, and check it.

    python tools/space.py space build/space                     everything, weights included
    python tools/space.py space build/space --weights-from NAME/REPO@COMMIT
    python tools/space.py model build/model                     the weights with their card
    python tools/space.py check build/space --start             and start it in a fresh environment

Only files that git tracks are taken. ``space`` and ``model`` check what they have made; a folder
that passes can be pushed as it is (``git init``, or ``huggingface-cli upload``).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

ROOT = Path(__file__).resolve().parents[1]
MEGABYTE = 1 << 20
LARGE = 10 * MEGABYTE  # from here on the Hub wants Git LFS
LARGEST, TOTAL = 100 * MEGABYTE, 500 * MEGABYTE  # far more than there is: something has slipped in
SPACE = ("app.py", "app/", "hsc/", "assets/", "web/dist/", "LICENSE", "README.md",
         "requirements.txt", "pre-requirements.txt")  # fmt: skip
MODEL = ("assets/weights/", "assets/licences/", "LICENSE", "assets/NOTICE.md",
         "assets/MODEL_CARD.md", "RESULTS.md")  # fmt: skip
NEEDED = {
    "space": ("app.py", "README.md", "requirements.txt", "pre-requirements.txt", ".gitattributes"),
    "model": ("README.md", "NOTICE.md", ".gitattributes", "decoder.json"),
}
SUFFIXES = {".py", ".md", ".txt", ".css", ".js", ".json", ".csv", ".safetensors", ".png", ".jpg",
            ".webp", ".avif", ".hsc", ".svg", ".html", ".wasm", ".webmanifest", ".yaml", ".j2",
            ".woff2"}  # fmt: skip
BINARY = (
    ".safetensors",
    ".png",
    ".jpg",
    ".webp",
    ".avif",
    ".hsc",
    ".wasm",
    ".woff2",
)  # for LFS only
PLAIN = (".gitattributes", "LICENSE", "py.typed")
LFS = "".join(f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n" for suffix in BINARY)
START_LIMIT = 180  # seconds


def tracked(prefixes: tuple[str, ...]) -> list[Path]:
    """Files that git tracks under these names, relative to the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", *prefixes], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return [Path(name) for name in listed.stdout.split("\0") if name]


def lay_out_space(target: Path, weights_from: str | None) -> None:
    """Copy the app; with ``weights_from``, a list of hashes in the place of the weights."""
    for name in tracked(SPACE):
        if weights_from and name.is_relative_to("assets/weights"):
            continue
        _copy(ROOT / name, target / name)
    (target / ".gitattributes").write_text(LFS)
    if weights_from:
        repo, _, commit = weights_from.partition("@")
        files = {path.name: _hash(ROOT / path) for path in tracked(("assets/weights/",))}
        manifest = {"repo": repo, "revision": commit, "files": files}
        (target / "assets" / "weights.json").write_text(json.dumps(manifest, indent=2) + "\n")


def lay_out_model(target: Path) -> None:
    """Copy the weights, with the model card as the repository's front page."""
    for name in tracked(MODEL):
        flat = name.relative_to("assets") if name.parts[0] == "assets" else name
        if flat.parts[0] == "weights":
            flat = Path(flat.name)
        _copy(ROOT / name, target / flat)
    card = (target / "MODEL_CARD.md").read_text(encoding="utf-8").replace("(../", "(")
    (target / "MODEL_CARD.md").unlink()
    front = re.match(r"---\n.*?\n---\n", (ROOT / "README.md").read_text("utf-8"), re.DOTALL).group(
        0
    )
    licence = re.search(r"^license: .*$", front, re.MULTILINE).group(0)
    tags = re.search(r"^tags:\n(?:  - .*\n)+", front, re.MULTILINE).group(0)
    (target / "README.md").write_text(f"---\n{licence}\n{tags}---\n\n{card}", encoding="utf-8")
    (target / ".gitattributes").write_text(LFS)
    sys.path.insert(0, str(ROOT))
    from hsc.weights.model_id import model_id

    known = model_id()
    (target / "decoder.json").write_text(json.dumps({"name": known.name, "id": known.code}) + "\n")


def problems(folder: Path) -> list[str]:
    """What must not be pushed as it is; empty when all is well."""
    kind = "space" if (folder / "app.py").is_file() else "model"
    files = sorted(p for p in folder.rglob("*") if p.is_file() and ".git" not in p.parts)
    found = [f"{name} is missing" for name in NEEDED[kind] if not (folder / name).is_file()]
    lfs = (folder / ".gitattributes").read_text() if (folder / ".gitattributes").is_file() else ""
    for path in files:
        name, size = path.relative_to(folder), path.stat().st_size
        if path.is_symlink():
            found.append(f"{name} is a link")
        if path.suffix not in SUFFIXES and path.name not in PLAIN:
            found.append(f"{name} is of a kind that does not belong here")
        if "__pycache__" in name.parts or name.parts[0] in ("tests", "runs", ".venv", "tools"):
            found.append(f"{name} does not belong here")
        if size > LARGEST:
            found.append(f"{name} has {size / MEGABYTE:.0f} MB")
        if (size > LARGE or path.suffix in BINARY) and f"*{path.suffix} filter=lfs" not in lfs:
            found.append(f"{name} has {size / MEGABYTE:.1f} MB and no LFS attribute")
        if path.suffix == ".safetensors" and path.read_bytes()[:7] == b"version":
            found.append(f"{name} is a pointer of Git LFS, not the file")
    if sum(path.stat().st_size for path in files) > TOTAL:
        found.append("all together it is far too large")
    return found + (_space_problems(folder) if kind == "space" else _model_problems(folder))


def _space_problems(folder: Path) -> list[str]:
    found = []
    front = re.match(r"---\n(.*?)\n---\n", (folder / "README.md").read_text("utf-8"), re.DOTALL)
    said = (
        dict(re.findall(r"^(\w+): *\"?([^\"\n]*)", front.group(1), re.MULTILINE)) if front else {}
    )
    expected = {"sdk": "gradio", "app_file": "app.py", "python_version": "3.12.12"}
    expected["sdk_version"] = _pin(folder / "requirements.txt", "gradio")
    for key, value in expected.items():
        if said.get(key) != value:
            found.append(f"README.md says {key}: {said.get(key)}, expected {value}")
    if not said.get("license"):
        found.append("README.md names no licence")
    manifest = folder / "assets" / "weights.json"
    if manifest.is_file():
        found += _manifest_problems(manifest)
    else:
        found += _weights_problems(folder / "assets" / "weights")
    return found


def _manifest_problems(path: Path) -> list[str]:
    said = json.loads(path.read_text(encoding="utf-8"))
    found = []
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", said["repo"]):
        found.append(f"weights.json names no repository: {said['repo']!r}")
    if not re.fullmatch(r"[0-9a-f]{40}", said["revision"]):
        found.append(f"weights.json pins no full commit: {said['revision']!r}")
    ours = {p.name: _hash(ROOT / p) for p in tracked(("assets/weights/",))}
    if said["files"] != ours:
        found.append("weights.json is of other weights than these")
    return found


def _model_problems(folder: Path) -> list[str]:
    front = (folder / "README.md").read_text(encoding="utf-8")
    found = [] if front.startswith("---\nlicense: ") else ["README.md names no licence"]
    return found + _weights_problems(folder)


def _weights_problems(folder: Path) -> list[str]:
    ours = {p.name: _hash(ROOT / p) for p in tracked(("assets/weights/",))}
    there = {p.name: _hash(p) for p in folder.glob("*.safetensors")}
    return [
        f"{name} is {'missing' if name not in there else 'not the one of this repository'}"
        for name in sorted(ours)
        if there.get(name) != ours[name]
    ]


def _pin(requirements: Path, package: str) -> str:
    text = requirements.read_text(encoding="utf-8")
    return re.search(rf"^{package}==(.*)$", text, re.MULTILINE).group(1).strip()


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def describe(folder: Path) -> None:
    """Print what lies in a folder, by its first name, with sizes."""
    sums: dict[str, list[int]] = {}
    for path in folder.rglob("*"):
        if path.is_file() and ".git" not in path.parts:
            parts = path.relative_to(folder).parts
            first = "/".join(parts[:2]) if parts[0] == "assets" and len(parts) > 2 else parts[0]
            sums.setdefault(first, []).append(path.stat().st_size)
    for name, sizes in sorted(sums.items()):
        print(f"  {name:24s} {len(sizes):4d} files {sum(sizes) / MEGABYTE:8.2f} MB")


def start(folder: Path, python: str, torch: str | None) -> None:
    """Install a Space into a fresh environment, start it, and have it compress a photo.

    Args:
        torch: another version of PyTorch than the Space's, where only that has a CPU build.
    """
    with tempfile.TemporaryDirectory() as name:
        environment = Path(name, "venv")
        if python == sys.executable:
            venv.create(environment, with_pip=True)
        else:
            subprocess.run([python, "-m", "venv", str(environment)], check=True)
        inside = environment / "bin" / "python"
        pip = [str(inside), "-m", "pip", "install", "--quiet"]
        # named again in the second call, which would otherwise take a newer PyTorch
        pinned = [f"torch=={torch}"] if torch else ["-r", "pre-requirements.txt"]
        for packages in (pinned, [*pinned, "-r", "requirements.txt"]):
            began = time.monotonic()
            subprocess.run([*pip, *packages], cwd=folder, check=True)
            print(f"  {packages[-1]} installed in {time.monotonic() - began:.0f} s", flush=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        # what a Space gives its app, and nothing of this shell
        settings = {
            "PATH": os.environ["PATH"],
            "HOME": name,
            "GRADIO_SERVER_NAME": "127.0.0.1",
            "GRADIO_SERVER_PORT": str(port),
        }
        began = time.monotonic()
        process = subprocess.Popen([str(inside), "app.py"], cwd=folder, env=settings)
        try:
            _wait(f"http://127.0.0.1:{port}/config", process)
            print(f"  the page answered after {time.monotonic() - began:.1f} s")
            call = (
                "import sys; from gradio_client import Client, handle_file;"
                "c = Client(sys.argv[1], verbose=False);"
                "made = c.predict(handle_file('assets/examples/astronaut.png'), 3, 'scn+fcn', 0,"
                " True, api_name='/compress');"
                "print('  a photo became', made[2]['bytes']['total'], 'bytes on',"
                " made[2]['device'])"
            )
            address = f"http://127.0.0.1:{port}"
            subprocess.run([str(inside), "-c", call, address], cwd=folder, env=settings, check=True)
            print(f"  first picture {time.monotonic() - began:.1f} s after the start")
        finally:
            process.terminate()
            process.wait(20)


def _wait(url: str, process: subprocess.Popen) -> None:
    began = time.monotonic()
    while process.poll() is None and time.monotonic() - began < START_LIMIT:
        try:
            with urlopen(url, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise SystemExit("the page did not come up")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("space", "model", "check"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights-from", metavar="NAME/REPO@COMMIT")
    parser.add_argument("--start", action="store_true", help="start the Space (minutes)")
    parser.add_argument("--python", default=sys.executable, help="Python for --start")
    parser.add_argument("--torch", metavar="VERSION", help="instead of the Space's, for --start")
    options = parser.parse_args()
    if options.what != "check":
        if options.folder.exists() and any(options.folder.iterdir()):
            parser.error(f"expected an empty folder, {options.folder} is not")
        options.folder.mkdir(parents=True, exist_ok=True)
        if options.what == "space":
            lay_out_space(options.folder, options.weights_from)
        else:
            lay_out_model(options.folder)
    describe(options.folder)
    found = problems(options.folder)
    for problem in found:
        print(f"  wrong: {problem}")
    print("not fit to be pushed" if found else "fit to be pushed")
    if options.start and not found:
        start(options.folder, options.python, options.torch)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
