"""Commands for promotions and coupons: promotion save, list, simulate, publish, withdraw;
coupon campaign, issue, show."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sanhe.cli.options import Actor, Home, Json, default_actor, opened
from sanhe.cli.output import Output, table
from sanhe.core.errors import BadInput

if TYPE_CHECKING:
    from sanhe.loop.promoting import Evidence
    from sanhe.people.promotions import Kept

Name = Annotated[str, typer.Argument(help="The promotion's id.")]
Days = Annotated[int, typer.Option("--days", min=1, max=365, help="So many days of receipts.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    promotions = typer.Typer(help="Promotions.", no_args_is_help=True)
    promotions.command("save")(promotion_save)
    promotions.command("list")(promotion_list)
    promotions.command("simulate")(promotion_simulate)
    promotions.command("publish")(promotion_publish)
    promotions.command("withdraw")(promotion_withdraw)
    app.add_typer(promotions, name="promotion")
    coupons = typer.Typer(help="Coupons and their campaigns.", no_args_is_help=True)
    coupons.command("campaign")(coupon_campaign)
    coupons.command("issue")(coupon_issue)
    coupons.command("show")(coupon_show)
    app.add_typer(coupons, name="coupon")


def promotion_save(
    file: Annotated[Path, typer.Argument(help="A promotion as JSON; see the guide.")],
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Save a draft, checked against the promotions that hold."""
    from sanhe.people.promotions import Promotion, read
    from sanhe.wiring import save_promotion

    promotion = read(Promotion, _document(file))
    with opened(home) as sanhe:
        kept = save_promotion(sanhe, promotion, actor=actor or default_actor())
    said = f"version {kept.version}; sanhe promotion publish {promotion.id} weighs it"
    Output(json).show(_plain(kept), said)


def promotion_list(
    state: Annotated[
        str | None, typer.Option("--state", help="draft, published or withdrawn.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 50,
    home: Home = None,
    json: Json = False,
) -> None:
    """List promotions, those saved last first."""
    from sanhe.people.promotions import PromotionState

    if state is not None and state not in set(PromotionState):
        remedy = f"give {', '.join(PromotionState)}"
        raise BadInput(f"no state {state!r}", place="--state", remedy=remedy)
    with opened(home) as sanhe, sanhe.work(actor=default_actor()) as work:
        wanted = None if state is None else PromotionState(state)
        found = work.promotions.page(state=wanted, limit=limit)
        left = work.promotions.left_cents([one.promotion.id for one in found])
    rows = [
        (
            one.promotion.id,
            one.promotion.name,
            one.state.value,
            one.version,
            one.promotion.begins_at.isoformat(),
            one.promotion.ends_at.isoformat(),
            left.get(one.promotion.id, ""),
        )
        for one in found
    ]
    columns = ("promotion", "name", "state", "version", "begins", "ends", "left, cents")
    Output(json).show([_plain(one) for one in found], table("", columns, rows))


def promotion_simulate(
    promotion: Name, days: Days = 90, home: Home = None, json: Json = False
) -> None:
    """Tell what a promotion would have done to the receipts of the last days; nothing is kept."""
    from sanhe.wiring import simulate_promotion

    with opened(home) as sanhe:
        weighed = simulate_promotion(sanhe, promotion, actor=default_actor(), days=days)
    Output(json).show(weighed, *_evidence(weighed.evidence))


def promotion_publish(
    promotion: Name,
    days: Days = 90,
    decision: Annotated[
        int | None, typer.Option("--decision", help="Approve this decision: it is published.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="Why it is approved.")] = "",
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Weigh a promotion and propose to publish it; with --decision approve that, and publish."""
    from sanhe.wiring import approve_promotion, propose_promotion, run_jobs

    who, out = actor or default_actor(), Output(json)
    with opened(home) as sanhe:
        if decision is None:
            weighed = propose_promotion(sanhe, promotion, actor=who, days=days)
            said = f"sanhe promotion publish {promotion} --decision {weighed.decision} publishes it"
            out.show(weighed, *_evidence(weighed.evidence), said)
            return
        approve_promotion(sanhe, promotion, decision, reason=reason, actor=who)
        run_jobs(sanhe)
        with sanhe.work(actor=who) as work:
            kept = work.promotions.get(promotion)
            became = work.decisions.get(decision).history[-1]
    said = f"version {kept.published} holds"
    out.show(_plain(kept), said if kept.decision == decision else f"refused: {became.reason}")


def promotion_withdraw(
    promotion: Name,
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Let a promotion hold no longer, at once."""
    from sanhe.wiring import withdraw_promotion

    who = actor or default_actor()
    with opened(home) as sanhe:
        kept = withdraw_promotion(sanhe, promotion, reason=reason, actor=who)
    Output(json).show(_plain(kept), f"{promotion} holds no longer")


def coupon_campaign(
    file: Annotated[Path, typer.Argument(help="A campaign as JSON; see the guide.")],
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Save a campaign that gives coupons of a promotion."""
    from sanhe.people.coupons import read_campaign
    from sanhe.wiring import save_campaign

    campaign = read_campaign(_document(file))
    with opened(home) as sanhe:
        save_campaign(sanhe, campaign, actor=actor or default_actor())
    Output(json).show(campaign, f"sanhe coupon issue {campaign.id} issues its coupons")


def coupon_issue(
    campaign: Annotated[str, typer.Argument(help="The campaign's id.")],
    member: Annotated[
        list[str] | None, typer.Option("--member", help="To this member; may be given again.")
    ] = None,
    count: Annotated[int, typer.Option("--count", min=0, help="So many for anybody.")] = 0,
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Issue coupons. Their codes are shown this once and kept nowhere."""
    from sanhe.wiring import issue_coupons

    who = actor or default_actor()
    with opened(home) as sanhe:
        made = issue_coupons(sanhe, campaign, members=member or [], count=count, actor=who)
    rows = [
        (one.coupon.member or "", one.code, one.coupon.ends_at.isoformat(), one.signed)
        for one in made
    ]
    Output(json).show(made, table("", ("member", "code", "ends", "signed"), rows))


def coupon_show(
    campaign: Annotated[
        str | None, typer.Argument(help="A campaign: its coupons; none: all campaigns.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 50,
    home: Home = None,
    json: Json = False,
) -> None:
    """Show campaigns, or the coupons of one and what became of them; never a code."""
    out = Output(json)
    with opened(home) as sanhe, sanhe.work(actor=default_actor()) as work:
        if campaign is None:
            kept = work.coupons.campaigns(limit=limit)
            lines = [
                (
                    one.campaign.id,
                    one.campaign.name,
                    one.campaign.promotion,
                    one.issued,
                    one.held,
                    one.used,
                    "" if one.stopped_at is None else one.stopped_at.isoformat(),
                )
                for one in kept
            ]
            columns = ("campaign", "name", "promotion", "issued", "held", "used", "stopped")
            out.show(kept, table("", columns, lines))
            return
        work.coupons.campaign(campaign)
        found = work.coupons.issued(campaign, at=sanhe.clock.now(), limit=limit)
    rows = [
        (str(one.id), one.member or "", one.ends_at.isoformat(), "" if lack is None else str(lack))
        for one, lack in found
    ]
    told = [{"coupon": one, "lack": lack} for one, lack in found]
    out.show(told, table("", ("coupon", "member", "ends", "why not"), rows))


def _document(file: Path) -> Any:
    import orjson

    try:
        return orjson.loads(file.read_bytes())
    except orjson.JSONDecodeError as error:
        raise BadInput(f"this is no JSON: {error}", place=str(file), remedy="mend it") from error


def _plain(kept: Kept) -> dict[str, object]:
    from sanhe.people.promotions import write

    saved: datetime = kept.saved_at
    return {
        "id": kept.promotion.id,
        "state": kept.state,
        "version": kept.version,
        "published": kept.published,
        "decision": kept.decision,
        "saved_at": saved,
        "saved_by": kept.saved_by,
        "terms": write(kept.promotion),
    }


def _evidence(found: Evidence) -> list[str]:
    more = found.breakeven_share
    pays = "it never pays" if more is None else f"it pays from {more:.0%} more on"
    return [
        f"reaches {found.reached:,} of {found.baskets:,} baskets, "
        f"takes {found.discount_cents:,} cents off; {pays}",
        f"margin if nobody buys more: {found.change_cents:,} cents "
        f"({found.low_cents:,} to {found.high_cents:,})",
        f"other promotions take {found.displaced_cents:,} cents less; goods that may be bought "
        f"less: {found.exposed_cents:,} cents; costs known for {found.cost_known_share:.0%}",
    ]
