"""What is known of one agent, as its events told it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from decimal import Decimal

from teamops.config.settings import RoleSettings
from teamops.domain import hooks
from teamops.domain.health import Facts, tells_of_work
from teamops.domain.hooks import Told
from teamops.domain.restart import Keeping
from teamops.model.agent import AgentState, AgentView, Beat, BeatKind, ClientStatus, Evidence, EvidenceKind, SpikeView
from teamops.model.budget import BudgetHold
from teamops.model.clock import Stamp
from teamops.model.events import GrowthSeen, PaneDied, ProcessRow, ScreenSeen, StatusSeen, UsageSeen
from teamops.model.pane import Pane, Screen
from teamops.model.role import Role
from teamops.model.usage import Usage
from teamops.supervisor.agent_past import Past
from teamops.supervisor.minutes import MINUTES, MinuteSum, Strips


@dataclass(slots=True)
class AgentBook:
    """The mutable page of one agent. Only the supervisor's loop touches it."""

    role: Role
    settings: RoleSettings | None
    pane: Pane | None = None
    born: float | None = None
    dead: bool = False
    died: float | None = None
    session_gone: bool = False
    gone_pid: int = 0
    """What ran in the session that is gone."""
    left_running: int | None = None
    """The process that an earlier life left running, or dead; 0 = not known which. ``None`` = it left none."""
    exit_status: int | None = None
    exit_signal: int | None = None
    oom: bool = False
    """The kernel killed it for want of memory."""
    status: ClientStatus | None = None
    status_at: float | None = None
    status_detail: str = ""
    client_ended: float | None = None
    """When the client in its living pane ended."""
    told: Told | None = None
    """What its client's last hook event says."""
    told_at: float | None = None
    told_detail: str = ""
    client_session: str = ""
    """The client's own session id, by its status file or its hooks; empty = not known."""
    stopped_at: float | None = None
    went_on: float | None = None
    last_error: str = ""
    auth: bool = False
    """Its screen says that its account is refused."""
    grew: float | None = None
    beat: float | None = None
    called: float | None = None
    """When a model last answered a call that told itself."""
    beat_status: str = "ok"
    message: str = ""
    worked: float | None = None
    past: Past = field(default_factory=Past)
    in_cycle: bool = False
    interval_s: float | None = None
    shutdown_until: float | None = None
    printed: float | None = None
    rss_bytes: int | None = None
    memory_note: str = ""
    """What is worth saying of how its memory grows."""
    at_rest: int = 1
    """Processes of its tree when it last was not busy: the client itself, and servers that it keeps."""
    tool_runs: bool = False
    """It is busy, and its tree holds more processes than at rest."""
    screen: Screen | None = None
    screen_at: float | None = None
    """Since when its screen shows that."""
    bare_shell: bool = False
    """A shell is all that runs in its pane."""
    has_transcript: bool = False
    restarts: int = 0
    health: AgentState = AgentState.UNKNOWN
    """As judged by evidence alone."""
    health_evidence: Evidence = field(default_factory=lambda: Evidence(EvidenceKind.NOTHING, None))
    evidences: tuple[Evidence, ...] = ()
    """All that was known when it was last judged, best first."""
    spike: SpikeView | None = None
    """It runs away."""
    badges: tuple[str, ...] = ()
    """What the plain spike rules say."""
    keeping: Keeping | None = None
    """What teamops does about it."""
    hold: BudgetHold | None = None
    """Its spending is stopped: by its own budget's hold, else by the team's."""
    gated: bool = False
    """Its client's hooks ask whether it is held."""
    spent_wall: float | None = None
    """Its last usage by its own word, Unix seconds."""
    state: AgentState = AgentState.UNKNOWN
    """As shown: its health, under what teamops does about it."""
    evidence: Evidence = field(default_factory=lambda: Evidence(EvidenceKind.NOTHING, None))
    cost_today: Decimal = Decimal(0)
    unpriced_today: int = 0
    minutes: dict[int, MinuteSum] = field(default_factory=dict)
    """By minutes since 1970. Changed through ``minute`` alone, once it is shown."""
    strips: tuple[int, Strips] | None = None
    """As last drawn from ``minutes``, up to which minute; ``None`` where one has changed since."""
    recent: deque[tuple[float, int]] = field(default_factory=deque)
    """(observed seconds, tokens) of the last minute."""
    judged_as: tuple[object, ...] = ()
    """What was decided of it when it was last judged."""
    view: AgentView | None = None
    """As last shown; ``None`` where it was judged since."""

    @property
    def client(self) -> str:
        """What runs in its pane."""
        return self.settings.client if self.settings else "command"

    def facts(self, *, managed: bool, light_since: float | None) -> Facts:
        """Return what the rules need."""
        return Facts(
            client=self.client,
            managed=managed,
            pid=self.pane.pid if self.pane and not self.dead else None,
            born=self.born,
            dead=self.dead,
            exit_status=self.exit_status,
            exit_signal=self.exit_signal,
            oom=self.oom,
            died=self.died,
            session_gone=self.session_gone,
            status=self.status,
            status_at=self.status_at,
            status_detail=self.status_detail,
            tool_runs=self.tool_runs,
            told=self.told,
            told_at=self.told_at,
            told_detail=self.told_detail,
            stopped_at=self.stopped_at,
            went_on=self.went_on,
            auth=self.auth,
            client_ended=self.client_ended,
            bare_shell=self.bare_shell,
            screen=self.screen,
            screen_at=self.screen_at,
            grew=self.grew,
            beat=self.beat,
            called=self.called,
            beat_status=self.beat_status,
            worked=self.worked,
            in_cycle=self.in_cycle,
            interval_s=self.interval_s,
            shutdown_until=self.shutdown_until,
            printed=self.printed,
            light_since=light_since,
        )

    def see_pane(self, pane: Pane | None, stamp: Stamp, *, first: bool = False) -> None:
        """Take what tmux says of its pane now; ``None`` = its session is gone.

        ``first``: teamops looks for the first time, so the process may be as old as it likes, and what its beats told
        before this moment is still true; and what an earlier life left running, and isn't there, has ended meanwhile.
        """
        if pane is None:
            gone = self.pane.pid if self.pane is not None else self.left_running if first else None
            if gone is not None and not self.dead:
                self.end(stamp, None, None)
                self.session_gone, self.gone_pid = True, gone
                self.died = None if first else self.died  # nobody saw when
            self.pane = None
            return
        before = self.pane
        self.pane = pane
        if self.session_gone and before is None and pane.pid == self.gone_pid and not pane.dead:
            # Renamed, and now named as it was: the process never ended.
            self.session_gone, self.dead, self.died = False, False, None
            return
        if pane.dead:
            if not self.dead or (self.exit_status is None and self.exit_signal is None):
                self.end(stamp, pane.exit_status, pane.exit_signal)
            self.died = None if first else self.died  # nobody saw when
        elif first:
            return
        elif before is None or before.pid != pane.pid or (self.dead and before.dead):
            self._begin(stamp)

    def _begin(self, stamp: Stamp) -> None:
        """A new process: what the old one promised no longer holds."""
        self.past.see_work(self.worked, self.grew)
        self.born = stamp.now
        self.dead = self.session_gone = self.oom = False
        self.died = self.exit_status = self.exit_signal = None
        self.status = self.status_at = self.told = self.told_at = self.screen = self.screen_at = None
        self.status_detail = self.told_detail = self.client_session = self.last_error = ""
        self.stopped_at = self.went_on = self.interval_s = self.shutdown_until = None
        self.auth = self.in_cycle = self.gated = False
        self.beat = self.called = self.worked = self.grew = self.printed = None
        self.beat_status, self.message = "ok", ""
        self.rss_bytes, self.memory_note = None, ""
        self.at_rest, self.tool_runs, self.client_ended, self.bare_shell = 1, False, None, False

    def end(self, stamp: Stamp, status: int | None, signal: int | None) -> None:
        """Its process ended."""
        if not self.dead:
            self.died = stamp.now
        self.dead = True
        if status is not None or signal is not None:
            self.exit_status, self.exit_signal = status, signal
        self.status = self.stopped_at = None
        self.rss_bytes = None

    def expect_end(self, until: float) -> None:
        """Expect silence and an end until then (observed seconds): it was told to stop."""
        self.shutdown_until = until if self.shutdown_until is None else max(until, self.shutdown_until)

    def looked_dead(self, pid: int) -> bool:
        """Return whether the process ``pid`` is no more the living one in its pane."""
        return self.dead or self.pane is None or self.pane.pid != pid

    def see_death(self, death: PaneDied) -> None:
        """Take the end of a process, if it is the one in the pane now."""
        if self.pane is not None and self.pane.pid == death.pid:
            self.end(death.stamp, death.exit_status, death.exit_signal)
            self.oom = self.oom or bool(death.oom)

    def see_status(self, seen: StatusSeen) -> None:
        """Take what the client's own status file says, and that it was busy until now."""
        if self.status is ClientStatus.BUSY and self.status_at is not None:
            busy = seen.stamp.now if self.tool_runs else self.status_at
            self.worked = busy if self.worked is None else max(busy, self.worked)
        if not seen.ended:
            self.client_ended = None
        elif self.client_ended is None:
            self.client_ended = seen.stamp.now
        self.status, self.status_detail = seen.status, seen.detail
        self.client_session = seen.session or self.client_session
        self.status_at = _at(seen.since_wall, seen.stamp)
        self.tool_runs = False

    def see_growth(self, seen: UsageSeen) -> None:
        """Take that its transcript grew: just now, or, as its file tells at the first reading, some time ago."""
        if seen.grew and seen.live:
            self.grew = seen.stamp.now
        elif seen.grown_wall is not None:
            at = _at(seen.grown_wall, seen.stamp)
            self.grew = at if self.grew is None else max(at, self.grew)

    def see_session_growth(self, seen: GrowthSeen) -> None:
        """Take that the file grew into which its client writes its session."""
        if self.pane is not None and self.pane.pid == seen.pid:
            at = _at(seen.grown_wall, seen.stamp)
            self.grew = at if self.grew is None else max(at, self.grew)
            self.client_session = seen.session or self.client_session

    def see_screen(self, seen: ScreenSeen) -> None:
        """Take what its screen shows, if it is the screen of the process in the pane now."""
        if self.pane is not None and self.pane.pid == seen.pid:
            self.screen, self.screen_at, self.auth = seen.screen, seen.stamp.now, seen.auth
            self.last_error = f"its screen says: {seen.complaint}" if seen.complaint else self.last_error

    def see_process(self, row: ProcessRow, now: float) -> None:
        """Take one row of the process table as of ``now``, if it is about the process in the pane now."""
        if self.pane is None or self.pane.pid != row.pid or self.dead:
            return
        self.rss_bytes = row.rss_bytes
        self.bare_shell = row.bare_shell
        if row.stopped and self.stopped_at is None:
            self.stopped_at = now
        elif not row.stopped and self.stopped_at is not None:
            self.stopped_at, self.went_on = None, now
        if self.status is ClientStatus.BUSY or self.told is Told.TOOL:
            self.tool_runs = row.count > self.at_rest
        else:
            self.at_rest = row.count

    def see_beat(
        self, beat: Beat, midnight: float, stamp: Stamp, *, at: float | None = None, counted: bool = False
    ) -> None:
        """Take one beat of the moment ``at``; without one, its age is what lies between its own wall time and ours.

        ``counted``: an earlier life has added it up; only what it tells of the agent is news.
        Its own tokens are usage only of an agent without a transcript: the transcript would count them again.
        """
        at = stamp.now - max(0.0, stamp.wall - beat.wall) if at is None else at
        if beat.kind is BeatKind.HOOK:
            self._see_hook(beat, at)
        elif beat.kind is BeatKind.USAGE:
            self.called = at if self.called is None else max(at, self.called)
            self.message = beat.message or self.message
        elif self.beat is None or at >= self.beat:
            self._see_own_beat(beat, at)
        if tells_of_work(beat) and (self.worked is None or at > self.worked):
            self.worked = at
        if counted:
            return
        minute = self.minute(beat.wall, stamp.wall)
        if minute is not None:
            minute.beats += 1
        if self.has_transcript:
            return
        if minute is not None:
            minute.tokens += beat.own_tokens
            minute.cost += float(beat.own_cost_usd)
        if beat.wall >= midnight:
            self.cost_today += beat.own_cost_usd
        self._count_tokens(at, beat.own_tokens, stamp.now)

    def _see_own_beat(self, beat: Beat, at: float) -> None:
        self.beat = at
        self.beat_status = beat.status
        self.message = beat.message
        self.interval_s = self.interval_s if beat.interval_s is None else beat.interval_s
        if beat.kind in {BeatKind.CYCLE_BEGIN, BeatKind.CYCLE_END}:
            self.in_cycle = beat.kind is BeatKind.CYCLE_BEGIN
        if beat.kind is BeatKind.SHUTDOWN and beat.grace_s is not None:
            self.expect_end(at + beat.grace_s)
        if beat.kind is BeatKind.ERROR:
            self.last_error = beat.message

    def _see_hook(self, beat: Beat, at: float) -> None:
        """Take one event of its client's hooks: no beat, for nobody promised that there will be more."""
        told = hooks.told(beat.hook, beat.detail)
        self.gated = self.gated or beat.gated
        if told is None or (self.told_at is not None and at < self.told_at):
            return
        if self.client_session and beat.session and beat.session != self.client_session and told is Told.ENDED:
            return  # the end of an older session, after /clear
        self.told, self.told_at = told, at
        self.told_detail = beat.hook if told is Told.TAKEN or not beat.detail else f"{beat.hook}: {beat.detail}"[:200]
        self.client_session = beat.session or self.client_session
        if told is not Told.TOOL:
            self.tool_runs = self.tool_runs and self.status is ClientStatus.BUSY

    def see_usage(
        self, usage: Usage, cost: Decimal | None, midnight: float, stamp: Stamp, *, beaten: bool = False
    ) -> None:
        """Take one response's usage and its price (``None`` = no price known).

        ``beaten``: a beat told it, and not a transcript.
        """
        self.has_transcript = self.has_transcript or not beaten
        total = usage.tokens.total
        minute = self.minute(usage.wall, stamp.wall)
        if minute is not None:
            minute.beats += not beaten
            minute.tokens += total
            minute.cost += float(cost or 0)
        if usage.wall >= midnight:
            if cost is None:
                self.unpriced_today += total
            else:
                self.cost_today += cost
        self._count_tokens(stamp.now - max(0.0, stamp.wall - usage.wall), total, stamp.now)

    def see_price(self, usage: Usage, cost: Decimal, midnight: float, wall: float) -> None:
        """Take a price that came later than its usage."""
        minute = self.minute(usage.wall, wall)
        if minute is not None:
            minute.cost += float(cost)
        if usage.wall >= midnight:
            self.cost_today += cost
            self.unpriced_today = max(0, self.unpriced_today - usage.tokens.total)

    def minute(self, at_wall: float, wall: float) -> MinuteSum | None:
        """Return the sum of the minute of ``at_wall``, to add to it, or ``None`` if it lies outside the strip."""
        index, last = int(at_wall // 60), int(wall // 60)
        if not last - MINUTES < index <= last:
            return None
        if len(self.minutes) > 2 * MINUTES:
            self.minutes = {at: row for at, row in self.minutes.items() if at > last - MINUTES}
        self.strips = None
        return self.minutes.setdefault(index, MinuteSum())

    def tokens_per_min(self, now: float) -> int:
        """Return the sum of the sliding last 60 s."""
        while self.recent and self.recent[0][0] <= now - 60.0:
            self.recent.popleft()
        return sum(tokens for _, tokens in self.recent)

    def remember_rate(self, stamp: Stamp) -> None:
        """Fill the sliding minute from the strip, as far as minutes can tell: for the first look of a life."""
        into = stamp.wall % 60.0
        last = int(stamp.wall // 60)
        before, current = self.minutes.get(last - 1, MinuteSum()), self.minutes.get(last, MinuteSum())
        self._count_tokens(stamp.now - into, int(before.tokens * (1.0 - into / 60.0)), stamp.now)
        self._count_tokens(stamp.now, current.tokens, stamp.now)

    def _count_tokens(self, at: float, tokens: int, now: float) -> None:
        if tokens and at > now - 60.0:
            self.recent.append((at, tokens))


def _at(wall: float | None, stamp: Stamp) -> float:
    """Return the observed moment of a wall time, never a future one; now where there is none."""
    return stamp.now - (0.0 if wall is None else max(0.0, stamp.wall - wall))
