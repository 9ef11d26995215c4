"""``teamops beat``: a beat from a shell loop. Standard library only: a loop may call it every few seconds."""

from __future__ import annotations

import os
import sys

from teamops.sdk import beats
from teamops.sdk.spool import warn

USAGE = """\
Usage: teamops beat [OPTIONS] [MESSAGE]

  Say from a shell loop that this agent lives, and what it does. Never fails the loop: exit 0, but 2 for wrong use.

Options:
  --role ROLE        whose beat it is (default: TEAMOPS_ROLE)
  --project FOLDER   the project (default: TEAMOPS_PROJECT, else the nearest one from here upwards)
  --status WORD      "working" or "busy" is a sign of work, "idle" one of rest
  --tokens N         used since the last beat
  --cost USD         spent since the last beat
  --tool-calls N     made since the last beat
  --interval S       a promise: two beats of this missed, and the agent is silent
  --begin, --end     a cycle of work begins, ends
  --shutdown [S]     it ends on purpose within so many seconds (60)
  -h, --help         show this
"""
_WITH_VALUE = ("--role", "--project", "--status", "--tokens", "--cost", "--tool-calls", "--interval", "--message")
_ALONE = ("--begin", "--end")


class _WrongUse(Exception):  # noqa: N818 - an answer, not a defect
    pass


def main(words: list[str]) -> int:
    """Write the beat that ``words`` say. Returns 0, or 2 for wrong use."""
    if any(word in {"-h", "--help"} for word in words):
        sys.stdout.write(USAGE)
        return 0
    try:
        given, message = _parse(words)
    except _WrongUse as error:
        sys.stderr.write(f"teamops: {error}\n  → teamops beat --help\n")
        return 2
    try:
        _beat(given, message)
    except Exception as error:  # noqa: BLE001 - the port to someone else's loop: nothing may come through
        warn(f"a beat was lost: {type(error).__name__}: {error}")
    return 0


def _parse(words: list[str]) -> tuple[dict[str, str], str]:
    given: dict[str, str] = {}
    rest: list[str] = []
    at = 0
    while at < len(words):
        name, equals, value = words[at].partition("=")
        at += 1
        if name in _ALONE and not equals:
            given[name] = ""
        elif name == "--shutdown":
            if not equals and at < len(words) and _is_number(words[at]):
                value, at = words[at], at + 1
            given[name] = _number(name, value or "60")
        elif name in _WITH_VALUE:
            if not equals:
                if at == len(words):
                    raise _WrongUse(f"{name} needs a value")
                value, at = words[at], at + 1
            given[name] = value if name in _WITH_VALUE[:3] or name == "--message" else _number(name, value)
        elif name.startswith("-") and len(name) > 1:
            raise _WrongUse(f"there is no option {name}")
        else:
            rest.append(words[at - 1])
    return given, " ".join(rest) or given.get("--message", "")


def _is_number(text: str) -> bool:
    try:
        return 0 <= float(text) < float("inf")
    except ValueError:
        return False


def _number(name: str, text: str) -> str:
    if not _is_number(text):
        raise _WrongUse(f"{name} is a number, not {text[:40]!r}")
    return text


def _beat(given: dict[str, str], message: str) -> None:
    interval = float(given["--interval"]) if "--interval" in given else None
    # The loop itself, which lives on, and not this process, which ends at once.
    beats.stand_in(given.get("--role"), given.get("--project"), interval, os.getppid())
    if "--shutdown" in given:
        beats.shutting_down(float(given["--shutdown"]))
        return
    cycle = {"--begin", "--end"} & given.keys()
    if "--begin" in cycle:
        beats.mark(begin=True)
    if message or not cycle or {"--status", "--tokens", "--cost", "--tool-calls"} & given.keys():
        beats.heartbeat(
            status=given.get("--status", "ok"),
            message=message,
            tokens=int(float(given.get("--tokens", "0"))),
            cost_usd=given.get("--cost"),
            tool_calls=int(float(given.get("--tool-calls", "0"))),
        )
    if "--end" in cycle:
        beats.mark(begin=False)
