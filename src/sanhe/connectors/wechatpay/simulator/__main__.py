"""Runs a simulated WeChat Pay until interrupted, in which every shopper pays.

python -m sanhe.connectors.wechatpay.simulator FOLDER [--sanhe URL] [--after SECONDS]
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from sanhe.connectors.wechatpay.simulator.notices import Faults
from sanhe.connectors.wechatpay.simulator.server import WechatPaySimulator
from sanhe.core.clock import SystemClock


def main() -> None:
    """Write the merchant's file, answer, pay what is asked for and send the notices."""
    asked = argparse.ArgumentParser(description="A WeChat Pay to try payments with.")
    asked.add_argument("folder", type=Path, help="where payments.toml and the keys are written")
    asked.add_argument("--sanhe", default="http://127.0.0.1:8000", help="where sanhe is served")
    asked.add_argument("--after", type=float, default=3.0, help="seconds until a shopper pays")
    asked.add_argument("--seed", type=int, default=0, help="draws the notices' faults")
    asked.add_argument("--late", type=float, default=0.0, help="seconds a notice may be late")
    asked.add_argument("--lost", type=float, default=0.0, help="share of notices never sent")
    asked.add_argument("--twice", type=float, default=0.0, help="share of notices sent again")
    given = asked.parse_args()
    faults = Faults(lost=given.lost, late_seconds=given.late, repeated=given.twice)
    clock = SystemClock()
    with (
        WechatPaySimulator(given.sanhe, clock, seed=given.seed, faults=faults, scale=60) as pay,
        suppress(KeyboardInterrupt),
        pay.delivering(),
    ):
        told = pay.save(given.folder)
        sys.stdout.write(f"WeChat Pay is simulated at {pay.address} (end it with Ctrl-C)\n")
        sys.stdout.write(f"Serve sanhe with: SANHE_PAYMENTS={told} sanhe serve\n")
        sys.stdout.flush()
        while True:
            time.sleep(0.5)
            for number in pay.waiting(given.after):
                sys.stdout.write(f"paid {number}: {pay.pay(UUID(number))}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
