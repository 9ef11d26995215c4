from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from teamops.ledger.audit import Audit, Change, NewBlock
from teamops.ledger.migrations import STEPS, migrate
from teamops.ledger.store import Ledger, LedgerError, open_ledger
from teamops.model.protocol import Approval, GateRun
from teamops.model.role import CODER, DIRECTOR, HUMAN, REVIEWER, Role


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.sqlite3"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    opened = open_ledger(path)
    yield opened
    opened.close()


@pytest.fixture
def audit(ledger: Ledger) -> Audit:
    return ledger.audit


def new(digest: str, *, role: Role = CODER, task: str | None = "t", text: str = "") -> NewBlock:
    return NewBlock(digest=digest, role=role, task=task, heading=f"### [{role}]", text=text or f"text of {digest}")


def order(audit: Audit) -> str:
    return "".join(block.digest for block in audit.blocks())


def ids(audit: Audit) -> dict[str, int]:
    return {block.digest: block.id for block in audit.blocks()}


def approval(digest: str = "d", *, task: str | None = "t", verdict: str = "signed off", note: str = "") -> Approval:
    return Approval(task=task, approver="ann", wall=5.0, verdict=verdict, note=note, digest=digest, chain="c")


def gate_run(gate: str = "runs", *, task: str | None = "t", ok: bool = True, at: float = 1.0) -> GateRun:
    return GateRun(
        task=task, gate=gate, command="make test", ok=ok, exit_status=None if ok else 2, started_wall=at, seconds=12.25,
        commit="abc", tree="def", tail="212 passed",
    )  # fmt: skip


# blocks


def test_blocks_come_back_as_they_were_handed_on(audit: Audit) -> None:
    audit.add_blocks([new("a", role=DIRECTOR, task=None, text="ä\n"), new("b")], 5.0, adopted=True)
    audit.add_blocks([new("c")], 6.5)
    first, second, third = audit.blocks()
    assert (first.digest, first.role, first.task, first.heading) == ("a", DIRECTOR, None, "### [DIRECTOR]")
    assert (first.wall, first.adopted, third.wall, third.adopted) == (5.0, True, 6.5, False)
    assert (audit.block_text(first.id), audit.text_of("b")) == ("ä\n", "text of b")
    assert (audit.block_text(99), audit.text_of("z")) == ("", "")
    assert audit.walls() == {"c": 6.5}
    assert second.task == "t"


def test_alike_blocks_are_several(audit: Audit) -> None:
    audit.add_blocks([new("a"), new("a", text="other")], 5.0)
    audit.add_blocks([new("a")], 7.0)
    assert order(audit) == "aaa"
    assert audit.walls() == {"a": 5.0}
    assert audit.text_of("a") == "text of a"
    audit.add_blocks([], 8.0)
    audit.archive(["a", "a"], 9.0)
    (left,) = audit.blocks()
    assert (left.wall, audit.archived()) == (7.0, frozenset("a"))


def test_changes_keep_the_order_of_the_file(audit: Audit) -> None:
    audit.add_blocks([new(digest) for digest in "abcde"], 5.0)
    known = ids(audit)
    changes = [
        Change("rewritten", known["b"], new("B")),
        Change("vanished", known["d"], None),
        Change("inserted", None, new("n")),
    ]
    audit.change_blocks(changes, list("aBcne"), 9.0)
    assert order(audit) == "aBcne"
    audit.add_blocks([new("f")], 10.0)
    assert order(audit) == "aBcnef"
    rewritten, vanished, inserted = audit.tampers()
    assert (rewritten.kind, rewritten.after, rewritten.wall, rewritten.accepted) == ("rewritten", "B", 9.0, "")
    assert rewritten.before is not None
    assert (rewritten.before.digest, audit.block_text(rewritten.before.id)) == ("b", "text of b")
    assert next(row.wall for row in audit.blocks() if row.digest == "B") == rewritten.before.wall < rewritten.wall
    assert vanished.before is not None
    assert (vanished.before.digest, vanished.after) == ("d", "")
    assert (inserted.before, inserted.after) == (None, "n")


def test_what_is_mended_stands_again_where_it_stood(audit: Audit) -> None:
    audit.add_blocks([new(digest) for digest in "abcd"], 5.0)
    known = ids(audit)
    audit.change_blocks(
        [
            Change("rewritten", known["b"], new("B")),
            Change("vanished", known["c"], None),
            Change("inserted", None, new("n")),
        ],
        list("aBnd"),
        9.0,
    )
    rewritten, vanished, inserted = (tamper.id for tamper in audit.tampers())
    audit.mend(inserted, list("aBd"))
    assert order(audit) == "aBd"
    audit.mend_all([vanished, rewritten], list("abcd"))
    assert (order(audit), audit.tampers()) == ("abcd", [])
    assert ids(audit) == known
    audit.mend(999, list("abcd"))
    assert order(audit) == "abcd"


def test_a_change_is_mended_once(audit: Audit) -> None:
    """A second copy that came later by right is not taken for the one that was put in."""
    audit.add_blocks([new("a"), new("b")], 5.0)
    audit.change_blocks([Change("inserted", None, new("n"))], list("anb"), 9.0)
    (inserted,) = audit.tampers()
    audit.mend(inserted.id, list("ab"))
    audit.add_blocks([new("n")], 10.0)
    audit.mend(inserted.id, list("abn"))
    assert order(audit) == "abn"


def test_a_chain_of_rewrites_is_mended_to_its_beginning(audit: Audit) -> None:
    audit.add_blocks([new("a"), new("b")], 5.0)
    audit.change_blocks([Change("rewritten", ids(audit)["a"], new("A"))], list("Ab"), 9.0)
    audit.change_blocks([Change("rewritten", ids(audit)["A"], new("X"))], list("Xb"), 9.5)
    first, second = (tamper.id for tamper in audit.tampers())
    audit.mend_all([second, first], list("ab"))
    assert (order(audit), audit.tampers()) == ("ab", [])


def test_blocks_that_are_not_in_the_order_come_last(audit: Audit) -> None:
    audit.add_blocks([new(digest) for digest in "abc"], 5.0)
    audit.change_blocks([Change("inserted", None, new("n"))], list("nc"), 9.0)
    assert order(audit) == "ncab"


def test_alike_blocks_keep_their_order(audit: Audit) -> None:
    audit.add_blocks([new("a", text="1"), new("b"), new("a", text="2"), new("c")], 5.0)
    audit.change_blocks([Change("vanished", ids(audit)["b"], None)], list("aac"), 9.0)
    assert [audit.block_text(block.id) for block in audit.blocks()] == ["1", "2", "text of c"]


def test_archived_blocks_are_not_missed_and_not_forgotten(audit: Audit) -> None:
    audit.add_blocks([new(digest) for digest in "abc"], 5.0)
    audit.archive(["b", "zzz"], 9.0)
    assert (order(audit), audit.archived()) == ("ac", frozenset({"b", "zzz"}))
    assert (audit.text_of("b"), audit.walls()["b"]) == ("text of b", 5.0)
    audit.archive(["b"], 10.0)
    audit.add_blocks([new("d")], 11.0)
    assert order(audit) == "acd"


def test_a_block_that_is_moved_before_it_is_recorded_is_never_recorded_as_standing(audit: Audit) -> None:
    audit.add_blocks([new("a")], 5.0)
    audit.archive(["x", "x"], 9.0)
    audit.archive(["x"], 9.5)  # told again
    audit.add_blocks([new("b"), new("x"), new("c")], 10.0)
    assert (order(audit), audit.archived(), audit.text_of("x")) == ("abc", frozenset("x"), "")
    assert audit.walls().keys() == set("abc"), "nobody knows when it came"


def test_a_ledger_that_knows_no_block_stays_so_when_a_file_is_rotated(audit: Audit) -> None:
    audit.archive(["x"], 9.0)
    assert (audit.blocks(), audit.archived(), audit.walls()) == ([], frozenset(), {})


def test_a_person_accepts_once(audit: Audit) -> None:
    audit.add_blocks([new("a"), new("b"), new("c")], 5.0)
    known = ids(audit)
    audit.change_blocks([Change("vanished", known[digest], None) for digest in "abc"], [], 9.0)
    first, second, third = (tamper.id for tamper in audit.tampers())
    assert audit.accept(first, "ann", 10.0)
    assert not audit.accept(first, "bob", 11.0)
    assert not audit.accept(999, "bob", 11.0)
    audit.mend(third, ["c"])
    assert audit.accept_all([first, second, third], "bob", 12.0) == 1
    assert audit.accept_all([], "bob", 12.0) == 0
    assert [(tamper.id, tamper.accepted) for tamper in audit.tampers()] == [(first, "ann"), (second, "bob")]


# words and runs


def test_approvals_come_back_in_their_order(audit: Audit) -> None:
    told = [approval("a", note="ok"), approval("b", task=None, verdict="sent back"), approval("a", verdict="recorded")]
    for one in told:
        audit.add_approval(one)
    assert audit.approvals() == told


def test_the_last_run_of_each_gate_counts(audit: Audit) -> None:
    told = [
        gate_run(task="Äpfel"),
        gate_run(task="t", ok=False),
        gate_run("correct"),
        gate_run(task=None),
        gate_run(task="T"),
        gate_run(task="äpfel", ok=False, at=9.0),
    ]
    for one in told:
        audit.add_gate_run(one)
    assert audit.last_gate_runs() == [told[2], told[3], told[4], told[5]]


def test_what_was_forced_is_known_by_its_block(audit: Audit) -> None:
    audit.add_forced(CODER, "t", "a", "not-holder", 5.0)
    audit.add_forced(CODER, None, "b", "two-lights", 6.0)
    audit.add_forced(CODER, None, "a", "gates-missing", 7.0)
    assert audit.forced() == {"a": "gates-missing", "b": "two-lights"}


def test_a_light_is_announced_once(audit: Audit) -> None:
    assert audit.announce("Web", "d", CODER, "poked", 5.0)
    assert not audit.announce("web", "d", CODER, "off", 6.0)
    assert audit.announce("web", "d", REVIEWER, "human", 6.0)
    assert audit.announce("web", "e", CODER, "off", 6.0)
    assert audit.announce(None, "d", CODER, "adopted", 6.0)
    assert audit.announced("WEB", "d", CODER) == "poked"
    assert audit.announced(None, "d", CODER) == "adopted"
    assert audit.announced("web", "f", CODER) is None


HOSTILE = "'; DROP TABLE block; --\0\x1b]0;x\x07\u202e\ud800 ☃"
KEPT = HOSTILE.replace("\ud800", "?")


def test_hostile_text_is_only_text(audit: Audit) -> None:
    role = Role("Ö'; --")
    odd = NewBlock(digest="a", role=role, task=HOSTILE, heading=HOSTILE, text=HOSTILE)
    audit.add_blocks([odd], 5.0)
    (block,) = audit.blocks()
    assert (block.role, block.task, block.heading, audit.block_text(block.id)) == (role, KEPT, KEPT, KEPT)
    audit.add_approval(approval(task=HOSTILE, note=HOSTILE))
    assert (audit.approvals()[0].task, audit.approvals()[0].note) == (KEPT, KEPT)
    audit.add_gate_run(gate_run(task=HOSTILE))
    audit.add_gate_run(gate_run(task=KEPT, ok=False))
    assert [run.ok for run in audit.last_gate_runs()] == [False]
    audit.add_forced(role, HOSTILE, "a", HOSTILE, 5.0)
    assert audit.forced() == {"a": KEPT}
    assert audit.announce(HOSTILE, "d", role, "poked", 5.0)
    assert not audit.announce(HOSTILE.lower(), "d", role, "poked", 5.0)
    assert audit.announced(HOSTILE, "d", role) == "poked"


# the log


def test_every_act_of_the_protocol_stands_in_the_log(ledger: Ledger) -> None:
    audit = ledger.audit
    audit.add_blocks([new("a"), new("b", role=HUMAN), new("c")], 1.0)
    audit.change_blocks([Change("rewritten", ids(audit)["a"], new("A"))], list("Abc"), 2.0)
    audit.change_blocks([Change("inserted", None, new("n"))], list("Abnc"), 3.0)
    known = ids(audit)
    audit.change_blocks([Change("vanished", known[digest], None) for digest in "Abn"], ["c"], 4.0)
    first, second, *rest = (tamper.id for tamper in audit.tampers())
    audit.accept(first, "ann", 5.0)
    audit.accept_all([second, *rest], "ann", 5.5)
    audit.add_forced(CODER, "t", "x", "not-holder: it is REVIEWER's", 6.0)
    audit.add_gate_run(gate_run(at=-5.0))
    audit.add_gate_run(gate_run("correct", task=None, ok=False, at=-4.0))
    audit.add_approval(approval())
    audit.add_blocks([new("p", task="One"), new("q", task="one"), new("r", task=None)], 6.0)
    audit.archive(["p", "q", "r"], 7.0)
    audit.archive(["p", "q", "r", "never seen"], 7.5)  # told again: the first rotation was killed
    lines = [(line.wall, line.kind, line.role, line.ok, line.text) for line in ledger.log(50)]
    assert lines == [
        (8.25, "action", None, False, "gate correct: failed in 12 s"),
        (7.25, "action", None, True, "gate runs of t: passed in 12 s"),
        (7.0, "protocol", None, True, "3 blocks of 2 closed tasks moved to the archive"),
        (6.0, "protocol", CODER, False, "block of t appended by force, against not-holder: it is REVIEWER's"),
        (5.5, "protocol", HUMAN, True, "accepted by ann: 3 handed-on blocks taken out"),
        (5.5, "protocol", HUMAN, True, "accepted by ann: a block put in between handed-on ones"),
        (5.0, "protocol", HUMAN, True, 'accepted by ann: handed-on block "### [CODER]" rewritten'),
        (5.0, "action", HUMAN, True, "sign-off of t, by ann"),
        (4.0, "protocol", None, False, "3 handed-on blocks taken out"),
        (3.0, "protocol", None, False, "a block put in between handed-on ones"),
        (2.0, "protocol", CODER, False, 'handed-on block "### [CODER]" rewritten'),
    ]
    assert [line.wall for line in ledger.log(3)] == [8.25, 7.25, 7.0]


# many


def test_10_000_blocks_are_recorded_changed_and_mended_in_seconds(audit: Audit) -> None:
    text = "### [CODER] 2026-03-28 14:30\n\n**Status**: done\n" + "what was done, and why\n" * 40
    names = [f"{number:05}" for number in range(10_000)]
    spent: dict[str, float] = {}

    def timed(what: str, act: Callable[[], object]) -> None:
        begun = time.process_time()
        act()
        spent[what] = time.process_time() - begun

    timed("record", lambda: audit.add_blocks([new(name, text=text + name) for name in names], 5.0))
    timed("one more", lambda: audit.add_blocks([new("one more")], 5.0))
    known = [block.id for block in audit.blocks()]
    assert len(known) == 10_001
    changes = [Change("rewritten", number, new(f"x{number}", text=text)) for number in known[:-1]]
    order_now = [f"x{number}" for number in known[:-1]]
    timed("change", lambda: audit.change_blocks(changes, [*order_now, "one more"], 6.0))
    timed("blocks", audit.blocks)
    assert [block.digest for block in audit.blocks()][:-1] == order_now
    tampers = [tamper.id for tamper in audit.tampers()]
    timed("tampers", audit.tampers)
    timed("mend", lambda: audit.mend_all(tampers, [*names, "one more"]))
    assert [block.id for block in audit.blocks()] == known
    timed("archive", lambda: audit.archive(names, 7.0))
    assert order(audit) == "one more"
    assert spent.pop("one more") < 0.05
    assert sum(spent.values()) < 8.0, spent


# other processes


def run(path: Path, code: str) -> subprocess.Popen[str]:
    head = f"""
        import sys
        from pathlib import Path
        from teamops.ledger.audit import Change, NewBlock
        from teamops.ledger.store import LedgerError, open_ledger
        from teamops.model.protocol import Approval, GateRun
        from teamops.model.role import CODER
        ledger = open_ledger(Path({str(path)!r}))
        audit = ledger.audit
        def new(digest):
            return NewBlock(digest=digest, role=CODER, task="t", heading="### [CODER]", text="text of " + digest)
    """
    source = textwrap.dedent(head) + textwrap.dedent(code)
    return subprocess.Popen([sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_kill_9_loses_nothing_that_was_acknowledged(path: Path) -> None:
    code = """
        last = None
        for number in range(10**9):
            d = str(number)
            audit.add_blocks([new("a" + d), new("b" + d)], float(number))
            known = {block.digest: block.id for block in audit.blocks()}
            change = Change("rewritten", known["a" + d], new("x" + d))
            audit.change_blocks([change], [*list(known)[:-2], "x" + d, "b" + d], float(number))
            audit.accept(audit.tampers()[-1].id, "ann", float(number))
            audit.archive(["b" + d], float(number))
            audit.announce("t", d, CODER, "poked", float(number))
            audit.add_forced(CODER, "t", d, "why", float(number))
            audit.add_approval(Approval(
                task="t", approver="ann", wall=1.0, verdict="block", note="", digest=d, chain=""))
            audit.add_gate_run(GateRun(
                task=d, gate="runs", command="", ok=True, exit_status=0, started_wall=1.0, seconds=1.0, commit="",
                tree="", tail=""))
            print(number, flush=True)
    """
    writer = run(path, code)
    assert writer.stdout is not None
    try:
        for _ in range(15):
            writer.stdout.readline()
    finally:
        writer.kill()
    rest = writer.communicate()[0].splitlines()
    count = 15 + sum(bool(line.strip()) for line in rest[:-1])
    ledger = open_ledger(path)
    audit = ledger.audit
    assert order(audit).startswith("".join(f"x{number}" for number in range(count)))
    assert audit.archived() >= {f"b{number}" for number in range(count)}
    assert [tamper.accepted for tamper in audit.tampers()][:count] == ["ann"] * count
    assert [one.digest for one in audit.approvals()][:count] == [str(number) for number in range(count)]
    assert list(audit.forced())[:count] == [str(number) for number in range(count)]
    assert [one.task for one in audit.last_gate_runs()][:count] == [str(number) for number in range(count)]
    assert all(audit.announced("t", str(number), CODER) == "poked" for number in range(count))
    ledger.close()


def test_of_several_processes_one_announces_a_light(path: Path) -> None:
    open_ledger(path).close()
    code = """
        print("ready", flush=True)
        sys.stdin.readline()
        print(*[int(audit.announce("t", str(number), CODER, "poked", 1.0)) for number in range(100)])
    """
    claimers = [run(path, code) for _ in range(3)]
    for claimer in claimers:
        assert claimer.stdout is not None
        assert claimer.stdout.readline() == "ready\n"
    for claimer in claimers:
        assert claimer.stdin is not None
        claimer.stdin.write("go\n")
        claimer.stdin.flush()
    claims = [claimer.communicate(timeout=60)[0].split() for claimer in claimers]
    assert [claimer.returncode for claimer in claimers] == [0, 0, 0]
    assert [sum(map(int, one)) for one in zip(*claims, strict=True)] == [1] * 100


def test_a_full_disk_is_said_and_leaves_nothing_half(path: Path) -> None:
    """A quota on file size stands for the full disk, as for the rest of the ledger."""
    code = """
        import os, resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
        stored = 0
        try:
            for number in range(100_000):
                audit.add_blocks([
                    NewBlock(digest=f"{number}.{part}", role=CODER, task="t", heading="", text=os.urandom(1000).hex())
                    for part in range(10)
                ], 1.0)
                stored = number + 1
        except LedgerError as error:
            print(error.hint)
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        print(stored > 3, len(audit.blocks()) == stored * 10)
        audit.add_blocks([new("after")], 1.0)
        print(audit.blocks()[-1].digest)
    """
    writer = run(path, code)
    out, _ = writer.communicate(timeout=60)
    assert writer.returncode == 0
    hint, whole, after = out.splitlines()
    assert "disk" in hint
    assert (whole, after) == ("True True", "after")


WRITES: list[Callable[[Audit], object]] = [
    lambda audit: audit.add_blocks([new("x")], 1.0),
    lambda audit: audit.change_blocks([Change("inserted", None, new("x"))], ["x"], 1.0),
    lambda audit: audit.mend(1, []),
    lambda audit: audit.archive(["a"], 1.0),
    lambda audit: audit.accept(1, "ann", 1.0),
    lambda audit: audit.add_approval(approval()),
    lambda audit: audit.add_gate_run(gate_run()),
    lambda audit: audit.announce("t", "d", CODER, "poked", 1.0),
    lambda audit: audit.add_forced(CODER, "t", "d", "why", 1.0),
]
READS: list[Callable[[Audit], object]] = [
    lambda audit: audit.blocks(),
    lambda audit: audit.walls(),
    lambda audit: audit.block_text(1),
    lambda audit: audit.text_of("a"),
    lambda audit: audit.archived(),
    lambda audit: audit.tampers(),
    lambda audit: audit.approvals(),
    lambda audit: audit.last_gate_runs(),
    lambda audit: audit.announced("t", "d", CODER),
    lambda audit: audit.forced(),
]


@pytest.mark.parametrize("write", WRITES)
def test_a_ledger_that_another_holds_is_said(ledger: Ledger, path: Path, write: Callable[[Audit], object]) -> None:
    ledger._connection.execute("PRAGMA busy_timeout = 1")
    ledger.audit.add_blocks([new("a")], 1.0)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerError, match="another process holds it"):
        write(ledger.audit)
    other.execute("ROLLBACK")
    other.close()
    assert order(ledger.audit) == "a"
    write(ledger.audit)


@pytest.mark.parametrize("act", [*READS, *WRITES])
def test_a_ledger_that_is_gone_is_said(ledger: Ledger, act: Callable[[Audit], object]) -> None:
    for table in ("tamper", "block", "approval", "gate_run", "announced", "forced"):
        ledger._connection.execute(f"DROP TABLE {table}")
    with pytest.raises(LedgerError):
        act(ledger.audit)


def test_a_change_that_fails_leaves_all_as_it_was(audit: Audit) -> None:
    audit.add_blocks([new("a"), new("b")], 5.0)
    changes = [
        Change("rewritten", ids(audit)["a"], new("A")),
        Change("vanished", 12_345, None),
    ]  # there is no such block
    with pytest.raises(LedgerError):
        audit.change_blocks(changes, list("Ab"), 9.0)
    assert (order(audit), audit.tampers()) == ("ab", [])
    assert audit.text_of("A") == ""


# older ledgers


def rows(connection: sqlite3.Connection) -> dict[str, list[Any]]:
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall() for table in tables}  # noqa: S608


OLD = """
INSERT INTO position VALUES('/log', 1, 2, 3, 4);
INSERT INTO beat_minute VALUES('CODER', 7, 1, 2, 3, '0.1');
INSERT INTO last_beat VALUES('CODER', 60.5);
INSERT INTO usage_minute VALUES('CODER', 7, 'm', 1, 2, 3, 4, 5, 6, '0.2', 7);
INSERT INTO unpriced VALUES(1, 'CODER', 60.0, 'm', 1, 2, 3, 4, 5, 'claude', 's', '', '', 'k', 0);
INSERT INTO rates VALUES('m', '2026-01-01', '{}');
INSERT INTO light VALUES('t', 'd', 'CODER', 60.0);
INSERT INTO state_edge VALUES(1, 61.0, 'CODER', 'idle', 'e');
INSERT INTO alert VALUES('agent-dead', 'CODER', 'error', 'firing', 'm', 'd', 'CODER', 1.0, 62.0, 2, 1);
INSERT INTO alert_edge VALUES(1, 62.0, 'agent-dead', 'CODER', 'error', 'firing', 'm', 'CODER');
INSERT INTO action(id, wall, kind, role, text, title, critical, decided_by, reason, ended_wall, ok, message, pid)
  VALUES(1, 63.0, 'poke', 'CODER', 'go on', '', 0, 'person', '', 64.0, 1, 'typed', 4711);
"""


def test_a_ledger_of_before_the_protocol_opens_with_all_that_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    old = sqlite3.connect(path, isolation_level=None)
    old.execute("PRAGMA journal_mode = WAL")
    migrate(old, STEPS[:2])
    assert old.execute("PRAGMA user_version").fetchone() == (2,)
    old.executescript(OLD)
    before = rows(old)
    assert all(before.values()), "every table has a row"
    old.close()

    ledger = open_ledger(path)
    after = rows(ledger._connection)
    # What a later step adds to a row stands at its end.
    assert {table: [row[: len(before[table][0])] for row in after[table]] for table in before} == before
    assert ledger._connection.execute("PRAGMA user_version").fetchone() == (len(STEPS),)
    assert [line.text for line in ledger.log(9)] == ["poke: typed", "error: m", "idle (e)", "has the light of t"]
    assert ledger.audit.blocks() == []
    ledger.audit.add_blocks([new("a")], 70.0)
    assert ledger.light_known("t", "d", CODER) == 60.0
    ledger.close()
    again = open_ledger(path)
    assert order(again.audit) == "a"
    again.close()
