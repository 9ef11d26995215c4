"""``teamops handoff rotate`` as people call it: nothing is lost, and the ledger knows."""

from __future__ import annotations

import io
from contextlib import closing
from pathlib import Path

import pytest

from teamops.cli.main import main
from teamops.config.load import load
from teamops.handoff import parse
from teamops.ledger.audit import NewBlock
from teamops.ledger.store import open_ledger
from teamops.supervisor.lease import state_dir_of

GATES = "**Gates**: runs=pass (3 passed); correct=pass (tried it); complete=pass (docs)\n"


def block(task: str, status: str, turn: str, *, role: str = "DIRECTOR", gates: str = "", month: int = 3) -> str:
    return (
        f"### [{role}] 2026-{month:02}-28 14:30\n\n**Status**: {status}\n**Turn**: {turn}\n**Tier**: 1\n"
        f"**Task**: {task}\n{gates}\n#### What I Did\nWords of {task}.\n\n"
    )


FILE = "".join(
    [
        "# Our team\n\n",
        block("done", "in progress", "DIRECTOR"),
        block("open", "in progress", "DIRECTOR"),
        block("done", "done", "NONE", gates=GATES),
        block("doubted", "done", "NONE"),
        block("dropped", "withdrawn", "NONE", month=4),
        block("ended", "in progress", "DIRECTOR"),
        block("ended", "enough", "NONE", role="HUMAN"),
        block("open", "in progress", "DIRECTOR"),
    ]
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "current.md").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEAMOPS_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main(["handoff", "rotate", *arguments])
    out, err = capsys.readouterr()
    assert isinstance(left.value.code, int)
    return left.value.code, out, err


def tasks_in(path: Path) -> set[str | None]:
    return {block.task for block in parse(path.read_bytes()).blocks}


def digests(*paths: Path) -> list[str]:
    return sorted(block.digest for path in paths for block in parse(path.read_bytes()).blocks)


def test_closed_tasks_move_to_their_months(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = digests(folder / "current.md")
    code, out, _ = run(capsys, "--yes")
    assert code == 0
    assert "moved 5 blocks of 3 tasks to archive/current-2026-03.md, archive/current-2026-04.md" in out
    assert "1 closed task in doubt, not moved: --doubted" in out
    march, april = (folder / "archive" / f"current-2026-0{month}.md" for month in (3, 4))
    assert tasks_in(march) == {"done", "ended"}
    assert tasks_in(april) == {"dropped"}
    assert tasks_in(folder / "current.md") == {"open", "doubted"}
    assert digests(folder / "current.md", march, april) == before
    assert (folder / "current.md").read_text().startswith("# Our team\n\n### [DIRECTOR]")
    assert not (folder / "state").exists()
    code, out, _ = run(capsys, "--yes")
    assert (code, out) == (0, "nothing to move; 1 closed task in doubt: --doubted\n")
    run(capsys, "--yes", "--doubted")
    assert tasks_in(folder / "current.md") == {"open"}


def test_what_would_move_is_only_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--dry-run")
    assert code == 0
    assert "5 blocks of 3 closed tasks to archive/current-2026-03.md" in out
    assert (folder / "current.md").read_text() == FILE
    assert not (folder / "archive").exists()


def test_the_tasks_closed_last_may_stay(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--yes", "--keep", "2")[0] == 0
    assert tasks_in(folder / "current.md") == {"open", "doubted", "dropped", "ended"}
    assert "nothing to move" in run(capsys, "--yes", "--keep", "9")[1]


def test_without_a_terminal_it_does_not_act_unasked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys)
    assert code == 2
    assert "--yes" in err
    assert (folder / "current.md").read_text() == FILE


def test_the_ledger_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = parse(FILE.encode()).blocks
    with closing(open_ledger(state_dir_of(load(folder), folder / "state") / "ledger.sqlite3")) as ledger:
        known = [NewBlock(digest=one.digest, role=one.role, task=one.task, heading="", text="") for one in blocks]
        ledger.audit.add_blocks(known, 1.7e9)
        assert run(capsys, "--yes")[0] == 0
        assert ledger.audit.archived() == {one.digest for one in blocks if one.task in {"done", "dropped"}}
        assert [line.text for line in ledger.log(9)] == ["3 blocks of 2 closed tasks moved to the archive"]
        assert [one.digest for one in ledger.audit.blocks()] == [
            one.digest for one in parse((folder / "current.md").read_bytes()).blocks
        ]
    # A closing by HUMAN that nobody recorded is in doubt.
    assert tasks_in(folder / "current.md") == {"open", "doubted", "ended"}


def test_a_ledger_that_cannot_be_told_stops_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = state_dir_of(load(folder), folder / "state") / "ledger.sqlite3"
    path.parent.mkdir(parents=True)
    path.write_text("no ledger at all, and long enough to be looked at" * 40)
    code, _, err = run(capsys, "--yes")
    assert (code, (folder / "current.md").read_text()) == (1, FILE)
    assert "no ledger" in err
    assert not (folder / "archive").exists()
