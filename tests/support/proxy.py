"""nginx over the shipped configuration, with other ports, and servers to put behind it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from paths import ROOT

DEPLOY = ROOT / "deploy"
START_LIMIT = 400.0  # seconds
UPSTREAMS = "studio1:7860", "studio2:7860"


def nginx() -> str:
    """Its path."""
    found = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    assert found, "nginx is missing: apt-get install -y --no-install-recommends nginx-light"
    return found


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@contextmanager
def proxied(name: str, folder: Path, studios: Sequence[int]) -> Iterator[int]:
    """nginx with a file of ``deploy`` in front of one or two ports; gives its own port."""
    (port,) = free_ports(1)
    for source in DEPLOY.glob("*.conf"):
        text = source.read_text(encoding="utf-8")
        for shipped, number in zip(UPSTREAMS, studios):
            assert source.name != "studios.conf" or shipped in text
            text = text.replace(shipped, f"127.0.0.1:{number}")
        if len(studios) == 1:
            text = "\n".join(line for line in text.splitlines() if UPSTREAMS[1] not in line)
        text = text.replace("listen 80;", f"listen 127.0.0.1:{port};")
        text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;")
        (folder / source.name).write_text(text, encoding="utf-8")
    if "ssl" in (folder / name).read_text(encoding="utf-8"):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
             "-subj", "/CN=studio.example", "-keyout", "key.pem", "-out", "certificate.pem"],
            cwd=folder, check=True, capture_output=True,
        )  # fmt: skip
    places = "".join(
        f" {kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    edited = (folder / name).read_text(encoding="utf-8").replace("http {", "http {" + places, 1)
    (folder / name).write_text(edited, encoding="utf-8")
    # started by root, its workers would be nobody, who may not enter the folder
    user = " user root;" if os.getuid() == 0 else ""
    with (folder / "nginx.log").open("wb") as log:
        process = subprocess.Popen(
            [nginx(), "-e", "stderr", "-p", folder, "-c", folder / name,
             "-g", f"daemon off; pid {folder}/nginx.pid; error_log stderr warn;{user}"],
            stdout=log, stderr=log,
        )  # fmt: skip
    try:
        _wait_for(port, process, folder / "nginx.log")
        yield port
    finally:
        process.terminate()
        process.wait(20)


def start_studio(port: int, folder: Path, **environment: str) -> subprocess.Popen[bytes]:
    """A studio over the stand-in codec; `answers` waits for it."""
    paths = os.pathsep.join(map(str, (ROOT, ROOT / "tests" / "support")))
    log = (folder / f"studio-{port}.log").open("wb")
    return subprocess.Popen(
        [sys.executable, ROOT / "tests" / "support" / "studio_process.py", str(port)],
        cwd=ROOT, stdout=log, stderr=log,
        env=os.environ | {"PYTHONPATH": paths} | environment,
    )  # fmt: skip


def answers(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a studio is healthy."""
    end = time.monotonic() + START_LIMIT
    while time.monotonic() < end:
        assert process.poll() is None, "the studio ended"
        try:
            if httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError("the studio did not start")


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_LIMIT
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text()
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(log.read_text())
