"""An agent in its boundary appends although the file it was let write was replaced: by its spool, and whoever can."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from teamops.effects.confine import means
from tests.e2e.test_team import until

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="Landlock and bwrap are Linux's"),
]
DESIGN = """\
### [DIRECTOR] 2026-03-28 14:30

**Status**: done
**Turn**: REVIEWER
**Tier**: 3
**Task**: login

#### What I Did
Designed it.

#### For Reviewer
Review it.
"""
TOML = """\
project = "shop"

[tmux]
socket_path = "s"

[notify]
desktop = false

[roles.DIRECTOR]
[roles.REVIEWER]
[roles.CODER]
"""
REVIEW = ["--status", "done", "--turn", "DIRECTOR", "--verdict", "approved", "--section", "What I Did=Read it all."]
CHALLENGES = ["--section", "Challenges=None: every case of the design was tried on paper."]


class Shop:
    def __init__(self, folder: Path) -> None:
        self.root, self.state = folder / "p", folder / "state"
        self.root.mkdir()
        self.file = self.root / "current.md"
        self.file.write_text(DESIGN, encoding="utf-8")
        (self.root / "teamops.toml").write_text(TOML, encoding="utf-8")

    def words(self, *words: str) -> list[str]:
        where = ["-C", str(self.root), "--state-dir", str(self.state)]
        return [sys.executable, "-m", "teamops", words[0], *where, *words[1:]]

    @contextmanager
    def inside(self, *script: str) -> Iterator[subprocess.Popen[str]]:
        """Start a shell in the reviewer's boundary that waits for a line and then does what ``script`` says."""
        waits = f"echo inside; read line; {' '.join(script)}"
        process = subprocess.Popen(
            self.words("run", "--role", "REVIEWER", "--", "sh", "-c", waits), cwd=self.root,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "inside\n", process.communicate()[1]
            yield process
        finally:
            process.kill()
            process.communicate()

    def replace(self) -> None:
        """Save the file as an editor does: a new one in its place."""
        new = self.root / "new"
        new.write_bytes(self.file.read_bytes())
        new.replace(self.file)

    def append_words(self, *more: str) -> str:
        return " ".join(f"'{word}'" for word in [*self.words("append"), *REVIEW, *CHALLENGES, *more])


@pytest.fixture
def shop(short_dir: Path) -> Shop:
    assert means().bwrap, means().lacks
    assert means().landlock, means().lacks
    return Shop(short_dir)


@contextmanager
def watching(shop: Shop) -> Iterator[None]:
    watcher = subprocess.Popen(shop.words("watch"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert watcher.stdout is not None
        watcher.stdout.readline()
        yield
    finally:
        watcher.terminate()
        watcher.communicate(timeout=20)


def end(process: subprocess.Popen[str], limit_s: float = 60.0) -> tuple[int, str, str]:
    out, err = process.communicate("go\n", timeout=limit_s)
    return process.returncode, out, err


def test_the_file_of_the_start_is_written_directly(shop: Shop) -> None:
    with shop.inside(shop.append_words()) as process:
        code, out, err = end(process)
    assert code == 0, err
    assert "[REVIEWER] → DIRECTOR (task login)" in out
    assert "asked for" not in err
    assert shop.file.read_text(encoding="utf-8").count("### [") == 2


def test_a_replaced_file_is_written_by_the_supervisor(shop: Shop) -> None:
    with watching(shop), shop.inside("echo x >> current.md;", shop.append_words("--json")) as process:
        shop.replace()
        code, out, err = end(process)
    assert "Permission denied" in err  # the plain way is shut
    assert code == 0, err
    assert json.loads(out)["schema"] == "teamops.append/1"
    text = shop.file.read_text(encoding="utf-8")
    assert text.count("### [REVIEWER]") == 1
    assert list((shop.root / ".teamops" / "spool" / "REVIEWER").glob("append-*")) == []


def test_the_rules_hold_for_it_too(shop: Shop) -> None:
    words = shop.append_words().replace("'DIRECTOR'", "'CODER'").replace("'approved'", "'changes-requested'")
    with watching(shop), shop.inside(words) as process:
        shop.replace()
        code, _, err = end(process)
    assert code == 1
    assert "the block is refused, nothing was written" in err
    assert "### [REVIEWER]" not in shop.file.read_text(encoding="utf-8")


def test_whoever_appends_next_writes_it(shop: Shop) -> None:
    spool = shop.root / ".teamops" / "spool" / "REVIEWER"
    with shop.inside(shop.append_words()) as process:
        shop.replace()
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
        until("the request", lambda: list(spool.glob("*.request")))
        other = subprocess.run(
            shop.words("append", "--role=DIRECTOR", "--status=in progress", "--turn=DIRECTOR", "--section=X=y"),
            capture_output=True, text=True, check=False, cwd=shop.root, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        code, out, err = end(process)
    assert code == 0, err
    assert "[REVIEWER] → DIRECTOR" in out
    assert "a block of REVIEWER was appended for it" in other.stderr
    assert other.returncode == 0, other.stderr
    assert shop.file.read_text(encoding="utf-8").count("### [") == 3


def test_nobody_there_is_said_and_nothing_is_written_later(shop: Shop) -> None:
    with shop.inside(shop.append_words()) as process:
        shop.replace()
        code, _, err = end(process)
    assert code == 1
    assert "nothing was written" in err
    assert "teamops watch" in err
    assert list((shop.root / ".teamops" / "spool" / "REVIEWER").glob("append-*")) == []
    assert "### [REVIEWER]" not in shop.file.read_text(encoding="utf-8")


def test_a_role_asks_for_itself_alone(shop: Shop) -> None:
    spool = shop.root / ".teamops" / "spool"
    with shop.inside("mkdir .teamops/spool/CODER; touch .teamops/spool/CODER/append-1.request; echo tried") as process:
        _, out, err = end(process)
    assert out == "tried\n"
    assert "Read-only" in err or "Permission denied" in err
    assert [path.name for path in spool.iterdir()] == ["REVIEWER"]


def test_what_can_be_asked_from_inside(shop: Shop) -> None:
    """The ledger can be read at rest; what needs more says so."""
    subprocess.run(shop.words("status"), cwd=shop.root, check=True, capture_output=True)  # makes it
    where = f"-C {shop.root} --state-dir {shop.state}"
    words = [f"{sys.executable} -m teamops {each} {where}" for each in ("handoff tasks", "status")]
    with shop.inside(f"{words[0]}; {words[1]}") as process:
        code, out, err = end(process)
    assert "login" in out, err
    assert code != 0
    assert "from inside an agent's boundary the ledger can't be written" in err


def test_a_request_that_is_none_is_answered(shop: Shop) -> None:
    spool = shop.root / ".teamops" / "spool" / "REVIEWER"
    spool.mkdir(parents=True)
    (spool / "append-1.request").write_text('{"v": 1, "text": "", "options": ["--state-dir=/tmp"]}')
    (spool / "append-2.request").symlink_to(shop.root / "teamops.toml")
    (spool / "append-3.made").symlink_to(shop.root / "made")
    (spool / "append-3.request").write_text("no JSON")
    with watching(shop):
        until("the answers", lambda: len(list(spool.glob("*.answer"))) == 3)
    for number in (1, 2, 3):
        told = json.loads((spool / f"append-{number}.answer").read_text(encoding="utf-8"))
        assert (told["code"], told["out"]) == (2, "")
    assert not (shop.root / "made").exists()
    assert "### [REVIEWER]" not in shop.file.read_text(encoding="utf-8")
