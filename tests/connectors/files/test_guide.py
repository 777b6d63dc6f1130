"""The import guide names every mapping, kind and option there is, and its examples work."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from sanhe.connectors.files import ReadOptions, load_mapping, shipped
from sanhe.connectors.files.mapping import KINDS
from tests.connectors.files.desk import facts_of, written

GUIDE = (Path(__file__).parents[3] / "docs" / "guide" / "import.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```toml\n(.*?)```", GUIDE, flags=re.DOTALL)


@pytest.mark.parametrize("name", [mapping.name for mapping in shipped()])
def test_every_mapping_is_in_the_guide(name: str) -> None:
    assert f"`{name}`" in GUIDE


def test_every_kind_and_reading_option_is_in_the_guide() -> None:
    missing = [kind for kind in KINDS if f"`{kind}`" not in GUIDE]
    missing += [one.name for one in fields(ReadOptions) if f"\n{one.name} = " not in GUIDE]
    assert not missing


def test_the_extending_example_works(tmp_path: Path) -> None:
    mapping = load_mapping(written(tmp_path, EXAMPLES[0], name="a.toml"))
    text = "三月销售;;;\nday;store;sku;销量(公斤)\n31/03/2024;S1;A1;1,25\n"
    (fact,) = facts_of(written(tmp_path, text, encoding="gb18030"), mapping=mapping)
    assert (fact["source"], fact["quantity"]) == ("till", 1250)


def test_the_whole_example_works(tmp_path: Path) -> None:
    mapping = load_mapping(written(tmp_path, EXAMPLES[1], name="a.toml"))
    path = written(tmp_path, "Tag,Filiale,Artikel,Menge,Umsatz\n2024-03-31,S1,A1,2,9\n")
    (fact,) = facts_of(path, mapping=mapping)
    assert (fact["quantity"], fact["amount_cents"]) == (2, 900)
