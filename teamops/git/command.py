"""One git command in one process: nothing of the repository runs, nothing asks, nothing goes over the net.

A repository is other people's text. Its configuration may name programs (a file system monitor, hooks, content filters,
a pager, a way to fetch missing objects), and git runs them when it merely looks. Here it doesn't: every such setting is
overridden, and a content filter counts only where the person configured it for themselves.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from teamops.model.errors import TeamopsError
from teamops.model.text import clean_line

SECONDS = 30.0
"""One question to a repository, with all commands it takes, is given up after so long."""

_OVERRIDDEN = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.pager": "cat",
    "core.untrackedCache": "false",
    "core.splitIndex": "false",  # else a new shared part of the index is left in the repository
    "core.ignoreStat": "false",  # a file that git is told to believe unchanged is looked at all the same
    "core.trustctime": "true",
    "core.checkStat": "default",
    "core.safecrlf": "false",
    "core.bigFileThreshold": "16m",  # a greater file is not compared line by line
    "sparse.expectFilesOutsideOfPatterns": "false",
    "safe.bareRepository": "explicit",
    "log.showSignature": "false",
    "advice.addEmbeddedRepo": "false",
}
_KEPT = {
    "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_EXEC_PATH", "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
}  # fmt: skip
"""What a person may have set on purpose. Everything else (as in a hook) speaks of another command's repository."""


class GitFailed(TeamopsError):  # noqa: N818 - a state of the world, not a defect
    """git refused, is not there, or did not answer in time. ``said``: its own words, cleaned."""

    def __init__(self, message: str, hint: str = "", said: str = "") -> None:
        super().__init__(message, hint)
        self.said = said


class Git:
    """git in ``root`` until ``deadline`` (monotonic seconds). For one thread."""

    def __init__(
        self, root: Path, deadline: float, seconds: float, config: Mapping[str, str] | None = None, **more: str
    ) -> None:
        self.root = root
        self._deadline = deadline
        self._seconds = seconds
        self._config = {**_OVERRIDDEN, **(config or {})}
        self._more = more

    def with_config(self, config: Mapping[str, str]) -> Git:
        """Return the same with more settings overridden."""
        return Git(self.root, self._deadline, self._seconds, {**self._config, **config}, **self._more)

    def with_env(self, **more: str) -> Git:
        """Return the same with more environment variables."""
        return Git(self.root, self._deadline, self._seconds, self._config, **{**self._more, **more})

    def at(self, root: Path) -> Git:
        """Return the same deadline in another repository, with none of this one's settings."""
        return Git(root, self._deadline, self._seconds)

    def run(self, *words: str, stdin: bytes = b"", codes: Collection[int] = (0,)) -> bytes:
        """Run a command and return what it prints. Raises ``GitFailed``, also for an exit status not in ``codes``."""
        return self.ask(*words, stdin=stdin, codes=codes)[1]

    def line(self, *words: str) -> str:
        """Return the one line that a command prints, as a path."""
        return os.fsdecode(self.run(*words).removesuffix(b"\n"))

    def ask(self, *words: str, stdin: bytes = b"", codes: Collection[int] = (0,)) -> tuple[int, bytes, str]:
        """Run a command; return its exit status, what it prints, and what it says. Raises ``GitFailed``."""
        left = self._deadline - time.monotonic()
        try:
            child = subprocess.Popen(
                ["git", "--no-pager", *words],
                cwd=self.root,
                env=self._env(),
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # no terminal to ask on, and what it starts can be ended with it
            )
        except OSError as error:
            raise _not_started(self.root, error) from error
        try:
            out, err = child.communicate(stdin or None, timeout=max(left, 0.001))
        except subprocess.TimeoutExpired:
            raise GitFailed(
                f"git {words[0]} in {_shown(self.root)} did not end within {self._seconds:.0f} s",
                "does the folder hold much that git neither knows nor ignores? name it in .gitignore",
            ) from None
        finally:
            _end(child)
        said = clean_line(err.decode("utf-8", "replace"), 300)
        if child.returncode not in codes:
            raise GitFailed(
                f"git {words[0]} in {_shown(self.root)}: {said or f'failed with status {child.returncode}'}",
                "try git status there",
                said,
            )
        return child.returncode, out, said

    def _env(self) -> dict[str, str]:
        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name in _KEPT}
        env |= {
            "LC_ALL": "C",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_ALLOW_PROTOCOL": "none",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_CONFIG_COUNT": str(len(self._config)),
        }
        for number, (name, value) in enumerate(self._config.items()):
            env[f"GIT_CONFIG_KEY_{number}"] = name
            env[f"GIT_CONFIG_VALUE_{number}"] = value
        return env | self._more


def foreign_filters(git: Git) -> dict[str, str]:
    """Return the settings that switch off the content filters which the repository itself configures."""
    code, out, _ = git.ask(
        "config", "--show-scope", "--name-only", "-z", "--get-regexp", r"^filter\..*\.", codes=(0, 1)
    )
    if code:
        return {}
    words = out.decode("utf-8", "surrogateescape").split("\0")
    names = {
        key.removeprefix("filter.").rpartition(".")[0]
        for scope, key in zip(words[::2], words[1::2], strict=False)
        if scope in {"local", "worktree"}
    }
    off = {"clean": "", "smudge": "", "process": "", "required": "false"}
    return {f"filter.{name}.{key}": value for name in sorted(names) for key, value in off.items()}


def quoted(path: Path) -> str:
    """Return ``path`` for a list of paths in an environment variable of git."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'


def has_git() -> bool:
    """Return whether the program is there."""
    return shutil.which("git") is not None


def _not_started(root: Path, error: OSError) -> GitFailed:
    if not root.is_dir():
        return GitFailed(f"there is no folder {_shown(root)}", "name the project's folder with -C")
    if isinstance(error, FileNotFoundError):
        return GitFailed("there is no program git", "install git, or mend PATH")
    return GitFailed(f"git can't be started: {error.strerror or error}", "end what uses up the machine, or mend PATH")


def _end(child: subprocess.Popen[bytes]) -> None:
    """End what is left of a command, with all that it started."""
    if child.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
    child.wait()


def _shown(path: Path) -> str:
    return clean_line(str(path), 120)


def joined(paths: Sequence[str]) -> bytes:
    """Return paths as git reads them from a program."""
    return b"".join(os.fsencode(path) + b"\0" for path in paths)
