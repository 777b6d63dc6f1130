"""The flow of a planner's override: checked against the masters, recorded as a fact, withdrawn."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sanhe.core.errors import BadInput, NotFound
from sanhe.core.facts import facts_table
from sanhe.core.values import new_id
from sanhe.goods.demand import Override
from sanhe.wiring.imports import Undone, record_facts, undo_import

if TYPE_CHECKING:
    import pyarrow as pa

    from sanhe.wiring.sanhe import Sanhe


def override(sanhe: Sanhe, said: Override, *, actor: str) -> Override:
    """Record a planner's override and return it with its id; the next forecast applies it.

    said: with an empty id for a new one, or with the id of one that it corrects: then it takes
    that one's place. The time it is said is the clock's. Raises BadInput for what can't be used
    or covers nothing, NotFound when there is nothing to correct.
    """
    told = replace(said, said_at=sanhe.clock.now())
    if told.id:
        sanhe.refresh_lake()
        before = sanhe.demand.override(told.id)
        told = replace(told, revision=before.revision + 1, source=before.source)
    else:
        told = replace(told, id=new_id().hex[-8:])
    fact = told.fact()
    _require_known(sanhe, told, actor=actor)
    record_facts(sanhe, {_batch(told.id): facts_table([fact])}, source=told.source, actor=actor)
    return told


def withdraw_override(sanhe: Sanhe, override_id: str, *, actor: str) -> list[Undone]:
    """Undo the batches of an override, its corrections first. Raises NotFound without any."""
    with sanhe.work(actor=actor) as work:
        mine = [
            batch
            for batch in work.facts.batches()
            if batch.name == _batch(override_id)
            and batch.kind == "import"
            and batch.undone_by is None
        ]
    if not mine:
        raise NotFound(f"no override {override_id!r} to withdraw; `sanhe override list` shows them")
    return [undo_import(sanhe, batch.id, actor=actor) for batch in reversed(mine)]


def _batch(override_id: str) -> str:
    return f"override {override_id}"


def _require_known(sanhe: Sanhe, told: Override, *, actor: str) -> None:
    """Refuse a name that no master holds: a typing error would cover nothing, silently."""
    with sanhe.work(actor=actor) as work:
        items, places = work.catalog.items(), work.places.all()
    paths = {path for path in items["category"].to_pylist() if path}
    heads = {"/".join(path.split("/")[:n]) for path in paths for n in range(1, path.count("/") + 2)}
    known = {
        "sku": _values(items["sku"]),
        "category": heads,
        "place": _values(places["id"]),
        "city": _values(places["city"]),
        "region": _values(places["region"]),
    }
    for level, values in known.items():
        wanted = getattr(told, level)
        if wanted is not None and wanted not in values:
            some = ", ".join(sorted(values)[:5]) or "none"
            raise BadInput(
                f"no {level} {wanted!r} is known",
                place="the override",
                remedy=f"known are {len(values):,}, among them {some}",
            )


def _values(column: pa.ChunkedArray) -> set[str]:
    return {str(value) for value in column.to_pylist() if value is not None}
