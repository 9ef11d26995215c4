"""What an agent is doing, by the best evidence there is.

Source of the order: the house plan, "Health": hook events and the client's own status file > transcript growth >
beats > process facts > pane text.
"""

from __future__ import annotations

from msgspec import Struct

from teamops.domain import hooks
from teamops.domain.hooks import Told
from teamops.domain.limits import Limits
from teamops.domain.span import clock_words
from teamops.model.agent import AgentState, Beat, BeatKind, ClientStatus, Evidence, EvidenceKind
from teamops.model.pane import Screen

_SIGNALS = dict(
    zip(
        (1, 2, 3, 4, 6, 8, 9, 11, 13, 14, 15),
        ("HUP", "INT", "QUIT", "ILL", "ABRT", "FPE", "KILL", "SEGV", "PIPE", "ALRM", "TERM"),
        strict=True,
    )
)
"""Those with the same number everywhere."""
_MAY_HANG = frozenset({AgentState.WORKING, AgentState.IDLE, AgentState.STARTING})
WORK_STATUSES = frozenset({"working", "busy"})
"""Statuses of a beat that say in words that the agent works."""


class Facts(Struct, frozen=True, kw_only=True):
    """Everything known of one agent. Times are observed seconds; ``None`` = never seen."""

    client: str
    managed: bool
    """A session is configured, and tmux could be asked."""
    pid: int | None = None
    """Of the living process; ``None`` = none."""
    born: float | None = None
    """When this process was first seen."""
    dead: bool = False
    """A process of this agent was known and has ended."""
    exit_status: int | None = None
    exit_signal: int | None = None
    oom: bool = False
    """The kernel killed it for want of memory."""
    died: float | None = None
    session_gone: bool = False
    """It was not seen to end: its whole session is no more found."""
    status: ClientStatus | None = None
    status_at: float | None = None
    status_detail: str = ""
    tool_runs: bool = False
    """It is busy and runs other processes than at rest: a tool of its own."""
    told: Told | None = None
    """What its client's last hook event says."""
    told_at: float | None = None
    told_detail: str = ""
    """The event's name, and what it is about."""
    stopped_at: float | None = None
    """Since when its process is stopped by a signal; ``None`` = it isn't."""
    went_on: float | None = None
    """When it last went on after that: what is expected of it counts from there."""
    client_ended: float | None = None
    """When the client in its living pane ended: a shell is left there."""
    screen: Screen | None = None
    """What its screen shows; ``None`` = not looked at."""
    screen_at: float | None = None
    auth: bool = False
    """Its screen says that its account is refused."""
    bare_shell: bool = False
    """A shell is all that runs in its pane."""
    grew: float | None = None
    """Last growth of its transcript."""
    beat: float | None = None
    """Last beat of any kind."""
    beat_status: str = "ok"
    called: float | None = None
    """Last call of a model that told itself, outside of any beat."""
    worked: float | None = None
    """Last beat that told of work."""
    in_cycle: bool = False
    interval_s: float | None = None
    """The beat interval it promised."""
    shutdown_until: float | None = None
    printed: float | None = None
    """Last output of its pane."""
    light_since: float | None = None
    """When the light came, if it holds one."""


SESSION_GONE = "its session was closed or renamed"
SERVER_ENDS_S = 5.0
"""A tmux server that ends has ended its sessions before, and answers without them until its clients have left (tmux
3.3a under load: 10 ends of 60 were seen so). Gone this soon after its last session, it is the server that went."""
SERVER_GONE = "it went with its tmux server"
"""Of one whose death is told as that of the server: its state is unknown, and it is down all the same."""


def tells_of_work(beat: Beat) -> bool:
    """Return whether a beat is a sign of work, not only of life.

    A bot that beats from an idle loop must not pass for one that took its turn, so a bare beat is not enough: tokens,
    cost, tool calls, a call of a model, the begin or end of a cycle, or a status that says so.
    """
    if beat.kind is BeatKind.HOOK:
        return hooks.told(beat.hook, beat.detail) in hooks.BUSY
    return (
        beat.tokens > 0
        or beat.tool_calls > 0
        or (beat.cost_usd is not None and beat.cost_usd > 0)
        or beat.kind in {BeatKind.CYCLE_BEGIN, BeatKind.CYCLE_END, BeatKind.USAGE}
        or beat.status.lower() in WORK_STATUSES
    )


def worked_at(facts: Facts, now: float) -> float | None:
    """Return when the agent last showed a sign of work (observed seconds), or ``None``.

    A client that hangs says "busy" for ever, so that word is a sign of work at the moment it was said, and later only
    while a tool runs; otherwise its transcript has to grow. Output of the pane counts only for a client that has no
    better evidence to give; of a known one only while its screen says that it is busy.
    """
    signs = [facts.grew, facts.worked]
    if not facts.dead and facts.tool_runs and (facts.status is ClientStatus.BUSY or facts.told is Told.TOOL):
        return now
    if facts.status is ClientStatus.BUSY and not facts.dead:
        signs.append(facts.status_at)
    if facts.client == "command" or (facts.client != "claude" and facts.told is None and facts.screen is Screen.BUSY):
        signs.append(facts.printed)
    if facts.in_cycle and facts.beat is not None:
        signs.append(facts.beat)
    seen = [sign for sign in signs if sign is not None]
    return max(seen) if seen else None


def beat_overdue(facts: Facts, now: float, limits: Limits) -> float | None:
    """Return for how many seconds an expected beat is missing beyond the allowance, or ``None``.

    Expected of an agent that beats at all (it has beaten, or is an SDK bot) while it holds the light or is in a cycle,
    and always of one that promised an interval.
    """
    beats_at_all = facts.beat is not None or facts.client == "sdk"
    held_to_it = facts.interval_s is not None or (beats_at_all and (facts.in_cycle or facts.light_since is not None))
    if not held_to_it:
        return None
    starts = [at for at in (facts.beat, facts.called, facts.born, facts.light_since, facts.went_on) if at is not None]
    if not starts:
        return None
    interval = facts.interval_s or limits.beat_interval_s
    overdue = now - max(starts) - limits.missed_beats * interval
    return overdue if overdue >= 0 else None


_SHELL_SAYS = {126: "may not be run", 127: "no such program"}
"""What a shell's own exit statuses mean, POSIX 2.8.2; its words are lost where it ended at once."""


def exit_words(status: int | None, signal: int | None, *, oom: bool = False) -> str:
    """Say how a process ended."""
    if oom:
        return "out of memory: killed by the kernel"
    if signal is not None:
        name = _SIGNALS.get(signal)
        return f"signal {signal} ({name})" if name else f"signal {signal}"
    if status is None:
        return "cause unknown"
    meant = _SHELL_SAYS.get(status)
    return f"exit status {status} ({meant})" if meant else f"exit status {status}"


def judge(facts: Facts, now: float, limits: Limits) -> tuple[AgentState, Evidence]:
    """Return the agent's state and why it is believed."""
    alive_or_not = _by_process(facts, now)
    if alive_or_not is not None:
        return alive_or_not
    if facts.shutdown_until is not None and now < facts.shutdown_until:
        return AgentState.SHUTTING_DOWN, Evidence(EvidenceKind.BEAT, _age(facts.beat, now), "said so itself")
    state, evidence = (
        _by_status(facts, now)
        or _by_hooks(facts, now)
        or _by_growth(facts, now, limits)
        or _by_beats(facts, now, limits)
        or _by_pane(facts, now, limits)
    )
    if state in _MAY_HANG:
        trouble = _by_errors(facts, now) or _as_zombie(facts, state, evidence, now, limits)
        if trouble is not None:
            return trouble
    return state, evidence


def _age(at: float | None, now: float) -> float | None:
    return None if at is None else max(0.0, now - at)


def _by_growth(facts: Facts, now: float, limits: Limits) -> tuple[AgentState, Evidence] | None:
    if facts.grew is None or now - facts.grew >= limits.evidence_s:
        return None
    if facts.pid is not None and facts.screen is Screen.DIALOG:
        # What it was about to do when it asked is in the transcript already; and a subagent may go on meanwhile.
        return AgentState.WAITING, Evidence(EvidenceKind.PANE, _age(facts.screen_at, now), "a dialog is open")
    ended = facts.screen is Screen.PROMPT and facts.screen_at is not None and facts.screen_at > facts.grew
    if facts.pid is not None and ended:
        return AgentState.IDLE, Evidence(EvidenceKind.PANE, _age(facts.screen_at, now), "at its prompt")
    return AgentState.WORKING, Evidence(EvidenceKind.TRANSCRIPT, max(0.0, now - facts.grew), "transcript grows")


def _by_errors(facts: Facts, now: float) -> tuple[AgentState, Evidence] | None:
    """Return the state of a client that can't reach its model."""
    if facts.pid is not None and facts.screen is Screen.RETRYING:
        return AgentState.ERRORED, Evidence(
            EvidenceKind.PANE, _age(facts.screen_at, now), "API calls fail, it tries again"
        )
    if facts.pid is not None and facts.screen is Screen.FAILED:
        what = "its account is refused" if facts.auth else "its last API call failed"
        return AgentState.ERRORED, Evidence(EvidenceKind.PANE, _age(facts.screen_at, now), what)
    if facts.told is Told.FAILED and facts.status is not ClientStatus.BUSY:
        return AgentState.ERRORED, Evidence(EvidenceKind.HOOK, _age(facts.told_at, now), facts.told_detail)
    return None


def _as_zombie(
    facts: Facts, state: AgentState, evidence: Evidence, now: float, limits: Limits
) -> tuple[AgentState, Evidence] | None:
    """Return the state of one that should work, lives, and shows none for the limit.

    One at rest by its own word, or at its prompt, hangs nowhere: its light is stale, and a poke may help.
    """
    if facts.pid is None or (facts.light_since is None and not facts.in_cycle):
        return None
    if state is AgentState.IDLE and (
        evidence.kind in {EvidenceKind.STATUS, EvidenceKind.HOOK, EvidenceKind.BEAT} or facts.screen is Screen.PROMPT
    ):
        return None
    worked = worked_at(facts, now)
    starts = [at for at in (worked, facts.light_since, facts.born, facts.went_on) if at is not None]
    if not starts or now - max(starts) < limits.zombie_s:
        return None
    span = clock_words(now - max(starts))
    return AgentState.ZOMBIE, Evidence(
        evidence.kind,
        evidence.age_s,
        f"no work for {span}, though its process lives ({evidence.detail or state.value})",
    )


def _by_process(facts: Facts, now: float) -> tuple[AgentState, Evidence] | None:
    if facts.dead:
        unseen = facts.session_gone and facts.exit_status is None and facts.exit_signal is None
        detail = SESSION_GONE if unseen else exit_words(facts.exit_status, facts.exit_signal, oom=facts.oom)
        return AgentState.DEAD, Evidence(EvidenceKind.PROCESS, _age(facts.died, now), detail)
    if facts.client_ended is not None:
        detail = "the client has ended, its shell is left"
        return AgentState.DEAD, Evidence(EvidenceKind.PROCESS, _age(facts.client_ended, now), detail)
    if facts.stopped_at is not None and facts.pid is not None:
        detail = "stopped by a signal (SIGSTOP)"
        return AgentState.SUSPENDED, Evidence(EvidenceKind.PROCESS, _age(facts.stopped_at, now), detail)
    signs = (facts.beat, facts.called, facts.grew, facts.told_at)
    if facts.pid is None and all(sign is None for sign in signs):
        detail = "no session" if facts.managed else "nothing watched"
        return AgentState.UNKNOWN, Evidence(EvidenceKind.NOTHING, None, detail)
    return None


def _by_status(facts: Facts, now: float) -> tuple[AgentState, Evidence] | None:
    if facts.status is None:
        return None
    evidence = Evidence(EvidenceKind.STATUS, _age(facts.status_at, now), facts.status_detail or facts.status.value)
    if facts.status is ClientStatus.WAITING:
        return AgentState.WAITING, evidence
    if facts.status is ClientStatus.BUSY:
        return AgentState.WORKING, evidence
    # Idle by its own word: a fresh line in the transcript is then the end of the turn, not work.
    return AgentState.IDLE, evidence


def _by_hooks(facts: Facts, now: float) -> tuple[AgentState, Evidence] | None:
    """Return what its client's hooks last said, unless its screen has changed since to what no hook tells of."""
    if facts.told is None or facts.told_at is None:
        return None
    seen_later = facts.pid is not None and facts.screen_at is not None and facts.screen_at > facts.told_at
    if seen_later and facts.screen is Screen.DIALOG and facts.told is not Told.WAITING:
        return AgentState.WAITING, Evidence(EvidenceKind.PANE, _age(facts.screen_at, now), "a dialog is open")
    age = _age(facts.told_at, now)
    if facts.told in hooks.BUSY or facts.told is Told.WAITING:
        if seen_later and facts.screen in {Screen.PROMPT, Screen.FAILED}:  # Escape, or a dialog that was refused
            return AgentState.IDLE, Evidence(EvidenceKind.PANE, _age(facts.screen_at, now), "at its prompt")
        if facts.told is Told.WAITING and seen_later and facts.screen in {Screen.BUSY, Screen.RETRYING}:
            return AgentState.WORKING, Evidence(EvidenceKind.PANE, _age(facts.screen_at, now), "its screen says busy")
        state = AgentState.WAITING if facts.told is Told.WAITING else AgentState.WORKING
        return state, Evidence(EvidenceKind.HOOK, age, facts.told_detail)
    if facts.told in {Told.IDLE, Told.READY, Told.FAILED}:
        return AgentState.IDLE, Evidence(EvidenceKind.HOOK, age, facts.told_detail)
    return None


def _by_beats(facts: Facts, now: float, limits: Limits) -> tuple[AgentState, Evidence] | None:
    overdue = beat_overdue(facts, now, limits)
    if overdue is not None:
        detail = f"{limits.missed_beats} beats missed" if facts.beat is not None else "never beat"
        return AgentState.SILENT, Evidence(EvidenceKind.BEAT, _age(facts.beat, now), detail)
    interval = facts.interval_s or limits.beat_interval_s
    if facts.called is not None and (facts.beat is None or facts.called > facts.beat):
        age = now - facts.called
        if age < limits.missed_beats * interval:
            return AgentState.WORKING, Evidence(EvidenceKind.BEAT, age, "calls its model")
        return None
    if facts.beat is None:
        return None
    age = now - facts.beat
    if age >= limits.missed_beats * interval:
        return None
    recent_work = facts.worked is not None and now - facts.worked < limits.missed_beats * interval
    if facts.beat_status.lower() == "idle":
        return AgentState.IDLE, Evidence(EvidenceKind.BEAT, age, "says idle")
    if facts.in_cycle or recent_work:
        return AgentState.WORKING, Evidence(EvidenceKind.BEAT, age, facts.beat_status)
    return None


def _by_pane(facts: Facts, now: float, limits: Limits) -> tuple[AgentState, Evidence]:
    if facts.pid is not None and facts.screen is Screen.DIALOG:
        return AgentState.WAITING, Evidence(EvidenceKind.PANE, _age(facts.screen_at, now), "a dialog is open")
    if facts.pid is not None and facts.screen is Screen.BUSY:
        return AgentState.WORKING, Evidence(EvidenceKind.PANE, _age(facts.screen_at, now), "its screen says busy")
    printed = facts.printed if facts.pid is not None and facts.client == "command" else None
    if printed is not None and now - printed < limits.evidence_s:
        return AgentState.WORKING, Evidence(EvidenceKind.PANE, now - printed, "prints")
    if facts.born is not None and now - facts.born < limits.starting_s:
        return AgentState.STARTING, Evidence(EvidenceKind.PROCESS, now - facts.born, "just started")
    if facts.pid is None:
        at = max(at for at in (facts.beat, facts.called, facts.grew, facts.told_at) if at is not None)
        return AgentState.UNKNOWN, Evidence(EvidenceKind.BEAT, now - at, "no session, no fresh sign")
    if facts.bare_shell and facts.client not in {"command", "sdk"}:
        return AgentState.UNKNOWN, Evidence(EvidenceKind.PROCESS, None, f"only a shell is there, no {facts.client}")
    return AgentState.IDLE, Evidence(EvidenceKind.PROCESS, _age(facts.born, now), "alive, nothing expected")
