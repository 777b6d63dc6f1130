"""The console's pages: static files as they were built, and one page for every address."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.exceptions import HTTPException

SHIPPED: Final = Path(__file__).parent / "static" / "console"
_NONCE: Final = "__CSP_NONCE__"
_YEAR: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
}

MISSING: Final = """<!doctype html><meta charset="utf-8"><title>sanhe 三合</title>
<h1>sanhe 三合</h1>
<p>The console is not built in this checkout: run <code>make console</code>, or install the
package as a wheel. The API is here: <a href="/api/openapi.json">/api/openapi.json</a></p>"""
"""What is shown where the console was not built."""


def add_pages(app: FastAPI, folder: Path | None = None) -> None:
    """Serve the built console below /; an address without a file is a page of it."""
    root = (folder or SHIPPED).resolve()

    @app.get("/{path:path}", include_in_schema=False)
    def page(path: str, request: Request) -> Response:
        if path == "api" or path.startswith("api/"):
            raise HTTPException(404, f"no operation /{path}")
        found = (root / path).resolve()
        if path and found.is_file() and found.is_relative_to(root) and found.suffix != ".html":
            caching = _YEAR if path.startswith("assets/") else "no-cache"
            kind = _TYPES.get(found.suffix, "application/octet-stream")
            headers = {"cache-control": caching, "vary": "accept-encoding"}
            packed = found.with_name(found.name + ".gz")
            if packed.is_file() and "gzip" in request.headers.get("accept-encoding", ""):
                headers["content-encoding"] = "gzip"
                found = packed
            return FileResponse(found, media_type=kind, headers=headers)
        if path and Path(path).suffix in _TYPES:
            raise HTTPException(404, f"no file /{path}")
        index = root / "index.html"
        if not index.is_file():
            return HTMLResponse(MISSING)
        text = index.read_text("utf-8").replace(_NONCE, request.state.nonce)
        return HTMLResponse(text, headers={"cache-control": "no-store"})
