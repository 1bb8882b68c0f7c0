"""The picture of a run: well-formed, with every contender, and true to the ratios."""

from xml.etree import ElementTree

import pytest

from bidlock_bench.figures import Better
from bidlock_bench.plot import svg
from bidlock_bench.results import Role, Row, RowResult, Series

SVG = "{http://www.w3.org/2000/svg}"


def row(name, better=Better.HIGHER, **medians):
    roles = {"bidlock": Role.PRODUCT, "floor": Role.FLOOR}
    series = {who: Series(roles.get(who, Role.PEER), (value, value)) for who, value in medians.items()}
    return RowResult(Row(name, f'{name} <of> "many" & more', "ms", better), series)


def drawn(*results):
    return ElementTree.fromstring(svg({"machine": "<a> & b"}, results))


def test_every_contender_of_every_row_has_its_ratio():
    texts = {text.text for text in drawn(row("one", bidlock=20, peer=10, floor=40), row("two", bidlock=1, other=4)).iter(f"{SVG}text")}

    assert {"peer", "floor", "other", "2 × (2 – 2)", "0.5 × (0.5 – 0.5)", "0.25 × (0.25 – 0.25)", "1 ×"} <= texts
    assert 'one <of> "many" & more' in texts


def test_bars_of_who_is_worse_and_who_is_better_point_away_from_each_other():
    worse, better = (bar for bar in drawn(row("one", bidlock=10, peer=5, floor=20)).iter(f"{SVG}rect") if bar.get("fill-opacity"))

    meet = float(worse.get("x"))
    assert float(better.get("x")) + float(better.get("width")) == pytest.approx(meet, abs=0.2)
    assert float(worse.get("width")) == pytest.approx(float(better.get("width")), abs=0.2)


def test_what_bidlock_took_no_part_in_is_left_out():
    assert not [bar for bar in drawn(row("one", peer=5, floor=20)).iter(f"{SVG}rect") if bar.get("fill-opacity")]
