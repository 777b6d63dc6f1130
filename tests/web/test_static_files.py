"""The console's files: packed where the browser takes it, whole where it does not."""

from __future__ import annotations

import gzip
from pathlib import Path

from fastapi import FastAPI
from starlette.testclient import TestClient

from sanhe.web.pages import add_pages


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
