"""A program with the screen of a known client, and its bad habits on demand.

Usage: fake_client.py LOG [habit…]; habits: ``dialog`` (one is open from the start), ``late-dialog`` (opens when text
comes), ``deaf`` (swallows the first Enter), ``stuck`` (swallows every Enter), ``draft`` (a person has typed),
``ghost`` (a faint suggestion stands in the input), ``retrying`` and ``refused`` (its calls of the model fail: for now,
for good). Lines that are submitted, and answers to dialogs, go to LOG.
"""

from __future__ import annotations

import os
import sys
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


def main() -> None:
    log, habits = Path(sys.argv[1]), set(sys.argv[2:])
    tty.setraw(0)
    os.write(1, b"\x1b]2;\xe2\x9c\xb3 ready\x07")
    draft = "half a thou" if "draft" in habits else ""
    dialog, enters = "dialog" in habits, 0
    while True:
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
                draft, dialog = "", False
            else:
                draft += key
                dialog = dialog or "late-dialog" in habits


if __name__ == "__main__":
    main()
