from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from teamops.ledger.connection import LedgerError
from teamops.ledger.migrations import STEPS
from teamops.ledger.peek import peek
from teamops.ledger.store import open_ledger
from teamops.model.role import CODER


def test_where_there_is_no_ledger_none_is_made(tmp_path: Path) -> None:
    with peek(tmp_path / "state" / "ledger.sqlite3") as audit:
        assert audit is None
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_read_and_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    with closing(open_ledger(path)) as ledger:
        ledger.audit.add_forced(CODER, "login", "d1", "why", 1.0)
        with peek(path) as audit:  # while another has it open
            assert audit is not None
            assert audit.forced() == {"d1": "why"}
    with peek(path) as audit:
        assert audit is not None
        assert audit.forced() == {"d1": "why"}
        with pytest.raises(LedgerError):
            audit.add_forced(CODER, "login", "d2", "why", 1.0)


@pytest.mark.parametrize(("version", "word"), [(len(STEPS) - 1, "older"), (len(STEPS) + 1, "newer")])
def test_another_versions_ledger_is_left_as_it_is(tmp_path: Path, version: int, word: str) -> None:
    path = tmp_path / "ledger.sqlite3"
    open_ledger(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    with pytest.raises(LedgerError, match=word), peek(path):
        pytest.fail("it was opened")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (version,)


def test_what_is_no_ledger_is_said(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.write_bytes(os.urandom(4096))
    with pytest.raises(LedgerError, match="no ledger"), peek(path):
        pytest.fail("it was opened")
