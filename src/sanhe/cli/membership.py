"""Commands of membership: member points, adjust, top-up, refund; loyalty liability, run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from sanhe.cli.options import Actor, Home, Json, day, default_actor, opened
from sanhe.cli.output import Output, money, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sanhe.core.values import Json as Told
    from sanhe.people.loyalty import Liability
    from sanhe.wiring import MemberTold

Member = Annotated[str, typer.Argument(help="The member's code.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    members = typer.Typer(help="What members have.", no_args_is_help=True)
    members.command("points")(member_points)
    members.command("adjust")(member_adjust)
    members.command("top-up")(member_top_up)
    members.command("refund")(member_refund)
    app.add_typer(members, name="member")
    loyalty = typer.Typer(help="Points and tiers of all members.", no_args_is_help=True)
    loyalty.command("liability")(loyalty_liability)
    loyalty.command("run")(loyalty_run)
    app.add_typer(loyalty, name="loyalty")


def member_points(
    member: Member,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="How many.")] = 20,
    before: Annotated[
        int | None, typer.Option("--before", min=1, help="Go on where a page ended.")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Show a member's tier, points and stored value, and what happened to the points."""
    from sanhe.wiring import By
    from sanhe.wiring import member_points as read

    with opened(home) as sanhe:
        told = read(sanhe, member, limit=limit, before=before, by=By(default_actor()))
        currency = sanhe.settings.currency
    Output(json).show(told, *_member(told, currency))


def member_adjust(
    member: Member,
    points: Annotated[int, typer.Option("--points", help="More above 0, fewer below it.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; kept with the correction.")],
    key: Annotated[
        str | None, typer.Option("--key", help="Given again with the same key it is one.")
    ] = None,
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Correct a member's points by hand."""
    from sanhe.core.values import new_id
    from sanhe.wiring import By, adjust_points

    with opened(home) as sanhe:
        by = By(actor or default_actor())
        told = adjust_points(sanhe, member, points, reason=reason, key=key or new_id().hex, by=by)
    assert isinstance(told, dict)
    Output(json).show(told, f"{member} has {told['available']:,} points to spend")


def member_top_up(
    member: Member,
    paid: Annotated[int, typer.Option("--paid-cents", help="What was paid.")],
    given: Annotated[int, typer.Option("--given-cents", help="The bonus given with it.")] = 0,
    key: Annotated[
        str | None, typer.Option("--key", help="Given again with the same key it is one.")
    ] = None,
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Store what a member paid, and a bonus given with it."""
    from sanhe.core.values import new_id
    from sanhe.wiring import By, top_up_stored

    with opened(home) as sanhe:
        by, key = By(actor or default_actor()), key or new_id().hex
        told = top_up_stored(sanhe, member, paid, given_cents=given, key=key, by=by)
        currency = sanhe.settings.currency
    Output(json).show(told, *_changed(told, currency))


def member_refund(
    member: Member,
    top_up: Annotated[UUID, typer.Argument(help="The top-up, as its answer named it.")],
    key: Annotated[
        str | None, typer.Option("--key", help="Given again with the same key it is one.")
    ] = None,
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Take a top-up out again, whole, while all of it is left."""
    from sanhe.core.values import new_id
    from sanhe.wiring import By, refund_stored

    with opened(home) as sanhe:
        by = By(actor or default_actor())
        told = refund_stored(sanhe, member, top_up, key=key or new_id().hex, by=by)
        currency = sanhe.settings.currency
    Output(json).show(told, *_changed(told, currency))


def loyalty_liability(
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="What can be spent on a day [default: today].")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Show what members may still ask for: points by the month they end in, stored value."""
    from sanhe.wiring import By
    from sanhe.wiring import loyalty_liability as read

    with opened(home) as sanhe:
        asked = day(as_of, option="--as-of")
        told = read(sanhe, as_of=asked, by=By(default_actor()))
        currency = sanhe.settings.currency
    Output(json).show(told, *_liability(told, currency))


def loyalty_run(home: Home = None, json: Json = False) -> None:
    """Take out points that are over, look at tiers that may change, settle referrals.

    `sanhe serve`, `sanhe upkeep` and `sanhe run daily` do it too; it may be run at any time.
    """
    from sanhe.wiring import run_loyalty

    with opened(home) as sanhe:
        done = run_loyalty(sanhe)
    told = (
        f"points ended of {done.expired:,} members, {done.evaluated:,} standings looked at, "
        f"{done.referred:,} referrals settled"
    )
    Output(json).show(done, told)


def _changed(told: Told, currency: str) -> list[RenderableType]:
    assert isinstance(told, dict)
    paid, given, left = (
        money(int(str(told[name])), currency)
        for name in ("paid_cents", "given_cents", "available_cents")
    )
    return [f"top-up {told['top_up']}: {paid} paid, {given} given; {left} to spend"]


def _member(told: MemberTold, currency: str) -> list[RenderableType]:
    points, stored = told.points, told.stored
    tier = told.tier or "no member"
    owed = f", {points.debt:,} owed" if points.debt else ""
    parts: list[RenderableType] = [
        f"{told.member} ({tier}): {points.available:,} points to spend, {points.held:,} held{owed}",
        f"stored: {money(stored.available_cents, currency)}",
    ]
    if points.lots:
        lots = [(lot.expires_on.isoformat(), lot.points, lot.held) for lot in points.lots]
        parts.append(table("lots", ("until", "points", "held"), lots))
    if told.history.lines:
        rows = [
            (one.number, one.at.isoformat(timespec="seconds"), one.what, one.amount, one.cause)
            for one in told.history.lines
        ]
        parts.append(table("history", ("number", "at", "what", "points", "cause"), rows))
    if told.history.next is not None:
        parts.append(f"more: --before {told.history.next}")
    return parts


def _liability(told: Liability, currency: str) -> list[RenderableType]:
    rows = [
        (one.month, one.points, one.expected_points, money(one.expected_cents, currency))
        for one in told.months
    ]
    names = ("ends in", "points", "expected to be spent", "worth")
    return [
        table(f"{told.points:,} points outstanding on {told.as_of}", names, rows),
        f"expected to cost {money(told.expected_cents, currency)}; "
        f"{told.owed_points:,} points are owed by members",
        f"stored value: {money(told.stored_paid_cents, currency)} paid, "
        f"{money(told.stored_given_cents, currency)} given",
    ]
