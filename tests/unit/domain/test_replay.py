"""Facts asked as of a moment: by bisection, and without a guess."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from teamops.domain.replay import (
    EVER,
    EVERY,
    GRAIN_S,
    Span,
    Spans,
    Use,
    Uses,
    delivery_at,
    gap_at,
    in_turn,
    restart_at,
    spike_at,
    unobserved,
    violation_at,
)
from teamops.model.actions import By
from teamops.model.agent_report import Delivery, DeliveryStage, RestartRecord, SpikeRecord
from teamops.model.boundary import ChangeKind, Violation, ViolationState
from teamops.model.role import CODER
from teamops.model.usage import Tokens

MOMENTS = st.integers(0, 40).map(float)
SPANS = st.lists(st.tuples(MOMENTS, MOMENTS), max_size=60)


@given(SPANS, MOMENTS, st.integers(1, 5))
def test_what_held_at_a_moment_is_what_began_and_had_not_ended(
    pairs: list[tuple[float, float]], wall: float, limit: int
) -> None:
    spans = [Span(since, until, number) for number, (since, until) in enumerate(pairs)]
    ordered = sorted((one for one in spans if one.since < one.until), key=lambda one: one.since)
    held = [one.value for one in ordered if one.since <= wall < one.until]
    facts = Spans(spans)
    assert facts.at(wall) == held
    assert facts.newest(wall, limit) == held[::-1][:limit]
    assert [one.value for one in facts.all] == [one.value for one in ordered]


def test_a_moment_of_a_long_day_costs_what_is_near_it() -> None:
    facts = Spans(Span(float(at), at + 3.0, at) for at in range(100_000))
    assert len(facts) == 100_000
    for wall in (0.0, 17.5, 49_999.0, 99_999.0):
        before = facts.looked_at
        assert facts.at(wall) == list(range(max(0, int(wall) - 2), int(wall) + 1))
        assert facts.looked_at - before <= EVERY + 3
        before = facts.looked_at
        assert len(facts.newest(wall, 2)) == min(2, int(wall) + 1)
        assert facts.looked_at - before <= 2


def test_a_fact_holds_until_the_next_one_of_the_same() -> None:
    spans = in_turn([("a", 1.0, "x"), ("b", 2.0, "y"), ("a", 3.0, "z")], until=9.0)
    assert sorted(spans, key=lambda one: (one.since, one.until)) == [
        Span(1.0, 3.0, "x"),
        Span(2.0, 9.0, "y"),
        Span(3.0, 9.0, "z"),
    ]


def test_uses_are_summed_up_for_any_part() -> None:
    uses = Uses(
        [
            Use(30.0, Tokens(output=5), None, "big", logged=False),
            Use(10.0, Tokens(input=1, output=2), Decimal("0.1")),
            Use(20.0, Tokens(cache_read=4), Decimal("0.2"), "small", 3),
        ]
    )
    assert (uses.tokens(10.0, 20.0), uses.tokens(10.5, 30.0), uses.tokens(40.0, 20.0)) == (7, 9, 0)
    assert uses.cost(0.0, 30.0) == Decimal("0.3")
    assert (uses.unpriced(0.0, 30.0), uses.unpriced(0.0, 29.0)) == (5, 0)
    assert uses.unpriced_models(0.0, 30.0) == {"big": 5}
    assert uses.unpriced_models(0.0, 29.0) == {}
    assert uses.logged(0.0, 30.0) == 4, "several may be summed up in one"
    spend = uses.spend(15.0, 30.0)
    assert (spend.responses, spend.tokens, spend.cost_usd, spend.unpriced_tokens) == (
        4, Tokens(output=5, cache_read=4), Decimal("0.2"), 5,
    )  # fmt: skip
    assert (uses.last(9.0), uses.last(25.0)) == (None, 20.0)


@pytest.mark.parametrize(
    ("spans", "first", "gaps"),
    [
        ([], None, ()),
        ([(100.0, 500.0)], 100.0, ((500.0 + GRAIN_S, 1000.0),)),
        ([(100.0, 500.0), (520.0, 2000.0)], 100.0, ()),
        ([(100.0, 500.0), (700.0, 800.0), (1200.0, 1300.0)], 100.0, ((560.0, 700.0), (860.0, 1000.0))),
        ([], 5.0, ((50.0, 1000.0),)),
        ([(400.0, 2000.0)], 5.0, ((50.0, 400.0),)),
    ],
)
def test_nobody_watched_between_the_spans(
    spans: list[tuple[float, float]], first: float | None, gaps: tuple[tuple[float, float], ...]
) -> None:
    assert unobserved(spans, 50.0, 1000.0, first) == gaps
    for begins, ends in gaps:
        assert gap_at(gaps, (begins + ends) / 2) == (begins, ends)
        assert gap_at(gaps, begins) is None
    assert gap_at(gaps, 20.0) is None


POKE = Delivery(
    action_id=1, role=CODER, text="go", by=By.RULE, light="", attempt=0, decided_wall=10.0, typed_wall=11.0,
    accepted_wall=12.0, working_wall=13.0, proof="hook", over=True,
)  # fmt: skip


@pytest.mark.parametrize(
    ("wall", "stage", "proof"),
    [
        (10.0, DeliveryStage.DECIDED, ""),
        (11.0, DeliveryStage.TYPED, ""),
        (12.0, DeliveryStage.ACCEPTED, "hook"),
        (13.0, DeliveryStage.WORKING, "hook"),
    ],
)
def test_a_poke_has_come_as_far_as_by_then(wall: float, stage: DeliveryStage, proof: str) -> None:
    told = delivery_at(POKE, wall)
    assert (told.stage, told.proof, told.over) == (stage, proof, wall >= 13.0)


def test_a_restart_whose_end_was_to_come_is_under_way() -> None:
    record = RestartRecord(
        action_id=1, role=CODER, wall=1.0, by=By.RULE, cause="dead", ending="", attempt=1, ok=True, message="pid 1"
    )
    assert restart_at(record, over=True) is record
    under_way = restart_at(record, over=False)
    assert (under_way.ok, under_way.message) == (None, "")


def test_a_runaway_is_told_as_far_as_its_trace() -> None:
    record = SpikeRecord(
        id=1, role=CODER, began_wall=100.0, ended_wall=200.0, peak=900, usual=5, threshold=50, tokens=1000,
        cost_usd=Decimal(3), why="", trace=((30.0, 1), (50.0, 10), (100.0, 20), (150.0, 400)),
    )  # fmt: skip
    assert spike_at(record, 200.0) is record
    assert spike_at(record, EVER) is record
    early = spike_at(record, 120.0)
    assert (early.ended_wall, early.peak, early.tokens, early.cost_usd) == (None, 30, 30, Decimal(0))
    assert early.trace == record.trace[:3]
    assert spike_at(record, 20.0).peak == 0
    assert spike_at(replace(record, ended_wall=None), 120.0) == early


def test_a_settled_violation_was_open_before() -> None:
    settled = Violation(
        id=1, wall=1.0, path="a", change=ChangeKind.CREATED, roles=(CODER,), rule="", why="",
        state=ViolationState.ACCEPTED, note="by ada", changed_wall=5.0,
    )  # fmt: skip
    assert violation_at(settled, 5.0) is settled
    before = violation_at(settled, 4.0)
    assert (before.state, before.note, before.changed_wall) == (ViolationState.OPEN, "", None)
    assert violation_at(before, 4.0) is before
