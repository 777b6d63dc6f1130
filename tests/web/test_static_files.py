"""The console's files: packed where the browser takes it, and none from outside its folder."""

from __future__ import annotations

import gzip
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from sanhe.web.guards import Guards
from sanhe.web.pages import add_pages
from tests.web.serving import served


def test_a_packed_file_is_sent_to_those_who_take_it(tmp_path: Path) -> None:
    assets = tmp_path / "assets"
    assets.mkdir()
    (assets / "a.js").write_bytes(b"1;" * 500)
    (assets / "a.js.gz").write_bytes(gzip.compress(b"1;" * 500))
    (assets / "b.js").write_bytes(b"2;")
    app = FastAPI()
    add_pages(app, tmp_path)
    client = TestClient(app)
    packed = client.get("/assets/a.js", headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["content-type"].startswith("text/javascript")
    assert packed.content == b"1;" * 500
    whole = client.get("/assets/a.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in whole.headers
    assert whole.content == packed.content
    other = client.get("/assets/b.js", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in other.headers


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A console on a port, and the folder in which it lies beside a secret."""
    around = tmp_path_factory.mktemp("around")
    console = around / "console"
    (console / "assets").mkdir(parents=True)
    (console / "index.html").write_text("<title>the page</title>")
    (console / "assets" / "a.js").write_text("the script")
    (around / "secret.js").write_text("the secret")
    (console / "link.js").symlink_to(around / "secret.js")
    app = FastAPI()
    add_pages(app, console)
    app.add_middleware(Guards)
    with served(app) as address:
        yield address, around


def _raw(address: str, path: str) -> str:
    """The answer to a path sent as it is; a client would tidy it up first."""
    where = urlsplit(address)
    with socket.create_connection((where.hostname or "", where.port or 0), timeout=10) as line:
        line.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: line.recv(65_536), b"")).decode()


@pytest.mark.parametrize(
    "path",
    [
        *("/../secret.js", "/%2e%2e/secret.js", "/..%2fsecret.js", "/assets/../../secret.js"),
        *("/assets/%2e%2e/%2e%2e/secret.js", "/{around}/secret.js", "/link.js"),
        *("/%2e%2e%5csecret.js", "/....//secret.js", "/%252e%252e/secret.js"),
    ],
)
def test_no_path_leads_out_of_the_folder(folders: tuple[str, Path], path: str) -> None:
    address, around = folders
    answer = _raw(address, path.format(around=around))
    assert answer.startswith("HTTP/1.1 ") and "the secret" not in answer
    assert "the script" in _raw(address, "/assets/%2e%2e/assets/a.js")  # dots within are no harm


def test_without_the_check_the_paths_would_lead_out(
    folders: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    monkeypatch.setattr(Path, "is_relative_to", lambda self, other: True)
    address, around = folders
    for path in ("/../secret.js", "/%2e%2e/secret.js", f"/{around}/secret.js", "/link.js"):
        assert "the secret" in _raw(address, path), path
