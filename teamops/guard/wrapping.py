"""Programs that run another one, whose words stand behind their own: ``env``, ``timeout``, ``sudo`` and the like."""

from __future__ import annotations

from teamops.guard.grammars import CHANGERS
from teamops.guard.options import Given, Grammar, sorted_words
from teamops.guard.words import SHELLS, Command, NotUnderstood, Word

_GRAMMARS: dict[str, tuple[Grammar, int]] = {
    "command": (("pvV", "", ""), 0),
    "builtin": (("", "", ""), 0),
    "exec": (("cl", "a", ""), 0),
    "nohup": (("", "", ""), 0),
    "noglob": (("", "", ""), 0),
    "nocorrect": (("", "", ""), 0),
    "setsid": (("cfw", "", "ctty fork wait"), 0),
    "time": (("apqvlh", "fo", "append format= output= portability quiet verbose"), 0),
    "nice": (("0123456789", "n", "adjustment="), 0),
    "ionice": (("t", "cnpPu", "class= classdata= ignore"), 0),
    "timeout": (("fpv", "ks", "foreground kill-after= preserve-status signal= verbose"), 1),
    "env": (
        (
            "i0v",
            "uCP",
            """
        block-signal? chdir= debug default-signal? ignore-environment ignore-signal? null unset=""",
        ),
        0,
    ),
    "sudo": (
        (
            "ABbEeHiKklnPSsVv",
            "aCcDghpRrtTUu",
            """
        askpass background bell chdir= group= host= login non-interactive preserve-env? preserve-groups
        prompt= reset-timestamp set-home shell stdin type= role= user=""",
        ),
        0,
    ),
    "doas": (("Lns", "aCu", ""), 0),
    "stdbuf": (("", "ioe", "error= input= output="), 0),
    "taskset": (("ac", "", "all-tasks cpu-list"), 1),
    "chrt": (("abdfioR", "TPD", "batch deadline fifo idle other rr"), 1),
    "flock": (("enosux", "Ew", "close conflict-exit-code= exclusive nonblock shared timeout= unlock verbose"), 1),
    "strace": (("cCdfFhiknqrtTvVwxyYzZ", "abeEIoOpPsSuUX", "follow-forks output= trace="), 0),
    "ltrace": (("cCfhiLnrStTV", "aAeloOpsux", "output="), 0),
    "unbuffer": (("p", "", ""), 0),
    "caffeinate": (("dimsu", "tw", ""), 0),
    "watch": (("bcdegtpwx", "nq", "beep chgexit color differences? errexit exec interval= no-title precise"), 0),
    "xargs": (
        (
            "0oprtx",
            "adEILnPsJR eil",
            """
        arg-file= delimiter= eof? exit interactive max-args= max-chars= max-lines? max-procs=
        no-run-if-empty null open-tty process-slot-var= replace? show-limits verbose""",
        ),
        0,
    ),
    "busybox": (("", "", ""), 0),
    "toybox": (("", "", ""), 0),
}
_TRUSTED = frozenset(
    {"command", "builtin", "exec", "noglob", "nocorrect", "time", "nice", "ionice", "timeout", "stdbuf", "env"}
)
"""What they run does what it does alone."""
_RUNNERS = frozenset({"uv", "poetry", "pipenv", "pdm", "rye", "hatch"})
"""Their ``run`` starts a program."""
NAMES = frozenset(_GRAMMARS) | _RUNNERS
MAX_GUESSES = 8
"""So many words are tried as the program that is run; with more of them each word may be a file that is changed."""


class Wrapped:
    """The program that is run in the end."""

    __slots__ = ("command", "empty", "folder", "given", "guesses", "trusted", "unsorted")

    def __init__(self, command: Command) -> None:
        self.command = command
        self.empty: Command | None = None
        """The same, where what is added to its words is nothing."""
        self.trusted = True
        """What stands before it changes nothing of what it does."""
        self.folder = ""
        """Where it runs, if that is another one."""
        self.given: list[Word] = []
        """Files that are written by what stands before it."""
        self.guesses: list[Command] = []
        """What it may be instead, where the words before it can't be sorted."""
        self.unsorted: list[Word] = []
        """Words of which too many may be the program."""


def unwrapped(command: Command, base: str) -> Wrapped:
    """Return what ``command`` runs; ``base``: its name without a folder. Raises ``NotUnderstood``."""
    found = Wrapped(command)
    name = base
    while name in NAMES and len(found.command.words) > 1:
        inner = _behind(found, name)
        if inner is None:
            break
        first = inner.words[0]
        if first.unknown or first.glob or not first.text:
            raise NotUnderstood("which program it runs can't be said")
        found.command = inner
        name = first.text.rpartition("/")[2]
    return found


def _behind(found: Wrapped, name: str) -> Command | None:
    words = found.command.words[1:]
    if name in _RUNNERS:
        found.trusted = False
        rest = words[1:] if words[0].text == "run" else []
        return _command(found.command, rest) if rest and rest[0].text[:1] != "-" else _guessed(found, rest)
    grammar, operands = _GRAMMARS[name]
    count = _own(words, grammar)
    given = None if count is None else sorted_words(words[:count], grammar)
    if name not in _TRUSTED:
        found.trusted = False
    if count is None or given is None:
        found.trusted = False
        return _guessed(found, words)
    if given.has("v", "V") and name == "command":
        return None
    found.given += given.values("output") + (given.values("o") if name in {"time", "strace", "ltrace"} else [])
    if found.given:
        found.trusted = False
    folders = given.values("C", "D", "chdir") if name in {"env", "sudo"} else []
    for folder in folders:
        if folder.unknown or folder.glob:
            raise NotUnderstood("in which folder it runs can't be said")
        found.folder = f"{found.folder}/{folder.text}" if found.folder and folder.text[:1] != "/" else folder.text
        found.trusted = False
    rest = words[count + operands :]
    assigned = []
    while name in {"env", "sudo", "doas", "time", "exec"} and rest and _sets(rest[0].text):
        assigned.append(_assignment(rest.pop(0)))
    if name == "xargs":
        found.empty = found.empty or _command(found.command, rest)
        rest = _appended(rest, given)
    made = _command(found.command, rest)
    if made is not None:
        made.assigned = [*found.command.assigned, *assigned]
    return made


def _own(words: list[Word], grammar: Grammar) -> int | None:
    """Return how many words are options of the program itself; ``None`` = one is not known."""
    for count in range(len(words) + 1):
        if count < len(words) and words[count].text == "--" and not words[count].unknown:
            return count + 1
        if count == len(words) or words[count].text[:1] != "-" or words[count].text == "-":
            given = sorted_words(words[:count], grammar)
            if given is not None and not given.operands:
                return count
            if count < len(words) and given is None and count and words[count - 1].text[:1] == "-":
                continue  # it is the value of the one before
            return None
    return None


def _guessed(found: Wrapped, words: list[Word]) -> Command | None:
    """Return the first of what may be run: a program known to change files, or to run another one or a line.

    The word that names it may be an option's value, so what the later ones name may be run as well.
    """
    guesses = []
    for at, word in enumerate(words):
        name = word.text.rpartition("/")[2]
        if not word.unknown and (name in CHANGERS or name in NAMES or name in SHELLS):
            guesses.append(_command(found.command, words[at:]))
    if not found.guesses:  # what is nested stands among the words of the outermost, which are all tried by then
        found.guesses = [guess for guess in guesses[1:MAX_GUESSES] if guess is not None]
        found.unsorted = words if len(guesses) > MAX_GUESSES else []
    return guesses[0] if guesses else None


def _sets(text: str) -> bool:
    name, sign, _ = text.partition("=")
    return bool(sign) and name.replace("_", "a").isalnum() and not name[0].isdigit()


def _assignment(word: Word) -> tuple[str, Word]:
    name, _, value = word.text.partition("=")
    made = Word()
    made.text, made.unknown = value, word.unknown
    return name, made


def _appended(rest: list[Word], given: Given) -> list[Word]:
    """Return the words of what xargs runs, with what it adds to them as one that nobody knows."""
    marks = [word.text for word in given.values("I", "J", "replace", "i")]
    if given.has("I", "J", "replace", "i"):
        marks = marks or ["{}"]
        return [_hidden() if any(mark in word.text for mark in marks) else word for word in rest]
    return [*rest, _hidden()] if rest else []


def _hidden() -> Word:
    made = Word()
    made.unknown = made.quoted = True
    return made


def _command(outer: Command, words: list[Word]) -> Command | None:
    if not words:
        return None
    made = Command()
    made.words, made.assigned, made.inputs, made.murky = words, outer.assigned, outer.inputs, outer.murky
    return made
