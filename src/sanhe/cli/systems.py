"""The map: which system (S-number) is answered by which package, command and test.

The systems are the plan; what answers them is read from the packages' own docstrings, which
carry the lines `Systems: S2, S3.` and `Commands: sanhe plan, sanhe explain.` Nothing is imported
to read them. A system that no package names is *not built*.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class System:
    """One system of the plan with the words people look for."""

    number: str
    domain: str
    english: str
    chinese: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A package that answers systems: its name, first sentence, systems, commands."""

    package: str
    meaning: str
    systems: tuple[str, ...]
    commands: tuple[str, ...]


SYSTEMS = (
    System("S1", "goods", "Supplier collaboration", "供应商协同", "purchase order ASN portal 采购"),
    System("S2", "goods", "Demand forecast", "需求预测", "prediction backtest WAPE 销量预测"),
    System(
        "S3", "goods", "Dynamic replenishment", "动态补货", "order proposal stock days 库存天数"
    ),
    System("S4", "goods", "Small-batch quick response", "小单快反", "chase stop slow mover 滞销"),
    System(
        "S5", "goods", "Regional micro-warehouses", "区域前置仓", "network transfer routing 调拨"
    ),
    System("S6", "goods", "Pre-sale and make-to-order", "预售定制", "deposit balance promise 定金"),
    System("S7", "people", "RFM and CLV segments", "会员分层", "customer lifetime value 复购"),
    System("S8", "people", "Precise outreach", "精准触达", "journey campaign coupon 营销"),
    System("S9", "people", "Private-domain communities", "私域社群", "WeCom guide 企业微信 导购"),
    System("S10", "place", "Mini-program hub and storefront", "小程序商城", "H5 cart browse 门店"),
    System("S11", "people", "One membership", "会员一体化", "points tiers coupons promotions 积分"),
    System(
        "S12", "people", "Personal recommendations", "个性化推荐", "item kNN cold start 猜你喜欢"
    ),
    System("S13", "place", "AI make-up try-on and 3D fitting", "虚拟试妆试衣", "camera shade size"),
    System(
        "S14", "place", "2-hour delivery and returns", "两小时达与上门退", "courier promise 退货"
    ),
    System(
        "S15", "goods", "Product selection from reviews", "评论选品", "sentiment aspect trend 舆情"
    ),
    System(
        "S16", "goods", "Dynamic pricing", "动态定价", "price markdown competitor elasticity 调价"
    ),
    System("S17", "place", "Smart customer service", "智能客服", "bot answer hand-over 机器人"),
    System("S18", "place", "Smart shelves", "智能货架", "MQTT electronic label weight 缺货"),
    System("S19", "place", "Footfall heat map", "客流热力图", "dwell zone layout 动线"),
    System("S20", "place", "Beacon offers", "蓝牙信标", "dwell consent cool-down 进店"),
    System("S21", "goods", "Traceability by code", "一物一码溯源", "GS1 EPCIS recall QR 召回"),
    System("S22", "loop", "Points and coupons on chain", "积分上链", "hash seal proof 区块链"),
    System("S23", "loop", "One data platform", "数据中台", "import Shopify Youzan quality 对账"),
    System("S24", "people", "360° profile and identity", "会员画像", "merge consent erase 隐私"),
    System(
        "S25", "goods", "ABC inventory health", "库存健康度", "XYZ ageing dead stock 呆滞 class"
    ),
    System("S26", "loop", "Marketing ROI", "营销投入产出", "channel mix incremental margin 渠道"),
    System("S27", "loop", "A/B tests", "对照实验", "experiment SRM CUPED holdout 测试"),
    System("S28", "loop", "Live KPIs and alerts", "指标预警", "dashboard turnover retention 看板"),
    System(
        "S29", "goods", "LSTM category demand", "品类三月预测", "deep learning champion 神经网络"
    ),
    System(
        "S30",
        "place",
        "Order online, pick up in store",
        "线上下单门店自提",
        "BOPIS instant 即时配送",
    ),
    System("S31", "place", "Livestream and store", "直播带货", "quota host attribution oversell"),
    System(
        "S32", "place", "Retail with dining and services", "跨业合作", "partner settlement 餐饮"
    ),
    System("S33", "place", "AR showroom", "AR 展厅", "3D model viewer 增强现实"),
    System("S34", "place", "DIY customisation", "个性定制", "configuration print file 定制"),
    System("S35", "place", "Pop-up stores and till", "快闪店与收银", "offline POS receipt 离线"),
)


def _listed(docstring: str, label: str) -> tuple[str, ...]:
    # The list may go on in the next lines; it ends with a full stop.
    found = re.search(rf"^{label}: (.+?)\.$", docstring, re.MULTILINE | re.DOTALL)
    return tuple(part.strip() for part in found[1].split(",")) if found else ()


def answers(package: Path = PACKAGE) -> list[Answer]:
    """The packages whose docstring names systems, by reading their source."""
    found = []
    for path in sorted(package.rglob("__init__.py")):
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        systems = _listed(docstring, "Systems")
        if systems:
            inside = ".".join(path.parent.relative_to(package).parts)
            first = docstring.split("\n\n")[0].replace("\n", " ")
            found.append(Answer(f"sanhe.{inside}", first, systems, _listed(docstring, "Commands")))
    return found


def seed_test(number: str) -> str:
    """The test that shows a system from outside, by the convention of its name."""
    return f"tests/seed/test_s{int(number[1:]):02d}.py"


def _cells(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def map_page(built: list[Answer]) -> str:
    """The text of docs/map.md: one row for each system; what no package names is not built."""
    lines = [
        "# The map",
        "",
        "Each system of the plan, the packages that answer it, its commands and the test that",
        "shows it. Made by `make docs` from the packages' docstrings; a test holds it true.",
        "",
        _cells(("system", "name", "package", "commands", "test")),
        _cells(("---",) * 5),
    ]
    for system in SYSTEMS:
        mine = [answer for answer in built if system.number in answer.systems]
        name = f"{system.english} {system.chinese}"
        if not mine:
            lines.append(_cells((system.number, name, "*not built*", "", "")))
            continue
        packages = ", ".join(f"`{answer.package}`" for answer in mine)
        commands = dict.fromkeys(c for answer in mine for c in answer.commands)
        test = seed_test(system.number)
        shown = ", ".join(f"`{command}`" for command in commands)
        lines.append(_cells((system.number, name, packages, shown, f"`{test}`")))
    return "\n".join(lines) + "\n"


def _likeness(question: str, system: System, built: list[Answer]) -> float:
    text = " ".join((system.number, system.english, system.chinese, system.words)).lower()
    text += " " + " ".join(a.package.replace(".", " ") for a in built if system.number in a.systems)
    asked = question.lower().strip()
    if asked == system.number.lower():
        return 3.0
    if asked in text:
        return 2.0
    words = [word for word in re.split(r"[\s,;/]+", asked) if word]
    known = text.split()
    best = [max((SequenceMatcher(None, w, k).ratio() for k in known), default=0.0) for w in words]
    return sum(score for score in best if score > 0.75) / max(len(words), 1)


def search(question: str, built: list[Answer], *, limit: int = 5) -> list[System]:
    """The systems that fit a question in English or Chinese, best first; none below a half."""
    scored = [(_likeness(question, system, built), system) for system in SYSTEMS]
    fitting = [(score, system) for score, system in scored if score >= 0.5]
    fitting.sort(key=lambda pair: (-pair[0], int(pair[1].number[1:])))
    return [system for _, system in fitting[:limit]]
