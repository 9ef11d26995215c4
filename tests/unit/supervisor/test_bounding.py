"""The agents' boundaries on a real ledger: what is held, by whom, what was refused, and when that is an alert."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from teamops.config.settings import ProfileFile, SandboxMode, SandboxSettings
from teamops.domain.boundary_notices import FEW, MANY, SETTLED_S, SPENDING, WITHIN_S
from teamops.model.actions import By, Outcome, Start
from teamops.model.agent import Beat, BeatKind
from teamops.model.agent_report import Launch
from teamops.model.alert import AlertState
from teamops.model.boundary import NOT_HELD, BoundaryView, Decision, Held, Verdict
from teamops.model.events import BeatsSeen, PaneDied, PanesSeen
from teamops.model.pane import Pane
from teamops.model.role import CODER, DIRECTOR, REVIEWER, Role
from teamops.model.tail import Position
from teamops.supervisor.bounding import LOOK_TICKS, OFF, UNKNOWN
from teamops.supervisor.core import Core
from teamops.tmux.ending import born_of
from tests.unit.supervisor.life import Life

Begin = Callable[..., Awaitable[Life]]
PROFILES = Path(__file__).parents[3] / "profiles"
PID = os.getpid()
"""The agent: a process whose birth can be looked up."""


def profile_of(path: Path, role: Role) -> ProfileFile:
    return ProfileFile(path=path, role=role, name="")


def policed(life: Life, mode: SandboxMode = SandboxMode.AUTO) -> None:
    """Give each role its shipped profile."""
    settings = life.core.book.settings
    roles = tuple(
        replace(role, profile=profile_of(PROFILES / f"{role.role.lower()}.md", role.role)) for role in settings.roles
    )
    life.core.book.settings = replace(settings, roles=roles, sandbox=SandboxSettings(mode=mode))


async def team(begin: Begin, *, mode: SandboxMode = SandboxMode.AUTO, **kind: object) -> Life:
    """Begin a life whose roles have their profiles, without sessions so far."""
    life = await begin(**kind)
    policed(life, mode)
    await life.core.bounding.read()
    await life.ticks(1)
    return life


def become(life: Life, pid: int = PID, role: Role = CODER) -> None:
    """Let a process run in the role's pane."""
    pane = Pane(pane_id="%1", session=f"shop-{role.lower()}", pid=pid, tty="/dev/null")
    life.core.emit(PanesSeen(life.clock.stamp(), ((role, pane),), server_up=True))


def launched(life: Life, held: Held = NOT_HELD, *, adopted: bool = False, born: str = "", role: Role = CODER) -> Launch:
    launch = Launch(
        role=role,
        session="shop-coder",
        pane_id="%1",
        pid=PID,
        born=born or born_of(PID),
        client="claude",
        client_session="",
        wall=life.wall,
        adopted=adopted,
        held=held,
    )
    life.ledger.launches.save(launch)
    return launch


def decide(
    life: Life, verdict: Verdict = Verdict.DENY, *, role: Role = CODER, rule: str = "write.deny", age: float = 0.0,
    times: int = 1, known: bool = False,
) -> None:  # fmt: skip
    """Let a role's hook tell what it decided."""
    life.place = getattr(life, "place", 0) + 1  # type: ignore[attr-defined]
    wall = life.wall - age
    decision = Decision(role=role, wall=wall, verdict=verdict, rule=rule, about="src/a.py", why="not yours")
    beats = (Beat(role=role, wall=wall, kind=BeatKind.HOOK, hook="Denied", decision=decision),) * times
    position = Position(f"{role}/hooks", 1, 1, life.place)  # type: ignore[attr-defined]
    told: tuple[tuple[Beat, ...], ...] = ((), beats) if known else (beats, ())
    life.core.emit(BeatsSeen(life.clock.stamp(), told[0], position, known=told[1]))


async def shown(life: Life, role: Role = CODER, ticks: int = 1) -> BoundaryView:
    snapshot = await life.ticks(1)
    for _ in range(ticks - 1):  # each a round of its own
        snapshot = await life.ticks(1)
    view = next(agent.boundary for agent in snapshot.agents if agent.role == role)
    assert view is not None
    return view


async def test_each_agent_shows_its_policy_in_words(begin: Begin) -> None:
    life = await team(begin)
    assert (await shown(life, REVIEWER)).words == (
        "may write: /current.md, /reviews/; never: /profiles/, /.teamops/, /.git/; only while it holds the light"
    )
    view = await shown(life)
    assert (view.kernel, view.hook, view.unenforced) == ("", False, "")  # nothing runs: nobody is held or not


async def test_nobody_is_said_to_be_unheld_before_its_policy_is_known(begin: Begin) -> None:
    life = await begin()
    become(life)
    assert (await shown(life)).unenforced == ""
    await life.core.bounding.read()
    assert (await shown(life)).unruled
    policed(life)
    await life.core.bounding.read()
    assert (await shown(life)).unenforced


async def test_a_profile_that_can_t_be_used_says_so(begin: Begin, tmp_path: Path) -> None:
    life = await begin()
    broken = tmp_path / "coder.md"
    broken.write_text("---\nrole: [\n", encoding="utf-8")
    settings = life.core.book.settings
    life.core.book.settings = replace(
        settings, roles=tuple(replace(role, profile=profile_of(broken, role.role)) for role in settings.roles)
    )
    await life.core.bounding.read()
    view = await shown(life)
    assert view.words.startswith("may write: nothing; its profile can't be used: ")
    assert "\n" not in view.words


async def test_what_was_started_within_its_boundary_is_held_and_no_alert(begin: Begin) -> None:
    life = await team(begin)
    launched(life, Held(kernel="bwrap + Landlock", hooked=True))
    life.core.bounding.load(life.core.book)
    become(life)
    view = await shown(life, ticks=int(SETTLED_S) + 2)
    assert (view.kernel, view.hook, view.unenforced) == ("bwrap + Landlock", True, "")
    assert life.alerts("boundary-unenforced") == []
    life.core.emit(PaneDied(life.clock.stamp(), CODER, PID, 0, None))
    view = await shown(life)
    assert (view.kernel, view.hook) == ("", False)


@pytest.mark.parametrize("how", ["by hand", "adopted", "without means", "another's pid"])
async def test_what_nothing_holds_says_why_and_is_an_alert_once(begin: Begin, how: str) -> None:
    life = await team(begin)
    why = "sandbox-exec is missing" if how == "without means" else UNKNOWN
    if how == "adopted":
        launched(life, Held(unheld=UNKNOWN), adopted=True)
    elif how != "by hand":
        kernel = "bwrap + Landlock" if how == "another's pid" else ""
        launched(life, Held(kernel=kernel, unheld=why), born="before" if how == "another's pid" else "")
    life.core.bounding.load(life.core.book)
    become(life)
    view = await shown(life)
    assert (view.kernel, view.hook) == ("", False)
    assert view.unenforced == f"{why}; no hook of its client has asked so far"
    assert life.alerts("boundary-unenforced") == []  # another process may be about to store that it started it
    await shown(life, ticks=int(SETTLED_S))
    (alert,) = life.alerts("boundary-unenforced")
    assert (alert.agent, alert.notify) == (CODER, False)
    assert alert.do.startswith("see what" if how == "without means" else "restart CODER")
    decide(life, Verdict.ALLOW)
    view = await shown(life, ticks=2)
    assert (view.hook, view.unenforced) == (True, "")
    assert life.alerts("boundary-unenforced") == []
    # Another process in its place has asked nothing so far.
    become(life, os.getppid())
    view = await shown(life)
    assert (view.hook, bool(view.unenforced)) == (False, True)


async def test_nothing_is_said_where_the_person_turned_it_off_or_the_role_has_no_profile(begin: Begin) -> None:
    life = await team(begin, mode=SandboxMode.OFF)
    become(life)
    view = await shown(life, ticks=int(SETTLED_S) + 3)
    assert (view.unenforced, view.waived) == (f"{OFF}; no hook of its client has asked so far", True)
    assert life.alerts("boundary-unenforced") == []
    life = await begin()
    await life.core.bounding.read()
    become(life)
    view = await shown(life, ticks=int(SETTLED_S) + 3)
    assert (view.unruled, view.unenforced) == (True, "")
    assert life.alerts("boundary-unenforced") == []


async def test_what_another_process_started_is_found_in_the_ledger(begin: Begin) -> None:
    life = await team(begin)
    become(life)
    assert (await shown(life)).unenforced
    launched(life, Held(kernel="Landlock alone"))
    view = await shown(life, ticks=LOOK_TICKS)
    assert (view.kernel, view.unenforced) == ("Landlock alone", "")


async def test_what_this_one_starts_is_known_at_once_and_its_policy_read_anew(begin: Begin, tmp_path: Path) -> None:
    life = await team(begin)
    own = tmp_path / "coder.md"
    own.write_text((PROFILES / "coder.md").read_text(encoding="utf-8"), encoding="utf-8")
    settings = life.core.book.settings
    roles = tuple(
        replace(role, profile=profile_of(own, CODER)) if role.role == CODER else role for role in settings.roles
    )
    life.core.book.settings = replace(settings, roles=roles)
    become(life)
    text = own.read_text(encoding="utf-8")
    assert 'allow: ["*"]' in text
    own.write_text(text.replace('allow: ["*"]', 'allow: ["/src/"]', 1), encoding="utf-8")
    held = Held(kernel="bwrap alone", hooked=True)
    life.hands.answer = Outcome(ok=True, message="started", evidence=f"pane %1 pid {PID}", held=held)
    outcome = await life.core.acts.begin(Start(role=CODER, by=By.PERSON))
    assert outcome.ok
    view = await shown(life)
    assert (view.kernel, view.hook, view.allow) == ("bwrap alone", True, ("/src/",))
    assert life.ledger.launches.all()[CODER].held == held


async def test_refusals_are_counted_for_the_day_and_outlive_the_supervisor(begin: Begin) -> None:
    life = await team(begin)
    decide(life)
    decide(life, Verdict.ALLOW)
    decide(life, Verdict.WARN)
    decide(life, age=2 * 86400.0)
    decide(life, known=True)  # an earlier life has counted it
    view = await shown(life)
    assert view.blocked == 1
    assert view.last_blocked is not None
    assert view.last_blocked.about == "src/a.py"
    again = await team(begin)
    before = await shown(again)
    assert before.blocked == 1
    assert before.last_blocked is not None
    assert (before.last_blocked.verdict, before.last_blocked.rule) == (Verdict.DENY, "write.deny")
    decide(again, role=REVIEWER)
    assert ((await shown(again)).blocked, (await shown(again, REVIEWER)).blocked) == (1, 1)
    again.wall += 86400.0
    assert (await shown(again)).blocked == 0
    assert (await shown(again)).last_blocked is not None


@pytest.mark.parametrize("followed", [True, False])
async def test_a_viewer_counts_too_and_tells_what_nobody_stores(begin: Begin, *, followed: bool) -> None:
    acting = await team(begin)
    decide(acting)
    await acting.ticks(1)
    life = await team(begin, acting=False, followed=followed)
    life.core.book.supervisor = structs.replace(life.core.book.supervisor, pid=1 if followed else None)
    decide(life, times=3)
    decide(life, role=REVIEWER)
    decide(life, Verdict.ALLOW)
    assert (await shown(life)).blocked == 4
    # Where another one acts, it is that one who stores it.
    told = [CODER] if followed else [REVIEWER, CODER, CODER, CODER, CODER]
    assert [one.role for one in life.core.decisions()] == told
    assert [one.role for one in life.core.decisions(REVIEWER)] == told[: 0 if followed else 1]
    report = await life.core.agent_report(CODER)
    assert len(report.refused) == (1 if followed else 4)
    assert life.ledger.boundaries.blocked_since(0.0) == {CODER: 1}


async def test_an_agent_that_runs_into_its_boundary_again_and_again_is_one_alert(begin: Begin) -> None:
    life = await team(begin)
    decide(life, times=MANY - 1)
    await life.ticks(3)
    assert life.alerts("boundary-refused") == []
    decide(life)
    decide(life, rule=SPENDING)
    await life.ticks(3)
    (alert,) = life.alerts("boundary-refused")
    assert (alert.agent, alert.state, alert.notify) == (CODER, AlertState.FIRING, False)
    assert "by write.deny: src/a.py" in alert.message
    for _ in range(5):
        decide(life, rule="commands.deny", times=20)
        await life.ticks(1)
    assert [one.message for one in life.alerts("boundary-refused")] == [alert.message]
    # The next life knows that it lasts; it ends by itself.
    again = await team(begin)
    assert [one.since_wall for one in again.alerts("boundary-refused")] == [alert.since_wall]
    await again.ticks(int(WITHIN_S) + 2)
    assert again.alerts("boundary-refused") == []
    decide(again, times=FEW)
    await again.ticks(3)
    assert again.alerts("boundary-refused") == []


async def test_what_a_spent_budget_refuses_is_recorded_and_no_flood(begin: Begin) -> None:
    life = await team(begin)
    decide(life, rule=SPENDING, times=3 * MANY)
    view = await shown(life, ticks=3)
    assert view.blocked == 3 * MANY
    assert view.last_blocked is not None
    assert view.last_blocked.why == "not yours"
    assert life.alerts("boundary-refused") == []
    assert life.core.decisions(CODER)[0].times == 3 * MANY
    assert life.core.decisions(DIRECTOR) == ()


async def test_a_round_draws_nothing_of_boundaries_that_stand_still(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = await team(begin)
    launched(life, Held(kernel="bwrap + Landlock", hooked=True))
    life.core.bounding.load(life.core.book)
    become(life)
    await life.ticks(2)
    drawn: list[Role] = []
    monkeypatch.setattr(type(life.core.bounding), "_draw", lambda _self, _book, role: drawn.append(role))
    become(life)
    decide(life, Verdict.ALLOW)
    await life.ticks(3)
    assert drawn == [CODER]  # its first decision
    assert isinstance(life.core, Core)
