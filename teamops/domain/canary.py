"""Does a boundary hold today? From what was tried to one word, with its reason.

Two faults are told apart: a layer that lets through what is forbidden, and one that refuses what is allowed: it fails
closed, and its agent can't work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from msgspec import Struct

from teamops.model.alert import Finding
from teamops.model.check import AUDIT, COMMIT, HOLD, HOOK, KERNEL, Check, Word
from teamops.model.role import Role

LETS, REFUSES = "lets through what is forbidden", "refuses what is allowed"
REFUSED = 2
"""The status by which a hook refuses."""
PATIENCE_S = 6.0
"""So long a client waits for a hook; then it goes on as if there were none."""


@dataclass(frozen=True, slots=True)
class Try:
    """One thing that was tried inside the boundary."""

    what: str
    """In words: "write /p/src/x"."""
    forbidden: bool
    done: bool
    """It could be done."""
    why: str = ""
    """Why not."""
    held_here: bool = True
    """This machine has what holds it; else it is a hole that is known."""
    whole: bool = True
    """A hole of this kind leaves the boundary whole, as far as files go."""


class Answer(Struct, frozen=True):
    """What a hook answered to one call."""

    status: int | None
    """``None``: not within PATIENCE_S."""
    out: str = ""
    said: str = ""
    ms: int = 0


class Asked(Struct, frozen=True, kw_only=True):
    """One call, and what was answered."""

    what: str
    """In words: "Write /p/src/x"."""
    answer: Answer
    seal: str = ""
    """What an answer that lets through has to begin with."""

    @property
    def refused(self) -> bool:
        """Return whether the call would not happen."""
        answer = self.answer
        return answer.status == REFUSED or bool(self.seal and not self.let)

    @property
    def let(self) -> bool:
        """Return whether the call would happen, without a fault."""
        return self.answer.status == 0 and self.answer.out.startswith(self.seal)


@dataclass(frozen=True, slots=True)
class Client:
    """What is known of the client that a role's agent runs."""

    name: str
    version: str = ""
    """As it says itself; empty = not known."""
    trouble: str = ""
    """Why its version is not known."""
    off: str = ""
    """What turns its hooks off; empty = nothing that is known."""
    do: str = ""
    chosen: bool = False
    """That was a person's choice for this very agent: its own command says so."""
    runtime: str = ""
    """The program that runs plugins as the client does: the client itself; empty = none is known."""


class Seen(Struct, frozen=True):
    """With which versions of a client the hooks were seen to hold."""

    first: tuple[int, ...]
    last: tuple[int, ...]


SEEN: Mapping[str, Seen] = MappingProxyType(
    {
        "claude": Seen((2, 1, 330), (2, 1, 330)),
        "codex": Seen((0, 169, 0), (0, 171, 0)),
        "gemini": Seen((0, 61, 0), (0, 61, 0)),
        "opencode": Seen((1, 18, 33), (1, 18, 33)),
    }
)
"""By trial: the client itself refused a forbidden write and made an allowed one. A test compares this with
docs/boundaries.md."""

_NUMBER = re.compile(r"(?<![\w.])v?(\d+(?:\.\d+){1,3})(?![\w.]*\d)")


def version_in(text: str) -> str:
    """Return the version that a program prints; empty = none is found."""
    for line in text.splitlines():
        if not line.lower().startswith("warning") and (found := _NUMBER.search(line)):
            return found[1]
    return ""


def unproven(client: str, version: str) -> str:
    """Return in words that nobody has seen the hooks hold with this version; empty = somebody has."""
    seen = SEEN.get(client)
    if seen is None:
        return ""
    if not version:
        return "unproven: its version is not known"
    number = tuple(int(part) for part in version.split("."))
    if seen.first <= number <= seen.last:
        return ""
    first, last = (".".join(map(str, each)) for each in (seen.first, seen.last))
    return f"unproven with {version}: seen with {first if first == last else f'{first} to {last}'}"


def kernel_check(
    role: Role,
    holder: str,
    tries: Sequence[Try],
    ms: int,
    lacks: Sequence[str] = (),
    holes: Sequence[str] = (),
    links: Sequence[str] = (),
    planted: Sequence[str] = (),
    *,
    strict: bool = False,
) -> Check:
    """Return what the kernel's layer is worth.

    ``holder``: what holds here; ``lacks``: what it has not; ``holes``: what its boundary does not hold; ``links``:
    settings that it can't hold, for they are links. It works all the same, but for who is ``strict``. ``planted``: what
    it could make in the project, and who works there would run; of such a one nobody may say that it works.
    """
    tried = tuple(f"{one.what}: {'done' if one.done else one.why or 'refused'}" for one in tries)
    wrong = [one for one in tries if one.forbidden and one.done and one.held_here]
    if wrong:
        why = f"{LETS}: {wrong[0].what}{_more(wrong)}"
        do = "start no agent of this role; teamops run --role ROLE --show says what should hold"
        return _check(KERNEL, role, Word.BROKEN, why, do.replace("ROLE", role), ms, tried)
    shut = [one for one in tries if not one.forbidden and not one.done]
    if shut:
        why = f"{REFUSES}: {shut[0].what} ({shut[0].why}){_more(shut)}"
        return _check(KERNEL, role, Word.BROKEN, why, "mend the folder's rights, or free disk space", ms, tried)
    if links and strict:
        do = "put a file or folder of its own in the place of the link, or say strict = false in [guard]"
        return _check(KERNEL, role, Word.BROKEN, f"{LETS}: {links[0]}", do, ms, tried)
    if planted and strict:
        do = "put a file or folder of your own there, which can be held, or say strict = false in [guard]"
        return _check(KERNEL, role, Word.BROKEN, f"{LETS}: {planted[0]}", do, ms, tried)
    held = sum(one.forbidden and not one.done for one in tries)
    open_ = [one.what for one in tries if one.forbidden and one.done]
    why = f"{holder}: {held} held, {sum(not one.forbidden for one in tries)} allowed"
    open_ += [*links, *planted]
    missing = [f"open: {', '.join(open_)}"] if open_ else []
    tried += tuple(f"not held: {hole}" for hole in holes)
    # Of a file that can be emptied nobody may say that it is held.
    whole = not planted and all(one.whole for one in tries if one.forbidden and one.done)
    word = Word.WORKS if whole else Word.NOT_SUPPORTED
    return _check(KERNEL, role, word, "; ".join((why, *missing)), "; ".join(lacks), ms, tried)


def not_started(role: Role, why: str, do: str = "", ms: int | None = None) -> Check:
    """Return the kernel's check where the boundary would not start its agent at all."""
    return _check(KERNEL, role, Word.BROKEN, f"{REFUSES}: nothing starts in it ({why})", do, ms)


def not_tried(role: Role, why: str) -> Check:
    """Return what is said where the trial itself failed: nobody knows whether the boundary holds."""
    return _check(
        KERNEL, role, Word.BROKEN, f"could not be tried: {why}", "this is a defect of teamops; please report it"
    )


def unheld(role: Role, word: Word, why: str, do: str) -> Check:
    """Return the kernel's check where it holds nothing."""
    return _check(KERNEL, role, word, why, do)


def hook_check(
    role: Role,
    client: Client,
    forbidden: Sequence[Asked],
    allowed: Sequence[Asked],
    blind: Sequence[Asked] = (),
) -> Check:
    """Return what the hooks' layer is worth.

    ``blind``: forbidden or not, asked where the hook can't see its policy; they must be refused.
    """
    ms = max((one.answer.ms for one in (*forbidden, *allowed)), default=0)
    tried = tuple(
        f"{one.what}: {'refused' if one.refused else 'let through' if one.let else _words(one.answer)}"
        for one in (*forbidden, *blind, *allowed)
    )
    if client.off:
        word = Word.OFF if client.chosen else Word.BROKEN
        why = client.off if client.chosen else f"{LETS}: {client.off}"
        return _check(HOOK, role, word, why, client.do, ms, tried)
    if not forbidden:
        return _check(HOOK, role, Word.NOT_SUPPORTED, "not tried: no call of it could be made up", "", None)
    wrong = [one for one in forbidden if not one.refused]
    if wrong:
        why = f"{LETS}: {wrong[0].what} ({_words(wrong[0].answer)}){_more(wrong)}"
        return _check(HOOK, role, Word.BROKEN, why, "install teamops anew; start no agent until this works", ms, tried)
    open_ = [one for one in blind if not one.refused]
    if open_:
        why = f"{LETS}: {open_[0].what}, although it can't see its policy ({_words(open_[0].answer)})"
        return _check(HOOK, role, Word.BROKEN, why, "install teamops anew; start no agent until this works", ms, tried)
    shut = [one for one in allowed if not one.let]
    if shut:
        why = f"{REFUSES}: {shut[0].what} ({_words(shut[0].answer)}){_more(shut)}"
        return _check(HOOK, role, Word.BROKEN, why, "mend what it says; without that its agent can't work", ms, tried)
    asked = client.version or client.trouble
    doubt = unproven(client.name, client.version) if asked else ""
    shown = f"{client.name} {client.version}".strip()
    why = f"{shown}: {len(forbidden) + len(blind)} refused, {len(allowed)} let through"
    why += f"; {doubt}" if doubt else ""
    do = "look once that it refuses a write that is forbidden" if doubt else ""
    if doubt and client.trouble:
        do = client.trouble
    return _check(HOOK, role, Word.WORKS, why, do, ms, tried)


def no_hook(role: Role, word: Word, why: str, do: str = "") -> Check:
    """Return the hooks' check where none are given to the client."""
    return _check(HOOK, role, word, why, do)


def hold_check(role: Role, asked: Asked | None) -> Check:
    """Return whether a held agent's tool calls are refused; ``None``: its client has no hook that could."""
    if asked is None:
        why = "no hook that could refuse: a hard stop interrupts the agent and ends it"
        return _check(HOLD, role, Word.NOT_SUPPORTED, why)
    if not asked.refused:
        why = f"{LETS}: a tool call of a held agent ({_words(asked.answer)})"
        return _check(HOLD, role, Word.BROKEN, why, "install teamops anew", asked.answer.ms)
    return _check(HOLD, role, Word.WORKS, "a held agent's call is refused")


def unruled(role: Role, layer: str) -> Check:
    """Return a layer's check where the role has no boundary that could be passed."""
    return _check(layer, role, Word.OFF, "its role has no profile, so no boundary", f"write profiles/{role.lower()}.md")


def untried(role: Role, layer: str, why: str, do: str = "") -> Check:
    """Return a layer's check where its trial failed by itself: nobody knows whether it holds."""
    return _check(layer, role, Word.BROKEN, f"could not be tried: {why}", do)


def no_audit(role: Role, why: str, do: str) -> Check:
    """Return the audit's check where nothing is looked at."""
    return _check(AUDIT, role, Word.OFF, why, do)


def audit_check(role: Role, mode: str, tries: Sequence[Try], seen_s: float, within_s: float, lesser: str = "") -> Check:
    """Return whether changes past the boundary are found afterwards.

    ``mode``: of `guard.audit`. ``tries``: changes that were made; ``done`` = none called them a violation.
    ``seen_s``: so long it took; ``lesser``: why files are not watched but looked at now and then.
    """
    tried = tuple(f"{one.what}: {one.why or ('no violation' if one.done else 'a violation')}" for one in tries)
    ms = round(seen_s * 1000)
    wrong = [one for one in tries if one.forbidden and one.done]
    if wrong:
        why = f"{LETS}: {wrong[0].what} ({wrong[0].why or 'no violation'})"
        do = "read what an agent of this role changes yourself, and please report it"
        return _check(AUDIT, role, Word.BROKEN, why, do, ms, tried)
    shut = [one for one in tries if not one.forbidden and not one.done]
    if shut:
        why = f"{REFUSES}: {shut[0].what} ({shut[0].why or 'it is called a violation'})"
        return _check(AUDIT, role, Word.BROKEN, why, "please report it", ms, tried)
    if seen_s > within_s:
        why = f"too late: what is forbidden was found after {seen_s:.1f} s, and {within_s:.0f} s is the most"
        return _check(AUDIT, role, Word.BROKEN, why, "the machine is very busy, or its disk is slow", ms, tried)
    forbidden = sum(one.forbidden for one in tries)
    why = f"{mode}: {forbidden} found, {len(tries) - forbidden} let stand"
    return _check(AUDIT, role, Word.WORKS, f"{why}; {lesser}" if lesser else why, "", ms, tried)


def no_commit(role: Role, other: str, do: str) -> Check:
    """Return the commit's check where no hook of teamops stands. ``other``: another's, in its place."""
    why = f"another hook stands there: {other}" if other else "git's pre-commit hook is not installed"
    return _check(COMMIT, role, Word.OFF, why, do)


def no_repository(role: Role) -> Check:
    """Return the commit's check where there is nothing to be committed to."""
    return _check(COMMIT, role, Word.NOT_SUPPORTED, "its folder is in no git repository", "git init")


def commit_check(role: Role, tries: Sequence[Try], ms: int, *, nothing: bool = False) -> Check:
    """Return whether git refuses a commit past the boundary, by the hook that stands there, and makes one within.

    ``nothing``: by its policy the role may commit nothing; the commit that has to be made is then a person's.
    """
    tried = tuple(f"{one.what}: {'made' if one.done else one.why or 'refused'}" for one in tries)
    do = "install it anew: teamops guard install-git-hook"
    wrong = [one for one in tries if one.forbidden and one.done]
    if wrong:
        return _check(COMMIT, role, Word.BROKEN, f"{LETS}: {wrong[0].what}", do, ms, tried)
    shut = [one for one in tries if not one.forbidden and not one.done]
    if shut:
        return _check(COMMIT, role, Word.BROKEN, f"{REFUSES}: {shut[0].what} ({shut[0].why})", do, ms, tried)
    forbidden = sum(one.forbidden for one in tries)
    why = f"git's pre-commit hook: {forbidden} refused, {len(tries) - forbidden} made"
    why += f"; by its policy {role} may commit nothing: the one made is yours" if nothing else ""
    return _check(COMMIT, role, Word.WORKS, why, "", ms, tried)


def broken(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Return those that are broken."""
    return tuple(check for check in checks if check.word is Word.BROKEN)


def broken_findings(role: Role, wrong: Sequence[Check]) -> list[Finding]:
    """Return what a person has to know of a role whose boundary is broken."""
    if not wrong:
        return []
    said = "; ".join(f"{check.layer} {check.why}" for check in wrong)
    return [
        Finding(
            code="boundary-broken",
            subject=str(role),
            message=f"{role}'s boundary is broken: {said}",
            do=f"mend it, then try it again: teamops doctor --role {role}",
            agent=role,
        )
    ]


def hindrance(checks: Sequence[Check]) -> str:
    """Return why an agent is not started where the boundary is to hold strictly; empty = it may be."""
    if wrong := broken(checks):
        return "; ".join(f"{check.layer} {check.why}" for check in wrong)
    own = [check for check in checks if check.layer in (KERNEL, HOOK)]
    if own and not any(check.word is Word.WORKS for check in own):
        return "nothing can hold its boundary here: " + "; ".join(f"{check.layer}: {check.why}" for check in own)
    return ""


def _check(
    layer: str, role: Role, word: Word, why: str, do: str = "", ms: int | None = None, tried: tuple[str, ...] = ()
) -> Check:
    return Check(layer=layer, word=word, why=why, do=do, role=role, ms=ms, tried=tried)


def _more(found: Sequence[object]) -> str:
    return f", and {len(found) - 1} more" if len(found) > 1 else ""


def _words(answer: Answer) -> str:
    """Return in words what a hook answered."""
    lines = [line.strip() for line in answer.said.splitlines() if line.strip()]
    said = next((line for line in lines if line.startswith("teamops: ")), next(iter(lines), ""))
    if answer.status is None:
        return f"no answer within {PATIENCE_S:.0f} s"
    if said:
        return f"exit status {answer.status}: {said[:160]}"
    return f"exit status {answer.status}" + (f", and it prints {answer.out[:40]!r}" if answer.out.strip() else "")
