"""A program with the screen of a client: at its prompt, and for each line of input its dialog opens or closes."""

from __future__ import annotations

import sys

RULE = "─" * 60
MARK = "\u276f"
PROMPT = f"{RULE}\n{MARK}\u00a0\n{RULE}\n  ? for shortcuts"
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


def main() -> None:
    """Draw, one of the two at a time."""
    asks = False
    while True:
        shown = DIALOG if asks else PROMPT
        sys.stdout.write("\x1b[H\x1b[2JClaude Code v2.1\n\n" + shown)
        sys.stdout.flush()
        if not sys.stdin.readline():
            return
        asks = not asks


if __name__ == "__main__":
    main()
