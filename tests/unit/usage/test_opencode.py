from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from teamops.model.usage import Tokens, Usage
from teamops.usage import opencode
from teamops.usage.opencode import OpencodeReader

SCHEMA = (
    "CREATE TABLE session (id text PRIMARY KEY, parent_id text, directory text NOT NULL);"
    "CREATE TABLE message (id text PRIMARY KEY, session_id text NOT NULL, data text NOT NULL);"
    "INSERT INTO session VALUES ('s', NULL, '/shop'), ('sub', 's', '/shop');"
)
NOW = 1_795_165_200_000


def message(output: int = 1, *, created: int = NOW, completed: int | None = None, **fields: Any) -> dict[str, Any]:
    tokens = {"input": 2, "output": output, "reasoning": 0, "cache": {"read": 3, "write": 4}}
    return {
        "role": "assistant",
        "cost": 0,
        "modelID": "claude-sonnet-4-5",
        "providerID": "anthropic",
        "path": {"cwd": "/elsewhere"},
        "time": {"created": created, **({"completed": completed} if completed else {})},
        **fields,
        "tokens": {**tokens, **fields.get("tokens", {})},
    }


class Database:
    """One that a client has open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.executescript(SCHEMA)

    def put(self, key: str, data: Any, session: str = "s") -> None:
        text = data if isinstance(data, str | bytes) else json.dumps(data)
        self.connection.execute("REPLACE INTO message VALUES (?, ?, ?)", (key, session, text))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database(tmp_path / "opencode.db")
    yield found
    found.connection.close()


def total(usages: tuple[Usage, ...]) -> Tokens:
    return sum((usage.tokens for usage in usages), Tokens())


def test_a_message_that_grows_adds_what_is_new(database: Database) -> None:
    reader = OpencodeReader()
    database.put("m", message(1))
    usages = reader.read(database.path).usages
    database.put("m", message(9, completed=NOW + 5))
    usages += reader.read(database.path).usages
    assert total(usages) == Tokens(2, 9, 4, 0, 3)
    assert reader.read(database.path).usages == ()


def test_what_the_client_has_open_is_read_and_left_as_it_is(database: Database) -> None:
    database.put("m", message())
    before = {path.name: path.stat().st_size for path in database.path.parent.iterdir()}
    assert len(OpencodeReader().read(database.path).usages) == 1
    assert {path.name: path.stat().st_size for path in database.path.parent.iterdir()} == before
    database.put("n", message(7))
    assert total(OpencodeReader().read(database.path).usages).output == 8


def test_beside_a_closed_database_no_file_is_made(database: Database) -> None:
    database.put("m", message())
    database.connection.close()
    assert [path.name for path in database.path.parent.iterdir()] == ["opencode.db"]
    assert len(OpencodeReader().read(database.path).usages) == 1
    assert [path.name for path in database.path.parent.iterdir()] == ["opencode.db"]


def test_a_log_that_a_killed_client_left_is_read_from_a_copy(database: Database, tmp_path: Path) -> None:
    database.put("m", message())
    left = tmp_path / "left"
    left.mkdir()
    for end in ("", "-wal"):
        (left / f"opencode.db{end}").write_bytes(Path(f"{database.path}{end}").read_bytes())
    assert len(OpencodeReader().read(left / "opencode.db").usages) == 1
    assert sorted(path.name for path in left.iterdir()) == ["opencode.db", "opencode.db-wal"]


def test_a_locked_database_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opencode, "BUSY_S", 0.05)
    path = tmp_path / "opencode.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.executescript(SCHEMA)
        writer.execute("BEGIN EXCLUSIVE")
        writer.execute("INSERT INTO message VALUES ('m', 's', ?)", (json.dumps(message()),))
        with pytest.raises(OSError, match=r"locked|changed"):
            OpencodeReader().read(path)
        writer.execute("COMMIT")
    assert len(OpencodeReader().read(path).usages) == 1


def test_a_fork_s_copies_count_once(database: Database) -> None:
    database.put("m", message(5, completed=NOW + 5))
    database.put("copy", message(5, completed=NOW + 5), "fork")
    database.put("own", message(5, created=NOW + 9, completed=NOW + 12), "fork")
    usages = OpencodeReader().read(database.path).usages
    assert [(usage.key, usage.session) for usage in usages] == [("m", "s"), ("own", "fork")]


def test_sessions_say_where_they_work_and_whose_they_are(database: Database) -> None:
    database.put("m", message())
    database.put("n", message(), "sub")
    database.put("o", message(), "unknown")
    usages = OpencodeReader().read(database.path).usages
    assert [(usage.session, usage.cwd, usage.side) for usage in usages] == [
        ("s", "/shop", False),
        ("sub", "/shop", True),
        ("unknown", "/elsewhere", False),
    ]


@pytest.mark.parametrize(
    ("fields", "tokens", "cost"),
    [
        pytest.param({"cost": 0.25}, Tokens(2, 1, 4, 0, 3), Decimal("0.25"), id="a cost stands"),
        pytest.param({"cost": 0}, Tokens(2, 1, 4, 0, 3), None, id="a cost of nothing is none"),
        pytest.param({"tokens": {"reasoning": 7}}, Tokens(2, 8, 4, 0, 3), None, id="reasoning is output"),
        pytest.param({"tokens": {"reasoning": 1, "total": 10}}, Tokens(2, 1, 4, 0, 3), None, id="a total without room"),
        pytest.param({"tokens": {"reasoning": 7, "total": 17}}, Tokens(2, 8, 4, 0, 3), None, id="a total with it"),
        pytest.param({"tokens": {"cache": None}}, Tokens(2, 1), None, id="no cache"),
    ],
)
def test_each_message_is_billed_as_what_it_is(
    database: Database, fields: dict[str, Any], tokens: Tokens, cost: Decimal | None
) -> None:
    database.put("m", message(**fields))
    (usage,) = OpencodeReader().read(database.path).usages
    assert (usage.tokens, usage.cost_usd) == (tokens, cost)


@pytest.mark.parametrize(
    ("data", "bad"),
    [
        pytest.param({"role": "user", "tokens": 7}, 0, id="a person's"),
        pytest.param({"role": "assistant"}, 0, id="no tokens"),
        pytest.param("{", 1, id="cut"),
        pytest.param(b"\xff\xfe", 1, id="no text"),
        pytest.param({**message(), "time": {}}, 1, id="no time"),
        pytest.param({**message(), "time": {"created": 1e15}}, 1, id="a time beyond all days"),
        pytest.param({**message(), "tokens": {"input": -1}}, 1, id="negative"),
    ],
)
def test_a_bad_message_leaves_the_others(database: Database, data: Any, bad: int) -> None:
    database.put("a", data)
    database.put("m", message(7))
    reading = OpencodeReader().read(database.path)
    assert (reading.bad_lines, total(reading.usages).output) == (bad, 7)


def test_text_that_is_none_is_one_bad_message(database: Database) -> None:
    database.put("a", message())
    database.connection.execute("UPDATE message SET data = CAST(x'7bfffe7d' AS TEXT)")
    database.put("m", message(7))
    reading = OpencodeReader().read(database.path)
    assert (reading.bad_lines, total(reading.usages).output) == (1, 7)


def test_an_older_database_without_sessions_is_read(tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    with closing(sqlite3.connect(path)) as old:
        old.execute("CREATE TABLE message (id text, session_id text, data text)")
        old.execute("INSERT INTO message VALUES ('m', 's', ?)", (json.dumps(message()),))
        old.commit()
    (usage,) = OpencodeReader().read(path).usages
    assert (usage.session, usage.cwd) == ("s", "/elsewhere")


def test_a_database_that_was_just_made_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "opencode.db"
    path.touch()
    assert OpencodeReader().read(path).bad_lines == 0
    path.write_bytes(b"no database at all, but long enough to be looked at" * 40)
    assert OpencodeReader().read(path).bad_lines == 1
    with pytest.raises(FileNotFoundError):
        OpencodeReader().read(tmp_path / "none.db")


LIVE = (
    "CREATE TABLE session (id text PRIMARY KEY, parent_id text, directory text, time_created integer);"
    "CREATE TABLE message (id text PRIMARY KEY, session_id text, data text, time_updated integer);"
)


class Live:
    """A database with all that is asked for one session."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.executescript(LIVE)
        sessions = (("s", None), ("sub", "s"), ("deep", "sub"), ("other", None))
        rows = [(session, parent, "/shop", NOW) for session, parent in sessions]
        self.connection.executemany("INSERT INTO session VALUES (?, ?, ?, ?)", rows)
        self.reader = OpencodeReader()

    def put(self, key: str, session: str, data: object, written: int = NOW) -> None:
        text = data if isinstance(data, str) else json.dumps(data)
        self.connection.execute("REPLACE INTO message VALUES (?, ?, ?, ?)", (key, session, text, written))

    def told(self, since: float = 0.0) -> list[str]:
        return [usage.key for usage in self.reader.read_session(self.path, "s", since).usages]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    found = Live(tmp_path / "opencode.db")
    yield found
    found.connection.close()


def test_a_session_is_read_with_those_below_it_and_no_other(live: Live) -> None:
    for number, session in enumerate(("s", "sub", "deep", "other")):
        live.put(f"m{number}", session, message(created=NOW + number))
    assert live.told() == ["m0", "m1", "m2"]
    assert live.told() == []


def test_only_what_was_written_since_is_read_with_a_little_before_it(live: Live) -> None:
    live.put("old", "s", message(1), NOW + 1_000)
    live.put("new", "s", message(2), NOW + 8_000)
    assert live.told(NOW / 1000 + 9) == ["new"]
    assert live.told() == ["old"]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        pytest.param(message(created=NOW - 1), [], id="copied by a fork"),
        pytest.param(message(created=NOW), ["m"], id="its own"),
        pytest.param("{", [], id="malformed"),
        pytest.param({"role": "assistant", "time": {}}, [], id="without a time"),
        pytest.param({"role": "user"}, [], id="a user's"),
    ],
)
def test_what_is_older_than_its_session_is_somebody_else_s(live: Live, data: object, told: list[str]) -> None:
    live.put("m", "s", data)
    assert live.told() == told


def test_a_session_without_a_beginning_has_no_copies(live: Live) -> None:
    live.connection.execute("UPDATE session SET time_created = NULL")
    live.put("m", "s", message(created=NOW - 1))
    assert live.told() == ["m"]


def test_a_session_of_what_is_none_or_unknown_is_said(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"no database" * 1_000)
    assert OpencodeReader().read_session(path, "s", 0.0).bad_lines == 1
    path.unlink()
    with closing(sqlite3.connect(path)) as database:
        assert OpencodeReader().read_session(path, "s", 0.0).usages == ()  # made a moment ago
        database.executescript("CREATE TABLE session (id text); CREATE TABLE message (id text);")
    with pytest.raises(OSError, match="a version unknown to teamops"):
        OpencodeReader().read_session(path, "s", 0.0)
