"""May this tool call be made? The call as its client tells it, the role's policy and the file system as it is."""

# ruff: noqa: PTH118, PTH123 - importing pathlib costs more than all of this
from __future__ import annotations

import os

from teamops.guard.act import Act
from teamops.guard.acts import Call, call_of
from teamops.guard.judge import ALLOW, DENY, REPORT, WARN, Decision, Light, judge, light_rule, strictest
from teamops.guard.judge_line import judge_line
from teamops.guard.light import Later, light_of
from teamops.guard.places import Looking, Place
from teamops.guard.policy import Policy

TYPE_CHECKING = False  # what `typing` says, without its cost
if TYPE_CHECKING:
    from teamops.guard.sifting import Sieve

MAX_COUNTED = 8 << 20
"""A longer file's lines are not counted."""


def decide(policy: Policy, tool: str, given: object, folder: str, light: Light | None = None) -> Decision:
    """Return whether the tool may be called with ``given`` by an agent that stands in ``folder``.

    Raises whatever goes wrong; who asks takes that for a no. ``light``: to be taken in place of the real one.
    """
    if policy.get("unruled"):
        return Decision(ALLOW, "unruled", "its role has no profile, so no boundary", tool)
    call = call_of(tool, given)
    if call.reads:
        return Decision(ALLOW, "reading", "it changes no file", tool)
    own = Later(lambda: light_of(policy)) if light is None else light
    if call.trouble and call.known:
        return Decision(DENY, "tools.unread", call.trouble, tool, REPORT)
    if call.trouble:
        return _unknown(policy, own, call)
    asking = Asking(policy, own)
    here = os.path.join(folder or asking.root, call.folder)
    if call.line is not None:
        return judge_line(policy, own, call.line, here, asking.judge)
    return strictest([asking.judge(act, (here,)) for act in call.acts])


class Asking:
    """Looks where changes would go, and judges them."""

    def __init__(self, policy: Policy, light: Light) -> None:
        self._roots: tuple[str, ...] = tuple(policy["roots"])
        self._policy = policy
        self._light = light
        self._looking = Looking(self._roots, policy["home"], self._sieve)

    def _sieve(self, inside: list[str]) -> Sieve | None:
        from teamops.guard.sifting import sieve_for

        return sieve_for(self._policy, inside)

    @property
    def root(self) -> str:
        """The folder in which the agent begins."""
        return self._roots[-1]  # its own work tree, where it has one

    def judge(self, act: Act, folders: tuple[str, ...]) -> Decision:
        """Judge one change of a process that may stand in any of ``folders``."""
        if not act.plain:
            return self._judge_all(act, folders)
        place = self._looking.at(act.path, folders)
        below = self._looking.below(place) if act.deep and place.is_dir and not place.trouble else None
        if act.whole and not place.trouble:
            act.added = _growth(act, place)
        if (act.whole or act.edits) and self._policy["handoff"] in place.inside and not place.trouble:
            _see_edited(act, place)
        return judge(self._policy, self._light, act, place, below)

    def _judge_all(self, act: Act, folders: tuple[str, ...]) -> Decision:
        """Judge each place that a change reaches that speaks of several."""
        from teamops.guard.reach import TooMuch, reached

        try:
            found = reached(self._looking, act, folders)
        except TooMuch:
            dark = light_rule(self._policy, self._light, act.path)
            if dark is not None:
                return dark
            why = "it stands for more files than can be looked at"
            verdict = WARN if "*" in self._policy["commands_allow"] else DENY
            return Decision(verdict, "commands.unread", why, act.path, "name the files, or their folder")
        told = [judge(self._policy, self._light, one, place, below) for one, place, below in found]
        if act.maybe:
            told = [one for one in told if one.verdict == DENY]
        return strictest(told) if told else Decision(ALLOW, "reading", "no such file stands there", act.path)


def _growth(act: Act, place: Place) -> int | None:
    """Return by how many lines a file grows that is written as a whole; ``None`` = it can't be said."""
    wanted = len((act.text or "").splitlines())
    if not place.exists:
        return wanted
    raw = _bytes_at(place)
    return None if raw is None else wanted - len(raw.splitlines())


def _see_edited(act: Act, place: Place) -> None:
    """Note what stands in the file, and what would: a heading that is there already is put there by nobody."""
    raw = _bytes_at(place) if place.exists else b""
    act.before = before = "" if raw is None else raw.decode("utf-8", "replace")
    if act.whole:
        return
    for old, new, every in act.edits:
        if old and old in before:
            before = before.replace(old, new) if every else before.replace(old, new, 1)
        else:  # some clients find what merely resembles it: then what is said of it counts
            act.before, before = f"{act.before}\n{old}", f"{before}\n{new}"
    act.after = before


def _bytes_at(place: Place) -> bytes | None:
    """Return what stands in a file; ``None`` = it can't be read, or is too long."""
    try:
        # Not blocking: whatever was put in its place meanwhile holds nobody up.
        with open(os.open(place.real, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
            raw = file.read(MAX_COUNTED + 1)
    except OSError:
        return None
    return None if len(raw) > MAX_COUNTED else raw


def _unknown(policy: Policy, light: Light, call: Call) -> Decision:
    """Return what the role's default says of a tool of which nobody knows what it does."""
    dark = light_rule(policy, light, call.tool)
    if dark is not None:
        return dark
    if "*" in policy["commands_allow"]:
        return Decision(ALLOW, "tools.unknown", f"{call.trouble}; {policy['role']} may run any", call.tool)
    why = f"{call.trouble}, and {policy['role']} calls only tools that are known"
    return Decision(DENY, "tools.unknown", why, call.tool, f"{REPORT}, with what you need it for")
