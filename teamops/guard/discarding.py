"""Commands of git that throw away changes which nobody has committed, however they are spelled.

The policies name `git checkout*`; what does the same by another command is judged as that.
"""

from __future__ import annotations

AS_CHECKOUT = ("git", "checkout", "--force")
"""What such a command is judged as."""
_FORCED = {
    "switch": ("f", "cC", ("--force", "--discard-changes")),
    "worktree remove": ("f", "", ("--force",)),
    "submodule update": ("f", "j", ("--force",)),
    "reset": ("", "", ("--merge",)),
    "read-tree": ("", "", ("--reset",)),
}
"""By command: letters that throw away, letters with a value, long options that throw away."""


def discards(words: list[str]) -> bool:
    """Return whether git's words (``git``, its command, and what follows) throw away what stands in the work tree."""
    verb = words[1] if len(words) > 1 else ""
    rest = words[2:]
    if verb in {"worktree", "submodule"}:
        at = next((at for at, word in enumerate(rest) if word[:1] != "-"), len(rest))
        verb, rest = f"{verb} {''.join(rest[at : at + 1])}", rest[at + 1 :]
    if verb not in _FORCED:
        return False
    letters, valued, longs = _FORCED[verb]
    if verb == "read-tree" and not any(word[:1] == "-" and word[:2] != "--" and "u" in word for word in rest):
        return False  # the index alone
    for word in rest:
        if word == "--":
            return False
        if word[:2] == "--":
            if len(word) > 3 and any(option.startswith(word) for option in longs):
                return True
        elif word[:1] == "-" and _has_letter(word[1:], letters, valued):
            return True
    return False


def _has_letter(given: str, letters: str, valued: str) -> bool:
    for letter in given:
        if letter in letters:
            return True
        if letter in valued:
            return False
    return False
