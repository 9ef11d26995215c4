"""What a command does, where that is known: it only reads, it changes files that are known, or it is another program.

What is not listed is another program. One that changes files has them judged whatever stands before it and whichever
options it has: an option that is not known makes all of its words files.
"""

from __future__ import annotations

from teamops.guard.act import DELETE, MAKE, WRITE, Act
from teamops.guard.reading import (
    BIN,
    GIT_ALONE,
    GIT_LISTS,
    GIT_READS,
    GIT_WRITES,
    HARMLESS,
    LOOKED_AT,
    ONLY_NOT,
    SCRIPTED,
    has_option,
    is_plain_xargs,
    reads,
)
from teamops.guard.words import SHELLS, Command, NotUnderstood, Word

__all__ = ["CHANGING", "DELETE", "MAKE", "OTHER", "READING", "RISKY", "WRITE", "Effect", "bare_git", "effect_of"]

READING, CHANGING, RISKY, OTHER = "reading", "changing", "risky", "other"
"""RISKY: a program that is known to read, with words that are not."""
_STARTERS_WORDS = (
    "command builtin exec nohup noglob nocorrect setsid time nice ionice timeout env sudo doas stdbuf taskset chrt"
    " flock strace ltrace unbuffer caffeinate watch xargs busybox toybox uv poetry pipenv pdm rye hatch"
)
_STARTERS = frozenset(_STARTERS_WORDS.split())
"""Programs that may run another one: `wrapping` says which."""


class Effect:
    """What one command does."""

    __slots__ = ("acts", "kind", "more", "name", "outer", "script", "words")

    def __init__(self, kind: str, words: list[str], acts: list[Act] | None = None, *, more: bool = False) -> None:
        self.kind = kind
        self.words = words
        """Its words as they are known; the name without its folder, git without what stands before its command."""
        self.outer = words
        """The same with what stands before the program."""
        self.acts = acts or []
        """What it changes, as far as that is known."""
        self.more = more
        """It is known to change files, and not all of them can be read."""
        self.script: str | None = None
        """A line that another shell is given to run."""
        self.name = words[0]


def effect_of(command: Command) -> Effect:
    """Return what ``command`` does, its redirections left out. Raises ``NotUnderstood``."""
    name = _bare(command.words[0].text)
    base = name.rpartition("/")[2]
    if base not in _STARTERS or len(command.words) < 2:
        return _alone(command, name)
    from teamops.guard.git_changes import within
    from teamops.guard.wrapping import unwrapped

    inner = unwrapped(command, base)
    effect = _alone(inner.command, _bare(inner.command.words[0].text))
    if inner.command is command:
        return effect
    if inner.empty is not None:
        effect.acts += effect_of(inner.empty).acts
    for guess in inner.guesses:
        other = _alone(guess, _bare(guess.words[0].text))
        effect.acts += other.acts
        effect.more = effect.more or other.more
        effect.script = effect.script or other.script
    if inner.unsorted:
        from teamops.guard.changing import any_of

        effect.acts += any_of(inner.unsorted)
    effect.acts = within(effect.acts, inner.folder)
    effect.acts += [Act(WRITE, word.text, text=None) for word in inner.given]
    outer = [name, *(word.text for word in command.words[1:])]
    effect.outer = outer
    if not inner.trusted or name != base:
        if base == "xargs" and name == base and is_plain_xargs(command.words[1:]) and not effect.acts:
            effect.kind = READING
        elif base in {"nohup", "setsid"}:
            effect.kind = OTHER if effect.kind == READING else effect.kind
        else:
            effect.kind = RISKY if base == "xargs" else OTHER
            effect.words, effect.name = outer, name
    return effect


_PAGERS = frozenset({"PAGER", "GIT_PAGER", "GH_PAGER"})


def _bare(name: str) -> str:
    for folder in BIN:
        if name.startswith(folder) and "/" not in name[len(folder) :]:
            return name[len(folder) :]
    return name


def _alone(command: Command, name: str) -> Effect:
    """Return what a command does that runs no other one."""
    given = command.words
    words = [name, *(word.text for word in given[1:])]
    set_aside = any(
        value.unknown or not (variable in HARMLESS or (variable in _PAGERS and value.text == "cat"))
        for variable, value in command.assigned
    )
    base = name.rpartition("/")[2]
    if base == "git":
        effect = _git(given, bare_git(["git", *words[1:]]), command)
    elif base == "find":
        effect = _find(command, words)
    elif name == base and reads(name, given[1:]):
        effect = Effect(READING, words)
    else:
        effect = _changing(command, base, words)
        if base in SHELLS:
            effect.script = _script(given[1:])
    if set_aside or (name != base and effect.kind in {READING, CHANGING}):
        effect.kind = RISKY if set_aside else OTHER
    if name != base:
        effect.words = effect.outer = words
        effect.name = name
    return effect


def _script(words: list[Word]) -> str | None:
    """Return the line that a shell is given by its words; ``None`` = it is given none, or nobody knows which."""
    for at, word in enumerate(words):
        if word.unknown or word.text[:1] != "-" or word.text[:2] == "--":
            return None
        if word.text[-1] == "c":
            line = words[at + 1] if at + 1 < len(words) else word
            return None if line is word or line.unknown or line.glob else line.text
    return None


def _changing(command: Command, name: str, words: list[str]) -> Effect:
    from teamops.guard.changing import ALL, MORE, changes_of

    told = changes_of(name, command.words[1:], command.inputs)
    if told is not None and told[0] and told[1] == ALL:
        return Effect(CHANGING, words, told[0])
    kind = RISKY if name in ONLY_NOT or name in SCRIPTED or name in LOOKED_AT else OTHER
    if told is None:
        return Effect(kind, words)
    return Effect(kind, words, told[0], more=told[1] == MORE)


def _find(command: Command, words: list[str]) -> Effect:
    from teamops.guard.changing import ALL, BESIDE, MORE, Changed
    from teamops.guard.finding import found

    def inner(given: list[Word]) -> Changed | None:
        if not given:
            return [], BESIDE
        made = Command()
        made.words = given
        first = given[0]
        if first.unknown or first.glob or not first.text:
            raise NotUnderstood("which program it runs can't be said")
        effect = effect_of(made)
        if effect.kind == READING:
            return None
        return effect.acts, ALL if effect.kind == CHANGING else (MORE if effect.more else BESIDE)

    told = found(command.words[1:], inner)
    if told is None:
        return Effect(READING, words)
    if told[0] and told[1] == ALL:
        return Effect(CHANGING, words, told[0])
    return Effect(RISKY, words, told[0], more=told[1] == MORE and bool(told[0]))


def bare_git(words: list[str]) -> list[str]:
    """Return git's words without the options before its command."""
    if words[0] != "git":
        return words
    at = 1
    while at < len(words) and words[at].startswith("-"):
        at += (
            2
            if words[at] in {"-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--config-env"}
            else 1
        )
    return ["git", *words[at:]]


def _git(given: list[Word], words: list[str], command: Command) -> Effect:
    start = len(given) - len(words) + 1
    before = given[1:start]
    if len(words) > 1 and (given[start].unknown or not words[1]):
        raise NotUnderstood("which of git's commands it runs can't be said")
    if len(words) < 2:
        plain = all(word.text in _GIT_PLAIN for word in before)
        return Effect(READING if plain else RISKY, words)
    verb, rest = words[1], given[start + 1 :]
    plain = all(word.text in _GIT_PLAIN for word in before)
    plain = plain or (len(before) == 2 and before[0].text == "-C" and not before[1].unknown)
    lists_stash = bool(rest) and rest[0].text in GIT_LISTS["stash"]
    if verb in GIT_READS or (verb in GIT_LISTS and (verb != "stash" or lists_stash)):
        return Effect(_git_asks(verb, rest) if plain else RISKY, words)
    from teamops.guard.changing import ALL, MORE
    from teamops.guard.git_changes import git_changes

    told = git_changes(verb, rest, _git_folder(before), command.inputs)
    loose = not plain or any(word.unknown for word in _without_message(verb, given[start:]))
    if told is None:
        return Effect(RISKY if loose else OTHER, words)
    acts, state = told
    if acts and state == ALL and not loose:
        return Effect(CHANGING, words, acts)
    return Effect(RISKY if loose else OTHER, words, acts, more=state == MORE)


def _without_message(verb: str, given: list[Word]) -> list[Word]:
    """Return git's words without the text of a commit, which may be anything."""
    if verb != "commit":
        return given
    return [
        word
        for before, word in zip([Word(), *given[:-1]], given, strict=True)
        if not (word.quoted and before.text in {"-m", "-am", "--message", "-qm", "-sm"})
    ]


_GIT_PLAIN = frozenset({"--no-pager", "--no-optional-locks", "--literal-pathspecs", "-P"})


def _git_asks(verb: str, given: list[Word]) -> str:
    """Return whether a command of git that lists or shows does only that."""
    rest = [word.text for word in given]
    if any(word.unknown for word in given):
        return RISKY
    if verb in GIT_READS:
        risky = has_option(rest, "O" if verb == "grep" else "", GIT_WRITES)
        risky = risky or (verb in {"diff", "grep"} and any(word.glob and word.text[:1] in "*?[" for word in given))
        return RISKY if risky else READING
    lists = rest[0] in GIT_LISTS[verb] if rest else verb in GIT_ALONE
    lists = lists and not has_option(rest[1:], "dDmMcCfu", ("--delete", "--force", "--move", "--edit", "--unset"))
    if verb in {"branch", "tag", "remote"} and len(rest) > 1 and rest[0] in _GIT_BEFORE_NAMES:
        lists = lists and all(word[:1] == "-" for word in rest) and verb == "branch"
    return READING if lists else OTHER


_GIT_BEFORE_NAMES = frozenset({"-a", "-r", "-v", "-vv", "-av", "-avv", "-n", "--all", "--remotes"})


def _git_folder(before: list[Word]) -> str:
    """Return the folder in which git is told to stand. Raises ``NotUnderstood`` where that is not known."""
    folder, at = "", 0
    while at < len(before):
        text = before[at].text
        name, sign, value = text.partition("=")
        if text in {"-C", "--work-tree"} or (name == "--work-tree" and sign):
            at += not sign
            word = before[at] if at < len(before) else Word()
            value = value if sign else word.text
            if word.unknown or word.glob or not value:
                raise NotUnderstood("in which folder git stands can't be said")
            folder = f"{folder}/{value}" if folder and value[:1] not in {"/", "~"} else value
        elif text in {"-c", "--git-dir", "--namespace", "--exec-path", "--config-env"}:
            at += 1
        at += 1
    return folder
