"""When an agent is restarted by rule, and when it is left to a person: a pure state machine.

unwell → restart → cooldown → unwell → restart → cooldown → unwell a third time → given up, and a person is called.
Source of the policy: the seed article; its numbers are ``limits.RestartPolicy``.

``step`` is asked at each round of the clock that counts. Its times are observed seconds, so that no suspend brings a
restart nearer.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from teamops.domain.limits import RestartPolicy, RestartWhen
from teamops.domain.restart import GONE, UNWELL, Hold, Keeping, cleared, held
from teamops.model.agent import AgentState
from teamops.model.role import Role

ROUNDS = 2
"""So many rounds of the clock in a row an agent is unwell before it is restarted, or given up."""
WINDOW_S = 3600.0
"""In any span of this length there are at most ``attempts + 1`` restarts by rule, whatever was cleared in between."""
SIGN_S = 30.0
"""Work shown so long after the last sign of a failing authentication says that a person has mended it."""
PROGRESS_GAP_S = 120.0
"""Work that pauses for longer is not one stretch of progress."""


class Reading(Struct, frozen=True, kw_only=True):
    """What one round of the clock knows of an agent."""

    state: AgentState
    """As judged by the evidence, without what teamops does about it."""
    cause: str = ""
    """The evidence in words: "dead: exit status 37"."""
    spared: str = ""
    """Why no restart is called for although it is unwell, see ``spared``; empty = one is."""
    alive: bool = True
    """A process lives in its pane."""
    may_end: bool = False
    """teamops started that process, and may end it."""
    worked: float | None = None
    """Its last sign of work."""
    born: float | None = None
    """When its process began, where that was seen."""
    sign: str = ""
    """What it shows of a failing authentication now; empty = nothing."""
    free: bool = True
    """No restart, start or stop is under way in the team, and nobody waits for one to be ready."""


class Restart(Struct, frozen=True):
    """Restart it now: already counted."""

    attempt: int
    cause: str


class GiveUp(Struct, frozen=True):
    """Restart it no more; call a person."""

    why: str


class HoldBack(Struct, frozen=True):
    """Do nothing by rule until a person has mended it."""

    hold: Hold
    why: str


class LetGo(Struct, frozen=True):
    """A person has mended or started it by other ways than teamops: the hold, or the giving up, is over."""


class Reset(Struct, frozen=True):
    """It has worked for long enough: the count begins anew."""


Move = Restart | GiveUp | HoldBack | LetGo | Reset


def step(keeping: Keeping, reading: Reading, now: float, policy: RestartPolicy) -> tuple[Keeping, Move | None]:
    """Return what is kept of an agent after one more round of the clock, and what is to be done now."""
    keeping = replace(keeping, of=policy.attempts, recent=tuple(at for at in keeping.recent if now - at < WINDOW_S))
    since = keeping.held_at if keeping.held is not None else keeping.given_up
    if since is not None and _mended(keeping, reading, since):
        return cleared(keeping), LetGo()
    if reading.sign and keeping.held in {None, Hold.AUTH}:
        back = held(keeping, Hold.AUTH, reading.sign, now)
        return back, HoldBack(Hold.AUTH, reading.sign) if keeping.held is None else None
    if since is not None:
        return keeping, None
    keeping = _with_progress(keeping, reading)
    if keeping.attempts and keeping.progress >= policy.reset_s:
        return cleared(keeping), Reset()
    if not called_for(reading, policy):
        return replace(keeping, unwell=0), None
    keeping = replace(keeping, unwell=keeping.unwell + 1)
    if keeping.unwell < ROUNDS or (keeping.until is not None and now < keeping.until):
        return keeping, None
    if reading.alive and not reading.may_end:
        return keeping, None  # a person started it: a person ends it
    why = _spent(keeping, policy)
    if why:
        return replace(keeping, given_up=now, why=why, unwell=0), GiveUp(why)
    if not reading.free:
        return keeping, None
    begun = replace(
        keeping,
        attempts=keeping.attempts + 1,
        last=now,
        until=now + policy.cooldown_s,
        recent=(*keeping.recent, now),
        unwell=0,
    )
    return begun, Restart(begun.attempts, reading.cause)


def called_for(reading: Reading, policy: RestartPolicy) -> bool:
    """Return whether the agent is unwell in a way that the policy has a restart for."""
    if reading.spared or policy.when is RestartWhen.NEVER:
        return False
    return reading.state is AgentState.DEAD or (reading.state in UNWELL and policy.when is RestartWhen.ON_UNHEALTHY)


def _mended(keeping: Keeping, reading: Reading, since: float) -> bool:
    """Return whether an agent that is held or given up was seen to be set going by a person."""
    if reading.state in GONE or not reading.alive:
        return False
    if reading.born is not None and reading.born > since:
        return True  # by rule nothing is started meanwhile
    if keeping.held is not Hold.AUTH or reading.sign or reading.state not in {AgentState.WORKING, AgentState.IDLE}:
        return False
    return reading.worked is not None and reading.worked > since + SIGN_S


def _with_progress(keeping: Keeping, reading: Reading) -> Keeping:
    """Count the time of work shown since the last restart; what is unwell begins anew."""
    if not keeping.attempts or keeping.last is None:
        return keeping
    if reading.state in UNWELL or not reading.alive:
        return replace(keeping, progress=0.0, worked=None)
    if reading.worked is None or reading.worked <= (keeping.last if keeping.worked is None else keeping.worked):
        return keeping
    gap = PROGRESS_GAP_S if keeping.worked is None else reading.worked - keeping.worked
    gained = gap if gap < PROGRESS_GAP_S else 0.0
    return replace(keeping, progress=keeping.progress + gained, worked=reading.worked)


def _spent(keeping: Keeping, policy: RestartPolicy) -> str:
    """Return why there may be no further restart; empty = there may."""
    if keeping.attempts >= policy.attempts:
        return f"unwell again after {_restarts(keeping.attempts)}" if keeping.attempts else "no restart is allowed"
    if len(keeping.recent) > policy.attempts:
        return f"unwell again after {_restarts(len(keeping.recent))} within an hour"
    return ""


def spared(
    state: AgentState,
    *,
    in_pane: bool,
    ours: bool,
    exit_status: int | None,
    exit_signal: int | None,
    holds_light: bool,
    known: bool,
    startable: bool,
    announced: bool,
) -> str:
    """Return why an unwell agent calls for no restart; empty = it does.

    ``in_pane``: its pane is still there. ``ours``: teamops started it, so that its pane outlives its process and goes
    only by a person's hand. ``known``: it was once seen alive. ``startable``: there is something to start it with.
    ``announced``: it has said that it shuts down.
    """
    if not startable:
        return "there is nothing to start it with"
    if state is not AgentState.DEAD:
        return "" if in_pane else "it runs in no session of the team"
    if not known:
        return "it was never seen alive"
    if not in_pane and (
        ours or exit_signal == _HUP or exit_status in _BY_HANGUP or (exit_status is None and exit_signal is None)
    ):
        return "its session was closed by hand"
    if announced and (exit_status == 0 or exit_signal == _TERM):
        return "it shut down as it had said"
    if exit_status == 0 and not holds_light:
        return "it ended in good order, with nothing to do"
    return ""


_HUP, _TERM = 1, 15
_BY_HANGUP = frozenset({128 + _HUP})
"""How a program ends that catches the signal of a closed terminal and says so."""


def _restarts(count: int) -> str:
    return "1 restart" if count == 1 else f"{count} restarts"


READY_S = 60.0
"""So long others wait for a restarted agent to be ready."""


class Slot(Struct, frozen=True):
    """The team's one place for a restart by rule: taken from the decision until the agent is ready again."""

    role: Role | None = None
    """Whose restart it is; ``None`` = free."""
    ready_by: float | None = None
    """It runs, and is waited for until then; ``None`` = it is being restarted."""

    def free(self, now: float) -> bool:
        """Return whether the next restart may begin."""
        return self.role is None or (self.ready_by is not None and now >= self.ready_by)
