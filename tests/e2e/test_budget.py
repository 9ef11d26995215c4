"""``teamops budget`` as a person types it, and as an agent may not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.guard import holds
from teamops.ledger.store import open_ledger
from teamops.model.budget import BudgetHold, Cause
from teamops.model.role import CODER
from teamops.model.tail import Position
from teamops.model.usage import Tokens, Usage
from teamops.supervisor.lease import state_dir_of
from tests.terminal import Terminal

TOML = """\
project = "shop"
[tmux]
socket_path = "s"
[budget]
timezone = "UTC"
[roles.CODER]
[roles.CODER.budget]
day_usd = 5
"""


class Project:
    """A project whose CODER has spent five dollars and two cents today, and is held for that."""

    def __init__(self, root: Path) -> None:
        self.root, self.state = root, root / "state"
        (root / "teamops.toml").write_text(TOML, encoding="utf-8")
        (root / "current.md").touch()
        self.folder = state_dir_of(load(root), self.state)
        self.gate = Path(holds.path_of(str(self.folder), CODER))
        wall = time.time()
        usage = Usage(wall=wall, model="m", tokens=Tokens(1, 1), client="claude", cost_usd=Decimal("5.02"))
        with closing(open_ledger(self.folder / "ledger.sqlite3")) as ledger:
            ledger.budgets.rules = load(root).budgets
            ledger.add_usage(CODER, [(usage, usage.cost_usd)], Position("t", 1, 1, 1), wall)
        holds.hold(str(self.folder), CODER, "held: spent", wall)

    def words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "teamops", "budget", *words, "-C", str(self.root), "--state-dir", str(self.state)]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.words(*words), capture_output=True, text=True, timeout=60, check=False)

    def holds(self) -> list[BudgetHold]:
        with closing(open_ledger(self.folder / "ledger.sqlite3")) as ledger:
            return ledger.budgets.open_holds()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_show_says_who_is_held(project: Project) -> None:
    done = project.run("show", "--json")
    told = json.loads(done.stdout)
    assert told["schema"] == "teamops.budget/1"
    (line,) = (line for line in told["budgets"] if line["scope"] == "CODER")
    assert (line["day_usd"], line["day_limit_usd"], line["level"]) == ("5.02", "5", "hard")
    assert line["hold"]["cause"] == Cause.BUDGET.value
    text = project.run("show").stdout
    assert "CODER is held since " in text
    assert "nobody supervises" in text


def test_a_person_lifts_it_in_a_terminal(project: Project) -> None:
    with Terminal(project.words("lift", "CODER", "--day-usd", "5"), cols=100) as terminal:
        assert terminal.wait_end(30) == 1
        assert "CODER has spent $5.02 today: $5.00 would stop it at once" in terminal.text(history=True)
    assert project.gate.exists()
    with Terminal(project.words("lift", "coder", "--day-usd", "$9"), cols=100) as terminal:
        assert terminal.wait_end(30) == 0
        assert "CODER may spend $9.00 today" in terminal.text(history=True)
    assert project.holds() == []
    assert not project.gate.exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("lift", "CODER", "--day-usd", "many"), "--day-usd is an amount of dollars"),
        (("lift", "CODER", "--day-usd", "-1"), "--day-usd is an amount of dollars"),
        (("lift", "NOBODY", "--day-usd", "9"), '"NOBODY" is no role of this team'),
        (("lift", "CODER", "--day-usd", "9"), "teamops budget lift is the person's, and there is no terminal"),
        (("stop", "CODER"), "budget stop asks before it acts"),
    ],
)
def test_wrong_use_changes_nothing(project: Project, words: tuple[str, ...], says: str) -> None:
    done = project.run(*words)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(project.holds()) == 1
    assert project.gate.exists()


def test_an_agent_s_shell_lifts_nothing(project: Project) -> None:
    env = {**os.environ, "TEAMOPS_ROLE": "CODER"}
    with Terminal(project.words("lift", "CODER", "--day-usd", "9"), cols=120, env=env) as terminal:
        assert terminal.wait_end(30) == 2
        said = " ".join(terminal.text(history=True).split())
        assert "teamops budget lift is the person's, and this is CODER's shell" in said
    assert project.gate.exists()
    assert len(project.holds()) == 1
