"""Costs in the header and on an agent's own screen."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from teamops.model.spend import Spend
from teamops.model.usage import Tokens
from teamops.tui.believable_costs import believable_cycle
from teamops.tui.costs import cycle_words
from teamops.tui.words import fine_money
from tests.tui.conftest import MakeApp
from tests.tui.fake_port import FakePort
from tests.tui.lines import lines_on, settle, text_on


@pytest.mark.parametrize("size", [(80, 24), (120, 36)], ids=["80x24", "120x36"])
async def test_the_header_tells_what_the_light_has_cost_so_far(
    make_app: MakeApp, port: FakePort, size: tuple[int, int]
) -> None:
    app = make_app()
    async with app.run_test(size=size) as pilot:
        await settle(pilot)
        urgent = port.now.lights[1]
        for spend, told in (
            (Spend(3, Tokens(output=9), Decimal("2.388")), "53m · $2.39"),
            (Spend(3, Tokens(output=9), Decimal(0), 9), "53m · ?"),
            (Spend(), "light 53m"),
        ):
            port.publish(lights=(port.now.lights[0], replace(urgent, cost=spend)))
            await settle(pilot)
            line = lines_on(app)[2]
            assert told in line
            assert ("$" in line) is bool(spend.cost_usd)
            assert "$0.00" not in text_on(app)


async def test_an_agents_screen_tells_what_its_cycles_cost(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("enter")
        await settle(pilot)
        text = " ".join(text_on(app).split())
        assert "a cycle cost last $0.00840, median $0.00420, mean $0.00588, 14k tokens (of 50)" in text


def test_cycles_without_a_price_have_no_dollars() -> None:
    unpriced = replace(believable_cycle(3, "0"), unpriced=3, last=Spend(1, Tokens(output=9), Decimal(0), 9))
    assert cycle_words(unpriced) == "last ?, 14k tokens (of 3, 3 without a price)"


@pytest.mark.parametrize(
    ("cost", "told"),
    [("0", "—"), ("0.00000123456", "$0.00000123"), ("0.00995", "$0.00995"), ("0.01", "$0.01"), ("12.5", "$12.50")],
)
def test_what_is_less_than_a_cent_has_three_digits(cost: str, told: str) -> None:
    assert fine_money(Decimal(cost)) == told
