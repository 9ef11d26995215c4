"""What every SupervisorPort keeps. Subclass it, give ``port`` and ``change``, and pytest runs it on yours."""

from __future__ import annotations

import re
import threading
import time
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from msgspec.structs import replace

from teamops.model.boundary import Verdict as Judged
from teamops.model.cost_report import Verdict
from teamops.model.errors import TeamopsError
from teamops.model.role import Role
from teamops.model.snapshot import AckAlert, PokeRole, RestartRole, SignOff, Snapshot, SupervisorPort

STRANGER = Role("NOBODY-OF-THAT-NAME")
DEADLINE_S = 10.0
_SGR = re.compile(r"\x1b\[[0-9;:]*m")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class PortContract:
    """The contract. Needs a snapshot with at least one agent and one block."""

    @pytest.fixture
    def port(self) -> SupervisorPort:
        """Return the port under test."""
        raise NotImplementedError

    def change(self, port: SupervisorPort) -> None:
        """Make something happen that leads to a new snapshot."""
        raise NotImplementedError

    def test_a_snapshot_comes_at_once_and_cannot_be_changed(self, port: SupervisorPort) -> None:
        before = time.monotonic()
        snapshot = port.snapshot()
        assert time.monotonic() - before < 0.1
        assert isinstance(snapshot, Snapshot)
        with pytest.raises(AttributeError):
            snapshot.revision = 0  # type: ignore[misc]  # that is the point

    def test_a_subscriber_gets_newer_snapshots_until_it_ends(self, port: SupervisorPort) -> None:
        got: list[Snapshot] = []
        arrived = threading.Event()

        def take(snapshot: Snapshot) -> None:
            got.append(snapshot)
            arrived.set()

        first = port.snapshot().revision
        end = port.subscribe(take)
        self.change(port)
        assert arrived.wait(DEADLINE_S), "no snapshot came"
        assert got[-1].revision > first
        assert port.snapshot().revision >= got[-1].revision
        end()
        end()
        number = len(got)
        again = threading.Event()
        stop = port.subscribe(lambda _snapshot: again.set())
        self.change(port)
        assert again.wait(DEADLINE_S)
        stop()
        assert len(got) == number, "a snapshot came after the end"
        assert [one.revision for one in got] == sorted({one.revision for one in got})

    def test_a_blocks_text_is_its_own_and_clean(self, port: SupervisorPort) -> None:
        for block in port.snapshot().blocks[-3:]:
            text = port.block_text(block)
            assert block.role in text.upper().partition("\n")[0]
            assert not _CONTROLS.search(text)

    def test_a_block_that_is_gone_is_an_error_with_a_hint(self, port: SupervisorPort) -> None:
        block = port.snapshot().blocks[-1]
        gone = replace(block, index=block.index + 99, start=block.end + 10_000, end=block.end + 10_100, digest="0")
        with pytest.raises(TeamopsError):
            port.block_text(gone)

    def test_a_poke_is_one_line(self, port: SupervisorPort) -> None:
        text = port.poke_text(port.snapshot().agents[0].role)
        assert text.strip()
        assert "\n" not in text
        assert not _CONTROLS.search(text)

    def test_a_pane_has_colours_and_nothing_else_unsafe(self, port: SupervisorPort) -> None:
        for agent in port.snapshot().agents:
            if agent.pane_id is not None:
                assert not _CONTROLS.search(_SGR.sub("", port.screen(agent.role)))

    def test_an_agents_report_is_about_itself_and_newest_first(self, port: SupervisorPort) -> None:
        for agent in port.snapshot().agents:
            report = port.agent_report(agent.role)
            assert report.role == agent.role
            pokes = [poke.decided_wall for poke in report.deliveries]
            assert pokes == sorted(pokes, reverse=True)
            restarts = [record.wall for record in report.restarts]
            assert restarts == sorted(restarts, reverse=True)
            assert [wall for wall, _ in report.memory] == sorted(wall for wall, _ in report.memory)
            assert {poke.role for poke in report.deliveries} <= {agent.role}
            assert {record.role for record in report.restarts} <= {agent.role}
            assert report.launch is None or report.launch.role == agent.role
            texts = [text for poke in report.deliveries for text in (poke.text, poke.proof, poke.refused)]
            texts += [text for one in report.restarts for text in (one.cause, one.ending, one.screen, *one.notes)]
            texts += [node.name for node in report.processes]
            assert not any(_CONTROLS.search(text) for text in texts)

    def test_an_agents_processes_are_a_tree_parents_first(self, port: SupervisorPort) -> None:
        agents = port.snapshot().agents
        assert any(port.agent_report(agent.role).processes for agent in agents), "one of them runs"
        for agent in agents:
            report = port.agent_report(agent.role)
            if agent.pid is None:
                assert report.processes == ()
                continue
            depths: dict[int, int] = {}
            for place, node in enumerate(report.processes):
                assert node.depth == (depths[node.parent] + 1 if place else 0)
                assert node.pid not in depths
                depths[node.pid] = node.depth
            assert report.processes[:1] == () or report.processes[0].pid == agent.pid

    def test_evidence_is_told_best_first_and_named(self, port: SupervisorPort) -> None:
        for agent in port.snapshot().agents:
            assert agent.basis is None or agent.evidences[agent.basis].kind is agent.evidence.kind
            assert all(known.age_s is None or known.age_s >= 0 for known in agent.evidences)

    def test_a_tasks_report_is_about_its_own_blocks(self, port: SupervisorPort) -> None:
        snapshot = port.snapshot()
        assert snapshot.tasks
        for task in snapshot.tasks:
            report = port.task_report(task.task)
            assert (report.task.task or "").lower() == (task.task or "").lower()
            assert report.chain
            places = [entry.index for entry in report.entries]
            assert places == sorted(set(places)), "oldest first, each once"
            own = [snapshot.blocks[index] for index in task.blocks if index < len(snapshot.blocks)]
            assert {entry.digest for entry in report.entries} >= {block.digest for block in own}
            assert sum(stay.current for stay in report.stages) <= 1
            assert all(stay.seconds >= 0 and stay.visits >= 1 for stay in report.stages)
            assert (report.diff is None) == bool(report.diff_trouble), "no difference says why there is none"
            texts = [finding.message for finding in report.findings] + [run.tail for run in report.runs]
            assert not any(_CONTROLS.search(text) for text in texts)

    def test_a_tasks_name_is_known_in_any_case_and_its_chain_stays(self, port: SupervisorPort) -> None:
        name = next(task.task for task in port.snapshot().tasks if task.task)
        assert port.task_report(name.upper()).chain == port.task_report(name.lower()).chain

    def test_a_task_that_is_not_there_is_an_error_that_says_what_to_do(self, port: SupervisorPort) -> None:
        with pytest.raises(TeamopsError) as caught:
            port.task_report("no task of that name")
        assert caught.value.hint

    def test_costs_add_up_and_go_with_time(self, port: SupervisorPort) -> None:
        report = port.cost_report()
        assert report.day_since_wall <= report.wall < report.day_until_wall
        assert len(report.days) == 30
        for periods in (report.hours, report.days):
            assert all(one.since_wall < one.until_wall for one in periods)
            assert all(one.until_wall == after.since_wall for one, after in pairwise(periods))
        for shares in (report.agents, report.models, report.tasks):
            names = [one.name for one in shares]
            assert len(set(names)) == len(names)
            assert abs(sum(one.month.cost_usd for one in shares) - report.month.cost_usd) < Decimal("0.01")
            assert all(one.today.tokens.total <= one.week.tokens.total <= one.month.tokens.total for one in shares)
        began = [one.began_wall for one in report.spikes]
        assert began == sorted(began, reverse=True)
        assert (report.burn.limit_usd is None) == (report.burn.verdict is Verdict.NO_BUDGET)

    @pytest.mark.parametrize("days", [1, 3])
    def test_a_days_report_is_of_its_days_and_of_the_whole_team(self, port: SupervisorPort, days: int) -> None:
        last = date.fromtimestamp(port.snapshot().stamp.wall) - timedelta(days=1)  # noqa: DTZ012 - whichever day that is
        report = port.day_report(last, days)
        assert report.days == tuple(last - timedelta(days=back) for back in range(days - 1, -1, -1))
        assert len(report.day_edges) == days + 1
        assert report.until_wall <= report.day_edges[-1]
        assert {agent.role for agent in port.snapshot().agents} <= {agent.role for agent in report.agents}
        assert report.team.lines
        for agent in report.agents:
            assert len(agent.answers) == 5
            assert len(agent.strips) == days
            assert [stay.until_wall for stay in agent.stays[:-1]] == [stay.since_wall for stay in agent.stays[1:]]
            assert not any(_CONTROLS.search(answer.words) for answer in agent.answers)

    def test_a_day_that_goes_on_is_not_over(self, port: SupervisorPort) -> None:
        present = port.day_report(None)
        assert len(present.days) == 1
        assert not present.over

    def test_too_many_days_are_an_error_that_says_what_to_do(self, port: SupervisorPort) -> None:
        with pytest.raises(TeamopsError) as caught:
            port.day_report(None, 1000)
        assert caught.value.hint

    def test_a_rewrite_is_told_line_by_line(self, port: SupervisorPort) -> None:
        for finding in port.snapshot().findings:
            if finding.tamper is not None:
                for line in port.tamper_diff(finding.tamper):
                    assert "\n" not in line
                    assert not _CONTROLS.search(line)
        with pytest.raises(TeamopsError):
            port.tamper_diff(987_654_321)

    def test_what_was_refused_is_told_newest_first_and_of_whom_it_is_asked(self, port: SupervisorPort) -> None:
        refused = port.decisions()
        assert refused, "one call was refused"
        assert len(refused) <= 200
        assert all(one.verdict is not Judged.ALLOW and one.times >= 1 for one in refused)
        moments = [one.wall for one in refused]
        assert moments == sorted(moments, reverse=True)
        for role in {one.role for one in refused}:
            assert {one.role for one in port.decisions(role)} == {role}
        assert port.decisions(STRANGER) == ()
        texts = [text for one in refused for text in (one.rule, one.about, one.why)]
        assert not any(_CONTROLS.search(text) for text in texts)

    def test_each_agent_s_boundary_is_its_own(self, port: SupervisorPort) -> None:
        refused = port.decisions()
        for agent in port.snapshot().agents:
            assert agent.boundary is not None
            assert agent.boundary.words.startswith("may write: ")
            last = agent.boundary.last_blocked
            assert last is None or last.role == agent.role
            assert (last is not None) == any(one.role == agent.role and one.verdict is Judged.DENY for one in refused)
            assert not (agent.boundary.unenforced and agent.boundary.kernel)

    def test_a_change_past_a_boundary_is_told_line_by_line(self, port: SupervisorPort) -> None:
        for violation in port.snapshot().violations:
            try:
                lines = port.violation_diff(violation.id)
            except TeamopsError:  # of some no change is kept
                continue
            assert not any("\n" in line or _CONTROLS.search(line) for line in lines)
        with pytest.raises(TeamopsError) as caught:
            port.violation_diff(987_654_321)
        assert caught.value.hint

    @pytest.mark.parametrize("approve", [True, False], ids=["sign off", "send back"])
    def test_a_chain_that_nobody_has_read_is_not_signed(self, port: SupervisorPort, *, approve: bool) -> None:
        name = next(task.task for task in port.snapshot().tasks if task.task)
        before = len(port.snapshot().blocks)
        try:
            ok = port.act(SignOff(task=name, approve=approve, note="because", chain="of another day"), 5.0).ok
        except TeamopsError:
            ok = False
        assert not ok
        assert len(port.snapshot().blocks) == before

    @pytest.mark.parametrize("query", ["poke_text", "screen", "attach", "agent_report"])
    def test_a_stranger_is_an_error_that_says_what_to_do(self, port: SupervisorPort, query: str) -> None:
        with pytest.raises(TeamopsError) as caught:
            getattr(port, query)(STRANGER)
        assert STRANGER in caught.value.message or caught.value.hint

    @pytest.mark.parametrize("intent", [PokeRole(STRANGER, "hello"), RestartRole(STRANGER)], ids=["poke", "restart"])
    def test_an_act_on_a_stranger_fails_and_says_so(self, port: SupervisorPort, intent: PokeRole | RestartRole) -> None:
        said = ""
        try:
            outcome = port.act(intent, timeout_s=5.0)
        except TeamopsError as error:
            said = error.message
        else:
            said = "" if outcome.ok else outcome.message
        assert said

    def test_sending_never_waits(self, port: SupervisorPort) -> None:
        before = time.monotonic()
        port.send(AckAlert("no-such-code", "nothing"))
        assert time.monotonic() - before < 0.1
