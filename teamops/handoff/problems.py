"""Every kind of problem a handoff file can have: its code, how much it matters, and how to mend it."""

from __future__ import annotations

from types import MappingProxyType

from msgspec.structs import replace

from teamops.model.handoff import Problem, Severity

_I, _W, _E = Severity.INFO, Severity.WARNING, Severity.ERROR

CODES = MappingProxyType(
    {
        "missing-turn": (_E, "The block has no Turn: nobody gets the light."),
        "bad-turn": (_E, "The Turn names no role."),
        "several-turns": (_E, "The Turn names more than one role; the first gets the light."),
        "bad-tier": (_E, "The Tier is not 1, 2 or 3."),
        "missing-tier": (_E, "No block of the task has said its Tier yet."),
        "inherited-tier": (_I, "The block has no Tier; the one of its task's earlier blocks holds."),
        "missing-status": (_W, "The block has no Status."),
        "unknown-turn": (_E, "The Turn names a role that the team does not have: nobody can take the light."),
        "unknown-role": (_W, "A role that the team does not have writes a block."),
        "duplicate-field": (_W, "A field stands twice in one block; the first one counts."),
        "misplaced-field": (_W, "A field stands after other text, where it is read as text."),
        "malformed-field": (_W, "A line looks like a field but is not written as one; it is read as text."),
        "unreadable-gates": (_W, "There are Gates, but nothing in them can be read as a gate."),
        "missing-date": (_W, "A block's heading has no date and time."),
        "bad-date": (_W, "A block's date and time can't be read."),
        "heading-brackets": (
            _W,
            "A heading names a role and a date, but not the role alone in brackets first; it opens no block.",
        ),
        "heading-level": (_W, "A heading looks like a block's but has not three #; it opens no block."),
        "heading-space": (_W, "A heading has no blank after its #; it opens no block."),
        "heading-html": (_W, "A block's heading stands right under a closing HTML tag; it opens no block."),
        "unclosed-fence": (_W, "A code fence is never closed: everything after it is code."),
        "unclosed-comment": (_W, "An HTML comment or block is never closed: everything after it is part of it."),
        "not-utf8": (_W, "Bytes that are no UTF-8; they are shown as replacement characters."),
        "nul-bytes": (_W, "Zero bytes, as a crash or a save as UTF-16 leaves them; what they touch can't be read."),
        "time-backwards": (_I, "A block's time is before that of the block above it."),
        "unfinished-block": (_I, "The last block has no complete fields yet: it may still be in writing."),
    }
)
"""Code → severity and meaning. Stable; docs/handoff.md carries the same table."""


GATES_FORM = "**Gates**: runs=pass (…); correct=pass (…); complete=pass (…)"
"""How gates are written."""
_LIGHT = "if the light is not where it should be, append a block with **Turn** and the role that is next"
_AGAIN = "append it again as a block of its own that begins ### [ROLE] YYYY-MM-DD HH:MM"
_STANDING = MappingProxyType(
    {
        "missing-turn": _LIGHT,
        "bad-turn": _LIGHT,
        "several-turns": "if another one was meant, append a block that names it alone as **Turn**",
        "bad-tier": "say **Tier**: 1, 2 or 3 in the next block of the task",
        "missing-tier": "say **Tier**: 1, 2 or 3 in the next block of the task",
        "inherited-tier": "say the **Tier** in the next block of the task",
        "missing-status": "say in the next block of the task how the work stands, as its **Status**",
        "unknown-turn": "append a block with the right **Turn**",
        "unknown-role": "append what it says again as a block of that role",
        "duplicate-field": "if the other one was meant, append a block that says it",
        "misplaced-field": "append a block that says it right under its heading",
        "malformed-field": "append a block that says it as **Name**: value, on a line of its own",
        "unreadable-gates": f"append a block with {GATES_FORM}",
        "missing-date": "write the local time as YYYY-MM-DD HH:MM into the next one",
        "bad-date": "write the local time as YYYY-MM-DD HH:MM into the next one",
        "heading-brackets": _AGAIN,
        "heading-level": _AGAIN,
        "heading-space": _AGAIN,
        "heading-html": _AGAIN,
        "not-utf8": "append what can't be read again, saved as UTF-8",
        "nul-bytes": "append what can't be read again, saved as UTF-8",
    }
)
"""How to mend what is wrong with a block that others follow: it is never edited any more, so by appending."""


def problem(line: int, column: int, code: str, message: str, hint: str) -> Problem:
    """Return a problem at 1-based ``line`` and ``column``, with the severity of its ``code``."""
    return Problem(line, column, code, CODES[code][0], message, hint)


def standing(found: Problem) -> Problem:
    """Return a problem of a block that another one follows, with a hint that leaves the block as it stands."""
    hint = _STANDING.get(found.code, found.hint)
    if found.code in ("unknown-turn", "unknown-role"):
        hint = f"{found.hint} {hint}" if found.hint.endswith("?") else f"{hint} ({found.hint})"
    return replace(found, hint=hint)
