"""The composition root: everything is constructed here, explicitly, and nowhere else.

`Sanhe.open` gives the installation; `sanhe.work(actor=...)` gives one transaction with every
capability on it. The flows that cross capabilities (import, plan, carry out) are functions
beside it; the command line and the web call them alike.
"""

from sanhe.wiring.acting import By
from sanhe.wiring.changes import plan_changes
from sanhe.wiring.daily import Daily, DailyRequest, run_daily
from sanhe.wiring.fulfilling import (
    FulfilRun,
    answer_shorts,
    fulfil_orders,
    sync_device,
)
from sanhe.wiring.health import health, health_moves
from sanhe.wiring.imports import (
    Imported,
    ImportRequest,
    Undone,
    import_file,
    record_facts,
    undo_import,
)
from sanhe.wiring.intake import TakenIn, take_in
from sanhe.wiring.jobs import deliver_orders, run_jobs
from sanhe.wiring.membership import (
    LoyaltyRun,
    MemberTold,
    adjust_points,
    loyalty_liability,
    member_points,
    run_loyalty,
)
from sanhe.wiring.offering import (
    MOST_PICK_UPS,
    MOST_PROMISED,
    Promised,
    Promises,
    Where,
    promise_baskets,
)
from sanhe.wiring.ordering import (
    Ordered,
    cancel_order,
    expire_orders,
    hand_over,
    place_order,
    place_orders,
    queue_order,
    quote_basket,
    tell_sales,
)
from sanhe.wiring.overriding import override, withdraw_override
from sanhe.wiring.paying import (
    Payer,
    PaymentsRun,
    find_lost,
    prepare_payment,
    send_refunds,
    settle_payments,
    take_at_till,
    take_notice,
)
from sanhe.wiring.planning import (
    Planned,
    PlanRequest,
    approve,
    backtest,
    check_ordering,
    edit,
    explain_line,
    losses,
    next_day,
    plan,
)
from sanhe.wiring.promising import PromiseMap, Spot, promise_map
from sanhe.wiring.promoting import (
    Weighed,
    approve_promotion,
    check_coupons,
    coupons_of,
    issue_coupons,
    propose_promotion,
    save_campaign,
    save_promotion,
    simulate_promotion,
    stop_campaign,
    weighing_of,
    withdraw_promotion,
)
from sanhe.wiring.replaying import ReplayRequest, replay_past, replay_sweep
from sanhe.wiring.returning import (
    Awaited,
    ask_return,
    awaited_returns,
    drop_return,
    goods_of,
    inspect_return,
    inspected,
    receive_return,
)
from sanhe.wiring.sanhe import Sanhe
from sanhe.wiring.storegoods import Delivered, count_stock, receive_order, send_order
from sanhe.wiring.storework import finish_task, finished, hand_over_by_code, show_code
from sanhe.wiring.upkeep import UpkeepRun, forget_commands, upkeep, upkeep_orders
from sanhe.wiring.work import FACT_TYPES, Work

__all__ = [
    "FACT_TYPES",
    "MOST_PICK_UPS",
    "MOST_PROMISED",
    "Awaited",
    "By",
    "Daily",
    "DailyRequest",
    "Delivered",
    "FulfilRun",
    "ImportRequest",
    "Imported",
    "LoyaltyRun",
    "MemberTold",
    "Ordered",
    "Payer",
    "PaymentsRun",
    "PlanRequest",
    "Planned",
    "PromiseMap",
    "Promised",
    "Promises",
    "ReplayRequest",
    "Sanhe",
    "Spot",
    "TakenIn",
    "Undone",
    "UpkeepRun",
    "Weighed",
    "Where",
    "Work",
    "adjust_points",
    "answer_shorts",
    "approve",
    "approve_promotion",
    "ask_return",
    "awaited_returns",
    "backtest",
    "cancel_order",
    "check_coupons",
    "check_ordering",
    "count_stock",
    "coupons_of",
    "deliver_orders",
    "drop_return",
    "edit",
    "expire_orders",
    "explain_line",
    "find_lost",
    "finish_task",
    "finished",
    "forget_commands",
    "fulfil_orders",
    "goods_of",
    "hand_over",
    "hand_over_by_code",
    "health",
    "health_moves",
    "import_file",
    "inspect_return",
    "inspected",
    "issue_coupons",
    "losses",
    "loyalty_liability",
    "member_points",
    "next_day",
    "override",
    "place_order",
    "place_orders",
    "plan",
    "plan_changes",
    "prepare_payment",
    "promise_baskets",
    "promise_map",
    "propose_promotion",
    "queue_order",
    "quote_basket",
    "receive_order",
    "receive_return",
    "record_facts",
    "replay_past",
    "replay_sweep",
    "run_daily",
    "run_jobs",
    "run_loyalty",
    "save_campaign",
    "save_promotion",
    "send_order",
    "send_refunds",
    "settle_payments",
    "show_code",
    "simulate_promotion",
    "stop_campaign",
    "sync_device",
    "take_at_till",
    "take_in",
    "take_notice",
    "tell_sales",
    "undo_import",
    "upkeep",
    "upkeep_orders",
    "weighing_of",
    "withdraw_override",
    "withdraw_promotion",
]
