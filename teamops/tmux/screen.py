"""A client's visible screen, read by its text: weak evidence, good enough to hold back an act.

The markers were seen on Claude Code 2.1 and Codex 0.169. Those of Gemini CLI and opencode are what their screens say of
themselves, fewer, and so more often end in ``UNKNOWN``, into which nothing is typed.
"""

from __future__ import annotations

import re

from teamops.model.pane import Screen

KNOWN_CLIENTS = frozenset({"claude", "codex", "gemini", "opencode"})
"""Clients whose dialogs and input line can be told. Of all others the screen says nothing."""

CLAUDE_MARK = "\u276f"
CODEX_MARK = "\u203a"
"""What stands before a client's input line."""

_RULE = re.compile(r"\s*─{10}")
_CHOICE = re.compile(r"\s*[│┃]?\s*[\u276f\u203a●>]\s*\d+\.\s")
_SGR = re.compile(r"\x1b\[([0-9;:]*)m")
_SPINNER = re.compile("[\u2800-\u28ff]")
_BOTTOM = 30
"""Lines from the last used one up in which a dialog would stand."""
_FOOTER = 4
"""Most lines that claude shows below its input box."""

_CLAUDE_DIALOG = (
    "Esc to cancel",
    "Do you want to",
    "Enter to select",
    "Enter to confirm",
    "Esc to exit",
    "to navigate",
)
_CLAUDE_EXITED = ("Resume this session with:",)
_CODEX_DIALOG = (
    "Press enter to confirm",
    "enter to submit answer",
    "esc to cancel",
    "Would you like to",
    "Press enter to continue",
)
_CODEX_EXITED = ("To continue this session, run:", "codex resume ")
_GEMINI_DIALOG = (
    "Waiting for user confirmation",
    "Allow execution",
    "Apply this change",
    "Do you want to",
    "Use Enter to select",
)
_OPENCODE_DIALOG = ("Permission required", "Allow once", "Allow always", "enter confirm")


def read_screen(client: str, text: str, title: str = "") -> Screen:
    """Return what the visible screen ``text`` (plain, as captured) of ``client`` shows.

    When in doubt a dialog is a dialog and the rest is unknown: text typed into a dialog would approve it.
    """
    if client not in KNOWN_CLIENTS:
        return Screen.PROMPT
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    if not lines:
        return Screen.UNKNOWN
    reader = {"claude": _claude, "codex": _codex, "gemini": _gemini}.get(client, _opencode)
    return reader(lines, title.strip())


def _has(lines: list[str], markers: tuple[str, ...]) -> bool:
    return any(marker in line for line in lines for marker in markers)


def _claude_box(lines: list[str]) -> tuple[int, int] | None:
    """Return the indices of the two rules of the input box, if the screen ends with one."""
    rules = [index for index, line in enumerate(lines) if _RULE.match(line)]
    if len(rules) < 2:
        return None
    top, bottom = rules[-2], rules[-1]
    boxed = lines[top + 1 : bottom]
    if (
        not boxed
        or not boxed[0].startswith(CLAUDE_MARK)
        or _CHOICE.match(boxed[0])
        or len(lines) - bottom - 1 > _FOOTER
    ):
        return None
    return top, bottom


def _claude(lines: list[str], title: str) -> Screen:
    box = _claude_box(lines)
    if box is None:
        if _has(lines[-6:], _CLAUDE_EXITED):
            return Screen.EXITED
        if _has(lines[-_BOTTOM:], _CLAUDE_DIALOG) or any(_CHOICE.match(line) for line in lines[-_BOTTOM:]):
            return Screen.DIALOG
        return Screen.UNKNOWN
    footer = lines[box[1] + 1 :]
    if _has(footer, _CLAUDE_DIALOG):
        return Screen.DIALOG
    if _has(footer, ("esc to interrupt",)) or title[:1] in {"◐", "◑", "◒", "◓"}:
        return Screen.BUSY
    return Screen.PROMPT


def _codex(lines: list[str], title: str) -> Screen:
    if "Action Required" in title:
        return Screen.DIALOG
    if _has(lines[-3:], _CODEX_EXITED):
        return Screen.EXITED
    last = _codex_input(lines)
    below = lines[-_BOTTOM:] if last is None else lines[last:]
    if _has(below, _CODEX_DIALOG) or any(_CHOICE.match(line) for line in below):
        return Screen.DIALOG
    if last is None or len(lines) - last > 8:
        return Screen.UNKNOWN
    if _SPINNER.match(title) or _has(lines[max(0, last - 3) :], ("esc to interrupt",)):
        return Screen.BUSY
    return Screen.PROMPT


def _codex_input(lines: list[str]) -> int | None:
    return next((index for index in range(len(lines) - 1, -1, -1) if lines[index].startswith(CODEX_MARK)), None)


def _gemini(lines: list[str], title: str) -> Screen:
    bottom = lines[-_BOTTOM:]
    if "Action Required" in title or _has(bottom, _GEMINI_DIALOG) or any(_CHOICE.match(line) for line in bottom):
        return Screen.DIALOG
    if _has(bottom, ("Agent powering down", "Goodbye!")):
        return Screen.EXITED
    if _has(bottom, ("(esc to cancel",)):
        return Screen.BUSY
    return Screen.PROMPT if _has(bottom, ("Type your message",)) else Screen.UNKNOWN


def _opencode(lines: list[str], title: str) -> Screen:  # noqa: ARG001 - the readers' common form
    bottom = lines[-_BOTTOM:]
    if _has(bottom, _OPENCODE_DIALOG) or any(_CHOICE.match(line) for line in bottom):
        return Screen.DIALOG
    if _has(bottom, ("esc interrupt", "esc to interrupt")):
        return Screen.BUSY
    return Screen.PROMPT if _has(bottom, ("Ask anything", "ctrl+p commands")) else Screen.UNKNOWN


def draft_of(client: str, ansi: str) -> str | None:
    """Return what stands typed but not submitted in the client's input, on one line; "" = nothing.

    ``ansi``: the screen with its SGR sequences; clients print their own suggestions faint. ``None`` = can't be told.
    """
    if client not in {"claude", "codex"}:
        return None
    rows = [(plain_of(line), solid_of(line)) for line in ansi.splitlines()]
    rows = [(plain.rstrip(), solid) for plain, solid in rows if plain.strip()]
    lines = [plain for plain, _ in rows]
    if client == "claude":
        box = _claude_box(lines)
        if box is None:
            return None
        typed = [solid for _, solid in rows[box[0] + 1 : box[1]]]
        typed[0] = typed[0].removeprefix(CLAUDE_MARK)
    else:
        last = _codex_input(lines)
        if last is None:
            return None
        end = next((index for index in range(last + 1, len(rows)) if not lines[index].startswith("  ")), len(rows))
        # Below the draft's lines stand two of footer, indented alike.
        typed = [solid for _, solid in rows[last : max(last + 1, end - 2)]]
        typed[0] = typed[0].removeprefix(CODEX_MARK)
    return " ".join(" ".join(typed).split())


def plain_of(line: str) -> str:
    """Return ``line`` without SGR sequences."""
    return _SGR.sub("", line)


def solid_of(line: str) -> str:
    """Return ``line`` without what is printed faint, and without a lone character under the cursor before it."""
    kept: list[str] = []
    faint = inverse = False
    under_cursor = ""
    position = 0
    for match in [*_SGR.finditer(line), None]:
        text = line[position : match.start() if match else len(line)]
        if text:
            if faint:
                if under_cursor and kept and kept[-1] == under_cursor:
                    kept.pop()  # the suggestion's first letter
            else:
                kept.append(text)
            under_cursor = text if inverse and not faint and len(text) == 1 else ""
        if match is None:
            break
        position = match.end()
        faint, inverse = _weight(match[1], faint=faint, inverse=inverse)
    return "".join(kept)


def _weight(codes: str, *, faint: bool, inverse: bool) -> tuple[bool, bool]:
    parts = iter(codes.replace(":", ";").split(";"))
    for part in parts:
        if part in {"38", "48", "58"}:  # a colour: what follows are its numbers, not attributes
            for _ in range({"5": 1, "2": 3}.get(next(parts, ""), 0)):
                next(parts, None)
        elif part in {"", "0"}:
            faint = inverse = False
        elif part == "2":
            faint = True
        elif part == "22":
            faint = False
        elif part == "7":
            inverse = True
        elif part == "27":
            inverse = False
    return faint, inverse
