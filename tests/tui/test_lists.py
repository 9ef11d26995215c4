"""Lists that grow at their head while a person reads them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from teamops.model.alert import AlertState
from teamops.model.snapshot import LogLine
from tests.tui.conftest import MakeApp
from tests.tui.fake_port import FakePort
from tests.tui.lines import lines_on, settle, text_on


def events(first: int, last: int) -> tuple[LogLine, ...]:
    return tuple(LogLine(1_700_000_000.0 + number, "state", f"event {number}") for number in range(last, first - 1, -1))


async def test_the_events_follow_the_newest_until_a_person_goes_down(make_app: MakeApp, port: FakePort) -> None:
    port.publish(log=events(1, 40))
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("4")
        for last in (41, 47, 60):
            port.publish(log=events(1, last))
            await settle(pilot)
        assert app.desk.events.row == port.now.log[0]
        assert "event 60" in text_on(app), "the newest is in sight"
        assert "event 40" not in text_on(app)


async def test_an_event_being_read_stays_where_it_stands(make_app: MakeApp, port: FakePort) -> None:
    port.publish(log=events(1, 100))
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("4", *["down"] * 30)
        await settle(pilot)
        place = next(y for y, line in enumerate(lines_on(app)) if "event 70" in line)
        for log in (events(1, 103), events(20, 119), events(60, 159)):  # it grows, then it is full and slides
            port.publish(log=log)
            await settle(pilot)
            assert app.desk.events.row == structs.replace(log[0], wall=1_700_000_070.0, text="event 70")
            assert "event 70" in lines_on(app)[place]


async def test_a_new_alert_is_seen_and_the_chosen_one_stays_chosen(make_app: MakeApp, port: FakePort) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("3")
        chosen = app.desk.alert
        newer = replace(port.now.alerts[0], code="handoff-lost", subject="file", message="current.md is gone.")
        port.publish(alerts=(newer, *port.now.alerts))
        await settle(pilot)
        assert app.desk.alert == chosen
        assert "current.md is gone." in text_on(app)
        await pilot.press("1")
        port.publish(alerts=(replace(newer, code="tmux-down"), *port.now.alerts))
        await settle(pilot)
        await pilot.press("3")
        assert app.desk.alert == port.now.alerts[0], "who comes to the alerts comes to the newest"


async def test_an_alert_that_is_over_says_since_when(make_app: MakeApp, port: FakePort) -> None:
    alert = replace(port.now.alerts[0], state=AlertState.RESOLVED, changed_wall=port.now.stamp.wall - 8)
    port.publish(alerts=(alert,))
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await pilot.press("3")
        await settle(pilot)
        assert "over 8s" in text_on(app), "not since it came, 95 s ago"
        await pilot.press("enter")
        await settle(pilot)
        assert "over since 2026-03-28 14:47:04, came 2026-03-28 14:45:37" in text_on(app)


async def test_a_block_being_read_is_not_taken_away(make_app: MakeApp, port: FakePort) -> None:
    blocks = port.now.blocks
    port.publish(blocks=blocks[:-1])
    app = make_app()
    async with app.run_test(size=(80, 20)) as pilot:
        await settle(pilot)
        port.texts[len(blocks) - 2] = "\n\n".join(f"line {number}" for number in range(50))
        await pilot.press("2", "left", "right", "down", "down")
        await settle(pilot)
        read = app.desk.handoff.block
        port.publish(blocks=blocks)
        await settle(pilot)
        assert app.desk.handoff.block == read
        await pilot.press("full_stop")
        await settle(pilot)
        assert app.desk.handoff.block == blocks[-1]


async def test_an_empty_list_is_drawn_once(make_app: MakeApp, port: FakePort, monkeypatch: pytest.MonkeyPatch) -> None:
    port.publish(alerts=())
    app = make_app()
    async with app.run_test(size=(120, 36)) as pilot:
        await settle(pilot)
        drawn: list[str] = []
        monkeypatch.setattr(app.desk.alerts, "redraw", lambda: drawn.append("alerts"))
        for _ in range(3):
            port.tick()
            await settle(pilot)
        assert drawn == []
