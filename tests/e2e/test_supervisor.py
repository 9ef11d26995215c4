"""The supervisor on real parts: a real project folder, a real tmux server, a real ledger."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.handoff.appending import append
from teamops.handoff.write import render_block
from teamops.ledger.store import open_ledger
from teamops.model.agent import AgentState, EvidenceKind
from teamops.model.alert import AlertState
from teamops.model.clock import Stamp
from teamops.model.role import CODER, DIRECTOR, HUMAN, NONE, Role
from teamops.model.snapshot import AckAlert, LightState, PokeRole, RestartRole, Snapshot, SupervisorPort
from teamops.supervisor.lease import state_dir_of
from teamops.supervisor.thread import SupervisorThread
from teamops.supervisor.visiting import look
from tests.model_server import model_server
from tests.tui.port_contract import PortContract

pytestmark = [pytest.mark.tmux]

DEADLINE_S = 20.0
TOML = """\
project = "shop"

[tmux]
socket_path = "s"

[notify]
desktop = false

[limits]
{limits}

[roles.DIRECTOR]
client = "command"
command = ["cat"]

[roles.CODER]
client = "sdk"
command = ["cat"]
"""


def block(turn: Role, task: str = "login", *, status: str = "done") -> str:
    from datetime import datetime

    return render_block(
        DIRECTOR,
        datetime(2026, 3, 28, 14, 30),  # noqa: DTZ001 - naive by the protocol
        status,
        turn,
        2,
        task=task,
        sections=[("What I Did", "Designed it."), (f"For {turn.capitalize()}", "Build it.")],
    )


class Project:
    """A project folder with its own tmux server, supervised by as many supervisors as a test likes."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "p"
        self.state = folder / "state"
        self.handoff = self.root / "current.md"
        self.socket = self.root / "s"
        self.root.mkdir()

    def configure(self, limits: str = "") -> None:
        (self.root / "teamops.toml").write_text(TOML.format(limits=limits), encoding="utf-8")

    def tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", str(self.socket), "-f", "/dev/null", *words], capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    def begin_session(self, role: Role, command: str = "exec cat") -> None:
        self.tmux("new-session", "-d", "-s", f"shop-{role.lower()}", command, ";", "set", "-w", "remain-on-exit", "on")

    def supervisor(self) -> SupervisorThread:
        return SupervisorThread(load(self.root), state_dir=self.state, ring=lambda _: True)

    @contextmanager
    def supervised(self) -> Iterator[SupervisorThread]:
        thread = self.supervisor()
        thread.start()
        try:
            yield thread
        finally:
            thread.stop()
            assert thread.failed == ""


def wait(port: SupervisorPort, wanted: Callable[[Snapshot], bool], what: str) -> Snapshot:
    """Return the first snapshot for which ``wanted`` holds."""
    there = threading.Event()

    def take(snapshot: Snapshot) -> None:
        if wanted(snapshot):
            there.set()

    end = port.subscribe(take)
    try:
        take(port.snapshot())
        if not there.wait(DEADLINE_S):
            pytest.fail(f"not seen: {what}\n{port.snapshot()}")
    finally:
        end()
    return port.snapshot()


def agent_is(role: Role, *states: AgentState) -> Callable[[Snapshot], bool]:
    return lambda snapshot: any(agent.role == role and agent.state in states for agent in snapshot.agents)


@pytest.fixture
def project(short_dir: Path) -> Iterator[Project]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is missing")
    made = Project(short_dir)
    made.configure()
    append(made.handoff, block(CODER))
    yield made
    made.tmux("kill-server")


class TestPort(PortContract):
    """The real supervisor keeps the contract that the screen's tests rely on."""

    @pytest.fixture
    def project(self, short_dir: Path) -> Iterator[Project]:
        made = Project(short_dir)
        made.configure()
        append(made.handoff, block(CODER))
        made.begin_session(DIRECTOR)
        spool = made.root / ".teamops" / "spool" / DIRECTOR
        spool.mkdir(parents=True)
        told = {"t": time.time(), "kind": "hook", "hook": "Denied", "verdict": "deny", "rule": 'write.deny "*.py"',
                "about": "src/\x1b[2J\u202ea.py", "why": "DIRECTOR may not\nchange it"}  # fmt: skip
        (spool / "hooks.jsonl").write_text(json.dumps(told) + "\n", encoding="utf-8")
        yield made
        made.tmux("kill-server")

    @pytest.fixture
    def port(self, project: Project) -> Iterator[SupervisorPort]:
        self.project_of_port = project
        with project.supervised() as thread:
            wait(thread, lambda snapshot: snapshot.ready, "ready")
            refused = lambda seen: any(one.boundary and one.boundary.blocked for one in seen.agents)  # noqa: E731
            wait(thread, refused, "what was refused")
            yield thread

    def change(self, port: SupervisorPort) -> None:  # noqa: ARG002 - the contract's signature
        append(self.project_of_port.handoff, block(DIRECTOR))


def test_an_orderly_end_is_on_record_to_the_last_round(project: Project) -> None:
    with project.supervised() as port:
        begun = wait(port, lambda snapshot: snapshot.ready, "ready").stamp
        wait(port, lambda snapshot: snapshot.stamp.now >= begun.now + 2.0, "some rounds")
    with closing(open_ledger(state_dir_of(load(project.root), project.state) / "ledger.sqlite3")) as ledger:
        ((since, until),) = ledger.days.watched(0.0, 2e12)
    assert since <= begun.wall + 1.0
    assert until >= begun.wall + 1.0


def test_the_first_look_tells_light_agents_and_who_acts(project: Project) -> None:
    project.begin_session(DIRECTOR)
    with project.supervised() as thread:
        snapshot = wait(thread, lambda seen: seen.ready and bool(seen.lights), "a light")
        (light,) = snapshot.lights
        assert (light.task, light.role, light.tier, light.stage) == ("login", CODER, 2, "implement")
        assert snapshot.supervisor.acting
        assert snapshot.supervisor.pid == os.getpid()
        states = {agent.role: agent.pid is not None for agent in snapshot.agents}
        assert states == {DIRECTOR: True, CODER: False}


def test_an_appended_block_moves_the_light(project: Project) -> None:
    with project.supervised() as thread:
        wait(thread, lambda seen: seen.ready and len(seen.lights) == 1, "the first light")
        append(project.handoff, block(HUMAN, "other"))
        snapshot = wait(thread, lambda seen: len(seen.lights) == 2, "two lights")
        assert {light.role: light.state for light in snapshot.lights}[HUMAN] is LightState.HUMAN
        append(project.handoff, block(NONE, "other"))
        wait(thread, lambda seen: len(seen.lights) == 1, "one light again")


def test_death_is_told_with_its_signal_and_r_brings_the_agent_back(project: Project) -> None:
    with (project.root / "teamops.toml").open("a", encoding="utf-8") as toml:
        toml.write('\n[restart]\nwhen = "never"\n')  # by the person's key alone
    project.begin_session(DIRECTOR)
    with project.supervised() as thread:
        before = wait(thread, agent_is(DIRECTOR, AgentState.STARTING, AgentState.IDLE, AgentState.WORKING), "alive")
        pid = next(agent.pid for agent in before.agents if agent.role == DIRECTOR)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        dead = wait(thread, agent_is(DIRECTOR, AgentState.DEAD), "dead")
        (agent,) = [agent for agent in dead.agents if agent.role == DIRECTOR]
        assert (agent.exit_signal, agent.evidence.detail) == (9, "signal 9 (KILL)")
        wait(thread, lambda seen: any(alert.code == "agent-dead" for alert in seen.alerts), "the alert")
        outcome = thread.act(RestartRole(DIRECTOR))
        assert outcome.ok, outcome
        after = wait(thread, agent_is(DIRECTOR, AgentState.STARTING, AgentState.IDLE, AgentState.WORKING), "back")
        (agent,) = [agent for agent in after.agents if agent.role == DIRECTOR]
        assert agent.restarts == 1
        over = lambda seen: all(alert.state is AlertState.RESOLVED for alert in seen.alerts)  # noqa: E731
        wait(thread, over, "the alert over")


def test_restart_makes_a_session_that_is_missing(project: Project) -> None:
    with project.supervised() as thread:
        wait(thread, lambda seen: seen.ready, "ready")
        outcome = thread.act(RestartRole(CODER))
        assert outcome.ok, outcome
        wait(thread, lambda seen: any(a.role == CODER and a.pid is not None for a in seen.agents), "the agent")
        assert "shop-coder" in project.tmux("list-sessions")


def test_a_poke_arrives_and_stands_in_the_log(project: Project) -> None:
    project.begin_session(CODER)
    with project.supervised() as thread:
        wait(thread, lambda seen: any(a.role == CODER and a.pid is not None for a in seen.agents), "the agent")
        outcome = thread.act(PokeRole(CODER, "please go on; $(touch x)"))
        assert outcome.ok, outcome
        assert "please go on; $(touch x)" in project.tmux("capture-pane", "-p", "-t", "=shop-coder:")
        snapshot = wait(thread, lambda seen: any(line.kind == "action" for line in seen.log), "the log line")
        assert next(line for line in snapshot.log if line.kind == "action").ok


def test_stale_fires_once_survives_a_restart_of_teamops_and_ends_with_the_next_turn(project: Project) -> None:
    project.configure("waiting_s = 1\nstale_s = 2")
    rung: list[str] = []

    def ring(text: str) -> bool:
        rung.append(text)
        return True

    def supervisor() -> SupervisorThread:
        return SupervisorThread(load(project.root), state_dir=project.state, ring=ring)

    stale = lambda seen: any(a.code == "handoff-stale" and a.open for a in seen.alerts)  # noqa: E731
    first = supervisor()
    first.start()
    wait(first, stale, "stale")
    wait(first, lambda seen: any(line.kind == "page" and line.ok for line in seen.log), "told")
    assert first.snapshot().lights[0].state is LightState.STALE
    first.stop()
    assert len(rung) == 1
    assert rung[0].endswith("\a")
    second = supervisor()
    second.start()
    try:
        seen = wait(second, stale, "still stale")
        revision = seen.revision
        wait(second, lambda seen: seen.ready and seen.revision > revision + 3, "some rounds")
        assert len(rung) == 1, "told twice"
        append(project.handoff, block(NONE))
        over = lambda seen: any(a.code == "handoff-stale" and not a.open for a in seen.alerts)  # noqa: E731
        wait(second, over, "over")
    finally:
        second.stop()


def test_a_sign_of_work_ends_it_too(project: Project) -> None:
    project.configure("waiting_s = 1\nstale_s = 2")
    spool = project.root / ".teamops" / "spool" / "CODER"
    with project.supervised() as thread:
        wait(thread, lambda seen: any(a.code == "handoff-stale" and a.open for a in seen.alerts), "stale")
        script = "import teamops; teamops.init(role='CODER', project='.'); teamops.heartbeat(tokens=9)"
        subprocess.run([sys.executable, "-c", script], cwd=project.root, check=True)
        assert list(spool.iterdir())
        wait(thread, lambda seen: all(not a.open for a in seen.alerts if a.code == "handoff-stale"), "over")


def test_what_a_bots_tracked_calls_use_is_priced_and_is_a_sign_of_work(project: Project) -> None:
    project.configure("waiting_s = 1\nstale_s = 2")
    script = """
import sys, teamops
teamops.autotrack()
import anthropic, openai
say = [{"role": "user", "content": "say"}]
openai.OpenAI(base_url=sys.argv[1] + "/v1", api_key="k").chat.completions.create(model="gpt-5", messages=say)
anthropic.Anthropic(base_url=sys.argv[1], api_key="k").messages.create(model="unheard-of", max_tokens=9, messages=say)
"""
    env = {**os.environ, "TEAMOPS_ROLE": "CODER", "TEAMOPS_PROJECT": str(project.root)}
    with project.supervised() as thread, model_server() as models:
        wait(thread, lambda seen: any(a.code == "handoff-stale" and a.open for a in seen.alerts), "stale")
        subprocess.run([sys.executable, "-c", script, models.url], cwd=project.root, env=env, check=True)
        wait(thread, lambda seen: all(not a.open for a in seen.alerts if a.code == "handoff-stale"), "over")
        cost = Decimal("0.0002575")  # 30 + 10 tokens at $1.25 a million, 60 at $0.125, 20 at $10
        wait(thread, lambda seen: [a.cost_today_usd for a in seen.agents if a.role == CODER] == [cost], "priced")
        (coder,) = [agent for agent in thread.snapshot().agents if agent.role == CODER]
        assert coder.unpriced_tokens == 120
    with project.supervised() as again:
        wait(again, lambda seen: [a.cost_today_usd for a in seen.agents if a.role == CODER] == [cost], "known again")


def test_a_note_by_the_holder_is_a_sign_of_work(project: Project) -> None:
    project.configure("waiting_s = 1\nstale_s = 2")
    with project.supervised() as thread:
        stale = wait(thread, lambda seen: any(a.code == "handoff-stale" and a.open for a in seen.alerts), "stale")
        note = block(CODER, status="in progress").replace("[DIRECTOR]", "[CODER]")
        append(project.handoff, note)
        over = wait(thread, lambda seen: all(not a.open for a in seen.alerts if a.code == "handoff-stale"), "over")
        assert over.lights[0].answered
        assert over.lights[0].since_wall == stale.lights[0].since_wall


def test_acknowledging_stays(project: Project) -> None:
    project.configure("waiting_s = 1\nstale_s = 1")
    with project.supervised() as thread:
        seen = wait(thread, lambda seen: any(a.code == "handoff-stale" and a.open for a in seen.alerts), "stale")
        (alert,) = [alert for alert in seen.alerts if alert.code == "handoff-stale"]
        assert thread.act(AckAlert(alert.code, alert.subject)).ok
        wait(thread, lambda seen: any(a.state is AlertState.ACKED for a in seen.alerts), "acked")
    with project.supervised() as thread:
        wait(thread, lambda seen: seen.ready and any(a.state is AlertState.ACKED for a in seen.alerts), "still acked")


def test_the_second_is_a_viewer_and_takes_over_when_the_first_is_killed(project: Project) -> None:
    watch = [sys.executable, "-m", "teamops", "watch", "-C", str(project.root), "--state-dir", str(project.state)]
    with subprocess.Popen(watch, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as first:
        assert first.stdout is not None
        assert "acting" in first.stdout.readline()
        with project.supervised() as thread:
            viewer = wait(thread, lambda seen: seen.ready, "ready")
            assert not viewer.supervisor.acting
            assert viewer.supervisor.pid == first.pid
            first.kill()
            first.wait(DEADLINE_S)
            taken = wait(thread, lambda seen: seen.supervisor.acting, "taken over")
            assert taken.supervisor.pid == os.getpid()
            assert taken.revision > viewer.revision


def test_a_viewer_sees_the_alerts_of_the_one_that_acts(project: Project) -> None:
    project.configure("waiting_s = 1\nstale_s = 1")
    with project.supervised() as acting, project.supervised() as viewer:
        stale = lambda seen: any(a.code == "handoff-stale" and a.open for a in seen.alerts)  # noqa: E731
        seen = wait(acting, stale, "stale")
        wait(viewer, stale, "stale at the viewer's")
        (alert,) = [alert for alert in seen.alerts if alert.code == "handoff-stale"]
        assert not viewer.snapshot().supervisor.acting or not acting.snapshot().supervisor.acting
        viewer.act(AckAlert(alert.code, alert.subject))
        wait(acting, lambda seen: any(a.state is AlertState.ACKED for a in seen.alerts), "acked by the viewer")


def test_status_of_a_project_that_nobody_supervises(project: Project) -> None:
    project.configure("waiting_s = 60\nstale_s = 60")
    old = time.time() - 120
    os.utime(project.handoff, (old, old))
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "teamops",
            "status",
            "--json",
            "-C",
            str(project.root),
            "--state-dir",
            str(project.state),
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    shown = json.loads(done.stdout)
    assert shown["supervisor"]["acting"] is False
    (light,) = shown["light"]
    assert (light["role"], light["state"]) == ("CODER", "stale")
    assert light["age_s"] >= 120
    assert [alert["code"] for alert in shown["alerts"]] == ["handoff-stale"]


def status_of(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
    place = ["-C", str(project.root), "--state-dir", str(project.state)]
    return subprocess.run(
        [sys.executable, "-m", "teamops", "status", *words, *place],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_status_of_one_agent_tells_what_its_screen_tells(project: Project) -> None:
    project.begin_session(CODER)
    with project.supervised() as thread:
        wait(thread, lambda seen: any(a.role == CODER and a.pane_id and a.pid for a in seen.agents), "its pane")
        assert thread.act(RestartRole(CODER)).ok
        assert thread.act(PokeRole(CODER, "look at login")).ok
        wait(thread, lambda _: len(thread.agent_report(CODER).deliveries) > 0, "the poke is remembered")
        report = thread.agent_report(CODER)
        done = status_of(project, "coder", "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["schema"] == "teamops.agent/1"
    assert (shown["role"], shown["project"]) == ("CODER", "shop")
    (poke,) = [poke for poke in shown["deliveries"] if poke["by"] == "person"]
    assert poke["text"] == "look at login"
    assert poke["after_s"]["typed"] >= 0
    assert [row["action"] for row in shown["restarts"]] == [record.action_id for record in report.restarts]
    assert (shown["restarts"][0]["by"], shown["restarts"][0]["ok"]) == ("person", True)
    assert shown["restarts"][0]["cause"]
    assert [node["pid"] for node in shown["processes"]] == [node.pid for node in report.processes]
    names = [row["name"] for row in shown["processes"]]
    assert names in (["cat"], ["bwrap", "cat"])  # in its boundary, or as it is
    assert shown["launch"]["pid"] == shown["pid"] == shown["processes"][0]["pid"]
    assert {known["kind"] for known in shown["evidences"]} >= {"process"}
    assert any("look at login" in line for line in shown["screen"])
    assert len(shown["minutes"]["beats"]) == 60
    person = status_of(project, "CODER")
    assert person.returncode == 0, person.stderr
    for piece in ("Evidence, best first", "look at login", "asked for by a person", "cat"):
        assert piece in person.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [(["NOBODY", "--json"], "NOBODY is no role of this team"), (["CODER", "--watch"], "contradict each other")],
    ids=["a stranger", "watched"],
)
def test_status_of_one_agent_refuses_what_makes_no_sense(project: Project, words: list[str], said: str) -> None:
    done = status_of(project, *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stdout == ""


def test_a_single_look_knows_what_the_clients_say_of_themselves(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    toml = (project.root / "teamops.toml").read_text(encoding="utf-8")
    (project.root / "teamops.toml").write_text(toml.replace('"sdk"', '"claude"'), encoding="utf-8")
    home = project.root.parent / "claude"
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(home))
    project.begin_session(CODER)
    pid = int(project.tmux("display-message", "-p", "-t", "=shop-coder:", "#{pane_pid}"))
    transcript = home / "projects" / "-x" / "s1.jsonl"
    for folder in (home / "sessions", transcript.parent):
        folder.mkdir(parents=True)
    then = time.time() - 100
    row = {"pid": pid, "sessionId": "s1", "cwd": "/x", "status": "waiting", "waitingFor": "permission prompt"}
    row["statusUpdatedAt"] = int(then * 1000)
    (home / "sessions" / f"{pid}.json").write_text(json.dumps(row), encoding="utf-8")
    os.utime(project.handoff, (then - 50, then - 50))
    transcript.write_text('{"type":"user"}\n', encoding="utf-8")
    os.utime(transcript, (then - 9, then - 9))

    seen = asyncio.run(look(load(project.root), state_dir=project.state))

    (coder,) = [agent for agent in seen.agents if agent.role == CODER]
    assert (coder.state, coder.evidence.kind) == (AgentState.WAITING, EvidenceKind.STATUS)
    assert coder.evidence.age_s == pytest.approx(100, abs=10)
    assert coder.rss_bytes
    (light,) = seen.lights
    assert light.answered
    assert light.unanswered_s == pytest.approx(109, abs=10)
    assert {alert.code for alert in seen.alerts} == {"agent-needs-you", "boundary-unenforced"}  # begun by hand
    with project.supervised() as thread:
        needs = wait(thread, lambda seen: any(a.state is AlertState.FIRING for a in seen.alerts), "the alert")
    states = [line.text for line in needs.log if line.kind == "state" and line.role == CODER]
    assert states == ["waiting (status file: permission prompt)"]  # and not what weaker evidence said before


def test_a_folder_with_nothing_but_a_handoff_file_is_watched_and_left_alone(project: Project) -> None:
    (project.root / "teamops.toml").unlink()
    project.begin_session(CODER)
    sessions = project.tmux("list-clients")
    with project.supervised() as thread:
        snapshot = wait(thread, lambda seen: seen.ready and bool(seen.lights), "a light")
        assert snapshot.supervisor.watch_only
        assert [agent.role for agent in snapshot.agents] == [DIRECTOR, CODER] or snapshot.agents
        outcome = thread.act(RestartRole(CODER))
        assert not outcome.ok
        assert "teamops.toml" in outcome.hint
    assert project.tmux("list-clients") == sessions


def test_the_file_goes_and_comes_back(project: Project) -> None:
    with project.supervised() as thread:
        wait(thread, lambda seen: seen.ready and bool(seen.blocks), "blocks")
        text = project.handoff.read_bytes()
        project.handoff.unlink()
        lost = wait(thread, lambda seen: bool(seen.handoff_trouble), "lost")
        assert lost.blocks, "the last good reading stays in force"
        project.handoff.write_bytes(text)
        wait(thread, lambda seen: not seen.handoff_trouble, "back")


def test_a_defect_in_a_round_is_seen_logged_and_survived(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    from teamops.supervisor import core
    from teamops.supervisor import view as views

    real = views.view
    broken = threading.Event()

    def view(*words: object, **named: object) -> Snapshot:
        if broken.is_set():
            broken.clear()
            raise ZeroDivisionError("a defect")
        return real(*words, **named)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr(core, "view", view)
    with project.supervised() as thread:
        before = wait(thread, lambda seen: seen.ready, "ready")
        broken.set()
        said = lambda seen: any("a defect" in trouble for trouble in seen.troubles)  # noqa: E731
        after = wait(thread, said, "the defect on the screen")
        assert after.revision > before.revision
        (log,) = project.state.glob("*/defects.log")
        assert "ZeroDivisionError" in log.read_text(encoding="utf-8")


def test_the_tmux_server_dies_and_only_one_alert_says_so(project: Project) -> None:
    project.begin_session(DIRECTOR)
    project.begin_session(CODER)
    with project.supervised() as thread:
        wait(thread, lambda seen: [agent.pid is not None for agent in seen.agents] == [True, True], "both agents")
        project.tmux("kill-server")
        wait(thread, lambda seen: any(a.code == "tmux-down" and a.open for a in seen.alerts), "tmux-down")
        settled = thread.snapshot().revision + 3
        seen = wait(thread, lambda seen: seen.revision > settled, "some rounds")
        assert [alert.code for alert in seen.alerts if alert.open] == ["tmux-down"]
        project.begin_session(DIRECTOR)
        wait(thread, lambda seen: any(a.role == DIRECTOR and a.pid is not None for a in seen.agents), "back")
        wait(thread, lambda seen: not any(a.code == "tmux-down" and a.open for a in seen.alerts), "over")


def test_stamps_never_run_back(project: Project) -> None:
    stamps: list[Stamp] = []
    with project.supervised() as thread:
        end = thread.subscribe(lambda snapshot: stamps.append(snapshot.stamp))
        wait(thread, lambda seen: seen.ready and len(stamps) > 5, "some snapshots")
        end()
    assert stamps == sorted(stamps, key=lambda stamp: stamp.now)
