from __future__ import annotations

import itertools
import os
import sqlite3
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from teamops.ledger.connection import _use_wal
from teamops.ledger.migrations import STEPS, migrate
from teamops.ledger.rows import DaySpend
from teamops.ledger.store import Ledger, LedgerError, open_ledger
from teamops.model.actions import Action, Append, By, Outcome, Poke, Quarantine, Restart
from teamops.model.agent import Beat
from teamops.model.alert import Alert, AlertState
from teamops.model.clock import Stamp
from teamops.model.events import BeatsSeen
from teamops.model.handoff import Severity
from teamops.model.role import CODER, REVIEWER, Role
from teamops.model.tail import Position
from teamops.model.usage import Tokens, Usage


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = open_ledger(tmp_path / "state" / "ledger.sqlite3")
    yield opened
    opened.close()


def place(offset: int, path: str = "/log", inode: int = 7, generation: int = 0) -> Position:
    return Position(path, 1, inode, offset, generation)


def seen(offset: int, *beats: Beat) -> BeatsSeen:
    return BeatsSeen(Stamp(0.0, 0.0), beats, place(offset, "/spool"))


def used(wall: float = 60.0, *, tokens: int = 100, model: str = "m", key: str = "") -> Usage:
    return Usage(wall=wall, model=model, tokens=Tokens(input=tokens), client="claude", key=key)


def alert(state: AlertState, changed: float, *, code: str = "agent-dead") -> Alert:
    return Alert(
        code=code,
        subject="CODER",
        severity=Severity.ERROR,
        state=state,
        message="CODER is dead",
        do="restart it",
        agent=CODER,
        since_wall=5.0,
        changed_wall=changed,
        notify=True,
    )


def test_only_its_owner_may_read_it(ledger: Ledger, tmp_path: Path) -> None:
    ledger.light_seen("t", "d", CODER, 1.0)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    for path in (tmp_path / "state").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_git_leaves_its_folder_alone(ledger: Ledger, tmp_path: Path) -> None:
    del ledger
    keep = tmp_path / "state" / ".gitignore"
    assert keep.read_bytes() == b"*\n"
    keep.write_bytes(b"mine\n")
    open_ledger(tmp_path / "state" / "other.sqlite3").close()
    assert keep.read_bytes() == b"mine\n"


def test_beats_of_one_minute_are_summed_and_money_is_exact(ledger: Ledger) -> None:
    tenth = Beat(role=CODER, wall=61.0, tokens=10, cost_usd=Decimal("0.1"), tool_calls=1)
    ledger.add_beats(seen(10, *[tenth] * 3))
    ledger.add_beats(seen(20, Beat(role=CODER, wall=125.0)))
    rows = [(row.wall, row.beats, row.tokens, row.cost_usd) for row in ledger.minutes(CODER, 0.0)]
    assert rows == [(60.0, 3, 30, Decimal("0.3")), (120.0, 1, 0, Decimal(0))]
    assert ledger.cost_since(0.0)[CODER].cost_usd == Decimal("0.3")
    assert ledger.positions() == {"/spool": place(20, "/spool")}


def test_what_beats_say_of_tokens_is_not_counted_beside_a_transcript(ledger: Ledger) -> None:
    ledger.add_beats(seen(10, Beat(role=CODER, wall=61.0, tokens=10, cost_usd=Decimal(1))))
    ledger.add_usage(CODER, [(used(70.0), Decimal("0.5"))], place(1))
    (row,) = ledger.minutes(CODER, 0.0)
    assert (row.beats, row.tokens, row.cost_usd) == (2, 100, Decimal("0.5"))
    assert ledger.cost_since(0.0)[CODER].cost_usd == Decimal("0.5")


def test_what_tracked_calls_used_is_stored_with_their_beats_once(ledger: Ledger) -> None:
    told = used(70.0)  # 100 tokens
    beat = Beat(role=CODER, wall=71.0, tokens=120, cost_usd=Decimal("0.25"), usages=(told,))
    paid = Beat(role=CODER, wall=72.0, tokens=10, cost_usd=Decimal(2))
    for _ in range(2):
        ledger.add_beats(seen(10, beat, paid), [(CODER, told, Decimal("0.25"))])
    (row,) = ledger.minutes(CODER, 0.0)
    assert (row.beats, row.tokens, row.cost_usd, row.unpriced_tokens) == (2, 130, Decimal("2.25"), 0)
    assert ledger.cost_since(0.0)[CODER] == DaySpend(Decimal("2.25"), 0)
    ledger.add_beats(seen(20, replace(beat, cost_usd=None)), [(CODER, told, None)])
    assert ledger.cost_since(0.0)[CODER] == DaySpend(Decimal("2.25"), 100)
    assert ledger.unpriced() == [(CODER, told)]
    ledger.add_usage(
        CODER, [(told, Decimal(1))], place(1)
    )  # a client's log besides: what beats say themselves is in it
    assert ledger.cost_since(0.0)[CODER] == DaySpend(Decimal("1.25"), 100)
    (row,) = ledger.minutes(CODER, 0.0)
    assert (row.beats, row.tokens, row.cost_usd, row.unpriced_tokens) == (4, 300, Decimal("1.25"), 100)


@pytest.mark.parametrize(
    ("again", "counted"),
    [
        pytest.param(place(50), 1, id="the same place"),
        pytest.param(place(40), 1, id="an earlier place"),
        pytest.param(place(51), 2, id="further on"),
        pytest.param(place(10, inode=8, generation=1), 2, id="another file at the path"),
        pytest.param(place(10, generation=1), 2, id="the same file, truncated"),
        pytest.param(place(50, path="/other"), 2, id="another path"),
    ],
)
def test_usage_is_added_once_for_each_place(ledger: Ledger, again: Position, counted: int) -> None:
    ledger.add_usage(CODER, [(used(), Decimal(1))], place(50))
    ledger.add_usage(CODER, [(used(), Decimal(1))], again)
    assert ledger.cost_since(0.0)[CODER].cost_usd == counted


def test_a_late_word_of_a_file_that_was_replaced_does_not_bring_it_back(ledger: Ledger) -> None:
    ledger.add_usage(CODER, [], place(50))
    ledger.add_usage(CODER, [], place(5, inode=8, generation=1))
    ledger.add_usage(CODER, [(used(), Decimal(1))], place(60))
    assert ledger.positions()["/log"] == place(5, inode=8, generation=1)
    assert ledger.cost_since(0.0) == {}


def test_what_had_no_price_gets_one_exactly_once_even_in_a_later_life(ledger: Ledger, tmp_path: Path) -> None:
    first, second = used(60.0, key="a"), used(61.0, key="b")
    ledger.add_usage(CODER, [(first, None), (second, None), (used(62.0), Decimal("0.25"))], place(1))
    assert ledger.cost_since(0.0)[CODER].unpriced_tokens == 200
    ledger.close()
    later = open_ledger(tmp_path / "state" / "ledger.sqlite3")
    assert later.unpriced() == [(CODER, first), (CODER, second)]
    assert later.reprice([(CODER, first, Decimal(2))]) == 1
    assert later.reprice([(CODER, first, Decimal(2))]) == 0
    spend = later.cost_since(0.0)[CODER]
    assert (spend.cost_usd, spend.unpriced_tokens) == (Decimal("2.25"), 100)
    assert later.unpriced() == [(CODER, second)]
    later.close()


def test_two_alike_without_a_price_are_two(ledger: Ledger) -> None:
    ledger.add_usage(CODER, [(used(), None), (used(), None)], place(1))
    assert ledger.reprice([(CODER, used(), Decimal(1)), (CODER, used(), Decimal(1)), (CODER, used(), Decimal(1))]) == 2
    assert ledger.cost_since(0.0)[CODER].cost_usd == 2


def test_since_begins_with_its_minute(ledger: Ledger) -> None:
    ledger.add_usage(CODER, [(used(59.0), Decimal(1)), (used(60.0), Decimal(2))], place(1))
    assert ledger.cost_since(60.0)[CODER].cost_usd == 2
    assert [row.wall for row in ledger.minutes(CODER, 60.0)] == [60.0]
    assert ledger.minutes(REVIEWER, 0.0) == []


def test_a_failed_write_leaves_nothing_behind(ledger: Ledger) -> None:
    with pytest.raises(LedgerError):
        ledger.add_usage(CODER, [(used(), Decimal(1)), (used(tokens=2**63), None)], place(50))
    assert ledger.cost_since(0.0) == {}
    assert ledger.positions() == {}
    ledger.add_usage(CODER, [(used(), Decimal(1))], place(50))
    assert ledger.cost_since(0.0)[CODER].cost_usd == 1


def test_a_light_keeps_the_moment_it_was_first_seen(ledger: Ledger) -> None:
    assert ledger.light_known(None, "d", CODER) is None
    assert ledger.light_seen(None, "d", CODER, 5.0) == 5.0
    assert ledger.light_seen(None, "d", CODER, 9.0) == 5.0
    assert ledger.light_seen(None, "d", REVIEWER, 9.0) == 9.0
    assert ledger.light_known(None, "d", CODER) == 5.0


def test_alerts_come_back_as_they_were_and_each_change_stays_in_the_log(ledger: Ledger) -> None:
    ledger.save_alerts([alert(AlertState.FIRING, 10.0), alert(AlertState.RESOLVED, 99.0, code="old")])
    ledger.save_alerts([alert(AlertState.FIRING, 10.0)])
    ledger.save_alerts([alert(AlertState.ACKED, 20.0)])
    assert ledger.alerts() == [alert(AlertState.ACKED, 20.0), alert(AlertState.RESOLVED, 99.0, code="old")]
    texts = [(line.wall, line.text, line.ok) for line in ledger.log(9)]
    assert texts == [
        (99.0, "over: is dead", True),
        (20.0, "seen: is dead", True),
        (10.0, "error: is dead", False),
    ]


ACTIONS: list[Action] = [
    Poke(role=CODER, text="go on", by=By.PERSON, reason="r"),
    Restart(role=REVIEWER, by=By.RULE),
    Append(role=CODER, task="t", text="### [CODER]\n\n**Turn**: HUMAN\n", by=By.PERSON),
    Append(role=CODER, task=None, text="### [CODER]\n", by=By.RULE, reason="r"),
    Quarantine(violation=7, patch="ab12.diff", path="src/a b.py", by=By.RULE, role=CODER, reason="write.allow"),
    Quarantine(violation=8, patch="ab12.diff", path="src/a.py", by=By.PERSON, back=True, force=True),
]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: type(action).__name__)
def test_an_action_is_known_as_begun_until_its_first_outcome(ledger: Ledger, action: Action) -> None:
    number = ledger.begin_action(action, 5.0)
    (begun,) = ledger.unfinished_actions()
    assert (begun.id, begun.action, begun.wall) == (number, action, 5.0)
    ledger.finish_action(number, Outcome(ok=False, message="no", hint="wait"), 6.0)
    ledger.finish_action(number, Outcome(ok=True, message="yes"), 7.0)
    assert ledger.unfinished_actions() == []
    (line,) = ledger.log(5)
    assert (line.wall, line.ok, line.role) == (6.0, False, action.role)
    assert line.text.endswith(": no (wait)")


def test_only_restarts_that_came_off_count(ledger: Ledger) -> None:
    for wall, ok in [(5.0, True), (10.0, True), (11.0, False), (12.0, True)]:
        number = ledger.begin_action(Restart(role=CODER, by=By.RULE), wall)
        ledger.finish_action(number, Outcome(ok=ok, message=""), wall)
    ledger.begin_action(Restart(role=CODER, by=By.RULE), 13.0)
    assert ledger.restarts_since(10.0) == {CODER: 2}


def test_the_log_merges_everything_newest_first(ledger: Ledger) -> None:
    ledger.light_seen("t", "d", CODER, 1.0)
    ledger.state_edge(CODER, "working", "beat: ok", 2.0)
    ledger.save_alerts([alert(AlertState.FIRING, 3.0)])
    ledger.finish_action(ledger.begin_action(Restart(role=CODER, by=By.RULE), 3.5), Outcome(ok=True, message="done"), 4)
    ledger.state_edge(CODER, "idle", "", 5.0)
    assert [(line.kind, line.text) for line in ledger.log(10)] == [
        ("state", "idle"),
        ("action", "restart: done"),
        ("alert", "error: is dead"),
        ("state", "working (beat: ok)"),
        ("turn", "has the light of t"),
    ]
    assert [line.wall for line in ledger.log(2)] == [5.0, 4.0]


def test_rates_stay_but_not_the_lack_of_them(ledger: Ledger) -> None:
    ledger.save_rates({("a", "2026-01-01"): "{}", ("b", "2026-01-01"): None})
    assert ledger.rates() == {("a", "2026-01-01"): "{}"}


def test_a_viewer_sees_that_another_wrote(ledger: Ledger, tmp_path: Path) -> None:
    viewer = open_ledger(tmp_path / "state" / "ledger.sqlite3")
    assert not viewer.changed()
    ledger.light_seen("t", "d", CODER, 1.0)
    assert viewer.changed()
    assert not viewer.changed()
    viewer.light_seen("t", "e", CODER, 1.0)
    assert not viewer.changed()  # its own writes are no news
    viewer.close()


# files that are not well


def test_a_newer_ledger_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    open_ledger(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="newer teamops") as caught:
        open_ledger(path)
    assert "upgrade" in caught.value.hint
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"no ledger at all, but long enough to be read" * 99, b"SQLite format 3\0" * 300])
def test_a_damaged_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.write_bytes(content)
    with pytest.raises(LedgerError) as caught:
        open_ledger(path)
    assert "move it aside" in caught.value.hint
    assert path.read_bytes() == content


def test_a_place_that_is_no_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LedgerError, match="ledger"):
        open_ledger(tmp_path / "file" / "ledger.sqlite3")


def test_a_ledger_that_turns_read_only_is_said(ledger: Ledger) -> None:
    ledger._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(LedgerError, match="read-only") as caught:
        ledger.light_seen("t", "d", CODER, 1.0)
    assert "rights" in caught.value.hint


def run(path: Path, code: str) -> subprocess.Popen[str]:
    head = f"""
        import sys
        from pathlib import Path
        from teamops.ledger.store import LedgerError, open_ledger
        from teamops.model.role import CODER
        ledger = open_ledger(Path({str(path)!r}))
    """
    source = textwrap.dedent(head) + textwrap.dedent(code)
    return subprocess.Popen([sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("round_", range(3))
def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path, round_: int) -> None:
    path = tmp_path / "ledger.sqlite3"
    loop = """
        for number in range(10**9):
            ledger.light_seen("t", f"{sys.argv[0]}{number}", CODER, float(number))
            print(number, flush=True)
    """
    writers = [run(path, loop.replace("{sys.argv[0]}", name)) for name in "ab"]
    try:
        for writer in writers:
            assert writer.stdout is not None
            for line in itertools.islice(writer.stdout, 40 + 30 * round_):
                int(line)
    finally:
        for writer in writers:
            writer.kill()
    said = [writer.communicate()[0].splitlines() for writer in writers]
    ledger = open_ledger(path)
    for name, lines in zip("ab", said, strict=True):
        last = max([int(line) for line in lines if line.strip()], default=39 + 30 * round_)
        for number in range(last):  # the very last line may have been cut in the pipe
            assert ledger.light_known("t", f"{name}{number}", CODER) == number
    ledger.close()


def test_two_writers_wait_for_each_other(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    code = """
        from decimal import Decimal
        from teamops.model.tail import Position
        from teamops.model.usage import Tokens, Usage
        usage = Usage(wall=60.0, model="m", tokens=Tokens(input=1), client="c")
        print("ready", flush=True)
        sys.stdin.readline()
        for number in range(1, 401):
            ledger.add_usage(CODER, [(usage, Decimal("0.01"))], Position(WHO, 1, 1, number))
    """
    writers = [run(path, code.replace("WHO", repr(name))) for name in "ab"]
    for writer in writers:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    assert [writer.wait(60) for writer in writers] == [0, 0]
    for writer in writers:
        writer.communicate()
    ledger = open_ledger(path)
    assert ledger.cost_since(0.0)[CODER].cost_usd == Decimal("8.00")
    ledger.close()


def test_a_full_disk_is_said_and_healed(tmp_path: Path) -> None:
    """A quota on file size stands for the full disk: SQLite meets the same short write."""
    code = """
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, resource.RLIM_INFINITY))
        stored = 0
        try:
            for number in range(100_000):
                ledger.light_seen("t" * 500, str(number), CODER, float(number))
                stored = number + 1
        except LedgerError as error:
            print(stored, error.hint)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print(ledger.light_seen("after", "d", CODER, 1.0))
        print(sum(ledger.light_known("t" * 500, str(number), CODER) == number for number in range(stored)))
    """
    writer = run(tmp_path / "ledger.sqlite3", code)
    out, _ = writer.communicate(timeout=60)
    assert writer.returncode == 0
    first, healed, kept = out.splitlines()
    stored, _, hint = first.partition(" ")
    assert "disk" in hint
    assert healed == "1.0"
    assert int(stored) > 10
    assert kept == stored


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    folder.mkdir(mode=0o500)
    with pytest.raises(LedgerError) as caught:
        open_ledger(folder / "ledger.sqlite3")
    assert "rights" in caught.value.hint


# migrations


def columns(connection: sqlite3.Connection) -> list[str]:
    return [row[1] for row in connection.execute("PRAGMA table_info(x)")]


MADE_UP = ("CREATE TABLE x(a);", "ALTER TABLE x ADD COLUMN b; INSERT INTO x VALUES(1, 2);", "ALTER TABLE x ADD c;")


@pytest.mark.parametrize("old", range(len(MADE_UP) + 1))
def test_every_older_version_becomes_the_newest(old: int) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, MADE_UP[:old])
    assert migrate(connection, MADE_UP) == old
    assert columns(connection) == ["a", "b", "c"]
    assert connection.execute("SELECT a, b FROM x").fetchall() == [(1, 2)]
    assert connection.execute("PRAGMA user_version").fetchone() == (3,)
    connection.close()


def test_a_step_that_fails_leaves_the_old_version_whole() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, MADE_UP[:1])
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, (MADE_UP[0], "ALTER TABLE x ADD COLUMN b; CREATE NONSENSE;"))
    assert columns(connection) == ["a"]
    assert connection.execute("PRAGMA user_version").fetchone() == (1,)
    connection.close()


def test_the_shipped_steps_make_the_tables(tmp_path: Path) -> None:
    open_ledger(tmp_path / "l").close()
    connection = sqlite3.connect(tmp_path / "l")
    assert connection.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


def test_two_that_make_the_file_at_once_both_come_to_write(tmp_path: Path) -> None:
    class RefusedAtFirst(sqlite3.Connection):
        refusals = 3

        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            if "journal_mode = WAL" in sql and self.refusals:
                self.refusals -= 1
                error = sqlite3.OperationalError("database is locked")
                error.sqlite_errorcode = sqlite3.SQLITE_BUSY
                raise error
            return super().execute(sql, *values)

    connection = sqlite3.connect(tmp_path / "l", factory=RefusedAtFirst)
    _use_wal(connection)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_role_of_the_team_s_own_is_as_good_as_any(ledger: Ledger) -> None:
    ledger.state_edge(Role("Ö'; DROP TABLE light; --"), "idle", "", 1.0)
    assert ledger.log(1)[0].role == "Ö'; DROP TABLE light; --"
