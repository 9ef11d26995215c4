"""A line on its way to an agent: decided, typed, accepted, working, each with its proof and its time.

Pure steps over values. Who asks for a line, and what follows from one that is not accepted, is ``domain.telling``.
Source of the times and proofs: the house plan, "Poke with proof".
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from teamops.domain.limits import Limits
from teamops.model.agent_report import Delivery
from teamops.model.clock import Stamp

SLACK_S = 0.5
"""Between an agent's clock, cut to a thousandth, and ours."""
REST_S = 300.0
"""One that was accepted is followed for so long until it shows work; a light goes on counting."""


class Way(Struct, frozen=True, kw_only=True):
    """A delivery, with what only this life knows of it. Times are observed seconds."""

    delivery: Delivery
    line: str
    """As it is typed: one line."""
    begun: float
    """What the agent showed before it proves nothing."""
    since: float
    """The proof is waited for from here on."""
    busy: bool = False
    """The agent was busy when the line was decided, and has been since: only a sign that names the line is a proof."""
    pid: int | None = None
    """The pane's process then; ``None`` = not known."""
    accepted: float | None = None

    @property
    def was_typed(self) -> bool:
        """Something was typed for it, or may have been: teamops was killed before it could say."""
        return self.delivery.typed_wall is not None or not self.delivery.refused

    @property
    def pending(self) -> bool:
        """Its proof is still waited for."""
        return not self.delivery.over and self.delivery.accepted_wall is None

    @property
    def proven(self) -> bool:
        """Its client has taken it."""
        return self.delivery.accepted_wall is not None


class Sign(Struct, frozen=True):
    """What may show that a client took a line."""

    at: float
    """Observed seconds."""
    proof: str
    """In a word or two: "hook UserPromptSubmit", "status busy"."""
    text: str | None = None
    """The text that was taken, where the sign tells it."""
    sure: bool = False
    """It counts of a busy agent too."""


def patience_s(client: str, interval_s: float | None, limits: Limits) -> float:
    """Return for how long a proof is waited for, observed seconds.

    A bot's only sign is its next beat, which may come a whole interval later.
    """
    if client != "sdk":
        return limits.accept_s
    return limits.accept_s + (limits.beat_interval_s if interval_s is None else interval_s)


def typed(way: Way, stamp: Stamp) -> Way:
    """Return the delivery as typed and submitted."""
    known = way.delivery
    if known.over or known.typed_wall is not None:
        return way
    return replace(way, delivery=replace(known, typed_wall=stamp.wall), since=stamp.now)


def refused(way: Way, why: str, stamp: Stamp, *, touched: bool) -> Way:
    """Return the delivery as not submitted. ``touched``: its line was typed all the same, and may stand there."""
    known = way.delivery
    if known.over or known.accepted_wall is not None:
        return way
    at = stamp.wall if touched else None
    return replace(way, delivery=replace(known, typed_wall=at, refused=why or "refused", over=True))


def proven_by(way: Way, sign: Sign) -> bool:
    """Return whether ``sign`` shows that the client took this very line.

    A sign that names the text is believed also of a line that was given up already: then the proof came late.
    """
    if way.proven or not way.was_typed or sign.at < way.begun - SLACK_S:
        return False
    if sign.text is not None:
        return " ".join(way.line.split()) in " ".join(sign.text.split())
    return way.pending and (sign.sure or not way.busy) and sign.at >= way.begun


def accepted(way: Way, sign: Sign, stamp: Stamp) -> Way:
    """Return the delivery as accepted, if ``sign`` proves it."""
    if not proven_by(way, sign):
        return way
    known = way.delivery
    wall = max(known.typed_wall or known.decided_wall, stamp.wall - max(0.0, stamp.now - sign.at))
    delivery = replace(
        known,
        typed_wall=wall if known.typed_wall is None else known.typed_wall,
        accepted_wall=wall,
        proof=sign.proof,
        refused="",
    )
    return replace(way, delivery=delivery, accepted=max(way.begun, sign.at))


def working(way: Way, worked: float | None, stamp: Stamp) -> Way:
    """Return the delivery as worked on, if the agent has shown work (observed seconds) after it was accepted."""
    known = way.delivery
    if way.accepted is None or known.accepted_wall is None or known.working_wall is not None:
        return way
    if worked is None or worked <= way.accepted:
        return way
    wall = max(known.accepted_wall, stamp.wall - max(0.0, stamp.now - worked))
    return replace(way, delivery=replace(known, working_wall=wall, over=True))


def waited(way: Way, now: float, patience: float, *, busy: bool) -> Way:
    """Return the delivery after a round of the clock: over, where its proof did not come in time.

    While its agent is busy with something else the line waits in its queue, and no time goes by.
    """
    if way.delivery.over:
        return way
    if way.proven:
        return ended(way) if now - (way.accepted or way.since) >= REST_S else way
    if busy:
        return replace(way, since=now)
    if way.busy:  # now the queue's turn comes: what it did before was something else
        return replace(way, since=now, begun=now, busy=False)
    return ended(way) if now - way.since >= patience else way


def joined(way: Way, stored: Delivery, accepted: float | None) -> Way:
    """Return the delivery with what another process has stored of it. ``accepted``: observed seconds."""
    mine = way.delivery
    delivery = replace(
        mine,
        typed_wall=stored.typed_wall if mine.typed_wall is None else mine.typed_wall,
        accepted_wall=stored.accepted_wall if mine.accepted_wall is None else mine.accepted_wall,
        working_wall=stored.working_wall if mine.working_wall is None else mine.working_wall,
        refused="" if stored.accepted_wall is not None else mine.refused or stored.refused,
        proof=mine.proof or stored.proof,
        over=mine.over or stored.over,
    )
    return replace(way, delivery=delivery, accepted=accepted if way.accepted is None else way.accepted)


def ended(way: Way) -> Way:
    """Return the delivery as one of which nothing more is expected."""
    return way if way.delivery.over else replace(way, delivery=replace(way.delivery, over=True))
