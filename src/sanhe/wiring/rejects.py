"""The refused rows of an import, read back from the file that was kept for whoever mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sanhe.connectors.files import Reject, read_rejects, rejects_name

if TYPE_CHECKING:
    from sanhe.wiring.sanhe import Sanhe


def kept_rejects(sanhe: Sanhe, batch: UUID) -> list[Reject]:
    """The refused rows of a batch; none where all were used.

    Raises NotFound for no such batch.
    """
    with sanhe.work(actor="web") as work:
        told = work.facts.batch(batch)
    path = sanhe.settings.home / "rejects" / rejects_name(told.name, told.digest)
    return read_rejects(path) if told.digest and path.is_file() else []
