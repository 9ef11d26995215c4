"""What is remembered of an agent: how its pokes fared, when and why it was restarted, what runs in its pane."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from msgspec import Struct

from teamops.model.actions import By
from teamops.model.boundary import NOT_HELD, Decision, Held
from teamops.model.role import Role


class DeliveryStage(StrEnum):
    """How far a poke has come. Each stage has its own proof."""

    DECIDED = "decided"
    REFUSED = "refused"
    """Nothing was submitted: a dialog, a draft, a dead pane."""
    TYPED = "typed"
    """Typed and submitted, as far as the pane shows."""
    ACCEPTED = "accepted"
    """The client has taken it: its hook, its transcript, its status, or the agent's first beat says so."""
    WORKING = "working"
    """The agent has shown work since."""
    UNPROVEN = "unproven"
    """Typed, and no proof came within the limit."""


class Delivery(Struct, frozen=True, kw_only=True):
    """One poke on its way. Times are Unix seconds; ``None`` = not come so far."""

    action_id: int
    role: Role
    text: str
    by: By
    light: str
    """The reason that names its light ("light login#ab12"), or empty: no light is announced by it."""
    attempt: int
    """1 for the first line about its light, 2 for the next…; 0 where ``light`` is empty."""
    decided_wall: float
    typed_wall: float | None = None
    accepted_wall: float | None = None
    working_wall: float | None = None
    refused: str = ""
    """Why nothing was submitted."""
    proof: str = ""
    """What showed that it was accepted: "hook UserPromptSubmit", "transcript", "status busy", "first beat"."""
    over: bool = False
    """Nothing more is expected: working, refused, or given up as unproven."""

    @property
    def stage(self) -> DeliveryStage:
        """Return how far it has come."""
        if self.working_wall is not None:
            return DeliveryStage.WORKING
        if self.accepted_wall is not None:
            return DeliveryStage.ACCEPTED
        if self.refused:
            return DeliveryStage.REFUSED
        if self.typed_wall is not None:
            return DeliveryStage.UNPROVEN if self.over else DeliveryStage.TYPED
        return DeliveryStage.DECIDED

    @property
    def steps(self) -> tuple[tuple[str, float], ...]:
        """Return each step that came after the decision, and when, Unix seconds."""
        walls = (("typed", self.typed_wall), ("accepted", self.accepted_wall), ("working", self.working_wall))
        return tuple((step, wall) for step, wall in walls if wall is not None)

    @property
    def proof_words(self) -> str:
        """Return by what it is known to have arrived, or why that is not known."""
        if self.refused:
            return f"nothing was submitted: {self.refused}"
        if self.stage is DeliveryStage.UNPROVEN:
            return "typed, and no proof came that it was taken"
        if self.proof:
            return f"proof: {self.proof}"
        return "no proof yet" if self.accepted_wall is None else "no proof is on record"


class RestartRecord(Struct, frozen=True, kw_only=True):
    """One restart: what led to it, what stood there before, how it went."""

    action_id: int
    role: Role
    wall: float
    by: By
    cause: str
    """Why: "dead: exit status 37", "silent: 2 beats missed", "asked for by a person"."""
    ending: str
    """How the old process had ended, or was ended."""
    attempt: int
    """Restarts by rule since the last reset, this one counted; 0 by a person."""
    ok: bool | None = None
    """``None`` = under way, or cut off."""
    message: str = ""
    screen: str = ""
    """The last screen before, cleaned."""
    notes: tuple[str, ...] = ()
    """What was found before it: the handoff file's state, a half block, the work tree."""
    session: str = ""
    """The client's session that was resumed; empty = a fresh one."""

    @property
    def outcome(self) -> str:
        """Return in a word or two how it went."""
        if self.ok is None:
            return "under way or cut off"
        return "restarted" if self.ok else "failed"

    def attempt_words(self, of: int) -> str:
        """Return which of the ``of`` allowed ones it was (0 = not known); one by a person is not counted."""
        if not self.attempt:
            return "not counted"
        return f"attempt {self.attempt} of {of}" if of else f"attempt {self.attempt}"


PROCESS_STATES = {
    "R": "running",
    "S": "sleeping",
    "D": "waits on disk",
    "T": "stopped",
    "t": "traced",
    "Z": "ended",
    "X": "ended",
    "I": "idle",
}
"""The kernel's letters. A Z has ended and nobody asked how: it has nothing to do with an agent that is a zombie."""


class SpikeRecord(Struct, frozen=True, kw_only=True):
    """One time that an agent ran away. Rates are tokens a minute, of input and output. Times are Unix seconds."""

    id: int
    role: Role
    began_wall: float
    ended_wall: float | None
    """``None`` = it lasts."""
    peak: int
    usual: int | None
    """What it was measured by; ``None`` = nothing was usual yet."""
    threshold: int
    """What it passed."""
    tokens: int
    """Used in it, the minute before included."""
    cost_usd: Decimal
    why: str
    trace: tuple[tuple[float, int], ...] = ()
    """(end of 10 s, tokens used in them) from ten minutes before it to its end, oldest first; without those of 0."""


class ProcessNode(Struct, frozen=True):
    """One process of an agent's tree, parents before children."""

    pid: int
    parent: int
    depth: int
    name: str
    rss_bytes: int
    cpu_s: float
    state: str
    """One letter, as the kernel names it: R, S, D, T, Z."""

    @property
    def state_word(self) -> str:
        """Return the state in words; empty = not known."""
        return PROCESS_STATES.get(self.state, self.state)


class Launch(Struct, frozen=True, kw_only=True):
    """What teamops knows of the process that it started for a role, or found running."""

    role: Role
    session: str
    pane_id: str
    pid: int
    born: str
    """The process's start time as the kernel counts it: with the pid it names one process for ever."""
    client: str
    client_session: str
    """The client's own session id; empty = not known."""
    wall: float
    adopted: bool
    """It ran already: teamops didn't start it, and never ends it by itself."""
    held: Held = NOT_HELD


class AgentReport(Struct, frozen=True, kw_only=True):
    """The whole memory of one agent, newest first in each list."""

    role: Role
    deliveries: tuple[Delivery, ...] = ()
    restarts: tuple[RestartRecord, ...] = ()
    processes: tuple[ProcessNode, ...] = ()
    launch: Launch | None = None
    spikes: tuple[SpikeRecord, ...] = ()
    keeping: str = ""
    """What teamops does about it now: "restart 1 of 2 at 14:31, the next no sooner than 14:36"; empty = nothing."""
    memory: tuple[tuple[float, int], ...] = ()
    """(Unix seconds, bytes) of its process tree, oldest first, at most one a minute."""
    memory_note: str = ""
    """What is worth saying of its memory: "4 GB in about 5 h"; empty = nothing."""
    attempts_allowed: int = 0
    """Restarts by rule before it is given up."""
    refused: tuple[Decision, ...] = ()
    """What its hook refused or warned of lately, at most 20; the same within ten minutes is one."""
    processes_left_out: int = 0
    """More of its tree than are told."""
    past: bool = False
    """It is of a recorded moment: what ran then, and what teamops held back by itself, is not on record."""
