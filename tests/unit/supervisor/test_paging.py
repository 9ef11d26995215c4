"""The person is called: by which channel, once, and over the death of teamops itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from teamops.config.channels import CommandSettings
from teamops.config.settings import NotifySettings
from teamops.domain import sending, worth
from teamops.domain.limits import RestartPolicy, RestartWhen
from teamops.domain.paging import PagingPolicy, Quiet
from teamops.domain.presence import presence_of
from teamops.domain.sending import Sending
from teamops.effects.channels.registry import Around
from teamops.ledger.outbox import CUT_OFF
from teamops.ledger.store import LedgerError, open_ledger
from teamops.model.actions import Poke
from teamops.model.agent_report import Launch
from teamops.model.alert import Alert, AlertState
from teamops.model.day_report import Presence
from teamops.model.events import HandoffLost, PaneDied, PanesSeen, Ticked
from teamops.model.handoff import Severity
from teamops.model.page import Answer, Button, Page, Receipt, Transition
from teamops.model.role import CODER, DIRECTOR, HUMAN, REVIEWER, Role
from teamops.model.snapshot import AckAlert, SilenceAlert, StopRole
from teamops.supervisor import run
from tests.unit.supervisor.life import Life, block, unsent

Begin = Callable[..., Awaitable[Life]]
DOWN = Receipt(ok=False, message="the network is down", hint="mend the network", retry=True)
REFUSED = Receipt(ok=False, message="no such topic", hint="name another")
ABSENT = Receipt(ok=False, message="no desktop bus", absent=True)


@pytest.fixture
async def begin(tmp_path: Path) -> AsyncIterator[Begin]:
    lives: list[Life] = []

    async def begin(**options: object) -> Life:
        before: Callable[[Life], None] = options.pop("before", lambda _: None)  # type: ignore[assignment]
        life = Life(tmp_path, **options)  # type: ignore[arg-type]
        lives.append(life)
        life.handoff.touch()
        before(life)
        return await life.begin(CODER)

    yield begin
    for life in lives:
        await life.end()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is tried again be tried soon: the loop's clock is the real one."""
    monkeypatch.setattr(sending, "PAUSES_S", (0.01, 0.02))
    monkeypatch.setattr(sending, "LAP_S", (0.05,))


async def call(life: Life) -> None:
    """Let the person hold a light, and the page of that be decided."""
    await life.append(block(DIRECTOR, HUMAN))
    await life.ticks(4)


def waiting(life: Life) -> list[str]:
    return [left.page.title for left in life.ledger.outbox.waiting()]


def deaf(*names: str, answer: Receipt = REFUSED) -> Callable[[Life], None]:
    def make(life: Life) -> None:
        for name in names or life.ears:
            life.ears[name].answer = answer

    return make


def notes(life: Life) -> list[str]:
    return [line.text for line in life.core.book.log if line.kind == "page"]


async def test_the_first_channel_takes_it_and_the_next_is_left_alone(begin: Begin) -> None:
    life = await begin()
    await call(life)
    await life.until(lambda: bool(life.heard), "told")
    assert [(name, page.title) for name, page in life.heard] == [("desktop", "shop: human-turn")]
    await life.ticks(30)
    assert len(life.heard) == 1
    assert waiting(life) == []
    assert "told you by desktop: shop: human-turn (shown)" in notes(life)
    assert [line.text for line in life.ledger.log(50) if line.kind == "page"] == notes(life)
    (alert,) = life.alerts("human-turn")
    assert alert.paged_wall is not None


async def test_a_channel_that_fails_is_an_alert_and_the_next_takes_over(begin: Begin) -> None:
    life = await begin(before=deaf("desktop"))
    await call(life)
    await life.until(lambda: bool(life.heard), "told")
    assert [name for name, _ in life.heard] == ["terminal"]
    await life.ticks(5)
    (alert,) = life.alerts("notify-failed")
    assert (alert.subject, alert.message) == ("desktop", "pages don't reach you by desktop: no such topic")
    assert alert.do == "name another"
    await life.until(lambda: bool(life.told("notify-failed")), "told of that, too")
    assert life.core.paging.note == "no such topic: pages go by terminal"
    life.ears["desktop"].answer = Receipt(ok=True, message="shown")
    await life.append(block(HUMAN, CODER, minute=1), block(CODER, HUMAN, task="other", minute=2))
    await life.ticks(5)
    await life.ticks(40)  # the next page of the same group waits for its interval
    await life.until(lambda: life.heard[-1][0] == "desktop", "well again")
    await life.ticks(5)
    assert not life.alerts("notify-failed")
    assert life.core.paging.note == ""


async def test_what_may_work_the_next_time_is_tried_again_first(begin: Begin) -> None:
    life = await begin(before=deaf("desktop", answer=DOWN))
    await call(life)
    await life.until(lambda: bool(life.heard), "told")
    page = life.told("human-turn")[0]
    assert [one.id for one in life.ears["desktop"].tries[:3]] == [page.id] * 3
    assert [name for name, told in life.heard if told == page] == ["terminal"]


async def test_where_nobody_takes_it_all_are_gone_through_again_until_somebody_does(begin: Begin) -> None:
    life = await begin(before=deaf())
    await call(life)
    ears = life.ears
    await life.until(lambda: len(ears["terminal"].tries) > 2, "tried again")
    assert life.heard == []
    assert "shop: human-turn" in waiting(life)
    deaf("terminal", answer=Receipt(ok=True, message="rung"))(life)
    await life.until(lambda: len(life.told("human-turn")) == 1, "told at last")
    assert life.core.paging.note == "no such topic: pages go by terminal"


async def test_a_default_that_is_not_there_is_no_failure(begin: Begin) -> None:
    life = await begin(before=deaf("desktop", answer=ABSENT))
    await call(life)
    await life.until(lambda: bool(life.heard), "told")
    await life.ticks(5)
    assert not life.alerts("notify-failed")
    assert not any("desktop" in text for text in notes(life))


async def test_a_named_channel_that_is_not_there_is_one(begin: Begin) -> None:
    named = NotifySettings(channels=("desktop", "terminal"))
    life = await begin(notify=named, before=deaf("desktop", answer=ABSENT))
    await call(life)
    await life.until(lambda: bool(life.heard), "told")
    await life.ticks(5)
    assert [alert.subject for alert in life.alerts("notify-failed")] == ["desktop"]


async def test_where_there_is_no_way_at_all_that_is_said(begin: Begin) -> None:
    life = await begin(before=deaf(answer=ABSENT))
    await call(life)
    await life.until(lambda: bool(life.ears["terminal"].tries), "tried")
    await life.ticks(5)
    (alert,) = life.alerts("notify-failed")
    assert alert.message.startswith("nobody can be told away from the screen: no desktop bus")
    assert not alert.notify
    assert life.core.paging.note.endswith("pages reach nobody")


async def test_what_is_over_before_it_could_be_told_is_told_to_nobody(begin: Begin) -> None:
    life = await begin(before=deaf())
    await call(life)
    await life.until(lambda: bool(life.ears["terminal"].tries), "tried")
    await life.append(block(HUMAN, CODER, minute=1))
    await life.ticks(3)
    assert not life.alerts("human-turn")
    deaf(answer=Receipt(ok=True, message="shown"))(life)
    await life.until(lambda: "shop: human-turn" not in waiting(life), "dropped")
    assert life.told("human-turn") == []
    assert any("over before it could be told" in text for text in notes(life))


async def test_a_channel_that_breaks_or_hangs_holds_up_nobody(begin: Begin) -> None:
    life = await begin()

    def broken(page: Page) -> None:
        raise KeyError(page.id)

    life.ears["desktop"].before = broken
    await call(life)
    await life.until(lambda: bool(life.heard), "told")
    assert life.heard[0][0] == "terminal"
    await life.ticks(5)
    (alert,) = life.alerts("notify-failed")
    assert "KeyError" in alert.message
    assert "defect" in alert.do


async def test_a_defect_makes_no_storm_and_ends_no_calling(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    life = await begin()

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(sending, "LAP_S", (0.05, 300.0))
    monkeypatch.setattr(life.core.memory.outbox, "end", broken)
    await call(life)
    await life.until(lambda: bool(life.alerts("source-troubled")), "said")
    for _ in range(20):
        await life.core.next_round()
    assert len(life.told("human-turn")) == 1
    monkeypatch.undo()
    await lose_tmux(life)
    await life.until(lambda: bool(life.told("tmux-down")), "others are told")


async def test_who_calls_is_begun_again_after_a_defect(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    life = await begin()
    begun: list[int] = []

    async def broken(_: object) -> None:
        begun.append(1)
        raise RuntimeError("a defect")

    monkeypatch.setattr(life.core.paging, "run", broken)
    monkeypatch.setattr(run, "FIRST_FRAME_S", 0.0)
    monkeypatch.setattr(run, "CALL_AGAIN_S", 0.01)
    life.core.spawn(run._call(life.core, [], Around()), "paging")
    await life.until(lambda: len(begun) > 2, "begun again")
    assert "RuntimeError: a defect" in life.core.book.troubles["paging"][0]


async def test_a_page_that_can_t_be_begun_keeps_no_other_waiting(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    life = await begin()
    judge = worth.judge

    def broken(one: Sending, *rest: Any) -> worth.Judged:
        if "human-turn" in one.page.title:
            raise RuntimeError("a defect")
        return judge(one, *rest)

    monkeypatch.setattr(worth, "judge", broken)
    monkeypatch.setattr(sending, "LAP_S", (0.05, 300.0))
    await call(life)
    await life.until(lambda: "paging" in life.core.book.troubles, "said")
    life.core.spawn(life.core.paging.run(list(life.ears.values())), "paging")  # as it is begun again
    await lose_tmux(life)
    await life.until(lambda: bool(life.told("tmux-down")), "others are told")
    assert life.told("human-turn") == []


async def test_a_page_and_its_alert_are_stored_together_or_not_at_all(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = await begin(before=deaf())
    stored: list[tuple[list[str], int]] = []
    save = life.ledger.save_alerts

    def noted(alerts: Sequence[Alert], pages: Sequence[tuple[Page, int]] = ()) -> None:
        stored.append(([alert.code for alert in alerts if alert.paged_wall is not None], len(pages)))
        save(alerts, pages)

    monkeypatch.setattr(life.ledger, "save_alerts", noted)
    await call(life)
    assert (["human-turn"], 1) in stored

    def full(*_: object) -> None:
        raise OverflowError("the page can't be stored")

    before = life.ledger.alerts()
    monkeypatch.setattr("teamops.ledger.outbox.add", full)
    with pytest.raises(LedgerError):
        save([life.alerts("human-turn")[0], *before], [(life.ears["desktop"].tries[0], 0)])
    assert life.ledger.alerts() == before


async def test_a_ledger_that_cannot_be_written_is_itself_told(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    life = await begin()

    def full(*_: object, **__: object) -> None:
        raise LedgerError("the disk is full", "free disk space")

    for part, name in ((life.ledger, "save_alerts"), (life.ledger.outbox, "begin"), (life.ledger.outbox, "end")):
        monkeypatch.setattr(part, name, full)
    await call(life)
    await life.until(lambda: bool(life.told("human-turn")), "told all the same")
    await life.ticks(5)
    await life.until(lambda: bool(life.told("ledger-troubled")), "and why nothing is remembered")


THREE = NotifySettings(channels=("desktop", "terminal", "command"), command=CommandSettings(command=("page-me",)))


async def lose_tmux(life: Life) -> None:
    """Let what is critical happen."""
    life.core.emit(PanesSeen(life.core.stamp(), (), server_up=False))
    await life.ticks(5)


async def test_what_nobody_acknowledges_goes_on_to_the_channel_after_the_one_that_took_it(begin: Begin) -> None:
    policy = PagingPolicy(group_wait_s=2.0, escalate_s=60.0)
    life = await begin(notify=THREE, paging=policy, before=deaf("desktop"))
    await lose_tmux(life)
    await life.until(lambda: bool(life.told("tmux-down")), "told")
    (alert,) = life.alerts("tmux-down")
    assert (life.heard[0][0], alert.escalated) == ("terminal", 1)
    assert [one.escalated for one in life.ledger.alerts() if one.code == "tmux-down"] == [1]
    await life.ticks(60)
    await life.until(lambda: len(life.told("tmux-down")) == 2, "told by the next one")
    told = [(name, page.transition) for name, page in life.heard if page.keys[0][0] == "tmux-down"]
    assert told == [("terminal", Transition.FIRED), ("command", Transition.ESCALATED)]


async def test_a_repeat_keeps_no_other_channel_from_being_told(begin: Begin) -> None:
    life = await begin(paging=PagingPolicy(group_wait_s=2.0, escalate_s=90.0))
    rules = life.settings.alert_rules
    soon = {**rules, "tmux-down": structs.replace(rules["tmux-down"], repeat_s=40.0)}
    life.core.book.settings = life.core.paging._settings = replace(life.settings, alert_rules=soon)
    await lose_tmux(life)
    for _ in range(100):
        await life.ticks(1)
    told = [(name, page.transition) for name, page in life.heard if page.keys[0][0] == "tmux-down"]
    assert told[:3] == [
        ("desktop", Transition.FIRED), ("desktop", Transition.REPEATED), ("desktop", Transition.REPEATED),
    ]  # fmt: skip
    assert ("terminal", Transition.ESCALATED) in told


# quiet hours, and what nobody could be told

NEARLY_QUIET = PagingPolicy(group_wait_s=2.0, quiet=Quiet(23 * 60 + 34, 7 * 60))
"""Begins some 35 seconds after a life does."""


async def test_what_is_tried_again_is_held_in_quiet_hours_and_told_once_they_are_over(begin: Begin) -> None:
    life = await begin(paging=NEARLY_QUIET, before=deaf())
    await call(life)
    await life.until(lambda: bool(life.ears["terminal"].tries), "tried")
    await life.ticks(40)
    await life.until(lambda: "shop: human-turn" not in waiting(life), "held")
    (alert,) = life.alerts("human-turn")
    assert (alert.paged_wall, alert.state) == (None, AlertState.FIRING)
    tries = len(life.ears["terminal"].tries)
    deaf(answer=Receipt(ok=True, message="shown"))(life)
    await life.ticks(60)
    assert (life.told("human-turn"), len(life.ears["terminal"].tries)) == ([], tries)
    (why,) = {why for title, why in unsent(life.ledger) if title == "shop: human-turn"}
    assert why.startswith("the hour is quiet")
    assert any(line.text == f"not sent: shop: human-turn ({why})" for line in life.ledger.log(50))
    life.now, life.wall = life.now + 8 * 3600, life.wall + 8 * 3600
    await life.ticks(3)
    await life.until(lambda: bool(life.told("human-turn")), "told in the morning")
    await life.ticks(60)
    assert len(life.told("human-turn")) == 1


async def test_what_waited_for_a_channel_comes_as_one_page_when_there_is_one_again(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LAP_S", (0.05, 3600.0))
    life = await begin(before=deaf(), paging=PagingPolicy(group_wait_s=0.0, group_interval_s=0.0))
    for number in range(4):
        await life.append(block(DIRECTOR, HUMAN, task=f"t{number}", minute=number))
        await life.ticks(4)
        await life.until(lambda: all(one.laps > 1 for one in life.core.paging._waiting.values()), "given up for now")
    assert len(waiting(life)) > 3
    deaf(answer=Receipt(ok=True, message="shown"))(life)
    await lose_tmux(life)
    await life.until(lambda: bool(life.told("tmux-down")), "somebody takes pages")
    await life.ticks(3)
    await life.until(lambda: waiting(life) == [], "all told")
    told = life.told("human-turn")
    assert sorted(key[1].split("#")[0] for page in told for key in page.keys if key[0] == "human-turn") == [
        "t0", "t1", "t2", "t3",
    ]  # fmt: skip
    assert len(told) == 1


# over lives


async def test_the_next_life_tries_no_sooner_and_no_oftener(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "PAUSES_S", (1000.0, 2000.0))
    life = await begin(before=deaf("desktop", answer=DOWN))
    await call(life)
    await life.until(lambda: len(life.ears["desktop"].tries) == 1, "tried")
    await life.until(lambda: [left.course.tries for left in life.ledger.outbox.waiting()] == [1], "kept")
    await life.end()
    second = await begin(before=deaf("desktop", answer=DOWN), start=life.wall)
    await second.ticks(3)
    assert second.ears["desktop"].tries == []
    (one,) = (one for one in second.core.paging._waiting.values() if one.page.title == "shop: human-turn")
    assert (one.channel, one.tries, one.laps) == ("desktop", 1, 0)
    assert one.due - second.core.time() == pytest.approx(1000.0, abs=60)


async def test_what_was_over_while_teamops_was_away_is_told_to_nobody(begin: Begin) -> None:
    life = await begin(before=deaf())
    await call(life)
    await life.until(lambda: bool(life.ears["terminal"].tries), "tried")
    await life.end()
    life.handoff.write_text(life.handoff.read_text() + block(HUMAN, CODER, minute=1), encoding="utf-8")
    second = await begin(start=life.wall)
    await second.ticks(5)
    await second.until(lambda: "shop: human-turn" not in waiting(second), "closed")
    assert second.told("human-turn") == []
    assert ("shop: human-turn", "over before it could be told") in unsent(second.ledger)


async def test_yesterdays_page_comes_in_words_of_today(begin: Begin) -> None:
    life = await begin(before=deaf())
    await call(life)
    await life.until(lambda: bool(life.ears["terminal"].tries), "tried")
    old = life.ears["desktop"].tries[0]
    await life.end()
    second = await begin(start=life.wall + 5 * 3600)
    await second.ticks(5)
    await second.until(lambda: bool(second.told("human-turn")), "told")
    await second.ticks(60)
    (page,) = second.told("human-turn")
    assert page.id != old.id
    assert page.wall > old.wall + 4 * 3600
    assert any(why.startswith("left by an earlier life") for _, why in unsent(second.ledger))


async def test_a_server_that_is_gone_is_told_though_the_life_that_saw_it_go_is_over(begin: Begin) -> None:
    life = await begin(before=deaf())
    await lose_tmux(life)
    await life.until(lambda: bool(life.ears["terminal"].tries), "tried")
    await life.end()

    def gone(second: Life) -> None:
        second.panes = lambda *_: second.core.emit(  # type: ignore[method-assign]
            PanesSeen(second.core.stamp(), (), server_up=False)
        )

    second = await begin(start=life.wall, before=gone)
    await second.ticks(5)
    await second.until(lambda: bool(second.told("tmux-down")), "told")
    second.core.emit(PanesSeen(second.core.stamp(), (), server_up=True))
    await second.ticks(5)
    assert not second.alerts("tmux-down")
    second.core.emit(PanesSeen(second.core.stamp(), (), server_up=False))
    await second.ticks(5)
    assert not second.alerts("tmux-down"), "nobody was in it"


def left(*roles: Role, adopted: bool = False, session: str = "shop-") -> Callable[[Life], None]:
    """Let ``roles`` have been started before."""

    def known(life: Life) -> None:
        for role in roles:
            life.ledger.launches.save(
                Launch(
                    role=role,
                    session=f"{session}{role.lower()}",
                    pane_id="%9",
                    pid=life.pane(role).pid,
                    born="1",
                    client="sdk",
                    client_session="",
                    wall=life.wall,
                    adopted=adopted,
                )
            )

    return known


async def test_who_was_left_running_and_is_gone_is_told_by_the_next_life(begin: Begin) -> None:
    life = await begin(before=left(CODER, REVIEWER))
    await life.append(block(DIRECTOR, REVIEWER))
    await life.end()
    second = await begin(start=life.wall + 9000.0)
    await second.ticks(5)
    await second.until(lambda: bool(second.told("agent-dead")), "told")
    (alert,) = second.alerts("agent-dead")
    assert (alert.agent, alert.severity) == (REVIEWER, Severity.CRITICAL)
    assert "holds the light" in alert.message
    await second.end()
    third = await begin(start=second.wall)
    await third.ticks(5)
    assert [one.since_wall for one in third.alerts("agent-dead")] == [alert.since_wall], "the same one, told once"
    assert third.heard == []
    third.panes(CODER, REVIEWER)
    await third.ticks(3)
    assert third.alerts("agent-dead") == [], "it was only renamed, or is there again"


@pytest.mark.parametrize("why", ["adopted", "another session", "stopped", "never started"])
async def test_who_was_not_left_running_is_no_dead_agent(begin: Begin, why: str) -> None:
    known = {
        "adopted": left(REVIEWER, adopted=True),
        "another session": left(REVIEWER, session="old-"),
        "stopped": left(REVIEWER),
        "never started": left(),
    }[why]
    life = await begin(before=known)
    if why == "stopped":
        life.core.wish(StopRole(REVIEWER))
        await life.ticks(3)
    await life.append(block(DIRECTOR, REVIEWER))
    await life.end()
    second = await begin(start=life.wall)
    await second.ticks(5)
    assert second.alerts("agent-dead") == []


async def test_what_one_saw_die_stays_dead_for_the_next_life(begin: Begin) -> None:
    life = await begin()
    await life.append(block(DIRECTOR, CODER))
    await life.ticks(2)
    life.panes()  # its whole session is gone, which teamops did not make
    await life.ticks(5)
    await life.until(lambda: bool(life.told("agent-dead")), "told")
    await life.end()

    def nothing(second: Life) -> None:
        second.panes = lambda *_: second.core.emit(  # type: ignore[method-assign]
            PanesSeen(second.core.stamp(), (), server_up=True)
        )

    second = await begin(start=life.wall, before=nothing)
    await second.ticks(5)
    assert [alert.agent for alert in second.alerts("agent-dead")] == [CODER]
    assert second.heard == [], "once"


async def test_a_server_is_missed_no_more_when_all_that_were_in_it_are_stopped(begin: Begin) -> None:
    def gone(life: Life) -> None:
        life.panes = lambda *_: life.core.emit(  # type: ignore[method-assign]
            PanesSeen(life.core.stamp(), (), server_up=False)
        )

    life = await begin(before=left(CODER))
    await lose_tmux(life)
    await life.until(lambda: bool(life.told("tmux-down")), "told")
    await life.end()
    second = await begin(start=life.wall, before=gone)
    await second.ticks(5)
    assert second.alerts("tmux-down")
    second.core.wish(StopRole(CODER))
    await second.ticks(5)
    assert second.alerts("tmux-down") == [], "nobody else was ever started"


@pytest.mark.parametrize("stopped", [False, True])
async def test_a_server_that_went_while_nobody_looked_is_told(begin: Begin, *, stopped: bool) -> None:
    life = await begin(before=left(CODER))
    if stopped:
        life.core.wish(StopRole(CODER))
        await life.ticks(3)
    await life.end()

    def gone(second: Life) -> None:
        second.panes = lambda *_: second.core.emit(  # type: ignore[method-assign]
            PanesSeen(second.core.stamp(), (), server_up=False)
        )

    second = await begin(start=life.wall + 9000.0, before=gone)
    await second.ticks(5)
    if stopped:
        assert second.alerts("tmux-down") == []
        return
    await second.until(lambda: bool(second.told("tmux-down")), "told")
    assert len(second.heard) == 1, "one page, not one for each agent"
    edges = [edge for edge in second.ledger.days.states(0.0, second.wall) if edge.role == CODER]
    assert presence_of(edges[-1].state, edges[-1].evidence) is Presence.DOWN, "nobody took it away: it is down"
    assert second.alerts("agent-dead") == []


async def test_one_that_was_started_again_has_its_time_anew(begin: Begin) -> None:
    life = await begin(auto_poke=False, restart=RestartPolicy(when=RestartWhen.NEVER))
    await life.append(block(DIRECTOR, CODER))
    pane = life.pane(CODER)
    life.core.emit(PaneDied(life.core.stamp(), CODER, pane.pid, 1, None))
    gone = structs.replace(pane, dead=True, exit_status=1)
    life.core.emit(PanesSeen(life.core.stamp(), ((CODER, gone),), server_up=True))
    await life.ticks(800)
    await life.ticks(3)
    await life.ticks(5)
    await life.until(lambda: bool(life.told("agent-dead")), "told")
    life.core.emit(PanesSeen(life.core.stamp(), ((CODER, structs.replace(pane, pid=pane.pid + 9)),), server_up=True))
    await life.ticks(5)
    assert not life.alerts("agent-dead")
    assert not life.alerts("handoff-stale")
    await life.ticks(790)
    await life.ticks(3)
    assert life.alerts("handoff-stale")


async def test_what_one_place_has_taken_is_known_to_the_next_life(begin: Begin) -> None:
    half = Receipt(ok=False, message="1 of 2 took it", retry=True, parts=(("0-abcd", True),))
    life = await begin(before=deaf(answer=half))
    await call(life)
    await life.until(lambda: bool(life.ears["terminal"].tries), "tried")
    await life.end()
    second = await begin(start=life.wall)
    await second.until(lambda: bool(second.told("human-turn")), "told")
    assert [page.parts for page in second.told("human-turn")] == [(("0-abcd", True),)]


async def test_one_place_that_fails_for_good_keeps_nobody_from_being_told_again(begin: Begin) -> None:
    half = Receipt(ok=False, message="1 of 2 took it", parts=(("0-abcd", True), ("1-abcd", False)))
    life = await begin(before=deaf(answer=half), paging=PagingPolicy(group_wait_s=2.0, escalate_s=60.0))
    ear = life.ears["desktop"]
    await lose_tmux(life)

    def tries() -> list[Page]:
        return [page for page in ear.tries if page.keys == (("tmux-down", "server"),)]

    await life.until(lambda: len(tries()) > 1, "tried again")
    (first,) = {page.id for page in tries()}
    assert {page.parts for page in tries()[1:]} == {(("0-abcd", True),)}, "what was refused is tried again"
    assert [one.asked_wall is not None for one in life.ledger.alerts() if one.code == "tmux-down"] == [True]
    await life.ticks(3600)
    await life.ticks(3)
    await life.until(lambda: tries()[-1].id != first, "told again, as it would be without that place")
    assert first not in {left.page.id for left in life.ledger.outbox.waiting()}


async def test_a_page_that_waits_goes_out_in_the_next_life(begin: Begin) -> None:
    life = await begin(before=deaf())
    await call(life)
    await life.until(lambda: bool(life.ears["terminal"].tries), "tried")
    page = life.ears["desktop"].tries[0]
    await life.end()
    second = await begin()
    await second.until(lambda: bool(second.told("human-turn")), "told")
    assert second.told("human-turn") == [page]
    await second.ticks(60)
    assert len(second.told("human-turn")) == 1


async def test_a_kill_between_a_delivery_and_its_record_tells_the_same_page_once_more(begin: Begin) -> None:
    life = await begin()
    arrived: list[Page] = []

    async def killed(page: Page) -> Receipt:
        arrived.append(page)
        await asyncio.Event().wait()  # delivered, and never recorded
        raise AssertionError

    life.ears["desktop"].deliver = killed  # type: ignore[method-assign]
    await call(life)
    await life.until(lambda: bool(arrived), "delivered")
    await life.end()
    second = await begin()
    await second.until(lambda: bool(second.told("human-turn")), "told")
    ((name, again),) = second.heard
    assert (name, again.id) == ("desktop", arrived[0].id), "by the same channel, with the same id"
    assert again == replace(arrived[0], body=f"{arrived[0].body}\n{sending.PERHAPS}")
    tries = second.ledger._connection.execute("SELECT message FROM page_attempt ORDER BY id").fetchall()
    assert [row[0] for row in tries] == [CUT_OFF, "shown"]
    await second.end()
    third = await begin()
    await third.ticks(60)
    assert third.heard == []


async def test_a_channel_that_let_the_last_page_down_is_known_to_the_next_life(begin: Begin) -> None:
    life = await begin(before=deaf("desktop"))
    await call(life)
    await life.until(lambda: bool(life.heard), "told")
    await life.end()
    second = await begin(before=deaf("desktop"))
    await second.ticks(3)
    assert [alert.subject for alert in second.alerts("notify-failed")] == ["desktop"]


async def test_what_a_person_tries_by_hand_ends_the_alert(begin: Begin) -> None:
    life = await begin(before=deaf("desktop"))
    await call(life)
    await life.until(lambda: bool(life.told("human-turn")), "told")
    await life.ticks(3)
    assert life.alerts("notify-failed")
    theirs = open_ledger(life.folder / "state" / "ledger.sqlite3")
    page = life.told("human-turn")[0]
    theirs.outbox.end(page, theirs.outbox.begin(page, "desktop", life.wall), Receipt(ok=True, message="m"), life.wall)
    theirs.close()
    await life.ticks(3)
    assert not life.alerts("notify-failed")


async def test_what_waited_goes_out_when_a_person_has_mended_and_tried_a_channel(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "LAP_S", (1000.0,))
    life = await begin(before=deaf())
    await call(life)
    await life.until(lambda: bool(life.ears["terminal"].tries), "tried in vain")
    await life.ticks(3)
    life.ears["desktop"].answer = Receipt(ok=True, message="shown")
    theirs = open_ledger(life.folder / "state" / "ledger.sqlite3")
    trial = replace(life.ears["desktop"].tries[0], id="trial", transition=Transition.TRIED, keys=())
    theirs.outbox.tried(trial, [("desktop", Receipt(ok=True, message="m"))], life.wall)
    theirs.close()
    await life.ticks(3)
    await life.ticks(31)  # not two pages of one kind in so short a time
    await life.until(lambda: bool(life.told("human-turn")), "told, and not a thousand seconds later")


async def test_a_viewer_calls_nobody(begin: Begin) -> None:
    life = await begin(acting=False)
    await call(life)
    await life.ticks(5)
    assert life.alerts("human-turn")
    assert (life.heard, waiting(life)) == ([], [])


async def test_after_a_gap_nobody_is_called_before_the_world_was_looked_at(begin: Begin) -> None:
    life = await begin()
    life.core.emit(HandoffLost(life.core.stamp(), "there is no current.md", "make it"))
    await life.ticks(1)
    life.now += 30_000
    life.wall += 30_000
    life.core.emit(Ticked(life.clock.stamp(), 29_999.0))
    await life.core.next_round()
    life.read()
    await life.ticks(5)
    assert life.heard == []


async def test_the_cap_holds_over_a_restart(begin: Begin) -> None:
    policy = PagingPolicy(group_wait_s=2.0, cap=1)
    life = await begin(paging=policy)
    await call(life)
    await life.until(lambda: bool(life.heard), "told")
    await life.end()
    second = await begin(paging=policy)
    second.core.emit(HandoffLost(second.core.stamp(), "there is no current.md", "make it"))
    await second.ticks(5)
    await second.ticks(5)
    (held,) = second.alerts("handoff-lost")
    assert held.held(second.wall), "and says until when"
    assert second.heard == []
    second.core.emit(PanesSeen(second.clock.stamp(), (), server_up=False))
    await second.ticks(5)
    await second.until(lambda: bool(second.told("tmux-down")), "what is critical and new is told all the same")
    await second.end()
    third = await begin(paging=policy, restart=RestartPolicy(when=RestartWhen.NEVER))
    await third.append(block(HUMAN, CODER, minute=1))
    third.core.emit(PaneDied(third.clock.stamp(), CODER, third.pane(CODER).pid, 1, None))
    await third.ticks(5)
    await third.ticks(5)
    (held,) = third.alerts("agent-dead")
    assert (held.severity, held.held(third.wall)) == (Severity.CRITICAL, True), "a life before has taken that place"
    assert third.heard == []


# answers


@pytest.mark.parametrize(
    ("button", "state", "silenced"),
    [
        pytest.param(Button.ACK, AlertState.ACKED, False, id="seen"),
        pytest.param(Button.SILENCE_15M, AlertState.FIRING, True, id="silenced"),
        pytest.param(Button.SILENCE, AlertState.FIRING, True, id="until it is over"),
    ],
)
async def test_an_answer_is_done(begin: Begin, button: Button, state: AlertState, *, silenced: bool) -> None:
    life = await begin()
    await call(life)
    await life.until(lambda: bool(life.heard), "told")
    page = life.heard[0][1]
    life.ears["desktop"].hear(Answer(page=page.id, keys=page.keys, button=button, channel="desktop"))
    await life.ticks(1)
    (alert,) = life.alerts("human-turn")
    assert (alert.state, alert.silenced(life.wall)) == (state, silenced)
    (stored,) = [one for one in life.ledger.alerts() if one.code == "human-turn"]
    assert (stored.state, stored.silence) == (alert.state, alert.silence)
    assert f"you answered by desktop: {button}" in notes(life)


async def test_a_poke_is_sent_for_the_agent_it_is_about(begin: Begin) -> None:
    life = await begin(auto_poke=False)
    await life.append(block(DIRECTOR, CODER))
    await life.ticks(800)
    await life.ticks(5)
    await life.until(lambda: bool(life.told("handoff-stale")), "told")
    page = life.told("handoff-stale")[0]
    life.ears["desktop"].hear(Answer(page=page.id, keys=page.keys, button=Button.POKE, channel="desktop"))
    await life.until(lambda: bool(life.hands.pokes), "poked")
    assert [(type(poke), poke.role) for poke in life.hands.pokes] == [(Poke, CODER)]
    assert life.alerts("handoff-stale")[0].state is AlertState.ACKED


async def test_a_viewer_s_answer_to_what_is_over_brings_nothing_back(begin: Begin) -> None:
    life = await begin()
    await call(life)
    viewer = await begin(acting=False, followed=True, start=life.wall)
    await viewer.ticks(2)
    (seen,) = viewer.alerts("human-turn")
    await life.append(block(HUMAN, CODER, minute=1))
    assert not life.alerts("human-turn")
    for intent in (AckAlert(*seen.key), SilenceAlert(*seen.key, None)):
        outcome = await viewer.core.wish(intent)
        assert (outcome.ok, outcome.message) == (False, "that alert is over")
    assert [one.state for one in life.ledger.alerts() if one.code == "human-turn"] == [AlertState.RESOLVED]


async def test_a_viewer_s_answer_is_heard(begin: Begin) -> None:
    life = await begin()
    await call(life)
    viewer = await begin(acting=False, followed=True, start=life.wall)
    await viewer.ticks(2)
    (seen,) = viewer.alerts("human-turn")
    assert (await viewer.core.wish(AckAlert(*seen.key))).ok
    await life.ticks(2)
    assert life.alerts("human-turn")[0].state is AlertState.ACKED


async def test_an_answer_that_comes_too_late_says_so(begin: Begin) -> None:
    life = await begin()
    life.ears["desktop"].hear(Answer(page="x", keys=(("human-turn", "t"),), button=Button.RESTART, channel="desktop"))
    await life.ticks(1)
    assert any("was not done: that alert is over" in text for text in notes(life))
    assert life.hands.done == []


async def test_resolved_is_told_once_where_that_is_wanted(begin: Begin) -> None:
    life = await begin(paging=PagingPolicy(group_wait_s=2.0, resolved=True))
    await call(life)
    await life.until(lambda: bool(life.heard), "told")
    await life.append(block(HUMAN, CODER, minute=1))
    await life.ticks(3)
    await life.until(lambda: len(life.told("human-turn")) == 2, "told that it is over")
    assert life.told("human-turn")[1].transition is Transition.RESOLVED
    await life.ticks(5)
    assert len(life.told("human-turn")) == 2
