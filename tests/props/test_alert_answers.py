"""Whatever a person says in another process, and when: nothing that is over comes back, and no word of theirs is lost.

Two real connections to one ledger: the supervisor, in which alerts live and which hears of others' words only now and
then, and a person's command, which reads an alert and stores its answer later.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec import structs

from teamops.domain import alerts as life
from teamops.domain.alert_rules import rule_of
from teamops.ledger.store import open_ledger
from teamops.model.alert import Alert, AlertState, Finding, Silence

KEY = ("dead", "CODER")
WALL = 1_000.0


class Answers(RuleBasedStateMachine):
    """One alert."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name) / "ledger.sqlite3"
        self.theirs, self.ours = open_ledger(path), open_ledger(path)
        self.wall = WALL
        self.mine: dict[tuple[str, str], Alert] = {}
        self.read: Alert | None = None
        self.acked_since: float | None = None
        """The firing that they were told is acknowledged."""
        self.silence: Silence | None = None
        """As their command last said that it is, for the present firing."""
        self.silenced_since: float | None = None

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.theirs.close()
            self.ours.close()
            self.folder.cleanup()

    @property
    def stored(self) -> Alert | None:
        return next(iter(self.ours.alerts()), None)

    # the supervisor

    @rule(
        seen=st.sampled_from([True, True, True, False]),
        word=st.sampled_from(["dead", "dead for long"]),
        hears=st.sampled_from([False, False, True]),
    )
    def a_round(self, seen: bool, word: str, hears: bool) -> None:
        """Look, and store what is new, with or without having heard what others wrote."""
        self.wall += 1.0
        if hears:
            for told in self.ours.alerts():
                self.mine[told.key] = life.heard(self.mine[told.key], told, self.wall)
        found = [Finding(code=KEY[0], subject=KEY[1], message=word, do="d")] if seen else []
        rules = {"dead": structs.replace(rule_of("agent-dead"), code="dead", for_s=0.0)}
        step = life.step(self.mine, found, self.wall, self.wall, rules=rules)
        self.mine = dict(step.alerts)
        self.ours.save_alerts(step.changed)

    # the person

    def they_look(self) -> None:
        self.read = next((alert for alert in self.theirs.alerts() if alert.open), None)

    @rule(what=st.sampled_from(["ack", "silence", "silence", "speak"]), looks=st.booleans())
    def they_answer(self, what: str, *, looks: bool) -> None:
        if looks:
            self.they_look()
        known, before = self.read, self.stored
        if known is None or before is None:
            return
        answered = {
            "ack": life.acknowledge(known, self.wall), "silence": life.silence(known, self.wall, None),
            "speak": life.speak(known),
        }[what]  # fmt: skip
        done = self.theirs.answer_alert(known, answered)
        assert done == (before.open and before.since_wall == known.since_wall), "they are told when it is over"
        if not done:
            assert self.stored == before, "and nothing is touched"
            return
        if answered.state is AlertState.ACKED:
            self.acked_since = known.since_wall
        if what != "ack" and answered.silence != known.silence:
            self.silence, self.silenced_since = answered.silence, known.since_wall

    # what holds

    @invariant()
    def nothing_comes_back_by_itself(self) -> None:
        mine = getattr(self, "mine", {}).get(KEY)
        if mine is None:
            return
        stored = self.stored
        assert stored is not None
        assert stored.since_wall == mine.since_wall
        assert stored.open == mine.open, "only its own life resolves it, or lets it fire"

    @invariant()
    def no_word_is_lost(self) -> None:
        stored = self.stored if hasattr(self, "mine") else None
        if stored is None or not stored.open:
            return
        if stored.since_wall == self.acked_since:
            assert stored.state is AlertState.ACKED
        if stored.since_wall == self.silenced_since:
            assert stored.silence == self.silence


Answers.TestCase.settings = settings(max_examples=80, stateful_step_count=25, deadline=None)
TestAnswers = Answers.TestCase
