"""``teamops service`` and the protocol by which ``teamops watch`` tells systemd how it fares."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.effects.service import MARK, quoted, unit_text
from teamops.effects.systemd import Systemd
from teamops.model.errors import UsageError

DEADLINE_S = 30.0


class Manager:
    """Listens as systemd does."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind("\0" + address[1:] if address.startswith("@") else address)

    def said(self, timeout_s: float) -> list[str] | None:
        """Return the next message's lines; ``None`` where none came."""
        self.sock.settimeout(timeout_s)
        try:
            return self.sock.recv(65536).decode().splitlines()
        except TimeoutError:
            return None

    def until(self, word: str) -> list[str]:
        """Return all lines up to the one that begins with ``word``."""
        lines: list[str] = []
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            lines += self.said(deadline - time.monotonic()) or []
            if any(line.startswith(word) for line in lines):
                return lines
        raise AssertionError(f"{word} did not come: {lines}")


@pytest.fixture(params=["file", "abstract"])
def manager(request: pytest.FixtureRequest, short_dir: Path) -> Iterator[Manager]:
    address = f"@teamops-test-{os.getpid()}-{time.time_ns()}" if request.param == "abstract" else str(short_dir / "n")
    one = Manager(address)
    yield one
    one.sock.close()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "a shop"
    root.mkdir()
    (root / "current.md").write_text("", encoding="utf-8")
    return root


def watching(project: Path, env: dict[str, str]) -> subprocess.Popen[str]:
    place = ["-C", str(project), "--state-dir", str(project.parent / "state")]
    return subprocess.Popen(
        [sys.executable, "-m", "teamops", "watch", *place],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **env},
    )


def end(process: subprocess.Popen[str]) -> tuple[str, str]:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGTERM)
    try:
        return process.communicate(timeout=DEADLINE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()


def test_watch_says_ready_beats_with_its_rounds_and_misses_them_when_it_is_stopped(
    project: Path, manager: Manager
) -> None:
    process = watching(project, {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "5000000"})
    try:
        lines = manager.until("READY=1")
        assert any(line.startswith("STATUS=acting; nobody has the light") for line in lines)
        for _ in range(3):
            assert "WATCHDOG=1" in manager.until("WATCHDOG=1")
        process.send_signal(signal.SIGSTOP)
        while manager.said(0.5) is not None:  # what was on its way
            pass
        assert manager.said(4.0) is None, "a loop that does not go round tells nothing"
        process.send_signal(signal.SIGCONT)
        manager.until("WATCHDOG=1")
        process.send_signal(signal.SIGTERM)
        manager.until("STOPPING=1")
    finally:
        end(process)


HANG = """
import sys, time
from teamops.supervisor import core
from teamops.cli.main import main
judge = core.Core._judge
rounds = 0
def hang(self):
    global rounds
    rounds += 1
    if rounds > 30: time.sleep(3600)
    judge(self)
core.Core._judge = hang
main(sys.argv[1:])
"""


@pytest.mark.parametrize("manager", ["file"], indirect=True)
def test_a_loop_that_hangs_in_a_process_that_lives_misses_its_beats_and_is_seen(
    project: Path, manager: Manager
) -> None:
    place = ["-C", str(project), "--state-dir", str(project.parent / "state")]
    process = subprocess.Popen(
        [sys.executable, "-c", HANG, "watch", *place],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "5000000"},
    )
    try:
        manager.until("READY=1")
        deadline = time.monotonic() + 60
        while manager.said(4.0) is not None:
            assert time.monotonic() < deadline, "it goes on"
        assert process.poll() is None, "it lives, and hangs"
        while True:
            done = checked(project)
            if "hangs" in done.stdout:
                break
            assert time.monotonic() < deadline, done.stdout
        assert done.returncode == 2
        assert re.search(r"the supervisor \(pid \d+\) hangs: no round for 2\d s", done.stdout)
        status = subprocess.run(
            [sys.executable, "-m", "teamops", "status", "--json", *place], capture_output=True, text=True, check=True
        )
        supervisor = json.loads(status.stdout)["supervisor"]
        assert (supervisor["pid"], supervisor["hangs"]) == (process.pid, True)
    finally:
        process.kill()
        process.wait()


def checked(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    place = ["-C", str(project), "--state-dir", str(project.parent / "state")]
    return subprocess.run(
        [sys.executable, "-m", "teamops", "check", *words, *place],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_what_watch_starts_inherits_none_of_it(manager: Manager) -> None:
    env = {"NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": "1000", "WATCHDOG_PID": str(os.getpid()), "A": "b"}
    told = Systemd(env)
    assert env == {"A": "b"}
    told.see_round("\x1b[31mred\nREADY=1 |", ready=True)
    assert manager.said(5) == ["READY=1", "WATCHDOG=1", "STATUS=red READY=1 |"]
    told.see_round("red READY=1 |", ready=True)
    assert manager.said(5) == ["WATCHDOG=1"]
    told.stopping()
    assert manager.said(5) == ["STOPPING=1"]


@pytest.mark.parametrize("manager", ["file"], indirect=True)
@pytest.mark.parametrize(
    ("more", "beats"),
    [
        ({"WATCHDOG_USEC": "1000"}, True),
        ({}, False),
        ({"WATCHDOG_USEC": "0"}, False),
        ({"WATCHDOG_USEC": "soon"}, False),
        ({"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}, False),
    ],
)
def test_beats_go_out_only_where_they_are_wanted_of_this_process(
    manager: Manager, more: dict[str, str], *, beats: bool
) -> None:
    told = Systemd({"NOTIFY_SOCKET": manager.address, **more})
    told.see_round("s", ready=False)
    assert manager.said(5) == [*(["WATCHDOG=1"] if beats else []), "STATUS=s"]


def test_without_a_manager_nothing_is_told_and_one_that_is_gone_is_said(short_dir: Path) -> None:
    alone = Systemd({})
    alone.see_round("s", ready=True)
    assert not alone.there
    assert not alone.trouble
    gone = Systemd({"NOTIFY_SOCKET": str(short_dir / "gone")})
    gone.see_round("s", ready=True)
    assert "can't be told" in gone.trouble


# the unit


def service(project: Path, *words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    place = ["-C", str(project), "--state-dir", str(project.parent / "state")]
    return subprocess.run(
        [sys.executable, "-m", "teamops", "service", *words, *place],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
        env={**os.environ, **(env or {})},
    )


def unquoted(text: str, *, variables: bool) -> list[str]:
    """Read a line as systemd.syntax(7) and systemd.service(5) say it is read."""
    words: list[str] = []
    at = 0
    while at < len(text):
        assert text[at] == '"', "each word is quoted"
        word, at = "", at + 1
        while text[at] != '"':
            if text[at] == "\\":
                at += 1
                assert text[at] in '\\"'
            elif text[at] == "%" or (variables and words and text[at] == "$"):
                assert text[at + 1] == text[at]
                at += 1
            word += text[at]
            at += 1
        words.append(word)
        assert text[at + 1 : at + 2] in {"", " "}
        at += 2
    return words


@given(
    st.lists(st.text(st.characters(blacklist_categories=("C", "Z"), whitelist_characters=" "), min_size=1), min_size=1)
)
def test_whatever_a_path_is_called_it_is_one_word_of_the_unit(words: list[str]) -> None:
    text = unit_text("p", ["/bin/x", *words], {"PATH": "/a", "LANG": words[0]})
    [line] = [line for line in text.split("\n") if line.startswith("ExecStart=")]
    assert unquoted(line.removeprefix("ExecStart="), variables=True) == ["/bin/x", *words]
    [line] = [line for line in text.split("\n") if line.startswith('Environment="LANG')]
    assert unquoted(line.removeprefix("Environment="), variables=False) == [f"LANG={words[0]}"]


@pytest.mark.parametrize("bad", ["a\nb", "a\x1b[0m", "a\udcff", "a\u202eb"])
def test_what_no_unit_can_hold_is_refused(bad: str) -> None:
    with pytest.raises(UsageError):
        quoted(bad)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd to ask")
def test_systemd_itself_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    root = tmp_path / "a b%h$x\"q'\\ü;"
    root.mkdir()
    (root / "current.md").write_text("", encoding="utf-8")
    done = service(root, "install", "--dry-run")
    assert done.returncode == 0, done.stderr
    unit = tmp_path / "teamops-x.service"
    unit.write_text(done.stdout, encoding="utf-8")
    verified = subprocess.run(
        ["systemd-analyze", "--user", "verify", str(unit)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
    )
    assert (verified.returncode, verified.stdout, verified.stderr) == (0, "", "")


@pytest.fixture
def fake(tmp_path: Path) -> dict[str, str]:
    """Give an environment whose systemctl notes what it is asked."""
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    script = bin_dir / "systemctl"
    script.write_text(
        f'#!/bin/sh\necho "$@" >> "{tmp_path}/asked"\n'
        f'[ -e "{tmp_path}/broken" ] && {{ echo "Failed to connect to bus" >&2; exit 1; }}\n'
        'case "$*" in *show*) '
        'printf "ActiveState=active\\nMainPID=77\\n"; echo "UnitFileState=enabled"; echo NRestarts=2;; esac\n',
        encoding="utf-8",
    )
    script.chmod(0o755)
    return {"PATH": f"{bin_dir}:{os.environ['PATH']}", "XDG_CONFIG_HOME": str(tmp_path / "config")}


def units(fake: dict[str, str]) -> list[Path]:
    return sorted(Path(fake["XDG_CONFIG_HOME"]).glob("systemd/user/*"))


def test_install_asks_writes_enables_and_does_it_once(project: Path, fake: dict[str, str], tmp_path: Path) -> None:
    dry = service(project, "install", "--dry-run", env=fake)
    assert dry.returncode == 0
    assert units(fake) == []
    refused = service(project, "install", env=fake)
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert units(fake) == []
    assert not (tmp_path / "asked").exists()
    done = service(project, "install", "--yes", env=fake)
    assert done.returncode == 0, done.stderr
    [unit] = units(fake)
    text = unit.read_text(encoding="utf-8")
    assert text in done.stdout
    assert text in dry.stdout
    assert text.startswith(MARK)
    assert f'"-C" "{project}"' in text
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert asked == ["--user --no-pager daemon-reload", f"--user --no-pager enable --now {unit.name}"]
    again = service(project, "install", env=fake)
    assert again.returncode == 0
    assert "already" in again.stdout
    told = json.loads(service(project, "status", "--json", env=fake).stdout)
    assert (told["installed"], told["as_now"], told["active"], told["pid"], told["restarts"], told["acts"]) == (
        True, True, "active", 77, 2, False,
    )  # fmt: skip
    assert service(project, "uninstall", env=fake).returncode == 2
    assert service(project, "uninstall", "--yes", env=fake).returncode == 0
    assert units(fake) == []
    assert "not installed" in service(project, "uninstall", env=fake).stdout


def test_a_unit_of_somebody_else_is_left_alone(project: Path, fake: dict[str, str]) -> None:
    service(project, "install", "--yes", env=fake)
    [unit] = units(fake)
    unit.write_text("[Service]\nExecStart=/bin/mine\n", encoding="utf-8")
    for words in (["install", "--yes"], ["uninstall", "--yes"]):
        done = service(project, *words, env=fake)
        assert done.returncode == 1
        assert "not made by teamops" in done.stderr
    assert "mine" in unit.read_text(encoding="utf-8")


def test_a_systemd_that_can_t_be_asked_is_said(project: Path, fake: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    done = service(project, "install", "--yes", env=fake)
    assert done.returncode == 1
    assert "Failed to connect to bus" in done.stderr
    done = service(project, "status", env=fake)
    assert done.returncode == 1
    assert "can't be asked" in done.stdout


def test_where_there_is_no_systemd_it_is_refused_before_anything_is_done(project: Path, tmp_path: Path) -> None:
    env = {"PATH": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    done = service(project, "install", "--yes", env=env)
    assert done.returncode == 2
    assert "no systemd" in done.stderr
    assert not (tmp_path / "config").exists()
