"""A page: one word to a person who may be away from the screen, and how it was received."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct

from teamops.model.handoff import Severity
from teamops.model.role import Role

Key = tuple[str, str]
"""Code and subject: the identity of an alert's cause."""

Parts = tuple[tuple[str, bool], ...]
"""What of a page has ended by a channel that reaches several places: each one's name, and whether it was taken there or
refused for good. A name holds no secret, and is the same the next time."""


class Transition(StrEnum):
    """What happened to the alerts that a page tells of."""

    FIRED = "fired"
    """They began to fire."""
    REPEATED = "repeated"
    """They still fire, and nobody has acknowledged them."""
    ESCALATED = "escalated"
    """Nobody has acknowledged a critical one for so long that the next channel is tried."""
    RESOLVED = "resolved"
    """Their causes are gone. No one is needed; sent only where that is wanted."""
    REPORT = "report"
    """No alert: a day's report is there. No one is needed; sent only where that is wanted."""
    TRIED = "tried"
    """No alert: the person tries the channels (``teamops notify test``)."""


class Button(StrEnum):
    """What the person may answer to a page, where the channel can carry an answer."""

    ACK = "ack"
    """They have seen it: it stays listed, quietly, until its cause is gone."""
    SILENCE_15M = "silence-15m"
    SILENCE_1H = "silence-1h"
    SILENCE = "silence"
    """Until its cause is gone."""
    POKE = "poke"
    """Type the usual line into the agent's client."""
    RESTART = "restart"
    """Start the agent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What one channel is given to deliver. It names all that it needs: nothing has to be looked up."""

    id: str
    """Unique, and the same when it is delivered again after a crash: what makes a channel idempotent."""
    transition: Transition
    keys: tuple[Key, ...]
    """The alerts that are told by it, the worst first; more than one where causes were grouped or folded."""
    thread: str
    """Pages of one cause share it: a channel that can, replaces the earlier one of its thread by the later."""
    severity: Severity
    """INFO, WARNING or CRITICAL."""
    project: str
    title: str
    """One line: the project, and what is the matter."""
    body: str
    """Why, and how many more; plain text of one or a few lines, never markup."""
    do: str
    """What to do, one sentence."""
    role: Role | None = None
    """Whose agent it is about; ``None`` where it is about none, or about several."""
    buttons: tuple[Button, ...] = ()
    """What may be answered, in this order; a channel shows as many of the first as it has room for."""
    wall: float
    """When it was decided, Unix seconds."""
    parts: Parts = ()
    """What earlier tries by the channel that is given it have come to: there it is not sent again."""

    @property
    def critical(self) -> bool:
        """It may break through a "do not disturb"."""
        return self.severity is Severity.CRITICAL


class Receipt(Struct, frozen=True, kw_only=True):
    """How one attempt to deliver a page ended. ``ok`` only where its arrival was seen."""

    ok: bool
    message: str
    """One line for a person: what was done, or why not. No secrets: it is stored and shown."""
    evidence: str = ""
    """What proves it: "taken by dunst 1.9", "HTTP 200, id Xy3"."""
    retry: bool = False
    """Not delivered, and may well be the next time: a network that is down. False: trying again is no use."""
    after_s: float | None = None
    """The other side said when to try again (``Retry-After``); ``None`` = as usual."""
    absent: bool = False
    """Not delivered, as there is no such way here at all: no desktop bus, no terminal. Nothing was tried."""
    hint: str = ""
    """What to do about it, where it is not ok."""
    parts: Parts = ()
    """Where it is not ok: what of it is done with, by this try and those before it."""


class Answer(Struct, frozen=True, kw_only=True):
    """What a person answered to a page, by a channel that carries answers and knows that it was they."""

    page: str
    """The page's id."""
    keys: tuple[Key, ...]
    button: Button
    channel: str
