"""Behaves as a client does whose session can be resumed: keeps a transcript, and calls the hooks of its settings.

With a file "lost" beside its transcripts it knows of none of them. Each start becomes a line of the file that STARTS
names: pid, arguments, and what teamops put into the environment.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

words = sys.argv[1:]


def value(*names: str) -> str:
    return next(words[words.index(name) + 1] for name in names if name in words)


def main() -> None:
    session = value("--resume", "--session-id")
    folder = Path(os.environ["HOME"]) / ".claude" / "projects" / "-p"
    folder.mkdir(parents=True, exist_ok=True)
    lost = folder / "lost"
    if "--resume" in words and lost.exists():
        sys.exit(f"No conversation found with session ID: {session}")
    (folder / f"{session}.jsonl").write_text('{"type":"mode"}\n{"type":"user"}\n', encoding="utf-8")
    settings = json.loads(Path(value("--settings")).read_text(encoding="utf-8"))
    command = settings["hooks"]["SessionStart"][0]["hooks"][0]["command"]
    source = "resume" if "--resume" in words else "startup"
    told = {"hook_event_name": "SessionStart", "session_id": session, "source": source, "cwd": str(Path.cwd())}
    subprocess.run(["/bin/sh", "-c", command], input=json.dumps(told), text=True, check=True)
    start = {
        "pid": os.getpid(),
        "argv": words,
        "role": os.environ.get("TEAMOPS_ROLE"),
        "project": os.environ.get("TEAMOPS_PROJECT"),
        "profile": Path(value("--append-system-prompt-file")).read_text(encoding="utf-8"),
    }
    with Path(os.environ["STARTS"]).open("a", encoding="utf-8") as out:
        out.write(json.dumps(start) + "\n")
    while True:
        signal.pause()


main()
