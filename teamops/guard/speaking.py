"""Whose block it would be: an agent writes its own, however the line or the text is spelled.

What is asked: the words of ``teamops append`` and its text, lines that run it in a way nobody reads, and text that is
put into the handoff file itself.
"""

from __future__ import annotations

from teamops.guard.judge import DENY, Decision
from teamops.guard.policy import Policy
from teamops.guard.words import Word

SPEAKS = "speaks"
OWN = "write your own block; Turn hands over the light (teamops append --turn ROLE)"
VARIABLE = "TEAMOPS_ROLE"
_ROLES_WORDS = "DIRECTOR DEVELOPER CODER REVIEWER OPTIMIZER PARTNER HUMAN"
ROLES = frozenset(_ROLES_WORDS.split())
PERSONAS = {
    "MAX": "DIRECTOR",
    "ISABELLE": "DEVELOPER",
    "KEVIN": "CODER",
    "SARAH": "REVIEWER",
    "SAM": "OPTIMIZER",
    "ALEX": "PARTNER",
}
"""As the handoff file's own grammar has them, which this program does not load; a test compares them."""
_OTHERS_HANDS = frozenset({"sudo", "doas", "su", "runuser"})
"""They hand the environment on changed."""
_SETS_WORDS = "unset export declare typeset readonly local read printf mapfile readarray"
_SETS = frozenset(_SETS_WORDS.split())
_RUNS_TEXT_WORDS = (
    "bash sh zsh dash ksh fish env su sudo doas watch script parallel xargs ssh tmux screen python perl ruby node"
)
_RUNS_TEXT = frozenset(_RUNS_TEXT_WORDS.split())
"""They run what one of their words, or their input, says."""


def speaker_rule(policy: Policy, text: str, before: str, about: str) -> Decision | None:
    """Return why ``text`` may not stand in the handoff file: it opens another's block, which ``before`` does not."""
    found = _others(policy, text)
    known = _others(policy, before) if found else []
    for line in found:
        if line in known:
            known.remove(line)
        else:
            return _refusal(policy, _speaker(policy, line), about)
    return None


def append_rule(
    policy: Policy, words: list[str], assigned: list[tuple[str, Word]], inputs: list[str], about: str, *, loose: bool
) -> Decision | None:
    """Return why ``teamops append`` may not be run with these words: it would write, or may, for another role.

    ``loose``: the line has taken TEAMOPS_ROLE away before, by which the command itself would know. ``None`` also where
    the words run no such command.
    """
    at = _append_at(words)
    if at < 0:
        return _by_text(policy, words, inputs, about, loose=loose)
    named, spoken = _named(words[at + 1 :]), [_speaker(policy, _begin(text)) for text in inputs]
    return _said(policy, named, spoken, about, loose=loose or loosens(policy, words[:at], assigned))


def text_rule(policy: Policy, line: str, about: str, *, loose: bool = False) -> Decision | None:
    """Return the same of a line that can't be read, as far as its words tell it."""
    if "append" not in line or "teamops" not in line:
        return None
    own = policy["role"]
    rows = line.replace(f"${{{VARIABLE}}}", own).replace(f"${VARIABLE}", own).split("\n")
    at = 0
    while at < len(rows):
        words = _pieces(rows[at])
        loose = loose or _loosens_in(policy, words)
        inputs, at = _inputs(policy, rows, at)
        start = _append_at(words)
        while start >= 0:
            words = words[start + 1 :]
            end = next((at for at, word in enumerate(words) if word.rpartition("/")[2] == "teamops"), len(words))
            said = _said(policy, _named(words[:end]), inputs, about, loose=loose)
            if said is not None:
                return said
            start = _append_at(words)
    return None


def loosens(policy: Policy, words: list[str], assigned: list[tuple[str, Word]]) -> bool:
    """Return whether what stands before a command takes TEAMOPS_ROLE away from it, or sets it otherwise."""
    if any(name == VARIABLE and (value.unknown or not _is_own(policy, value.text)) for name, value in assigned):
        return True
    names = [word.rpartition("/")[2] for word in words]
    if not _OTHERS_HANDS.isdisjoint(names) or any(_sets_other(policy, word) for word in words):
        return True
    if "teamops" in names and any(not _is_own(policy, role) for role in _named(words)):
        return True  # `teamops run --role`
    return "env" in names and any(_empties(word) for word in words[names.index("env") + 1 :])


def loosens_after(policy: Policy, words: list[str]) -> bool:
    """Return whether a command of the line leaves the shell without TEAMOPS_ROLE as it was."""
    return words[0] in _SETS and any(_sets_other(policy, word) for word in words[1:])


def _said(policy: Policy, named: list[str], spoken: list[str], about: str, *, loose: bool) -> Decision | None:
    for role in (*named, *spoken):
        if role and not _is_own(policy, role):
            return _refusal(policy, role.strip().upper(), about)
    if loose and ("" in named or not any((*named, *spoken))):
        why = f"it takes {VARIABLE} away, so it may be anybody's block, and {policy['role']} writes for itself alone"
        return Decision(DENY, SPEAKS, why, about, OWN)
    return None


def _by_text(policy: Policy, words: list[str], inputs: list[str], about: str, *, loose: bool) -> Decision | None:
    """Return what is said of lines that a program is given to run as one of its words, or to read."""
    names = {word.rpartition("/")[2].rstrip("0123456789.") for word in words}
    if _RUNS_TEXT.isdisjoint(names):
        return None
    loose = loose or loosens(policy, words, [])
    for text in (*words, *inputs):
        said = text_rule(policy, text, about, loose=loose)
        if said is not None:
            return said
    return None


def _refusal(policy: Policy, whose: str, about: str) -> Decision:
    why = f"it would be a block of {whose[:40]}, and {policy['role']} writes for itself alone"
    return Decision(DENY, SPEAKS, why, about, OWN)


def _append_at(words: list[str]) -> int:
    """Return where ``append`` stands behind ``teamops``, by whichever name that is run; -1 = nowhere."""
    for at in range(1, len(words)):
        before = words[at - 1]
        named = before.rpartition("/")[2] == "teamops" or before == "-mteamops"
        if words[at] == "append" and (named or before[:1] == "$"):  # a variable may be any program
            return at
    return -1


def _named(words: list[str]) -> list[str]:
    """Return the roles that ``--role`` names; an empty one is not known."""
    found = [word.partition("=")[2] for word in words if word.startswith("--role=")]
    found += [(words[at + 1 : at + 2] or [""])[0] for at, word in enumerate(words) if word == "--role"]
    return ["" if "$" in role else role for role in found]


def _is_own(policy: Policy, role: str) -> bool:
    return bool(role.strip().upper() == policy["role"])


def _sets_other(policy: Policy, word: str) -> bool:
    """Return whether a word takes TEAMOPS_ROLE away or gives it another value: ``-uTEAMOPS_ROLE`` is one, too."""
    name, sign, value = word.partition("=")
    if not (word.startswith(VARIABLE) or (word[:1] == "-" and VARIABLE in word)):
        return False
    return not (name == VARIABLE and sign and _is_own(policy, value))


def _empties(word: str) -> bool:
    """Return whether an option of env leaves nothing of the environment."""
    return word == "-" or word.startswith("--i") or (word[:1] == "-" and word[1:2] != "-" and "i" in word)


def _loosens_in(policy: Policy, words: list[str]) -> bool:
    """Return whether a row of a line that nobody can read takes TEAMOPS_ROLE away: it may merely be spoken of."""
    for at, word in enumerate(words):
        before = words[at - 1] if at else ""
        if VARIABLE in word and ("=" in word or word[:1] == "-" or before in {"-u", "--unset", "unset"}):
            if _sets_other(policy, word):
                return True
        elif before.rpartition("/")[2] == "env" and _empties(word):
            return True
    return False


def _inputs(policy: Policy, rows: list[str], at: int) -> tuple[list[str], int]:
    """Return whose heading begins the here-document of a row, if there is one, and the row behind it."""
    mark = rows[at].rpartition("<<")[2] if "<<" in rows[at] and "<<<" not in rows[at] else ""
    end = (_pieces(mark.lstrip("-")) or [""])[0]
    if not end:
        return [], at + 1
    behind = next((one for one in range(at + 1, len(rows)) if rows[one].strip() == end), len(rows))
    return [_speaker(policy, _begin("\n".join(rows[at + 1 : behind])))], behind + 1


def _pieces(row: str) -> list[str]:
    for letter in ";&|()<>'\"`,{}[]\t\\":
        row = row.replace(letter, " ")
    return row.split()


def _begin(text: str) -> str:
    """Return the first line in which something stands: only a block's heading there makes the text a whole block."""
    return next((line for line in text.lstrip("\ufeff").splitlines() if line.strip()), "")


def _others(policy: Policy, text: str) -> list[str]:
    """Return the lines that open a block of another role."""
    lines = [line.rstrip() for line in text.splitlines() if "###" in line] if "###" in text else []
    return [line for line in lines if (whose := _speaker(policy, line)) and not _is_own(policy, whose)]


def _speaker(policy: Policy, line: str) -> str:
    """Return whose block a line opens, as the handoff file's grammar takes it; empty = none that is known."""
    bare = line.lstrip(" ")
    if len(line) - len(bare) > 3 or bare[:3] != "###" or bare[3:4] not in {" ", "\t"}:
        return ""
    inside, end, behind = bare[3:].strip().lstrip("*_").partition("]")
    if inside[:1] != "[" or not end or behind[:1] in {"(", "["}:
        return ""
    name = " ".join(inside[1:].replace("*", " ").replace("`", " ").split()).strip("_ ").upper()
    known = {*ROLES, *policy["others"], policy["role"]}
    if name not in known:
        name = PERSONAS.get(name, "")
    return name if name in known else ""
