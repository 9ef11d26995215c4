"""``teamops alerts`` as a person types it, and as an agent may not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from teamops.cli import alerts as alerts_command
from teamops.config.load import load
from teamops.domain.alert_rules import RULES
from teamops.ledger.store import open_ledger
from teamops.model.alert import Alert, AlertState
from teamops.model.errors import TeamopsError
from teamops.model.handoff import Severity
from teamops.model.role import CODER, REVIEWER, Role
from teamops.supervisor.lease import state_dir_of
from tests.terminal import Terminal

TOML = '[tmux]\nsocket_path = "s"\n[roles.CODER]\n[roles.REVIEWER]\n'


def alert(code: str, role: Role, state: AlertState = AlertState.FIRING, hidden_by: str = "") -> Alert:
    return Alert(
        code=code, subject=str(role), severity=Severity.WARNING, state=state, message=f"{role} is {code}", do="look",
        agent=role, since_wall=time.time() - 60, changed_wall=time.time() - 60, notify=True, hidden_by=hidden_by,
    )  # fmt: skip


class Project:
    """A project whose ledger has alerts, as a supervisor left them."""

    def __init__(self, root: Path) -> None:
        self.root, self.state = root, root / "state"
        (root / "teamops.toml").write_text(TOML, encoding="utf-8")
        (root / "current.md").touch()
        self.ledger = state_dir_of(load(root), self.state) / "ledger.sqlite3"
        with closing(open_ledger(self.ledger)) as ledger:
            ledger.save_alerts(
                [
                    alert("agent-dead", CODER),
                    alert("agent-silent", CODER, hidden_by="agent-dead"),
                    alert("agent-dead", REVIEWER),
                    alert("human-turn", REVIEWER, AlertState.RESOLVED),
                ]
            )

    def words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "teamops", "alerts", *words, "-C", str(self.root), "--state-dir", str(self.state)]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.words(*words), capture_output=True, text=True, timeout=60, check=False)

    def known(self, code: str, role: Role) -> Alert:
        with closing(open_ledger(self.ledger)) as ledger:
            return next(one for one in ledger.alerts() if one.key == (code, str(role)))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_person_acknowledges_an_alert_in_a_terminal(project: Project) -> None:
    with Terminal(project.words("ack", "agent-dead", "CODER"), cols=100) as terminal:
        terminal.wait_for("acknowledged: CODER is agent-dead")
        assert terminal.wait_end() == 0
    assert project.known("agent-dead", CODER).state is AlertState.ACKED
    assert project.known("agent-dead", REVIEWER).state is AlertState.FIRING


@pytest.mark.parametrize(
    ("words", "said", "seconds"),
    [
        pytest.param((), "silenced for 1h: CODER", 3600.0, id="an hour"),
        pytest.param(("--for", "15m"), "silenced for 15m: CODER", 900.0, id="15 minutes"),
        pytest.param(("--for", "until-resolved"), "silenced until-resolved: CODER", None, id="until resolved"),
    ],
)
def test_a_person_silences_it(project: Project, words: tuple[str, ...], said: str, seconds: float | None) -> None:
    with Terminal(project.words("silence", "agent-dead", "CODER", *words), cols=100) as terminal:
        terminal.wait_for(said)
        assert terminal.wait_end() == 0
    silence = project.known("agent-dead", CODER).silence
    assert silence is not None
    assert silence.until_wall == (None if seconds is None else silence.since_wall + seconds)
    with Terminal(project.words("silence", "agent-dead", "CODER", "--end"), cols=100) as terminal:
        terminal.wait_for("its silence has ended")
    assert project.known("agent-dead", CODER).silence is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ack", "agent-dead", "CODER"), "teamops alerts ack is the person's, and there is no terminal"),
        (("silence", "agent-dead", "CODER"), "teamops alerts silence is the person's, and there is no terminal"),
        (("silence", "agent-dead", "--for", "9m"), "'9m' is not one of '15m', '1h', 'until-resolved'"),
    ],
)
def test_what_is_refused(project: Project, words: tuple[str, ...], said: str) -> None:
    done = project.run(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert project.known("agent-dead", CODER).silence is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("ack", "agent-dead"), 'name its subject: "'),
        (("ack", "human-turn"), "that is over: REVIEWER is human-turn"),
        (("ack", "handoff-lost"), "no alert handoff-lost is open"),
        (("ack", "agent-dead", "NOBODY"), "which agent-dead"),
    ],
)
def test_which_alert_is_meant(project: Project, words: tuple[str, ...], said: str) -> None:
    with Terminal(project.words(*words), cols=140) as terminal:
        terminal.wait_for(said)
        assert terminal.wait_end() == 2


@pytest.mark.parametrize("act", ["ack", "silence"])
def test_an_agent_s_shell_quietens_nothing(project: Project, act: str) -> None:
    env = {**os.environ, "TEAMOPS_ROLE": "CODER"}
    with Terminal(project.words(act, "agent-dead", "CODER"), cols=120, env=env) as terminal:
        terminal.wait_for(f"teamops alerts {act} is the person's, and this is CODER's shell")
        assert terminal.wait_end() == 2
    left = project.known("agent-dead", CODER)
    assert (left.state, left.silence) == (AlertState.FIRING, None)


def test_every_alert_there_is_can_be_listed(project: Project) -> None:
    told = json.loads(project.run("--codes", "--json").stdout)
    assert told["schema"] == "teamops.alert-codes/1"
    assert [row["code"] for row in told["codes"]] == list(RULES)
    text = project.run("--codes").stdout
    for rule in RULES.values():
        assert rule.meaning in text
        assert rule.evidence in text


def test_what_needs_the_person_is_listed(tmp_path: Path) -> None:
    (tmp_path / "current.md").write_text(
        "### [DIRECTOR] 2026-03-28 14:30\n\n**Status**: done\n**Turn**: HUMAN\n**Tier**: 2\n**Task**: login\n\n"
        "#### For Human\nLook.\n",
        encoding="utf-8",
    )
    words = [sys.executable, "-m", "teamops", "alerts", "-C", str(tmp_path), "--state-dir", str(tmp_path / "state")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1, done.stderr
    assert "the team gives you the light of login" in done.stdout
    shown = json.loads(
        subprocess.run([*words, "--json"], capture_output=True, text=True, timeout=60, check=False).stdout
    )
    assert shown["schema"] == "teamops.alerts/1"
    (one,) = (row for row in shown["alerts"] if row["code"] == "human-turn")
    assert (one["state"], one["severity"], one["silenced"], one["hidden_by"]) == ("firing", "warning", False, None)


def test_where_nothing_is_remembered_there_is_nothing_to_acknowledge(tmp_path: Path) -> None:
    (tmp_path / "current.md").touch()
    words = [sys.executable, "-m", "teamops", "alerts", "ack", "human-turn", "-C", str(tmp_path)]
    with Terminal([*words, "--state-dir", str(tmp_path / "state")], cols=120) as terminal:
        terminal.wait_for("nothing is remembered of this project")
        assert terminal.wait_end() == 1


def test_what_is_over_before_the_answer_is_stored_stays_over(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    def change(known: Alert, wall: float) -> Alert:
        with closing(open_ledger(project.ledger)) as theirs:  # the supervisor, just now
            theirs.save_alerts([replace(known, state=AlertState.RESOLVED, changed_wall=wall)])
        return replace(known, state=AlertState.ACKED, changed_wall=wall)

    with pytest.raises(TeamopsError, match="that is over by now: CODER is agent-dead"):
        alerts_command._change(load(project.root), project.state, "agent-dead", "CODER", change, "acknowledged")
    assert project.known("agent-dead", CODER).state is AlertState.RESOLVED
    assert capsys.readouterr().out == ""
