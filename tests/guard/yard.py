"""A project with everything that is to be held, a world around it that could act for an agent, and a way inside."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from teamops.cli.run import _role
from teamops.config.load import load
from teamops.effects.confine import Means, confined, means
from teamops.effects.recipe import Recipe

NOBODY = 65534
LIMIT_S = 30.0
TOML = """
[tmux]
socket_path = "{sock}"
[roles.DEVELOPER]
command = "true"
[roles.REVIEWER]
command = "true"
[roles.DIRECTOR]
command = "true"
"""


def as_user(uid: int, words: Sequence[str]) -> list[str]:
    """Return the words that run ``words`` as ``uid``; as they are for this process's own."""
    if uid == os.geteuid():
        return list(words)
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *words]


def python_of(uid: int) -> str:
    """Return an interpreter that ``uid`` can run; empty = none. Hooks and boundary need no more than it brings."""
    code = Path(__file__).parents[2] / "teamops" / "guard" / "confine.py"
    for program in (sys.executable, "/usr/bin/python3"):
        with suppress(OSError):
            words = [means().bwrap, "--ro-bind", "/", "/", program, "-I", "-S", str(code)]
            told = subprocess.run(as_user(uid, words), capture_output=True, check=False)
            if b"not started" in told.stderr:
                return program
    return ""


@dataclass
class Yard:
    base: Path
    uid: int
    having: Means
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    doors: list[socket.socket] = field(default_factory=list)
    abstract: str = ""
    python: str = ""

    def __post_init__(self) -> None:
        self.python = python_of(self.uid)

    @property
    def project(self) -> Path:
        return self.base / "shop"

    @property
    def state(self) -> Path:
        return self.base / "state"

    @property
    def home(self) -> Path:
        return self.base / "home"

    @property
    def tmux_socket(self) -> Path:
        return self.base / "sock" / "s"

    @property
    def env(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "P": str(self.project),
            "STATE": str(self.state),
            "TMUX_SOCKET": str(self.tmux_socket),
            "DOOR": str(self.base / "home" / "door"),
            "ABSTRACT": self.abstract,
            "OUT": str(self.processes[0].pid) if self.processes else "0",
            "PYTHON": self.python,
        }

    @property
    def homes(self) -> dict[str, str]:
        usual = {"DATA": ".local/share", "STATE": ".local/state", "CACHE": ".cache", "CONFIG": ".config"}
        own = {f"XDG_{name}_HOME": str(self.home / folder) for name, folder in usual.items()}
        return {"HOME": str(self.home), "CODEX_HOME": str(self.home / ".codex"), **own}

    def build(self) -> None:
        for folder in ("src", "docs/design", "reviews", "profiles", ".claude", ".teamops/spool/DEVELOPER"):
            (self.project / folder).mkdir(parents=True, exist_ok=True)
        for folder in ("home/.claude", "state/shop-1/agents", "sock"):
            (self.base / folder).mkdir(parents=True, exist_ok=True)
        (self.base / "home" / ".claude" / ".config.json").touch(mode=0o444)  # made for the client itself alone
        self.write("src/a.py", "first = 1\n")
        self.write("current.md", "# handoff\n")
        self.write("docs/design/plan.md", "the plan\n")
        self.write("docs/guide.md", "a guide\n")
        self.write("reviews/old.md", "a review\n")
        self.write("profiles/own.txt", "none\n")
        self.write("teamops.toml", TOML.format(sock=self.tmux_socket))
        self.write(".claude/settings.json", "{}\n")
        self.write(".teamops/spool/DEVELOPER/hooks.jsonl", "")
        for name in (
            ".claude/shell-snapshots",
            ".claude/named",
            ".codex",
            ".gemini/tmp/bin",
            ".config/opencode",
            ".cache/opencode/bin",
        ):
            (self.home / name).mkdir(parents=True)
        (self.home / ".claude" / "settings.json").write_text('{"statusLine": "~/.claude/named/x"}\n')
        for name in (".claude/named/x", ".claude/line.sh", ".claude/shell-snapshots/snapshot.sh", ".gemini/tmp/bin/rg"):
            (self.home / name).write_text("#!/bin/sh\n")
        (self.home / ".claude.json").write_text("{}\n")
        (self.home / ".profile").write_text("# mine\n")
        (self.state / "shop-1" / "ledger.sqlite3").write_bytes(b"ledger")
        git = ["git", "-c", "user.name=t", "-c", "user.email=t@t"]
        for words in (["init", "-q", "."], ["add", "src"], ["commit", "-qm", "one"]):
            subprocess.run([*git, *words], cwd=self.project, check=True, capture_output=True)
        self.write("src/a.py", "second = 2\n")
        for words in (["add", "-f", "."], ["commit", "-qm", "two"]):
            subprocess.run([*git, *words], cwd=self.project, check=True, capture_output=True)
        if self.uid != os.geteuid():
            subprocess.run(["chown", "-R", f"{self.uid}:{self.uid}", str(self.base)], check=True)

    def write(self, name: str, text: str) -> None:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def words(
        self, role: str, command: Sequence[str], cwd: Path | None = None, client: str = "claude"
    ) -> tuple[list[str], dict[str, str]]:
        """Return what starts ``command`` inside ``role``'s boundary, and its environment."""
        settings = load(self.project)
        row = _role(settings, role, command)
        row = type(row)(**{name: getattr(row, name) for name in row.__dataclass_fields__} | {
            "cwd": cwd or self.project, "env": self.homes, "client": client,
        })  # fmt: skip
        recipe = Recipe(argv=tuple(command), env=self.env)
        done = confined(settings, row, self.state / "shop-1", recipe, having=self.having)
        assert done.boundary is not None
        done.recipe.write()
        if self.uid != os.geteuid():
            subprocess.run(["chown", "-R", f"{self.uid}:{self.uid}", str(self.base)], check=True)
        argv = [self.python if word == sys.executable else word for word in done.recipe.argv]
        return as_user(self.uid, argv), dict(done.recipe.env)

    def inside(
        self, role: str, script: str, pass_fds: Sequence[int] = (), cwd: Path | None = None, client: str = "claude"
    ) -> subprocess.CompletedProcess[bytes]:
        own = ["sh", "--sandbox"] if client == "codex" else []  # as if chosen: no word of codex' own is added
        words, env = self.words(role, ["sh", "-c", script, *own], cwd, client)
        return self._run(words, env, pass_fds)

    def outside(self, script: str) -> subprocess.CompletedProcess[bytes]:
        return self._run(as_user(self.uid, ["sh", "-c", script]), {**self.env, "TMPDIR": str(self.base)}, ())

    def _run(self, words: list[str], env: dict[str, str], fds: Sequence[int]) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            words, cwd=self.project, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT_S,
            check=False, pass_fds=tuple(fds),
        )  # fmt: skip

    def held(self, allowed: Sequence[str]) -> dict[str, str]:
        """Return all that stands in the yard but for what the role may write: path → kind and digest."""
        seen: dict[str, str] = {}
        for path in sorted(self.base.rglob("*")):
            name = str(path.relative_to(self.base))
            if any(name == each or name.startswith(f"{each}/") for each in allowed):
                continue
            if path.is_symlink():
                seen[name] = f"link {path.readlink()}"
            elif path.is_file():
                seen[name] = hashlib.sha256(path.read_bytes()).hexdigest()
            else:
                seen[name] = "folder" if path.is_dir() else "other"
        return seen

    def open_world(self) -> None:
        """Start what could act for an agent: a tmux server, listeners, a process with the file open."""
        holder = "import sys\nf = open('src/a.py', 'r+')\nprint(1, flush=True)\nsys.stdin.read()"
        process = subprocess.Popen(
            as_user(self.uid, [self.python, "-I", "-S", "-c", holder]),
            cwd=self.project, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.processes.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        words = ["tmux", "-f", "/dev/null", "-S", str(self.tmux_socket), "new-session", "-d", "-s", "w", "sh"]
        subprocess.run(as_user(self.uid, words), cwd=self.project, check=True, env=self.env, capture_output=True)
        self.abstract = f"teamops-{os.getpid()}-{self.base.name}"
        for address in (str(self.base / "home" / "door"), f"\0{self.abstract}"):
            door = socket.socket(socket.AF_UNIX)
            door.bind(address)
            if address[0] == "/":
                Path(address).chmod(0o777)
            door.listen()
            self.doors.append(door)
            threading.Thread(target=self._answer, args=(door,), daemon=True).start()

    def _answer(self, door: socket.socket) -> None:
        with suppress(OSError):
            while True:
                asked, _ = door.accept()
                (self.project / "src" / "a.py").write_text("by the door\n")
                asked.sendall(b"done")
                asked.close()

    def close(self) -> None:
        for door in self.doors:
            door.shutdown(socket.SHUT_RDWR)
            door.close()
        words = ["tmux", "-S", str(self.tmux_socket), "kill-server"]
        if self.tmux_socket.exists():
            subprocess.run(as_user(self.uid, words), check=False, capture_output=True, env=self.env)
        for process in self.processes:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
        shutil.rmtree(self.base)


@contextmanager
def yard(uid: int, *, place: Path | None = None, world: bool = False, having: Means | None = None) -> Iterator[Yard]:
    base = Path(tempfile.mkdtemp(prefix="ty-", dir=place or "/tmp"))
    base.chmod(0o755)
    made = Yard(base, uid, having or means())
    try:
        made.build()
        if world:
            made.open_world()
        yield made
    finally:
        made.close()
