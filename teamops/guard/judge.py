"""May this be changed? The rules of a role's policy, asked one after the other; the first that speaks decides.

Functions from values to values: where paths lead, whose turn it is and what a call would do come as arguments.
"""

from __future__ import annotations

from teamops.guard.act import DELETE, KEEPS, REPLACES, Act
from teamops.guard.globs import Row, folds, match
from teamops.guard.places import NOWHERE, Place
from teamops.guard.policy import Policy

ALLOW, WARN, DENY = "allow", "warn", "deny"
_RANK = {ALLOW: 0, WARN: 1, DENY: 2}
REPORT = "report it in your block (teamops append)"
APPEND = "append a block, also one that corrects another: teamops append <<'END' … END"
WAIT = "read as much as you like; write when the light comes to you"


class Decision:
    """What was decided, by which rule, and what the agent does instead."""

    __slots__ = ("about", "instead", "rule", "verdict", "why")

    def __init__(self, verdict: str, rule: str, why: str, about: str = "", instead: str = "") -> None:
        self.verdict = verdict
        self.rule = rule
        """The rule's name, with the glob or pattern that matched: ``write.deny "*.py"``."""
        self.why = why
        """A sentence about it, without its subject."""
        self.about = about
        """The path or command."""
        self.instead = instead

    def __str__(self) -> str:
        said = f"{self.about}: {self.why}" if self.about else self.why
        return f"{said} (rule {self.rule})" + (f". Instead: {self.instead}" if self.instead else "")


class Light:
    """Whose turn it is, as far as one role is concerned."""

    __slots__ = ("free", "held", "named", "tiers", "trouble")

    def __init__(
        self,
        *,
        held: bool = False,
        tiers: tuple[int, ...] = (),
        named: tuple[str, ...] = (),
        free: bool = False,
        trouble: str = "",
    ) -> None:
        self.held = held
        self.tiers = tiers
        """Of the tasks whose light it holds."""
        self.named = named
        """The files that the blocks of those tasks name."""
        self.free = free
        """No task is open: nobody holds a light."""
        self.trouble = trouble
        """Why it can't be said; empty = it can."""


def strictest(decisions: list[Decision]) -> Decision:
    """Return the decision that forbids most; the first of its like, and what changes something before what reads."""
    return max(decisions, key=lambda one: (_RANK[one.verdict], one.rule != "reading"))


def rows_of(policy: Policy, name: str) -> list[Row]:
    """Return the globs of that name. Raises ``KeyError`` where the policy has none such."""
    rows: list[Row] = policy[name]
    return rows


def light_rule(policy: Policy, light: Light, about: str, *, handoff: bool = False) -> Decision | None:
    """Return why a role without the light may not change anything now; ``None`` = it may, as far as that goes."""
    if not policy["light"] or light.held:
        return None
    if light.trouble:
        return Decision(DENY, "light", f"whose turn it is can't be said: {light.trouble}", about, WAIT)
    if handoff and light.free and policy["opens"]:
        return None
    return Decision(DENY, "light", f"it is not the turn of {policy['role']}", about, WAIT)


def judge(policy: Policy, light: Light, act: Act, place: Place, below: list[str] | None = None) -> Decision:
    """Return whether ``act`` may be done at ``place``; ``below``: all that lies in a folder that goes with it."""
    said = _judge(policy, light, act, place, below)
    if said.verdict != ALLOW or not (act.deep and place.unseen):
        return said
    why = "more lies in it than can be looked at"
    if "*" not in policy["commands_allow"]:
        return Decision(DENY, "path", why, said.about, "name the files one by one")
    return Decision(WARN, "commands.unread", why, said.about, "keep to what is yours")


def _judge(policy: Policy, light: Light, act: Act, place: Place, below: list[str] | None) -> Decision:
    about = shown(place)
    if place.trouble:
        return Decision(DENY, "path", place.trouble, about, REPORT)
    if place.outside and all(path in NOWHERE for path in place.outside) and not place.inside:
        return Decision(ALLOW, "reading", "it keeps nothing", about)
    if act.deep and place.is_dir and below is None:
        return Decision(DENY, "path", "more lies in it than can be looked at", about, "name the files one by one")
    names = [*place.inside, *(below or ())]
    fixed = _always(policy, place, names, about)
    if fixed is not None:
        return fixed
    handoff = bool(place.inside) and all(name == policy["handoff"] for name in names)
    dark = light_rule(policy, light, about, handoff=handoff)
    if dark is not None:
        return dark
    if place.links > 1 and act.how != DELETE:
        return Decision(DENY, "links", "the file has other names (hard links), which can't be seen", about, REPORT)
    if handoff and not place.outside:
        return _handoff(policy, act, about)
    if policy["handoff"] in names and (act.how == DELETE or act.mode == REPLACES):
        return _handoff(policy, act, policy["handoff"])
    if place.outside:
        return _outside(policy, place, about)
    ruled = _exception(policy, light, act, place, names, about) or _globs(policy, names, about)
    return (
        _finer(policy, light, act, place, names, about)
        if ruled.verdict == ALLOW and ruled.rule[:4] != "tier"
        else ruled
    )


def shown(place: Place) -> str:
    """Return the path as its reader knows it best: in the project where it is there."""
    return place.inside[0] if place.inside and place.inside[0] != "." else place.shown


def _always(policy: Policy, place: Place, names: list[str], about: str) -> Decision | None:
    """Return what holds for every role: teamops' own files, git's, and those that turn its hooks off."""
    for path in place.outside:
        if any(path == own or path.startswith(f"{own}/") for own in policy["ours"]):
            return Decision(DENY, "ours", "teamops keeps its own things there", about, REPORT)
    for name in names:
        glob = _denied(policy, "protected", name)
        if glob:
            why = "nobody's agent changes what the team's rules stand on"
            return Decision(DENY, f'protected "{glob}"', why, name, f"{REPORT}; the person may change it")
        if name == ".":
            return Decision(DENY, "path", "it is the project's folder itself", about, REPORT)
    return None


def _handoff(policy: Policy, act: Act, about: str) -> Decision:
    if act.how == DELETE or act.mode == REPLACES:
        why = "the handoff file is the team's memory, and only ever added to"
        return Decision(DENY, "handoff", why, about, APPEND)
    if act.text is None and act.mode != KEEPS and not policy["verdicts"]:
        why = f"what would be added can't be read, and {policy['role']} writes no Verdict"
        return Decision(DENY, "verdicts", why, about, APPEND)
    from teamops.guard.speaking import speaker_rule

    after = act.text if act.after is None else act.after
    said = verdict_rule(policy, act.text or "", about) or speaker_rule(policy, after or "", act.before, about)
    return said or Decision(ALLOW, "handoff", "every role writes its blocks there", about)


def verdict_rule(policy: Policy, text: str, about: str) -> Decision | None:
    """Return why ``text`` may not go into the handoff file: only who reviews writes a verdict."""
    if policy["verdicts"]:
        return None
    for line in text.splitlines():
        if _is_verdict(line.casefold()):
            instead = "leave the Verdict out; a review is the REVIEWER's"
            return Decision(DENY, "verdicts", f"{policy['role']} judges no work as a reviewer does", about, instead)
    return None


def _is_verdict(line: str) -> bool:
    """Return whether a line may begin the field ``Verdict``, in any way in which the handoff file takes it."""
    before, word, behind = line.partition("verdict")
    if not word or any(letter.isalpha() for letter in before):
        return False
    return behind.lstrip("*_ \t")[:1] in {":", "\uff1a", "="} or before[-2:] + behind[:2] in {"****", "____"}


def _outside(policy: Policy, place: Place, about: str) -> Decision:
    scratch = policy["scratch"]
    if not place.inside and all(any(path.startswith(f"{each}/") for each in scratch) for path in place.outside):
        return Decision(ALLOW, "scratch", "it is a place for what nobody keeps", about)
    return Decision(DENY, "outside", "it is not in the project", about, REPORT)


def _denied(policy: Policy, name: str, path: str) -> str:
    """Return the glob of a list of denials that may speak of ``path`` in any of its spellings; empty = none."""
    exact, loose = rows_of(policy, name), rows_of(policy, f"{name}_folded")
    for end in (path, f"{path}/"):  # what is no folder yet may become one
        found = match(exact, end)
        if found:
            return found
        for spelling in folds(end):
            found = match(loose, spelling, fold=True)
            if found:
                return found
    return ""


def _globs(policy: Policy, names: list[str], about: str) -> Decision:
    allow, said = rows_of(policy, "allow"), ""
    for name in names:
        glob = _denied(policy, "deny", name)
        if glob:
            return Decision(
                DENY, f'write.deny "{glob}"', f"{policy['role']} may not change it", name, _who(policy, name)
            )
    for name in names:
        said = match(allow, name) or match(allow, f"{name}/")
        if not said:
            why = f"it is not among what {policy['role']} may change"
            return Decision(DENY, "write.allow", why, name, _who(policy, name))
    return Decision(ALLOW, f'write.allow "{said}"', f"{policy['role']} may change it", about)


def _who(policy: Policy, name: str) -> str:
    """Return what an agent does that may not change ``name``: say it, and whose it is."""
    able = [
        role
        for role, lists in policy["others"].items()
        if match(lists["allow"], name) and not match(lists["deny"], name) and not match(lists["deny"], f"{name}/")
    ]
    return f"{REPORT}; {' or '.join(able)} may change it" if able else f"{REPORT}; only the person changes it"


def _exception(policy: Policy, light: Light, act: Act, place: Place, names: list[str], about: str) -> Decision | None:
    """Return what the tier of the task allows beyond the rest."""
    for tier in light.tiers:
        own = policy["tiers"].get(str(tier))
        if own is None:
            continue
        rule = f"tier_{tier}"
        if not names or any(_denied(own, "deny", name) for name in names):
            continue
        globs = [match(own["allow"], name) for name in names]
        if all(globs) and not any(_denied(policy, "deny", name) for name in names):
            return Decision(
                ALLOW, f'{rule}.allow "{globs[0]}"', f"in tier {tier} {policy['role']} may change it", about
            )
        fixes = [match(own["fix"], name) for name in names]
        if not all(fixes) or act.how != "write" or not place.exists or place.is_dir:
            continue
        most = own["fix_lines"]
        if act.changed is not None and act.changed <= most:
            return Decision(
                ALLOW, f'{rule}.fix "{fixes[0]}"', f"a fix of {act.changed} lines, of {most} at most", about
            )
    return None


def _finer(policy: Policy, light: Light, act: Act, place: Place, names: list[str], about: str) -> Decision:
    if act.how == DELETE and not policy["delete"]:
        return Decision(DENY, "write.delete", f"{policy['role']} deletes nothing", about, REPORT)
    if act.how != DELETE and not place.exists and not policy["new_files"]:
        return Decision(
            DENY, "write.new_files", f"{policy['role']} adds no file", about, f"{REPORT}; say which and why"
        )
    most = policy["net_lines"]
    if most is not None and act.how == "write":
        if act.added is None:
            why = "by how much it would grow can't be said"
            return Decision(DENY, "write.net_lines", why, about, "edit the lines that you change, one place at a time")
        if act.added > most:
            why = f"it would grow by {act.added} lines, and {policy['role']} adds {most} at most"
            return Decision(DENY, "write.net_lines", why, about, f"take out more than you put in, or {REPORT}")
    if policy["named_files_only"]:
        other = next((name for name in names if not is_named(name, light.named)), "")
        if other:
            why = "no block of the task names it"
            return Decision(WARN, "write.named_files_only", why, other, f"{REPORT} before you go on")
    return Decision(ALLOW, _globs(policy, names, about).rule, f"{policy['role']} may change it", about)


def is_named(name: str, named: tuple[str, ...]) -> bool:
    """Return whether one of the named files is ``name``, a folder above it, or its end."""
    return any(
        name == one or name.startswith(one.rstrip("/") + "/") or name.endswith(f"/{one}") for one in named if one
    )
