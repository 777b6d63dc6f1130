"""The doctor on how people sign in."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sanhe.cli.doctor import sign_in
from sanhe.core.settings import Settings
from tests.connectors.oidc.provider import running

FILE = """
[oidc]
issuer = "{issuer}"
client_id = "sanhe"
address = "http://localhost"
[[oidc.grant]]
claim = "groups"
value = "planners"
roles = ["planner"]
places = "all"
"""


def test_a_provider_that_answers_is_well_and_one_that_does_not_is_not(tmp_path: Path) -> None:
    plain = Settings(home=tmp_path)
    assert sign_in(plain).well and sign_in(plain).detail == "name and password"
    file = tmp_path / "sign-in.toml"
    told = Settings(home=tmp_path, sign_in=file)
    assert not sign_in(told).well, "there is no such file"
    with running("http://localhost", lambda: datetime.now(UTC)) as provider:
        file.write_text(FILE.format(issuer=provider.issuer))
        found = sign_in(told)
        assert found.well and provider.issuer in found.detail
        provider.called_by = "https://another.example"
        assert not sign_in(told).well
    file.write_text(FILE.format(issuer="http://127.0.0.1:9"))
    away = sign_in(told)
    assert not away.well and "--passwords" in away.remedy
