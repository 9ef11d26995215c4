"""May this line be run? What its commands do, judged one by one; what isn't understood goes by the role's default."""

from __future__ import annotations

from collections.abc import Callable

from teamops.guard.act import ADDS, REPLACES, WRITE, Act
from teamops.guard.acts import call_of
from teamops.guard.commands import CHANGING, OTHER, READING, RISKY, Effect, bare_git, effect_of
from teamops.guard.discarding import AS_CHECKOUT, discards
from teamops.guard.going import Going
from teamops.guard.judge import ALLOW, DENY, REPORT, WARN, Decision, Light, light_rule, strictest, verdict_rule
from teamops.guard.policy import Policy
from teamops.guard.shell import read
from teamops.guard.speaking import append_rule, loosens, loosens_after, text_rule
from teamops.guard.words import Command, NotUnderstood, Word

JudgeAct = Callable[[Act, tuple[str, ...]], Decision]
"""Judges one change of a process that may stand in any of the folders."""
_OWN = frozenset({"append", "handoff", "status", "beat", "check"})
"""Commands of teamops that ask whose turn it is themselves, or change nothing of the project."""
_OWN_GUARD = ("teamops", "guard", "explain")
_PATCHERS = frozenset({"apply_patch", "applypatch"})
MAX_SHOWN = 120
NO_VERIFY = "commands.no_verify"


def judge_line(
    policy: Policy, light: Light, line: str, folder: str, judge_act: JudgeAct, *, loose: bool = False
) -> Decision:
    """Return whether ``line`` may be run by a shell that stands in ``folder``.

    ``loose``: that shell's environment may not say any more whose it is.
    """
    about = shown(line)
    try:
        commands = read(line)
        effects = [effect_of(command) for command in commands]
    except NotUnderstood as said:
        return _not_understood(policy, light, line, str(said), about, loose=loose)
    going = Going(folder)
    decisions, lost = [], False
    for command, effect in zip(commands, effects, strict=True):
        folders = going.before(command)
        if lost and (command.writes or effect.kind != READING) and effect.name != "cd":
            why = "in which folder it goes on can't be said"
            return _not_understood(policy, light, line, why, about, loose=loose)
        decisions.append(_judge(policy, light, command, effect, folders, judge_act, loose=loose))
        decisions += [judge_act(_written(word, command, effect), folders) for word in command.writes]
        loose = loose or loosens_after(policy, effect.words)
        if effect.name == "cd":
            if (
                command.assigned
                or len(effect.words) != 2
                or any(word.unknown or word.glob for word in command.words)  # it may stand behind `command`
                or effect.words[1] == "-"
            ):
                lost = True  # what only reads may do so anywhere
            else:
                lost = not going.to(command, effect.words[1]) or lost
    if not decisions:
        return Decision(ALLOW, "reading", "it runs nothing", about)
    worst = strictest(decisions)
    if len(decisions) > 1 and worst.verdict == ALLOW:
        why = worst.why if worst.rule == "reading" else f"{worst.why} ({worst.about})"
        return Decision(ALLOW, worst.rule, why, about)
    return worst


def skips_hooks(words: list[str]) -> bool:
    """Return whether git, or what starts it, is told to leave its hooks out."""
    for at, word in enumerate(words):
        if word.rpartition("/")[2] != "git":
            continue
        if any("core.hookspath" in one.lower() for one in words[at:]):
            return True
        verb, *rest = bare_git(["git", *words[at + 1 :]])[1:] or [""]
        if any(len(one) > 5 and "--no-verify".startswith(one) for one in rest):
            return True
        if verb == "commit" and any(_is_short_n(one) for one in rest):
            return True
    return False


def _is_short_n(word: str) -> bool:
    """Return whether ``-n`` is among short options that are put together; what follows ``m`` and its like is a text."""
    if word[:1] != "-" or word[:2] == "--":
        return False
    for letter in word[1:]:
        if letter in "mFCctuS":
            return False
        if letter == "n":
            return True
    return False


def shown(line: str) -> str:
    """Return a line short enough to be said."""
    flat = " ".join(line.split())
    return flat if len(flat) <= MAX_SHOWN else flat[: MAX_SHOWN - 1] + "…"


def _judge(
    policy: Policy,
    light: Light,
    command: Command,
    effect: Effect,
    folders: tuple[str, ...],
    judge_act: JudgeAct,
    *,
    loose: bool,
) -> Decision:
    about = shown(" ".join(word.text or "$…" for word in command.words))
    if effect.kind == READING:
        return Decision(ALLOW, "reading", "it only reads", about)
    forbidden = _forbidden(policy, command, effect, about, loose=loose)
    if forbidden is not None:
        return forbidden
    if effect.name == "cd":
        return Decision(ALLOW, "reading", "it only goes there", about)
    if effect.name in {"tee", "sponge"}:
        for act in effect.acts:
            _tell(act, _text(command, effect))
    judged = strictest([judge_act(act, folders) for act in effect.acts]) if effect.acts else None
    if judged is not None and (judged.verdict == DENY or effect.kind == CHANGING):
        return judged
    if effect.script is not None:
        loose = loose or loosens(policy, effect.outer, command.assigned)  # for the other shell
        said = _by_script(policy, light, effect, folders, judge_act, loose=loose)
        if said is not None:
            return said
    if effect.name in _PATCHERS:
        call = call_of("apply_patch", {"command": "\n".join([*effect.words[1:], *command.inputs])})
        if not call.trouble:
            return strictest([judge_act(act, folders) for act in call.acts])
    dark = None if _is_own(effect) else light_rule(policy, light, about)
    if dark is not None:
        return dark
    return _other(policy, command, effect, judged, about)


def _forbidden(policy: Policy, command: Command, effect: Effect, about: str, *, loose: bool) -> Decision | None:
    """Return why nobody's, or not this role's, agent runs a command by these words."""
    if skips_hooks([word.text for word in command.words]):
        return Decision(DENY, NO_VERIFY, "it keeps git from asking its hooks", about, "leave that option out")
    pattern = _denying(policy, effect.words) or (effect.outer != effect.words and _denying(policy, effect.outer))
    if not pattern:
        return append_rule(policy, effect.outer, command.assigned, command.inputs, about, loose=loose)
    why = f"{policy['role']} may not run it"
    return Decision(DENY, f'commands.deny "{pattern}"', why, about, f"{REPORT}, with what you need it for")


def _by_script(
    policy: Policy, light: Light, effect: Effect, folders: tuple[str, ...], judge_act: JudgeAct, *, loose: bool
) -> Decision | None:
    """Return what is said of the line that another shell is given, where that is a no, or that it only reads."""
    script = effect.script or ""
    told = strictest([judge_line(policy, light, script, folder, judge_act, loose=loose) for folder in folders])
    plain = effect.kind == OTHER and effect.outer == effect.words and effect.name in {"bash", "sh"}
    return told if told.verdict == DENY or (plain and told.rule == "reading") else None


def _is_own(effect: Effect) -> bool:
    """Return whether it is a command of teamops that asks itself whose turn it is, or changes nothing."""
    words = effect.words
    return words[0] == "teamops" and ((len(words) > 1 and words[1] in _OWN) or tuple(words[:3]) == _OWN_GUARD)


def _other(policy: Policy, command: Command, effect: Effect, judged: Decision | None, about: str) -> Decision:
    """Return what is said of a program that may do more than was ``judged``."""
    if effect.name == "teamops" and effect.words[1:2] == ["append"]:
        return _append(policy, command, effect, about)
    said = _by_name(policy, effect, about)
    if said.verdict != ALLOW:
        return said
    if effect.more and (judged is None or judged.verdict == ALLOW):
        why = f"it changes files that can't be read from it; {policy['role']} may run any"
        return Decision(WARN, "commands.unread", why, about, "name what it changes, and keep to what is yours")
    return judged if judged is not None and judged.verdict == WARN else said


def _written(word: Word, command: Command, effect: Effect) -> Act:
    """Return the change that a redirection makes, with what the line says that is put there."""
    return _tell(Act(WRITE, word.text, mode=ADDS if word.adds else REPLACES), _text(command, effect))


def _tell(act: Act, text: str | None) -> Act:
    act.text, act.added = text, len(text.splitlines()) if text else None
    return act


def _text(command: Command, effect: Effect) -> str | None:
    """Return what a command prints, as far as the line itself says it; ``None`` = it can't be said."""
    if any(word.unknown or word.glob for word in command.words):
        return None
    if effect.name in {"echo", "printf"}:
        from teamops.guard.scripts import text_of

        return text_of(effect.words)
    if effect.name == ":":
        return ""
    passes_on = effect.name in {"tee", "sponge"} or (effect.name == "cat" and set(effect.words[1:]) <= {"-"})
    return "\n".join(command.inputs) if passes_on and command.inputs and not command.murky else None


def _append(policy: Policy, command: Command, effect: Effect, about: str) -> Decision:
    text = "\n".join(command.inputs)
    if any(
        "--verdict".startswith(word.partition("=")[0])
        for word in effect.words[2:]
        if len(word) > 4 and word[:2] == "--"
    ):
        text += "\n**Verdict**"
    return verdict_rule(policy, text, about) or _by_name(policy, effect, about)


def _by_name(policy: Policy, effect: Effect, about: str) -> Decision:
    if effect.kind == RISKY and "*" not in policy["commands_allow"]:
        why = "with these words it may write, or run something else"
        return Decision(DENY, "commands.words", why, about, "write it plainly, one command at a time")
    for pattern in policy["commands_allow"]:
        if _is_named(pattern, effect.words):
            return Decision(ALLOW, f'commands.allow "{pattern}"', f"{policy['role']} may run it", about)
    why = f"it is not known to only read, and not among what {policy['role']} may run"
    return Decision(DENY, "commands.allow", why, about, REPORT)


def _not_understood(policy: Policy, light: Light, line: str, why: str, about: str, *, loose: bool) -> Decision:
    """Return what the role's default says of a line of which nobody knows what it runs."""
    spoken = text_rule(policy, line, about, loose=loose)
    if spoken is not None:
        return spoken
    dark = light_rule(policy, light, about)
    if dark is not None:
        return dark
    if "*" not in policy["commands_allow"]:
        said = f"it is not understood ({why}), and {policy['role']} runs only what is"
        return Decision(DENY, "commands.not_understood", said, about, "write it plainly, one command at a time")
    words = _pieces(line)
    if skips_hooks(words):
        said = f"it is not understood ({why}), and keeps git from asking its hooks"
        return Decision(DENY, NO_VERIFY, said, about, "leave that option out")
    for pattern in policy["commands_deny"]:
        wanted = pattern.rstrip("*").split()
        if any(words[at : at + len(wanted)] == wanted for at in range(len(words))) or _discards(pattern, line):
            said = f"it is not understood ({why}), and {policy['role']} may not run what it names"
            return Decision(DENY, f'commands.deny "{pattern}"', said, about, f"{REPORT}, with what you need it for")
    return Decision(
        ALLOW, "commands.not_understood", f"it is not understood ({why}); {policy['role']} may run any", about
    )


def _discards(pattern: str, line: str) -> bool:
    """Return whether a command in a line that isn't understood throws changes away as one that ``pattern`` forbids."""
    if not _is_denied(pattern, list(AS_CHECKOUT)):
        return False
    for letter in ";&|()`\n":
        line = line.replace(letter, "\0")
    for words in map(_pieces, line.split("\0")):
        if any(word.rpartition("/")[2] == "git" and _is_denied(pattern, words[at:]) for at, word in enumerate(words)):
            return True
    return False


def _pieces(line: str) -> list[str]:
    for letter in ";&|()<>'\"`$\n\t\\":
        line = line.replace(letter, " ")
    return line.split()


def _is_named(pattern: str, words: list[str]) -> bool:
    """Return whether an allowing pattern speaks of the command: word by word; a star at its end takes any more."""
    if pattern == "*":
        return True
    open_end = pattern.endswith("*")
    wanted = pattern.rstrip("*").split()
    return words[: len(wanted)] == wanted and (open_end or len(words) == len(wanted))


def _denying(policy: Policy, words: list[str]) -> str:
    """Return the pattern that forbids the command, or one that it starts; empty = none does."""
    for pattern in policy["commands_deny"]:
        if any(_is_denied(pattern, words[at:]) for at in range(len(words))):
            return str(pattern)
    return ""


def _is_denied(pattern: str, words: list[str]) -> bool:
    """Return whether a forbidding pattern speaks of the words: also with options in another order, or put together."""
    wanted = pattern.rstrip("*").split()
    if words and words[0].rpartition("/")[2] == "git":
        words = bare_git(["git", *words[1:]])
        if discards(words) and _fits(pattern, wanted, list(AS_CHECKOUT)):
            return True
    return _fits(pattern, wanted, words)


def _fits(pattern: str, wanted: list[str], words: list[str]) -> bool:
    if not wanted or not words or words[0].rpartition("/")[2] != wanted[0]:
        return not wanted and pattern == "*"
    plain = [word for word in wanted[1:] if word[0] != "-"]
    given = [word for word in words[1:] if word[:1] != "-"]
    if any(not word.startswith(want) for want, word in zip(plain, given, strict=False)) or len(given) < len(plain):
        return False
    return all(_has(option, words[1:]) for option in wanted[1:] if option[0] == "-")


_LONG = {"r": "--recursive", "f": "--force", "i": "--in-place"}


def _has(option: str, words: list[str]) -> bool:
    if option.startswith("--"):
        return any(word.startswith(option) or (len(word) > 3 and option.startswith(word)) for word in words)
    short = "".join(word[1:] for word in words if word[:1] == "-" and word[:2] != "--").lower()
    longs = [word for word in words if word.startswith("--")]
    return all(
        letter.lower() in short or any(_LONG.get(letter, "").startswith(word) for word in longs if len(word) > 2)
        for letter in option[1:]
    )
