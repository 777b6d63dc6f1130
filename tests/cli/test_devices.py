"""The commands for tills."""

from __future__ import annotations

from pathlib import Path

from sanhe.core.storage import EmbeddedServer
from tests.place.devices.till import Till
from tests.wiring.files import written
from tests.wiring.installation import Terminal, installed


def test_a_device_is_added_listed_blocked_and_renewed(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    with installed(server, tmp_path / "home") as settings:
        sanhe = Terminal(settings)
        rows = [("S1", "One", "store")]
        sanhe.well("import", written(tmp_path / "places.csv", "place,name,kind", rows))
        till, fresh = Till(), Till()
        key = ("--public-key", till.public_key.hex())
        added = sanhe.asked("device", "add", "till-1", "--place", "S1", *key)
        assert (added["place"], added["state"], added["sequence"]) == ("S1", "active", 0)
        assert "till-1" in sanhe.well("device", "list").out
        assert (
            sanhe.asked("device", "block", "till-1", "--why", "stolen")["blocked_why"] == "stolen"
        )
        assert sanhe("device", "renew", "till-1", *key).code == 4
        renewed = sanhe.asked("device", "renew", "till-1", "--public-key", fresh.public_key.hex())
        assert renewed["state"] == "active" and renewed["hash"] == fresh.previous.hex()
        assert sanhe.asked("device", "problems") == []
        assert sanhe("device", "add", "x", "--place", "S1", "--public-key", "?").code == 2
        assert sanhe("device", "add", "x", "--place", "nowhere", *key).code == 3
