"""A program with the screen of a known client, and its bad habits on demand.

Usage: fake_client.py LOG [habit…]; habits: ``dialog`` (one is open from the start), ``late-dialog`` (opens when text
comes), ``deaf`` (swallows the first Enter), ``stuck`` (swallows every Enter), ``draft`` (a person has typed),
``ghost`` (a faint suggestion stands in the input), ``retrying`` and ``refused`` (its calls of the model fail: for now,
for good), ``slow`` (paints what was typed 0.8 s later), ``lossy`` (drops a letter), ``hook=FILE``
(each prompt it takes is told in that file of its spool, as its hook would), ``gate=FILE`` (… but only once that file is
there), ``works`` (… and its turn after it). Lines that are submitted, and answers to dialogs, go to LOG.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
import tty
from pathlib import Path

RULE = "─" * 60
MARK = "\u276f"
DIALOG = "\n".join(
    (
        RULE,
        " Bash command",
        " rm -rf build",
        " Do you want to proceed?",
        f" {MARK} 1. Yes",
        "   2. No",
        "",
        " Esc to cancel",
    )
)


TROUBLES = {
    "retrying": "\u273b 529 Overloaded · retrying in 5s · attempt 4/10\n",
    "refused": "● Please run /login · API Error: 401 refused\n",
}


def draw(draft: str, habits: set[str], *, dialog: bool) -> None:
    ghost = "ghost" in habits
    shown = "\x1b[7mT\x1b[0;2mry this: fix the tests\x1b[0m" if ghost and not draft else f"{draft}\x1b[7m \x1b[0m"
    said = "".join(text for habit, text in TROUBLES.items() if habit in habits)
    footer = "esc to interrupt" if "retrying" in habits else "? for shortcuts"
    box = f"{RULE}\n{MARK}\u00a0{shown}\n{RULE}\n  manual mode on · {footer}"
    text = "\x1b[H\x1b[2J" + "Claude Code v2.1\n\n" + said + (DIALOG if dialog else box)
    os.write(1, text.replace("\n", "\r\n").encode())


def told(spool: Path, event: str, detail: str) -> None:
    line = {"v": 1, "t": time.time(), "pid": os.getpid(), "kind": "hook", "hook": event, "detail": detail}
    spool.parent.mkdir(parents=True, exist_ok=True)
    with spool.open("a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")


def tell(habits: set[str], taken: list[str]) -> None:
    """Tell of the prompts that were taken, if it has the habit to, and may."""
    value = {name: rest for name, _, rest in (habit.partition("=") for habit in habits)}
    if "hook" not in value or ("gate" in value and not Path(value["gate"]).exists()):
        return
    for text in taken:
        told(Path(value["hook"]), "UserPromptSubmit", text)
        if "works" in habits:
            told(Path(value["hook"]), "PreToolUse", "Bash")
            told(Path(value["hook"]), "Stop", "")
    taken.clear()


def main() -> None:
    log, habits = Path(sys.argv[1]), set(sys.argv[2:])
    taken: list[str] = []
    tty.setraw(0)
    os.write(1, b"\x1b]2;\xe2\x9c\xb3 ready\x07")
    draft = "half a thou" if "draft" in habits else ""
    dialog, enters = "dialog" in habits, 0
    while True:
        painted = time.monotonic() + 0.8 if "slow" in habits and draft else 0.0
        draw("" if painted else draft, habits, dialog=dialog)
        while not select.select([0], [], [], 0.05)[0]:
            tell(habits, taken)
            if painted and time.monotonic() > painted:
                draw(draft, habits, dialog=dialog)
        for key in os.read(0, 4096).decode("utf-8", "replace"):
            if key == "\x15":
                draft = ""
            elif key == "\x03":
                return
            elif key == "\r":
                enters += 1
                if "stuck" in habits or ("deaf" in habits and enters == 1):
                    continue
                with log.open("a", encoding="utf-8") as out:
                    out.write(("APPROVED " if dialog else "") + draft + "\n")
                if not dialog:
                    taken.append(draft)
                    tell(habits, taken)
                draft, dialog = "", False
            elif key != "z" or "lossy" not in habits:
                draft += key
                dialog = dialog or "late-dialog" in habits


if __name__ == "__main__":
    main()
