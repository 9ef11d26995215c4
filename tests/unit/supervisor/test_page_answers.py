"""A button of a notification is an act of the person, and is refused what the screen's key is refused."""

from __future__ import annotations

from pathlib import Path

from teamops.model.agent import ClientStatus
from teamops.model.alert import AlertState
from teamops.model.events import StatusSeen
from teamops.model.page import Answer, Button
from teamops.model.role import CODER, DIRECTOR
from tests.unit.supervisor.life import Life, block


async def test_a_question_is_not_answered_by_a_poke(tmp_path: Path) -> None:
    life = Life(tmp_path, auto_poke=False)
    life.handoff.touch()
    await life.begin(CODER)
    try:
        await life.append(block(DIRECTOR, CODER))
        await life.ticks(800)
        await life.ticks(5)
        await life.until(lambda: bool(life.told("handoff-stale")), "told")
        page = life.told("handoff-stale")[0]
        life.core.emit(StatusSeen(life.clock.stamp(), CODER, ClientStatus.WAITING, "permission prompt"))
        await life.ticks(2)
        answer = Answer(page=page.id, keys=page.keys, button=Button.POKE, channel="desktop")
        life.ears["desktop"].hear(answer)
        await life.ticks(2)
        assert life.hands.pokes == []
        why = "your poke was not done: CODER waits at a question: a line and Enter would answer it"
        assert why in [line.text for line in life.core.book.log if line.kind == "page" and not line.ok]
        assert life.alerts("handoff-stale")[0].state is AlertState.FIRING, "nothing was done about it"
        life.core.emit(StatusSeen(life.clock.stamp(), CODER, ClientStatus.IDLE))
        await life.ticks(2)
        life.ears["desktop"].hear(answer)
        await life.until(lambda: bool(life.hands.pokes), "poked")
        assert life.alerts("handoff-stale")[0].state is AlertState.ACKED
    finally:
        await life.end()
