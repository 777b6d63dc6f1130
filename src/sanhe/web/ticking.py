"""What a server does again and again while it lives, without being asked."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias

from sanhe.wiring import (
    Sanhe,
    erase_recipients,
    forget_commands,
    run_loyalty,
    settle_payments,
    upkeep_orders,
)

Flow: TypeAlias = Callable[[Sanhe], object]

FLOWS: Final[tuple[tuple[float, Flow], ...]] = (
    (1.0, upkeep_orders),
    (20.0, settle_payments),
    (60.0, run_loyalty),
    (3600.0, forget_commands),
    (3600.0, erase_recipients),
)
"""Each flow with the seconds from the end of one run to the next. They run one after the other in
this order; two servers on one installation may run the same at once."""
_LOG = logging.getLogger("sanhe.web")


class Ticking:
    """Runs flows within a block, in a thread of its own. A flow that fails is logged and runs
    again when it is due: each takes up where the one before it ended."""

    def __init__(self, sanhe: Sanhe, flows: Sequence[tuple[float, Flow]] = FLOWS) -> None:
        self._sanhe, self._flows = sanhe, flows
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sanhe-ticking", daemon=True)

    def __enter__(self) -> Ticking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let the flow that runs end, and start no other."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        due_at = [0.0] * len(self._flows)
        with ThreadPoolExecutor(1, thread_name_prefix="sanhe-flow") as pool:
            while not self._ended.is_set():
                for at, (seconds, flow) in enumerate(self._flows):
                    if due_at[at] > time.monotonic() or self._ended.is_set():
                        continue
                    fault = pool.submit(flow, self._sanhe).exception()
                    if fault is not None:
                        _LOG.error("a flow failed and will run again", exc_info=fault)
                    due_at[at] = time.monotonic() + seconds
                self._ended.wait(max(min(due_at, default=1.0) - time.monotonic(), 0.01))
