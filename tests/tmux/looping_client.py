"""A client that loops: it asks its model, calls a tool, asks again, for ever, and each answer costs one cent.

Usage: claude [options of the real one] LOG [habit…]. It runs the hooks that its ``--settings`` name, as the real client
does, and writes the real one's transcript and status file. Habits: ``starts`` (its loop begins at once), ``hookless``
(calls no hooks), ``keyless`` (heeds no Escape), ``immortal`` (heeds no TERM), ``tireless`` (a refusal doesn't end its
turn), ``asks`` (opens a dialog with its fifth answer). LOG gets a line for each thing that happens, with
its time: start, cycle, refused, interrupted, prompt, answered, TERM.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import sys
import time
import tty
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from teamops.demo.transcript import Transcript
from tests.tmux.fake_client import DIALOG, MARK, RULE

CYCLE_S = 0.5
COST = 0.01
TOOL_INPUT = {"command": "git status"}
"""Its role may do that, so that what is refused is refused by a hold."""


class Costed(Transcript):
    """A transcript whose answers name their price."""

    def _line(self, kind: str, message: Mapping[str, Any], more: Mapping[str, Any]) -> None:
        priced = {"costUSD": COST} if kind == "assistant" else {}
        super()._line(kind, message, {**more, **priced})


class Client:
    """One process of it."""

    def __init__(self, words: list[str]) -> None:
        settings = Path(words[words.index("--settings") + 1])
        own = words[words.index("--settings") + 2 :]
        self.log_path, self.habits = Path(own[0]), set(own[1:])
        self.hooks = json.loads(settings.read_text(encoding="utf-8"))["hooks"]
        home = Path(os.environ["CLAUDE_CONFIG_DIR"])
        self.transcript = Costed(home, Path.cwd(), "claude-opus-4-8", random.Random(1))  # noqa: S311 - a toy
        self.busy = "starts" in self.habits
        self.dialog, self.cycles = False, 0
        self.draft = ""

    def log(self, word: str) -> None:
        with self.log_path.open("a", encoding="utf-8") as out:
            out.write(f"{word} {os.getpid()} {time.time()}\n")

    def hook(self, event: str, **told: object) -> tuple[bool, bool]:
        """Run the hooks of an event; return whether it is refused, and whether that ends the turn."""
        if "hookless" in self.habits:
            return False, False
        refused = ends = False
        for group in self.hooks.get(event, ()):
            for entry in group["hooks"]:
                done = subprocess.run(
                    ["sh", "-c", entry["command"]],
                    input=json.dumps({"hook_event_name": event, **told}).encode(),
                    capture_output=True,
                    check=False,
                )
                refused = refused or done.returncode == 2
                ends = ends or (done.stdout.strip() != b"" and json.loads(done.stdout).get("continue") is False)
        return refused, ends and "tireless" not in self.habits

    def draw(self) -> None:
        footer = "esc to interrupt" if self.busy else "? for shortcuts"
        box = f"{RULE}\n{MARK}\u00a0{self.draft}\x1b[7m \x1b[0m\n{RULE}\n  manual mode on · {footer}"
        text = "\x1b[H\x1b[2JClaude Code v2.1\n\n" + (DIALOG if self.dialog else box)
        os.write(1, text.replace("\n", "\r\n").encode())

    def cycle(self) -> None:
        """Ask the model once, and call the tool that it wants."""
        self.transcript.say("Again.")
        self.log("cycle")
        self.cycles += 1
        if "asks" in self.habits and self.cycles == 5:
            self.dialog, self.busy = True, False
            return
        refused, ends = self.hook("PreToolUse", tool_name="Bash", tool_input=TOOL_INPUT)
        if refused:
            self.log("refused")
            self.busy = not ends
        else:
            self.hook("PostToolUse", tool_name="Bash", tool_input=TOOL_INPUT)

    def keys(self, text: str) -> None:
        for key in text:
            if self.dialog:
                self.log("answered")
            elif key == "\x1b" and self.busy:
                self.log("interrupted")
                self.busy = "keyless" in self.habits
            elif key == "\x15":
                self.draft = ""
            elif key == "\x03":
                sys.exit(0)
            elif key == "\r":
                self.submit()
            elif key.isprintable():
                self.draft += key

    def submit(self) -> None:
        prompt, self.draft = self.draft, ""
        if not self.hook("UserPromptSubmit", prompt=prompt)[0]:
            self.log("prompt")
            self.transcript.user(prompt)
            self.busy = True

    def run(self) -> None:
        tty.setraw(0)
        os.write(1, b"\x1b]2;\xe2\x9c\xb3 ready\x07")
        self.log("start")
        self.hook("SessionStart")
        due = time.monotonic()
        while True:
            self.transcript.status("busy" if self.busy else "waiting" if self.dialog else "idle")
            self.draw()
            if select.select([0], [], [], 0.05)[0]:
                self.keys(os.read(0, 4096).decode("utf-8", "replace"))
            elif self.busy and time.monotonic() >= due:
                due = time.monotonic() + CYCLE_S
                self.cycle()


def main() -> None:
    client = Client(sys.argv[1:])
    if "immortal" in client.habits:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: client.log("TERM"))
    client.run()


if __name__ == "__main__":
    main()
