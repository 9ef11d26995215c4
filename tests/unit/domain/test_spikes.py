"""The spike rule by tables: where it begins, where it ends, what it learns, what it says."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from teamops.domain import spike_alerts
from teamops.domain.alert_rules import pages, severity_of
from teamops.domain.limits import SpikeRule
from teamops.domain.spike_memory import Kept, forget_older, from_kept, to_keep
from teamops.domain.spikes import Sample, Spike, State, step
from teamops.domain.usual import DAY_S, Hour, Usual, learn_cycle, learn_minute
from teamops.model.agent import AgentState, Evidence, EvidenceKind, SpikeView
from teamops.model.clock import Stamp
from teamops.model.handoff import Severity
from teamops.model.role import CODER

RULE = SpikeRule()
WARM = Usual(rates=(200,) * 50, cycles=(50,) * 50, tools=(1,) * 50, hours=(Hour(0.0, 60, 12_000, 12_000),))
SPIKE = Spike(began=90.0, peak=41_200, usual=200, limit=5_000, tokens=90, cost=Decimal("0.1"))


def once(*tokens: int, **more: object) -> Sample:
    return Sample(tokens=sum(tokens), largest=max(tokens, default=0), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("usual", "sample", "firing"),
    [
        pytest.param(WARM, once(5_000, 9_000), False, id="at the floor"),
        pytest.param(WARM, once(5_001, 9_000), True, id="over the floor"),
        pytest.param(WARM, once(20_000), False, id="one answer up to the ceiling"),
        pytest.param(WARM, once(20_001), True, id="one answer over the ceiling"),
        pytest.param(Usual(), once(*(2_000,) * 10), False, id="without history, at the ceiling"),
        pytest.param(Usual(), once(*(2_001,) * 10), True, id="without history, over it"),
        pytest.param(Usual(rates=(200,) * 11), once(*(2_000,) * 10), False, id="eleven samples are no history"),
        pytest.param(Usual(rates=(200,) * 12), once(*(2_000,) * 4), True, id="twelve are"),
        pytest.param(Usual(hours=(Hour(0.0, 12, 2_400, 0),)), once(*(2_000,) * 4), True, id="by the day alone"),
        pytest.param(Usual(rates=(3_000,) * 50), once(*(5_000,) * 6), False, id="ten times is not over ten times"),
        pytest.param(Usual(rates=(3_000,) * 50), once(*(5_001,) * 6), True, id="over ten times"),
        pytest.param(replace(WARM, rates=(3_000,) * 50), once(*(2_000,) * 4), True, id="the smaller of the two counts"),
        pytest.param(WARM, once(*(6_000,) * 9, shutting_down=True), False, id="at a declared end"),
        pytest.param(WARM, once(*(6_000,) * 9, gap=True), False, id="in a gap"),
    ],
)
def test_where_a_spike_begins(usual: Usual, sample: Sample, *, firing: bool) -> None:
    state, verdict = step(State(usual=usual), sample, 1_000.0, RULE)
    assert verdict.firing is firing
    assert (state.spike is not None) is firing


def test_the_verdict_names_its_figures() -> None:
    _, verdict = step(State(usual=WARM), once(6_000, 3_000, cost=Decimal("0.2")), 1_000.0, RULE)
    assert (verdict.rate, verdict.largest, verdict.cycles, verdict.day) == (9_000, 6_000, 200, 200)
    assert (verdict.limit, verdict.ceiling, verdict.usual, verdict.badges) == (5_000, 20_000, 200, ())


def test_a_spike_ends_after_a_minute_well_below_and_not_before() -> None:
    state, _ = step(State(usual=WARM), once(*(3_000,) * 3, cost=Decimal("0.2")), 1_000.0, RULE)
    assert state.spike == Spike(began=1_000.0, peak=9_000, usual=200, limit=5_000, tokens=9_000, cost=Decimal("0.2"))
    ended = None
    for now in range(1_001, 1_200):
        state, verdict = step(state, once(1_250) if now in (1_070, 1_071, 1_072) else Sample(), float(now), RULE)
        assert ended is None or not verdict.firing
        if ended is None and not verdict.firing:
            ended = now
    assert ended == 1_120  # below since 1060; 2,500 without the largest is no more than half of the limit


def test_no_minute_of_a_spike_is_learnt_nor_the_one_in_which_it_ends() -> None:
    state, _ = step(State(usual=WARM), once(*(3_000,) * 3), 1_000.0, RULE)
    for now in range(1_010, 1_100, 10):
        state, _ = step(state, once(*(1_500,) * 4), float(now), RULE)
    for now in (1_155, 1_160, 1_200, 1_215, 1_220, 1_230):  # small change in the minute of its end
        state, _ = step(state, once(700) if now == 1_215 else Sample(), float(now), RULE)
    assert state.spike is None
    assert state.usual.hours == WARM.hours
    state, _ = step(state, once(70), 1_300.0, RULE)
    assert state.usual.hours == WARM.hours
    state, _ = step(state, Sample(), 1_360.0, RULE)
    assert state.usual.hours[-1].tokens == 12_070


def test_one_that_flares_up_again_is_the_same_spike() -> None:
    state, _ = step(State(usual=WARM), once(*(3_000,) * 3), 1_000.0, RULE)
    state, _ = step(state, Sample(), 1_060.0, RULE)
    assert state.spike is not None
    assert state.spike.quiet == 1_060.0
    state, _ = step(state, once(*(4_000,) * 4), 1_100.0, RULE)
    assert state.spike is not None
    assert (state.spike.quiet, state.spike.peak, state.spike.tokens) == (None, 16_000, 25_000)


def test_a_declared_end_does_not_hide_a_spike_that_runs() -> None:
    state, _ = step(State(usual=WARM), once(*(3_000,) * 3), 1_000.0, RULE)
    state, verdict = step(state, once(*(3_000,) * 3, shutting_down=True), 1_010.0, RULE)
    assert verdict.firing
    assert verdict.rate == 18_000


def test_samples_are_capped_by_what_was_usual() -> None:
    assert learn_cycle(WARM, 50_000, 90, 50_000, RULE, capped_only=False).rates[-1] == 2_000
    assert learn_cycle(WARM, 50_000, 90, 50_000, RULE, capped_only=False).tools[-1] == 5
    assert learn_cycle(Usual(), 50_000, 90, 50_000, RULE, capped_only=False) == Usual(
        rates=(20_000,), cycles=(50_000,), tools=(90,)
    )
    spiking = learn_cycle(WARM, 50_000, 90, 50_000, RULE, capped_only=True)
    assert spiking == replace(WARM, cycles=(*WARM.cycles[1:], 50_000))
    assert learn_cycle(WARM, 0, 0, 0, RULE, capped_only=False) == WARM


def test_a_day_of_active_minutes_is_kept_by_the_hour() -> None:
    assert learn_minute(WARM, 0, 60.0, RULE) == WARM
    usual = learn_minute(WARM, 90_000, 1_800.0, RULE)
    assert usual.hours == (Hour(0.0, 61, 14_000, 102_000),)
    assert usual.plain_day == 1_672
    usual = learn_minute(usual, 100, 3_600.0, RULE)
    assert [hour.began for hour in usual.hours] == [0.0, 3_600.0]
    usual = learn_minute(usual, 100, DAY_S, RULE)
    assert [hour.began for hour in usual.hours] == [3_600.0, DAY_S]
    assert forget_older(State(usual=usual), DAY_S + 3_600.0).usual.hours == usual.hours[1:]
    assert Usual().plain_day is None


def test_badges_have_their_own_figures_and_fade() -> None:
    state, _ = step(State(usual=WARM), Sample(tokens=4_000, largest=4_000, tool_calls=6), 1_000.0, RULE)
    state, verdict = step(state, Sample(), 1_010.0, RULE)
    assert [badge[:3] for badge in verdict.badges] == [
        ("10\u00d7cycle", 4_000, 500),
        ("10\u00d7day", 4_000, 2_000),
        ("5\u00d7tools", 6, 5),
    ]
    assert not verdict.firing
    state, _ = step(state, once(9_000), 1_020.0, RULE)
    state, verdict = step(state, Sample(), 1_031.0, RULE)
    assert [(badge.word, badge.value) for badge in verdict.badges] == [
        ("5\u00d7tools", 6),
        ("10\u00d7cycle", 9_000),
        ("10\u00d7day", 13_000),
    ]
    _, verdict = step(state, Sample(), 1_100.0, RULE)
    assert verdict.badges == ()


def test_badges_call_where_that_is_wanted() -> None:
    rule = SpikeRule(page_literal=True)
    state, _ = step(State(usual=WARM), once(4_000), 1_000.0, rule)
    state, verdict = step(state, Sample(), 1_010.0, rule)
    assert verdict.firing
    assert state.spike is not None
    assert state.spike.plain == "10\u00d7cycle"
    state, _ = step(state, Sample(), 1_100.0, rule)
    _, verdict = step(state, Sample(), 1_160.0, rule)
    assert not verdict.firing


def test_a_cycle_longer_than_a_minute_counts_for_its_share() -> None:
    _, verdict = step(State(usual=WARM), once(45_000, span_s=300.0), 1_000.0, RULE)
    assert (verdict.rate, verdict.firing) == (9_000, False)
    state, _ = step(State(usual=WARM), once(45_000, span_s=300.0), 1_000.0, RULE)
    state, verdict = step(state, once(60_000, span_s=300.0), 1_300.0, RULE)
    assert (verdict.rate, verdict.firing) == (12_000, False)  # 4,500 a minute of ten, one beat left out
    _, verdict = step(state, once(60_000, span_s=300.0), 1_590.0, RULE)
    assert verdict.firing


# what outlives teamops


def test_what_is_kept_comes_back() -> None:
    state = State(usual=WARM, spike=SPIKE)
    kept = to_keep(state, Stamp(100.0, 5_000.0))
    assert from_kept(kept, Stamp(20.0, 5_010.0)) == State(
        usual=replace(WARM, hours=(Hour(-90.0, 60, 12_000, 12_000),)), spike=replace(SPIKE, began=0.0)
    )
    assert from_kept(kept, Stamp(20.0, 0.0)).usual.hours[0].began == 20.0  # the clock was set back


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"rates": 3}', '{"rates": [], "cycles": []}', '[1, "x"]'])
def test_what_can_t_be_read_is_left_out(text: str) -> None:
    assert from_kept(Kept(usual=text, spike=text), Stamp(1.0, 1.0)) == State()


def test_a_spike_of_an_unknown_usual_comes_back() -> None:
    state = State(spike=replace(SPIKE, usual=None))
    assert from_kept(to_keep(state, Stamp(99.0, 99.0)), Stamp(99.0, 99.0)) == state
    broken = Kept(usual="{}", spike='[1, 2, 3, 4, 5, "much", ""]')
    assert from_kept(broken, Stamp(9.0, 9.0)).spike is None


# what is said and shown


@pytest.mark.parametrize(
    ("spike", "rate", "words"),
    [
        (SPIKE, 41_200, "41,200 tokens/min, 206 times its usual 200"),
        (replace(SPIKE, usual=6_000), 57_000, "57,000 tokens/min, 9.5 times its usual 6,000"),
        (replace(SPIKE, usual=None, limit=20_000), 21_000, "21,000 tokens/min (limit without any history 20,000)"),
        (
            replace(SPIKE, plain="5\u00d7tools"),
            400,
            "400 tokens/min, 2.0 times its usual 200 (by the plain rule 5\u00d7tools)",
        ),
    ],
)
def test_words(spike: Spike, rate: int, words: str) -> None:
    assert spike_alerts.words(spike, rate) == words
    found = spike_alerts.runaway_finding(CODER, spike, rate)
    assert found.message == f"CODER uses {words}"
    assert (found.code, severity_of(found), pages(found)) == ("agent-runaway", Severity.CRITICAL, True)


def test_running_away_lies_over_health_but_not_over_an_end() -> None:
    view = SpikeView(
        since_wall=90.0, rate=9, peak=9, usual=1, limit=5, tokens=9, cost_usd=Decimal(0), why="9 tokens/min"
    )
    evidence = Evidence(EvidenceKind.HOOK, 1.0)
    for state in AgentState:
        shown = spike_alerts.shown(view, state, evidence, kind=EvidenceKind.BEAT, wall=100.0)
        if state in {
            AgentState.DEAD,
            AgentState.UNKNOWN,
            AgentState.HELD,
            AgentState.GIVEN_UP,
            AgentState.BACKING_OFF,
        }:
            assert shown == (state, evidence)
        else:
            assert shown == (AgentState.RUNAWAY, Evidence(EvidenceKind.BEAT, 10.0, "9 tokens/min"))
        assert spike_alerts.shown(None, state, evidence, kind=EvidenceKind.BEAT, wall=0.0) == (state, evidence)
