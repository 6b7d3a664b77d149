"""Behind the shipped configuration of nginx visitors keep their studio, or get one that lives."""

import os
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
import yaml
from paths import ROOT
from proxy import DEPLOY, UPSTREAMS, proxied

PAGE = {"accept": "text/html,application/xhtml+xml"}


class Named(BaseHTTPRequestHandler):
    """Answers with the name of its server, and the headers that a proxy set."""

    def do_GET(self) -> None:
        said = self.headers["x-forwarded-proto"], self.headers["x-forwarded-host"], self.path
        body = " ".join((str(self.server.server_port), *map(str, said))).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def servers() -> Iterator[list[ThreadingHTTPServer]]:
    made = [ThreadingHTTPServer(("127.0.0.1", 0), Named) for _ in range(2)]
    for server in made:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    yield made
    for server in made:
        server.shutdown()
        server.server_close()


@pytest.fixture
def url(servers: list[ThreadingHTTPServer], tmp_path: Path) -> Iterator[str]:
    with proxied("nginx.conf", tmp_path, [s.server_port for s in servers]) as port:
        yield f"http://127.0.0.1:{port}"


def test_visitors_keep_their_studio_until_it_dies(url, servers, tmp_path) -> None:
    with httpx.Client(base_url=url) as client:  # without a cookie jar: cookies are given

        def served(cookie: str) -> str:
            answer = client.get("/", headers=PAGE | {"cookie": cookie}).raise_for_status()
            assert "set-cookie" not in answer.headers
            return answer.text.split()[0]

        studios: dict[str, str] = {}
        for _ in range(30):
            client.cookies.clear()
            page = client.get("/", headers=PAGE)
            cookie, *attributes = page.headers["set-cookie"].split("; ")
            assert cookie.startswith("studio=") and {"HttpOnly", "SameSite=Lax"} < {*attributes}
            studios[cookie] = page.text.split()[0]
        client.cookies.clear()
        counts = Counter(studios.values())
        assert len(counts) == 2 and min(counts.values()) >= 4
        assert all(served(cookie) == studio for cookie, studio in studios.items() for _ in "ab")
        assert page.text.split()[1:] == ["http", url.removeprefix("http://"), "/"]
        # a script has no cookie
        assert len({client.get("/gradio_api/info").text.split()[0] for _ in range(8)}) == 1
        assert "set-cookie" not in client.get("/config").headers
        assert client.get("/metrics").status_code == 404
        # what a link carries is in no log
        client.get("/?face=HSC1-SECRET")
        logs = [path for path in tmp_path.rglob("*") if path.suffix == ".log"]
        assert logs and not any("SECRET" in path.read_text() for path in logs)

        servers[0].shutdown()
        servers[0].server_close()
        alive = str(servers[1].server_port)
        assert {served(cookie) for cookie in studios} == {alive}


def test_a_path_is_taken_away_and_tls_is_said(servers, tmp_path) -> None:
    ports = [s.server_port for s in servers]
    with proxied("nginx-path.conf", tmp_path, ports) as port:
        url = f"https://127.0.0.1:{port}"
        with httpx.Client(base_url=url, verify=False) as client:
            said = client.get("/studio/receive/?a=1", headers={"host": "studio.example"}).text
            assert said.split()[1:] == ["https", "studio.example", "/receive/?a=1"]
            moved = client.get("/studio?face=a")
            assert moved.status_code == 301
            assert moved.headers["location"].endswith("/studio/?face=a")
            assert client.get("/studio/metrics").status_code == 404


def test_what_compose_starts_is_what_nginx_asks() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]
    assert [f"{name}:7860" for name in services if name != "nginx"] == list(UPSTREAMS)
    mounted = {line.split(":")[0] for line in services["nginx"]["volumes"]}
    included = {f"./{name}" for name in ("nginx.conf", "studios.conf", "proxy.conf")}
    assert mounted == included and all((DEPLOY / name).is_file() for name in mounted)
    for name in ("studio1", "studio2"):
        folder = services[name]["environment"]["GRADIO_TEMP_DIR"]
        assert services[name]["volumes"] == [f"visitors:{folder}"]
        assert "/healthz" in services[name]["healthcheck"]["test"][-1]
    user = "uid=1000" in compose["volumes"]["visitors"]["driver_opts"]["o"]
    assert user and "USER 1000" in (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert os.path.normpath(DEPLOY / services["studio1"]["build"]) == str(ROOT)
