"""The OpenAPI document names each shape once, so that clients made from it have plain names."""

from __future__ import annotations

from tests.web.conftest import Site


def test_no_two_shapes_have_one_name(site: Site) -> None:
    shapes = site.app.openapi()["components"]["schemas"]
    assert [name for name in shapes if "__" in name] == []
