"""Mappings: found by headers, saved and used again, refused with their place, and shut in."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from pathlib import Path

import pytest

from sanhe.connectors.files import Known, find_mappings, load_mapping, plan_import, shipped
from sanhe.core.errors import BadInput, NotFound
from tests.connectors.files.desk import AS_OF, GOODS_TYPES, KNOWN, facts_of, planned, written

HEADERS = {
    "sales_day": "日期,门店编码,商品编码,销量,销售额",
    "sales_line": "Invoice Date,Store ID,Stock Code,Quantity,Amount,Invoice No",
    "items": "货号,品名,条码,箱规,售价,保质期",
    "places": "门店编号,门店名称,城市,大区",
    "stores": "门店编码,营业时间,拣货产能,配送半径,安全库存",
    "couriers": "门店编码,配送商,起步价,每公里运费,时速,截单时间",
    "suppliers": "供应商编码,供应商名称,订货日",
    "supply_terms": "供应商,商品编码,进价,交货期,起订量",
    "stock": "盘点日期,仓库编码,商品编码,库存数量",
    "movements": "变动日期,门店,商品编码,变动数量,变动原因,单据号",
    "open_orders": "采购单号,供应商编码,收货门店,商品编码,订货数量,下单日期,要求到货日",
    "receipts": "采购单号,供应商编码,收货门店,商品编码,收货数量,收货日期",
    "promotions": "活动名称,商品编码,开始日期,结束日期,折扣",
    "holidays": "日期,节假日,类型",
    "customers": "门店编码,品类,周开始,周结束,购买人数,会员占比",
    "coupons_used": "核销时间,会员号,券码,活动编码,优惠金额",
}
CELLS = {
    "日期": "2024-05-01", "门店编码": "S1", "商品编码": "A1", "销量": "3", "销售额": "9.90",
    "Invoice Date": "2024-05-01 13:05:00", "Store ID": "S1", "Stock Code": "A1", "Quantity": "2",
    "Amount": "5", "Invoice No": "R1", "货号": "A9", "品名": "绿茶", "条码": "6901234567892",
    "箱规": "12", "售价": "￥3.50", "保质期": "180", "门店编号": "S7", "门店名称": "东门店",
    "城市": "深圳", "大区": "华南", "供应商编码": "V1", "供应商名称": "茶厂",
    "订货日": "周一、周四", "供应商": "V1", "进价": "2.10", "交货期": "3", "起订量": "24",
    "盘点日期": "2024-05-31", "仓库编码": "S1", "库存数量": "-2", "变动日期": "2024-05-02",
    "门店": "S1", "变动数量": "-1", "变动原因": "报损", "单据号": "D7", "采购单号": "PO7",
    "收货门店": "S2", "订货数量": "24", "下单日期": "2024-05-02", "要求到货日": "2024-05-05",
    "收货数量": "20", "收货日期": "2024-05-05", "活动名称": "五一", "开始日期": "2024-07-01",
    "结束日期": "2024-07-07", "折扣": "80%", "节假日": "劳动节", "类型": "调休",
    "品类": "食品/乳品", "周开始": "2024-05-06", "周结束": "2024-05-12",
    "营业时间": "周一至周五 09:00-21:00", "拣货产能": "12", "配送半径": "3.5", "安全库存": "2",
    "配送商": "闪送", "起步价": "6.00", "每公里运费": "1.5", "时速": "15", "截单时间": "20:30",
    "购买人数": "41", "会员占比": "80%", "核销时间": "2024-05-01 13:05:00", "会员号": "M1",
    "券码": "C7", "活动编码": "K1", "优惠金额": "5.00",
}  # fmt: skip
EXPECTED = {
    "coupons_used": (
        "coupon.used",
        "coupon/M1/2024-05-01T13:05:00/K1/C7",
        '{"campaign":"K1","coupon":"C7"}',
    ),
    "sales_day": ("sale.day", "sale/S1/A1/2024-05-01", "{}"),
    "sales_line": ("sale.line", "line/S1/2024-05-01/R1/A1", '{"receipt":"R1"}'),
    "items": (
        "item.described",
        "item/A9",
        '{"base_unit":"each","case":12,"gtin":"6901234567892","name":"绿茶","shelf_life_days":180}',
    ),
    "places": (
        "place.described",
        "place/S7",
        '{"city":"深圳","kind":"store","name":"东门店","region":"华南"}',
    ),
    "stores": (
        "store.described",
        "store/S1",
        '{"hours":"周一至周五 09:00-21:00","pick_capacity_per_hour":12,"safety_units":2,'
        '"service_radius_metres":3500}',
    ),
    "couriers": (
        "courier.offered",
        "courier/S1/闪送",
        '{"base_fee_cents":600,"courier":"闪送","cut_off":"20:30","per_km_cents":150,'
        '"speed_km_per_hour":15.0}',
    ),
    "suppliers": ("supplier.described", "supplier/V1", '{"name":"茶厂","order_weekdays":"1,4"}'),
    "supply_terms": ("supply.agreed", "supply/V1/A1", '{"lead_time_days":3,"moq":24}'),
    "stock": ("stock.counted", "count/S1/A1/2024-05-31T23:59:59", "{}"),
    "movements": ("stock.moved", "move/D7/S1/A1", '{"reason":"shrink"}'),
    "open_orders": (
        "purchase.ordered",
        "order/PO7/S2/A1",
        '{"due":"2024-05-05","order":"PO7"}',
    ),
    "receipts": ("purchase.received", "received/PO7/S2/A1/2024-05-05", '{"order":"PO7"}'),
    "promotions": (
        "promotion.published",
        "promotion/五一/A1//2024-07-01",
        '{"discount":0.8,"name":"五一","until":"2024-07-07"}',
    ),
    "holidays": (
        "holiday.declared",
        "holiday/2024-05-01",
        '{"kind":"working_day","name":"劳动节"}',
    ),
    "customers": (
        "demand.customers",
        "customers/S1/食品/乳品/2024-05-06",
        '{"buyers":41,"category":"食品/乳品","member_share":0.8,"until":"2024-05-12"}',
    ),
}


def sample(folder: Path, name: str) -> Path:
    headers = HEADERS[name].split(",")
    row = ",".join(CELLS[header] for header in headers)
    return written(folder, f"{HEADERS[name]}\n{row}\n", name=f"{name}.csv")


@pytest.mark.parametrize("name", HEADERS)
def test_headers_find_their_mapping_and_its_facts(name: str, tmp_path: Path) -> None:
    with planned(sample(tmp_path, name)) as plan:
        plan.require_usable()
        assert plan.mapping.name == name
        tables = [GOODS_TYPES.checked(table) for table in plan.tables()]
        assert plan.summary.unread_columns == ()
    first = tables[0].to_pylist()[0]
    assert (first["type"], first["external_id"], first["payload"]) == EXPECTED[name]


def test_every_shipped_mapping_has_an_example() -> None:
    assert {one.name for one in shipped() if not one.family} == set(HEADERS)


@pytest.mark.parametrize("name", HEADERS)
def test_a_saved_mapping_gives_the_same_facts(name: str, tmp_path: Path) -> None:
    path = sample(tmp_path, name)
    with planned(path, source="erp") as plan:
        saved = written(tmp_path, plan.mapping.to_toml(), name="mine.toml")
    again = facts_of(path, mapping=load_mapping(saved))
    assert again == facts_of(path, source="erp")
    assert {fact["source"] for fact in again} == {"erp"}


def test_only_a_shipped_mapping_is_saved(tmp_path: Path) -> None:
    mapping = load_mapping(written(tmp_path, OWN, name="till.toml"))
    path = written(tmp_path, "Tag,Artikel,Filiale\n2024-05-01,A1,S1\n")
    with (
        planned(path, mapping=mapping) as plan,
        pytest.raises(BadInput, match="comes from a file already"),
    ):
        plan.mapping.to_toml()


def test_limits_of_deliveries_are_told_in_kilograms_and_cubic_metres(tmp_path: Path) -> None:
    supplier = written(
        tmp_path, "供应商,供应商名称,起订箱数,车辆载重,车辆容积\nV1,Vendor one,20,1500.5,12\n"
    )
    (described,) = facts_of(supplier)
    assert json.loads(described["payload"]) == {
        "name": "Vendor one",
        "minimum_order_cases": 20,
        "truck_grams": 1_500_500,
        "truck_ml": 12_000_000,
    }
    terms = written(
        tmp_path,
        "supplier,sku,unit cost,lead time,case weight,case volume,cases per pallet\n"
        "V1,A1,2.5,3,6.25,0.024,60\n",
        name="terms.csv",
    )
    (agreed,) = facts_of(terms)
    assert json.loads(agreed["payload"]) == {
        "lead_time_days": 3,
        "case_grams": 6_250,
        "case_ml": 24_000,
        "cases_per_pallet": 60,
    }


def test_two_fitting_mappings_are_asked_about(tmp_path: Path) -> None:
    path = written(tmp_path, "place,name,supplier\nS1,x,V1\n")
    with pytest.raises(BadInput, match=r"fit several mappings: places or suppliers.*--as places"):
        planned(path)
    assert facts_of(path, mapping=find_mappings("places"))[0]["type"] == "place.described"


def test_a_named_mapping_takes_plain_headers(tmp_path: Path) -> None:
    path = written(tmp_path, "date,store,sku,quantity\n2024-05-31,S1,A1,4\n")
    assert facts_of(path)[0]["type"] == "sale.day"
    assert facts_of(path, mapping=find_mappings("stock"))[0]["type"] == "stock.counted"


OWN = """
name = "till"
source = "till"
[read]
currency = "EUR"
[fields]
day = { kind = "date", headers = ["Tag"], required = true }
sku = { kind = "code", headers = ["Artikel"], required = true, known = "sku" }
place = { kind = "code", headers = ["Filiale"], required = true, known = "place" }
grams = { kind = "quantity", headers = ["kg"], scale = 1000 }
worth = { kind = "money", headers = ["Umsatz"] }
[[facts]]
type = "sale.day"
external_id = "'t/' || place || '/' || sku || '/' || day"
day = "day"
sku = "sku"
place = "place"
quantity = "grams"
amount_cents = "worth"
where = "grams > 0"
[facts.payload]
discount = "0.9"
"""


def test_a_mapping_of_ones_own(tmp_path: Path) -> None:
    mapping = load_mapping(written(tmp_path, OWN, name="till.toml"))
    path = written(tmp_path, "Tag,Artikel,Filiale,kg,Umsatz\n2024-05-01,A1,S1,1.25,9\n"
                   "2024-05-02,A1,S1,0,0\n")  # fmt: skip
    (fact,) = facts_of(path, mapping=mapping)
    assert (fact["quantity"], fact["amount_cents"], fact["currency"]) == (1250, 900, "EUR")
    with planned(path, mapping=mapping) as plan:
        (found,) = plan.summary.types
    assert (found.facts, found.quantity, found.amount_cents) == (1, 1250, 900)
    assert found.currency == "EUR"
    assert (fact["source"], fact["payload"]) == ("till", '{"discount":0.9}')


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (OWN.replace('kind = "date"', 'kind = "moment"'), r"\[fields.day\]: no kind 'moment'"),
        (OWN.replace("where =", "if ="), r"\[\[facts\]\] number 1: unknown key 'if'"),
        (OWN.replace('day = "day"\n', ""), "a fact needs day or at"),
        (OWN.replace('type = "sale.day"\n', ""), "type or external_id missing"),
        (OWN.replace("[fields]", "[fields"), "no TOML"),
        (OWN.replace("[read]", "[reading]"), "unknown key 'reading'"),
        (OWN + '\n[headers]\ncolour = "x"\n', "names no field: 'colour'"),
        (OWN + '\n[[checks]]\nfield = "day"\n', r"\[\[checks\]\] number 1: a check lacks a part"),
        ("name = 'empty'", "no fields or no facts"),
    ],
)
def test_a_broken_mapping_file_is_refused(broken: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=says) as refusal:
        load_mapping(written(tmp_path, broken, name="till.toml"))
    assert "till.toml" in refusal.value.place


def test_unknown_mappings_are_named() -> None:
    with pytest.raises(NotFound, match=r"no mapping 'sale'; there are .*sales_day"):
        find_mappings("sale")
    with pytest.raises(NotFound, match=r"no mapping file mine\.toml"):
        find_mappings("mine.toml")


@pytest.mark.parametrize(
    "expression",
    [
        "(SELECT content FROM read_text('{secret}'))",
        "(SELECT a FROM read_csv('{secret}') AS t(a))",
        "getenv('HOME')",
        "1); COPY file_row TO '{secret}'; SELECT (1",
        "(SELECT max(1) FROM secrets_of_python)",
        "nonsense(sku)",
    ],
)
def test_a_mapping_sees_its_file_and_nothing_else(expression: str, tmp_path: Path) -> None:
    secret = written(tmp_path, "secret\n", name="secret.csv")
    secrets_of_python = [1]
    text = OWN.replace('"0.9"', '"""' + expression.format(secret=secret) + '"""')
    mapping = load_mapping(written(tmp_path, text, name="till.toml"))
    path = written(tmp_path, "Tag,Artikel,Filiale,kg\n2024-05-01,A1,S1,1\n")
    with pytest.raises(BadInput, match=r"mapping, sale\.day, discount.*can't be evaluated"):
        planned(path, mapping=mapping)
    assert secret.read_text() == "secret\n" and secrets_of_python == [1]


def test_an_honest_expression_passes_the_same_way(tmp_path: Path) -> None:
    mapping = load_mapping(written(tmp_path, OWN.replace('"0.9"', '"length(sku)"'), name="t.toml"))
    path = written(tmp_path, "Tag,Artikel,Filiale,kg\n2024-05-01,A1,S1,1\n")
    assert facts_of(path, mapping=mapping)[0]["payload"] == '{"discount":2}'


TIMES = "time,store,sku,qty,receipt\n{},S1,A1,1,R1\n"


@pytest.mark.parametrize(
    ("shown", "event_at", "day"),
    [
        ("2024-05-02 01:30:00", "2024-05-01T17:30:00", date(2024, 5, 1)),
        ("2024-05-02 04:00", "2024-05-01T20:00:00", date(2024, 5, 2)),
        ("2024-05-02T01:30:00+09:00", "2024-05-01T16:30:00", date(2024, 5, 1)),
        ("2024-05-01T17:30:00Z", "2024-05-01T17:30:00", date(2024, 5, 1)),
        ("2024-05-02", "2024-05-02T04:00:00", date(2024, 5, 2)),
    ],
)
def test_times_are_local_to_the_place(shown: str, event_at: str, day: date, tmp_path: Path) -> None:
    """The shop's business day begins at 4: what is sold at 1:30 belongs to the day before."""
    known = Known(skus=KNOWN.skus, places={"S1"}, calendars={"S1": ("Asia/Shanghai", time(4))})
    path = written(tmp_path, TIMES.format(shown))
    (fact,) = facts_of(path, known=known, time_zone="America/Chicago")
    assert fact["event_at"] == datetime.fromisoformat(event_at).replace(tzinfo=UTC)
    assert fact["day"] == day


def test_unknown_codes_can_be_created(tmp_path: Path) -> None:
    path = written(tmp_path, "date,store,sku,quantity\n2024-05-01,S8,B1,1\n2024-05-02,S1,B1,1\n")
    facts = facts_of(path, create_missing=True)
    assert [(fact["type"], fact["external_id"], fact["payload"]) for fact in facts[:2]] == [
        ("item.described", "created/sku/B1", '{"name":"B1"}'),
        ("place.described", "created/place/S8", '{"kind":"store","name":"S8"}'),
    ]
    assert [fact["type"] for fact in facts[2:]] == ["sale.day", "sale.day"]


def test_without_masters_codes_are_not_checked(tmp_path: Path) -> None:
    path = written(tmp_path, "date,store,sku,quantity\n2024-05-01,S8,B1,1\n")
    with plan_import(path, as_of=AS_OF) as plan:
        assert plan.summary.rejected_rows == 0
