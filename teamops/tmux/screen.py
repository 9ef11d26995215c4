"""A client's visible screen, read by its text: weak evidence, good enough to hold back an act.

The markers were seen on Claude Code 2.1, Codex 0.171, Gemini CLI 0.61 and opencode 1.18, with models that answer,
fail for a while, fail for good, and hang. What is none of them is ``UNKNOWN``, and nothing is typed into it.
"""

from __future__ import annotations

import re

from msgspec import Struct

from teamops.domain.login import refused
from teamops.model.pane import Screen
from teamops.model.text import clean_line

KNOWN_CLIENTS = frozenset({"claude", "codex", "gemini", "opencode"})
"""Clients whose dialogs and input line can be told. Of all others the screen says nothing."""

CLAUDE_MARK = "\u276f"
CODEX_MARK = "\u203a"
"""What stands before a client's input line."""

_RULE = re.compile(r"\s*─{10}")
_CHOICE = re.compile(r"\s*[│┃]?\s*[\u276f\u203a●>]\s*\d+\.\s")
_RETRIES = re.compile(
    r"^\W .*\bretrying in .*attempt \d+/\d+"  # claude, in the place of its spinner's word
    r"|^• Reconnecting\.\.\. (\d+/\d+|waiting for network)"  # codex
    r"|^ \S Trying to reach .*\(Attempt \d+/\d+"  # gemini
    r"|\[retrying attempt #\d+"  # opencode, in the place of its spinner
)
_CLAUDE_FAILED = re.compile(r"(● |  ⎿  )(.* · )?(API Error(: | \()|Please run /login)")
_GEMINI_INPUT = re.compile(r"\s*[│┃]?\s*[>*!] ")
_CODEX_FAILED = re.compile(
    r"■ (unexpected status \d|exceeded retry limit|stream (disconnected|error)|Connection failed: |request timed out"
    r"|error sending request|Error while reading the server response|idle timeout waiting for|timeout waiting for SSE"
    r"|You.ve hit your usage limit|You.ve reached your (usage|workspace credit) limit|Usage limit reached"
    r"|You.re out of credits|Your workspace is out of credits|Quota exceeded|To use Codex with your ChatGPT plan"
    r"|We.re currently experiencing high demand|Codex is currently experiencing high load"
    r"|(Selected model|Server) is (at capacity|overloaded)|(Policy-restricted|Flex) capacity "
    r"|Codex ran out of room in the model|Missing environment variable: |Your access token could not be refreshed"
    r"|Failed to refresh token|\{\s*\")",
    re.IGNORECASE,
)
"""How Codex begins the words of a call that it gave up. It says other errors with the same mark: of its settings,
of its tools, of what a person typed."""
_CODEX_STOPPED = re.compile(r"■ Conversation interrupted")
"""A person ended the turn."""
_GEMINI_FAILED = re.compile(r"✕ \[API Error: ")
"""All failed calls go through that one form; what else bears the mark is an error of another kind."""
_OPENCODE_DONE = re.compile(r" · (interrupted|(\d+(\.\d+)?[a-z]+ ?)+)$")
_SGR = re.compile(r"\x1b\[([0-9;:]*)m")
_SPINNER = re.compile("[\u2800-\u28ff]")
_BOTTOM = 30
"""Lines from the last used one up in which a dialog would stand."""
_FOOTER = 4
"""Most lines that a client shows below its input box."""
_LONGEST = 200
"""Characters of a complaint that are kept."""
_STATUS = 6
"""So many lines above its input a busy client says what it does."""

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


class Reading(Struct, frozen=True):
    """What a client's screen shows."""

    screen: Screen
    trouble: tuple[str, ...] = ()
    """Where its calls of the model fail: the lines that say so."""
    complaint: str = ""
    """The last error that it shows at its prompt and that is no failed call, cleaned; its settings can't be saved, say.
    It tells of no state, and a person should know it."""

    @property
    def auth(self) -> bool:
        """Its account is refused, by its own words."""
        return bool(refused("\n".join(self.trouble)))


def read(client: str, text: str, title: str = "") -> Reading:
    """Return what the visible screen ``text`` (plain, as captured) of ``client`` shows.

    When in doubt a dialog is a dialog and the rest is unknown: text typed into a dialog would approve it.
    """
    if client not in KNOWN_CLIENTS:
        return Reading(Screen.PROMPT)
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    if not lines:
        return Reading(Screen.UNKNOWN)
    reader = {"claude": _claude, "codex": _codex, "gemini": _gemini}.get(client, _opencode)
    return reader(lines, title.strip())


def read_screen(client: str, text: str, title: str = "") -> Screen:
    """Return the same without the words."""
    return read(client, text, title).screen


def _has(lines: list[str], markers: tuple[str, ...]) -> bool:
    return any(marker in line for line in lines for marker in markers)


def _busy(above: list[str]) -> Reading:
    """Return how it is busy: ``above`` are the last lines in which it would say that it tries again."""
    for index, line in enumerate(above):
        if _RETRIES.search(line):
            return Reading(Screen.RETRYING, tuple(above[index:]))
    return Reading(Screen.BUSY)


def _at_prompt(trouble: list[str], complaint: str = "") -> Reading:
    screen = Screen.FAILED if trouble else Screen.PROMPT
    return Reading(screen, tuple(trouble), clean_line(complaint, _LONGEST))


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


def _claude(lines: list[str], title: str) -> Reading:
    box = _claude_box(lines)
    if box is None:
        if _has(lines[-6:], _CLAUDE_EXITED):
            return Reading(Screen.EXITED)
        if _has(lines[-_BOTTOM:], _CLAUDE_DIALOG) or any(_CHOICE.match(line) for line in lines[-_BOTTOM:]):
            return Reading(Screen.DIALOG)
        return Reading(Screen.UNKNOWN)
    footer, talk = lines[box[1] + 1 :], lines[: box[0]]
    if _has(footer, _CLAUDE_DIALOG):
        return Reading(Screen.DIALOG)
    if _has(footer, ("esc to interrupt",)) or title[:1] in {"◐", "◑", "◒", "◓"}:
        return _busy(talk[-_STATUS:])
    return _last_said(talk, ("●", CLAUDE_MARK, "  ⎿  "), _CLAUDE_FAILED)


def _last_said(talk: list[str], begins: tuple[str, ...], failed: re.Pattern[str], error: str = "") -> Reading:
    """Return whether the last thing said above the input is a failed call; what was said before is over.

    ``error``: the mark of any error. One that is no failed call ends nothing: a call that failed before it still has.
    """
    end, complaint = len(talk), ""
    for index in range(len(talk) - 1, max(-1, len(talk) - 1 - _BOTTOM), -1):
        line = talk[index]
        if not line.startswith(begins):
            continue
        if failed.match(line):
            return _at_prompt(talk[index:end], complaint)
        if not error or not line.startswith(error) or _CODEX_STOPPED.match(line):
            break
        end, complaint = index, complaint or line.removeprefix(error).strip()
    return _at_prompt([], complaint)


def _codex(lines: list[str], title: str) -> Reading:
    if "Action Required" in title:
        return Reading(Screen.DIALOG)
    if _has(lines[-3:], _CODEX_EXITED):
        return Reading(Screen.EXITED)
    last = _codex_input(lines)
    below = lines[-_BOTTOM:] if last is None else lines[last:]
    if _has(below, _CODEX_DIALOG) or any(_CHOICE.match(line) for line in below):
        return Reading(Screen.DIALOG)
    if last is None or len(lines) - last > 8:
        return Reading(Screen.UNKNOWN)
    talk = lines[:last]
    if _SPINNER.match(title) or _has(lines[max(0, last - 3) :], ("esc to interrupt",)):
        return _busy(talk[-_STATUS:])
    return _last_said(talk, ("■", "•", CODEX_MARK), _CODEX_FAILED, "■")


def _codex_input(lines: list[str]) -> int | None:
    return next((index for index in range(len(lines) - 1, -1, -1) if lines[index].startswith(CODEX_MARK)), None)


def _gemini(lines: list[str], title: str) -> Reading:
    bottom = lines[-_BOTTOM:]
    if "Action Required" in title or _has(bottom, _GEMINI_DIALOG) or any(_CHOICE.match(line) for line in bottom):
        return Reading(Screen.DIALOG)
    if _has(bottom, ("Agent powering down", "Goodbye!")):
        return Reading(Screen.EXITED)
    if _has(bottom, ("(esc to cancel",)) or title.startswith("✦"):
        return _busy(bottom)
    last = _gemini_input(lines)
    if last is None:
        return Reading(Screen.UNKNOWN)
    return _last_said(lines[:last], (" > ", "✦", "✕", "│", "╰"), _GEMINI_FAILED, "✕")


def _gemini_input(lines: list[str]) -> int | None:
    """Return the line of the input: the last one that a mark begins, with no more than the footer below."""
    for index in range(len(lines) - 1, max(-1, len(lines) - 2 - _FOOTER), -1):
        if _GEMINI_INPUT.match(lines[index]):
            return index
    return None


def _opencode(lines: list[str], title: str) -> Reading:  # noqa: ARG001 - the readers' common form
    bottom = lines[-_BOTTOM:]
    if _has(bottom, _OPENCODE_DIALOG) or any(_CHOICE.match(line) for line in bottom):
        return Reading(Screen.DIALOG)
    if _has(bottom, ("esc interrupt", "esc to interrupt", "[retrying attempt #")):
        return _busy(bottom[-_STATUS:])
    if not _has(bottom, ("Ask anything", "ctrl+p commands")):
        return Reading(Screen.UNKNOWN)
    return _at_prompt(_opencode_failure(lines))


def _opencode_failure(lines: list[str]) -> list[str]:
    """Return the box right above the mark of a turn that has ended without a word of how long it took.

    A box of a tool begins with its name or command; after one a turn ends so where the person refused it.
    """
    last = next((index for index in range(len(lines) - 1, -1, -1) if lines[index].lstrip().startswith("▣")), None)
    if last is None or _OPENCODE_DONE.search(lines[last]):
        return []
    said: list[str] = []
    for line in reversed(lines[:last]):
        text = line.strip()
        if not text.startswith("┃") or (text == "┃" and said):
            break
        if text != "┃":
            said.insert(0, text.removeprefix("┃").strip())
    return [] if not said or said[0][:2] in {"$ ", "# "} else said


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
