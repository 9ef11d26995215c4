"""Sums for programs and in words; what has no price is never told as nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from teamops.model.agent import AgentState, AgentView, Evidence, EvidenceKind
from teamops.model.clock import Stamp
from teamops.model.handoff import Stage
from teamops.model.role import CODER, DIRECTOR
from teamops.model.snapshot import LightState, LightView, Snapshot, SupervisorView
from teamops.model.spend import BlockSpend, CycleCost, Spend, TaskSpend
from teamops.model.usage import Tokens
from teamops.report.spend import ROUGH, cost_text, cycle_json, spend_json, spend_lines, task_spend_json, tokens_text
from teamops.report.status import status_json, status_text

PRICED = Spend(2, Tokens(input=1, output=2, cache_write=4, cache_read=8), Decimal("0.123456789012"))
MIXED = replace(PRICED, unpriced_tokens=7)
UNPRICED = Spend(1, Tokens(output=9), Decimal(0), 9)


@pytest.mark.parametrize(
    ("spend", "told"),
    [
        (Spend(), "–"),  # noqa: RUF001 - a dash for people
        (PRICED, "$0.12"),
        (MIXED, "$0.12+?"),
        (UNPRICED, "?"),
        (replace(PRICED, cost_usd=Decimal("0.0099")), "<$0.01"),
        (replace(PRICED, cost_usd=Decimal("1234.5")), "$1,234.50"),
    ],
)
def test_dollars(spend: Spend, told: str) -> None:
    assert cost_text(spend) == told


@pytest.mark.parametrize(
    ("tokens", "told"), [(0, "0"), (999, "999"), (1000, "1.0k"), (999_949, "999.9k"), (999_950, "1.0M")]
)
def test_tokens(tokens: int, told: str) -> None:
    assert tokens_text(tokens) == told


def test_json_is_exact_and_knows_what_it_does_not_know() -> None:
    assert spend_json(MIXED) == {
        "cost_usd": 0.123456789012,
        "responses": 2,
        "tokens": 15,
        "input": 1,
        "output": 2,
        "cache_write": 4,
        "cache_read": 8,
        "unpriced_tokens": 7,
    }
    assert spend_json(UNPRICED)["cost_usd"] is None
    assert spend_json(Spend())["cost_usd"] == 0


def test_a_tasks_parts() -> None:
    built = BlockSpend(CODER, Stage.IMPLEMENT, PRICED, exact=True)
    now = BlockSpend(DIRECTOR, Stage.VERIFY, UNPRICED, exact=False)
    told = task_spend_json(TaskSpend({3: built}, now))
    assert (told["cost_usd"], told["exact"], told["since_last_block"]["tokens"]) == (0.123456789012, False, 9)
    assert (told["by_role"]["DIRECTOR"]["cost_usd"], told["by_stage"]["implement"]["tokens"]) == (None, 15)
    lines = spend_lines(TaskSpend({3: built}, now), 80)
    assert lines[:3] == [
        "Cost: $0.12+? (24 tokens)",
        "By role: CODER $0.12 (15 tokens), DIRECTOR ? (9 tokens)",
        "By stage: implement $0.12 (15 tokens), verify ? (9 tokens)",
    ]
    assert lines[3] == "Since the last block: DIRECTOR ? (9 tokens)"
    assert " ".join(lines[4:]) == ROUGH
    assert spend_lines(TaskSpend({3: built}, None), 80)[-1].startswith("By stage")
    assert spend_lines(TaskSpend({}, None), 80) == []
    assert task_spend_json(TaskSpend({}, None))["since_last_block"] is None


def cycle(unpriced: int) -> CycleCost:
    return CycleCost(
        count=2,
        last=UNPRICED,
        last_wall=1_774_000_000.0,
        median_usd=Decimal("0.5"),
        mean_usd=Decimal("0.75"),
        median_tokens=10,
        mean_tokens=12,
        unpriced=unpriced,
    )


def test_cycles_that_all_lack_a_price_have_no_dollars() -> None:
    told = cycle_json(cycle(1))
    assert (told["count"], told["unpriced"], told["median_usd"], told["mean_usd"]) == (2, 1, 0.5, 0.75)
    assert told["last"]["cost_usd"] is None
    assert told["last"]["at"].startswith("2026-03-2")
    assert (cycle_json(cycle(2))["median_usd"], cycle_json(cycle(2))["mean_usd"]) == (None, None)


def test_status_tells_of_lights_and_cycles() -> None:
    light = LightView(
        task="login", role=CODER, name="Kevin", tier=2, stage=Stage.IMPLEMENT, since_wall=0.0, age_s=1, unanswered_s=1,
        waiting_after_s=300, stale_after_s=780, state=LightState.WORKING, line=12, cost=MIXED,
    )  # fmt: skip
    agent = AgentView(
        role=CODER, name="Kevin", client="claude", session="s", state=AgentState.WORKING,
        evidence=Evidence(EvidenceKind.HOOK, 1.0), cycle=cycle(1), unpriced_tokens=7,
    )  # fmt: skip
    snapshot = Snapshot(
        revision=1, stamp=Stamp(5.0, 60.0), project="shop", root="/shop", handoff_path="/shop/current.md",
        supervisor=SupervisorView(pid=77, acting=False, since_wall=0.0), lights=(light,), agents=(agent,),
        unpriced_tokens=7,
    )  # fmt: skip
    told = status_json(snapshot)
    assert told["light"][0]["cost"] == spend_json(MIXED)
    assert told["agents"][0]["cycle"] == cycle_json(cycle(1))
    text = status_text(snapshot)
    assert "login, $0.12+? so far" in text
    assert ", ? today" in text
    assert "$0.00" not in text
    quiet = replace(snapshot, lights=(replace(light, cost=Spend()),), agents=(replace(agent, cycle=None),))
    assert "so far" not in status_text(quiet)
    assert status_json(quiet)["agents"][0]["cycle"] is None
