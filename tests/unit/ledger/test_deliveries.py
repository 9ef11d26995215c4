"""How far each poke has come, as two processes store it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from teamops.ledger.store import Ledger, open_ledger
from teamops.model.actions import By, Outcome, Poke
from teamops.model.agent_report import Delivery, DeliveryStage
from teamops.model.role import CODER

WALL = 1_775_000_000.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite3"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    opened = open_ledger(path)
    yield opened
    opened.close()


def begun(ledger: Ledger, *, light: str = "light a#1") -> Delivery:
    action = ledger.begin_action(Poke(role=CODER, text="do it", by=By.RULE, reason=light), WALL)
    return Delivery(action_id=action, role=CODER, text="do it", by=By.RULE, light=light, attempt=1, decided_wall=WALL)


def test_each_stage_is_told_again_as_it_was_stored(ledger: Ledger, path: Path) -> None:
    decided = begun(ledger)
    typed = replace(decided, typed_wall=WALL + 1)
    accepted = replace(typed, accepted_wall=WALL + 2, proof="hook UserPromptSubmit")
    working = replace(accepted, working_wall=WALL + 3, over=True)
    for one in (decided, typed, accepted, working):
        ledger.deliveries.save(one)
        with_others = open_ledger(path)
        assert with_others.deliveries.about("light a#1", CODER) == [one]
        assert with_others.deliveries.open_ones() == ([] if one.over else [one])
        with_others.close()


def test_a_step_that_one_process_has_stored_is_not_taken_back_by_another(ledger: Ledger) -> None:
    decided = begun(ledger)
    accepted = replace(decided, typed_wall=WALL + 1, accepted_wall=WALL + 2, proof="transcript")
    ledger.deliveries.save(accepted)
    ledger.deliveries.save(replace(decided, typed_wall=WALL + 5))
    ledger.deliveries.save(replace(decided, typed_wall=WALL + 5, accepted_wall=WALL + 6, proof="status busy"))
    ledger.deliveries.save(replace(decided, refused="cut off", over=True))
    (told,) = ledger.deliveries.of(CODER, 9)
    assert told == replace(accepted, over=True)


def test_what_was_half_typed_and_then_taken_is_no_more_refused(ledger: Ledger) -> None:
    half = replace(begun(ledger), typed_wall=WALL + 1, refused="typed but not submitted", over=True)
    ledger.deliveries.save(half)
    assert ledger.deliveries.of(CODER, 9)[0].stage is DeliveryStage.REFUSED
    ledger.deliveries.save(replace(half, accepted_wall=WALL + 9, proof="hook", refused=""))
    (told,) = ledger.deliveries.of(CODER, 9)
    assert (told.stage, told.refused) == (DeliveryStage.ACCEPTED, "")


def test_another_processs_writing_is_noticed_once(ledger: Ledger, path: Path) -> None:
    assert ledger.deliveries.changed()
    assert not ledger.deliveries.changed()
    ledger.deliveries.save(begun(ledger))
    assert not ledger.deliveries.changed()
    other = open_ledger(path)
    other.deliveries.save(begun(other))
    other.close()
    assert ledger.deliveries.changed()


def test_the_log_tells_what_was_taken_and_what_was_not(ledger: Ledger) -> None:
    taken = replace(begun(ledger), typed_wall=WALL + 1, accepted_wall=WALL + 1.9, proof="transcript")
    lost = replace(begun(ledger), typed_wall=WALL + 3, over=True)
    waiting = replace(begun(ledger), typed_wall=WALL + 4)
    refused = replace(begun(ledger), refused="a dialog is open", over=True)
    for one in (taken, lost, waiting, refused):
        ledger.deliveries.save(one)
        ledger.finish_action(one.action_id, Outcome(ok=True, message="typed and submitted"), WALL)
    told = [(line.wall, line.text, line.ok) for line in ledger.log(50) if "client" in line.text]
    assert told == [
        (WALL + 3, "poke: nothing shows that its client took it", False),
        (WALL + 1.9, "poke: taken by its client after 1.9 s (transcript)", True),
    ]
