"""Budgets, whatever the numbers, the zones and the order of things."""

from __future__ import annotations

from decimal import Decimal
from zoneinfo import available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from teamops.domain.budget import BudgetRule, Budgets, line_of, total
from teamops.domain.hard_stop import LINGER_S, RETRY_S, SLACK_S, Facts, next_step
from teamops.model.budget import Level, Spent, Step, StepDone

MONEY = st.decimals("0", "1000", places=6)
ZONES = st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"}))
WALLS = st.integers(946_684_800, 4_102_444_800)


@given(ZONES, WALLS)
@settings(max_examples=300)
def test_a_day_holds_its_moments_and_the_next_begins_where_it_ends(zone: str, wall: int) -> None:
    budgets = Budgets(timezone=zone)
    begins, ends = budgets.day_begins(wall), budgets.day_ends(wall)
    assert begins <= wall < ends
    assert budgets.day_of(begins) == budgets.day_of(wall) == budgets.day_of(ends - 1)
    assert budgets.day_of(begins - 1) < budgets.day_of(wall) < budgets.day_of(ends)
    assert budgets.day_begins(ends) == ends
    assert 20 <= (ends - begins) / 3600 <= 28


@given(st.none() | MONEY.filter(bool), st.none() | MONEY.filter(bool), MONEY, MONEY, st.integers(1, 100))
def test_more_spent_is_never_a_milder_verdict(
    limit: Decimal | None, lifted: Decimal | None, spent: Decimal, more: Decimal, soft: int
) -> None:
    rule = BudgetRule(day_usd=limit, soft_percent=soft)
    order = list(Level)
    before = line_of("CODER", rule, Spent(day=spent), lifted)
    after = line_of("CODER", rule, Spent(day=spent + more), lifted)
    assert order.index(before.level) <= order.index(after.level)
    assert (before.level is Level.HARD) == (before.day_limit_usd is not None and spent >= before.day_limit_usd)
    if before.percent is not None:
        assert (before.level is Level.HARD) == (before.percent >= 100)


@given(st.lists(st.builds(Spent, MONEY, MONEY, st.dictionaries(st.sampled_from("abc"), st.integers(0, 9)))))
def test_a_sum_loses_nothing(parts: list[Spent]) -> None:
    whole = total(parts)
    assert whole.day == sum(part.day for part in parts)
    assert sum(whole.unpriced.values()) == sum(sum(part.unpriced.values()) for part in parts)


class HardStop(RuleBasedStateMachine):
    """A stop whose steps succeed or fail, of an agent that obeys or doesn't; teamops is killed at times."""

    @initialize(gated=st.booleans(), heeds_key=st.booleans(), ends=st.booleans())
    def begin(self, *, gated: bool, heeds_key: bool, ends: bool) -> None:
        self.gated, self.heeds_key, self.ends = gated, heeds_key, ends
        self.runs, self.spends = True, True
        self.wall = 1000.0
        self.spent_wall = 1000.0
        self.done: dict[Step, StepDone] = {}
        self.order: list[Step] = []
        self.quiet_rounds = 0

    def _facts(self) -> Facts:
        return Facts(runs=self.runs, gated=self.gated, spent_wall=self.spent_wall, busy=self.spends and self.runs)

    @rule(fails=st.booleans())
    def round(self, *, fails: bool) -> None:
        self.wall += 1.0
        step = next_step(self.done, self._facts(), self.wall)
        if step is None:
            self.quiet_rounds += 1
        else:
            self._do(step, ok=not fails)
        if self.runs and self.spends and not (self.gated and Step.GATE in self.done and self.done[Step.GATE].ok):
            self.spent_wall = self.wall

    def _do(self, step: Step, *, ok: bool) -> None:
        if step is Step.INTERRUPT:
            ok = ok and self.heeds_key
            self.spends = self.spends and not ok
        elif step is Step.END:
            ok = ok and self.ends
            self.runs = self.runs and not ok
        self.order.append(step)
        self.done[step] = StepDone(step=step, ok=ok, wall=self.wall, message="")
        self.quiet_rounds = 0

    @rule()
    def killed_before_it_was_stored(self) -> None:
        """Forget the last step: the next life does it again."""
        if self.order:
            self.done.pop(self.order.pop(), None)

    @precondition(lambda self: self.runs is False)
    @rule()
    def begun_by_hand(self) -> None:
        self.runs = self.spends = True

    @invariant()
    def steps_come_in_order(self) -> None:
        if not hasattr(self, "done"):
            return
        known = [step for step in Step if step in self.done]
        assert known == list(Step)[: len(known)]

    @invariant()
    def nobody_spends_for_long(self) -> None:
        """What runs, spends and is let alone for long can only be one whose end failed, for a while."""
        if not hasattr(self, "done") or not (self.runs and self.spends):
            return
        end = self.done.get(Step.END)
        allowed = RETRY_S if end is not None and not end.ok else max(SLACK_S, LINGER_S)
        assert self.quiet_rounds <= allowed + 1.0


TestHardStop = HardStop.TestCase
