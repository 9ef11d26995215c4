from __future__ import annotations

import sys
import time
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from teamops.domain.limits import Limits
from teamops.domain.proof import Proof, Prover, proven
from teamops.domain.protocol import Protocol, Reading, read
from teamops.model.handoff import Block, Gate, GateResult, Severity, Standing
from teamops.model.protocol import GateRun, KnownBlock, Tamper
from teamops.model.role import CODER, HUMAN
from tests.unit.domain.notation import blocks, short

BUILT = "DIR>DEV t2; DEV>DIR done gates"
CLOSED = f"{BUILT}; DIR>NONE done gates"
SIGNED = "DIR>REV t3; REV>DEV ok none; DEV>REV done gates; REV>DIR ok none; DIR>HUM done gates; HUM>NONE s:signed_off"


def run(gate: str, *, ok: bool = False, task: str | None = "t", status: int | None = 1) -> GateRun:
    return GateRun(
        task=task, gate=gate, command="pytest -q", ok=ok, exit_status=status, started_wall=1.0, seconds=2.0, commit="",
        tree="", tail="",
    )  # fmt: skip


def known(block: Block) -> KnownBlock:
    return KnownBlock(
        id=1, digest=block.digest, role=block.role, task=block.task, heading=f"### [{block.role}]", wall=1.0,
        adopted=False,
    )  # fmt: skip


def tamper(number: int, kind: str, before: Block | None, after: str, *, accepted: str = "") -> Tamper:
    return Tamper(
        id=number,
        wall=1.0,
        kind=kind,
        before=None if before is None else known(before),
        after=after,
        accepted=accepted,
    )


def judged(found: list[Block], proof: Proof) -> Reading:
    return proven(found, read(found, Limits()), proof)


def signed(found: Iterable[Block]) -> frozenset[str]:
    return frozenset(block.digest for block in found if block.role == HUMAN)


def test_what_is_proven_stays_as_it_was_read() -> None:
    found = blocks(SIGNED)
    reading = read(found, Limits())
    assert proven(found, reading, Proof(approved=signed(found))) is reading
    assert proven([], read([], Limits()), Proof()) == Reading()


# the person's blocks


def test_a_block_of_the_person_without_a_record_is_forged() -> None:
    reading = judged(blocks(SIGNED), Proof())
    assert short(reading) == "5 forged-sign-off"
    (one,) = reading.findings
    assert (one.severity, one.line, one.role, one.task) == (Severity.CRITICAL, 51, HUMAN, "t")
    assert "approve --recorded" in one.hint
    assert [task.standing for task in reading.tasks] == [Standing.DOUBTED]


def test_what_the_person_is_still_writing_is_not_judged() -> None:
    assert short(judged(blocks("HUM>DIR t2 ..."), Proof())) == ""


def test_a_copied_sign_off_signs_nothing() -> None:
    once = blocks(SIGNED)
    again = blocks(f"{SIGNED}; DIR>HUM t3 @u; HUM>NONE @u")
    again[-1] = replace(again[-1], digest=once[-1].digest)
    reading = judged(again, Proof(approved=signed(once)))
    assert [(one.index, one.code) for one in reading.findings if "sign-off" in one.code] == [(7, "forged-sign-off")]
    assert "copy" in reading.findings[-1].message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("DIR>HUM t2; HUM>DIR", Standing.OPEN, id="it closes nothing"),
        pytest.param(
            "DIR>PAR t1; PAR>DIR; DIR>HUM; HUM>NONE", Standing.DOUBTED, id="it closes what nobody claims done"
        ),
        pytest.param(f"{CLOSED}; HUM>NONE", Standing.DOUBTED, id="it stands after another's closing"),
        pytest.param(f"{CLOSED}; HUM> s:thanks", Standing.DONE, id="a remark closes nothing"),
        pytest.param("DIR>HUM t2; HUM>NONE withdrawn", Standing.WITHDRAWN, id="nobody says that it is done"),
        pytest.param(f"DIR>HUM t2 @x; HUM>NONE @x; {CLOSED}", Standing.DONE, id="another task's"),
        pytest.param(f"DIR>HUM t2; HUM>NONE; {CLOSED}", Standing.DONE, id="an earlier round's"),
    ],
)
def test_a_forged_block_that_closes_a_task_leaves_it_in_doubt(text: str, expected: Standing) -> None:
    reading = judged(blocks(text), Proof())
    assert next(task for task in reading.tasks if task.task == "t").standing is expected


# the gates


@pytest.mark.parametrize(
    ("text", "runs", "expected", "standing"),
    [
        pytest.param(CLOSED, [run("runs", ok=True)], "", Standing.DONE, id="it passed"),
        pytest.param(CLOSED, [run("runs")], "2 gate-contradicted", Standing.DOUBTED, id="it failed"),
        pytest.param(CLOSED, [run("runs", task="T")], "2 gate-contradicted", Standing.DOUBTED, id="in any case"),
        pytest.param(CLOSED, [run("runs"), run("runs", task="T", ok=True)], "", Standing.DONE, id="the last counts"),
        pytest.param(CLOSED, [run("runs", task="other")], "", Standing.DONE, id="another task's"),
        pytest.param(CLOSED, [run("runs", task=None)], "", Standing.DONE, id="no task's"),
        pytest.param(CLOSED, [run("lint")], "", Standing.DONE, id="a gate that nobody claims"),
        pytest.param(
            CLOSED,
            [run("runs"), run("complete", status=None)],
            "2 gate-contradicted; 2 gate-contradicted",
            Standing.DOUBTED,
            id="two",
        ),
        pytest.param(BUILT, [run("runs")], "1 gate-contradicted", Standing.DOUBTED, id="the newest that claims it"),
        pytest.param(
            "DIR>DEV t2; DEV> gates; DEV>DIR blocked gates:runs=fail", [run("runs")], "", Standing.OPEN, id="taken back"
        ),
        pytest.param("DIR>DEV t2; DEV> gates:runs", [run("runs")], "1 gate-contradicted", Standing.OPEN, id="no done"),
        pytest.param(f"{BUILT}; DIR>DEV", [run("runs")], "", Standing.OPEN, id="sent back: the work goes on"),
        pytest.param(f"{BUILT}; DIR>DEV ...", [run("runs")], "1 gate-contradicted", Standing.DOUBTED, id="perhaps"),
        pytest.param("DIR>DEV t2; DEV>DIR done gates ...", [run("runs")], "", Standing.OPEN, id="still in writing"),
        pytest.param("DIR>NONE t1 withdrawn gates", [run("runs")], "0 gate-contradicted", Standing.WITHDRAWN, id="end"),
    ],
)  # fmt: skip
def test_a_claim_that_the_last_run_contradicts(
    text: str, runs: list[GateRun], expected: str, standing: Standing
) -> None:
    reading = judged(blocks(text), Proof(runs=tuple(runs)))
    assert short(reading) == expected
    assert [task.standing for task in reading.tasks] == [standing]


def test_a_contradiction_names_the_run_and_the_line_of_the_claim() -> None:
    found = blocks("DIR>DEV t2; DEV>DIR done gates:correct,complete")
    found[1] = replace(found[1], checks=(Gate("runs", GateResult.PASS, "seen", 17), *found[1].checks))
    (one,) = judged(found, Proof(runs=(run("runs", status=3),))).findings
    assert (one.line, "exit status 3" in one.message, "pytest -q" in one.message) == (17, True, True)
    (one,) = judged(found, Proof(runs=(run("correct", status=None),))).findings
    assert (one.line, "failed" in one.message) == (11, True)


# what was changed


def test_changes_of_handed_on_blocks_are_found_where_they_stand() -> None:
    found = blocks("DIR>DEV t2; DEV>DIR done gates; DIR>DEV")
    gone = replace(found[1], digest="gone")
    proof = Proof(
        tampers=(
            tamper(1, "vanished", gone, ""),
            tamper(2, "rewritten", replace(found[0], digest="old"), "digest 0"),
            tamper(3, "inserted", None, "digest 1"),
            tamper(4, "rewritten", replace(found[2], digest="x"), "digest 2", accepted="me"),
        )
    )
    reading = judged(found, proof)
    assert [(one.code, one.index, one.line, one.tamper, one.digest) for one in reading.findings] == [
        ("block-rewritten", 0, 1, 2, "digest 0"),
        ("block-inserted", 1, 11, 3, "digest 1"),
        ("block-vanished", -1, 21, 1, "gone"),
    ]
    assert reading.findings[2].message == 'the block "### [DEVELOPER]" was handed on and is no more in the file'
    assert reading.findings[1].message == "a block by DEVELOPER of task t appeared between blocks that were handed on"
    assert {one.severity for one in reading.findings} == {Severity.ERROR}
    assert all(one.hint for one in reading.findings)
    assert reading.tasks == read(found, Limits()).tasks


def test_a_block_rewritten_again_and_again_is_found_where_it_stands_now() -> None:
    found = blocks("DIR>DEV t2; DEV>DIR")
    first, second = replace(found[0], digest="one"), replace(found[0], digest="two")
    tampers = [
        tamper(1, "rewritten", first, "two"),
        tamper(2, "rewritten", second, "digest 0", accepted="me"),
        tamper(3, "rewritten", replace(found[1], digest="digest 0"), "digest 1"),
    ]
    assert short(judged(found, Proof(tampers=tuple(tampers[:2])))) == "0 block-rewritten"
    assert short(judged(found, Proof(tampers=tuple(tampers)))) == "1 block-rewritten; 1 block-rewritten"
    to_and_fro = (tamper(1, "rewritten", first, "two"), tamper(2, "rewritten", second, "one"))
    assert short(judged(found, Proof(tampers=to_and_fro))) == "-1 block-rewritten; -1 block-rewritten"


def test_what_is_gone_with_all_of_its_task_is_at_the_first_line() -> None:
    other = replace(blocks("DIR>DEV t2 @gone")[0], digest="gone")
    for found in ([], blocks("DIR>DEV t2")):
        tampers = (tamper(1, "vanished", other, ""), tamper(2, "inserted", None, "nowhere"))
        reading = judged(list(found), Proof(tampers=tampers))
        assert [(one.line, one.index, one.digest) for one in reading.findings] == [(1, -1, "gone"), (1, -1, "nowhere")]
        assert reading.findings[1].message.startswith("a block appeared")


# by force


def test_what_was_appended_by_force_says_so() -> None:
    found = blocks("DIR>DEV t2; COD>DIR; DEV>DIR")
    reading = judged(found, Proof(forced={"digest 1": "not-holder: CODER does not\x1b[1m hold it", "gone": "x"}))
    (one,) = (one for one in reading.findings if one.code == "appended-by-force")
    assert (one.index, one.severity, one.role) == (1, Severity.WARNING, CODER)
    assert one.message.endswith("not-holder: CODER does not hold it")
    assert [one.index for one in reading.findings] == sorted(one.index for one in reading.findings)


# a file that grows

STEPS = st.lists(
    st.sampled_from([
        "DIR>DEV t2", "DEV>DIR done gates", "DIR>NONE done gates", "HUM>NONE", "HUM>DIR", "DIR>HUM done gates",
        "DEV> gates", "HUM>NONE @u", "DIR>DEV t2 @u",
    ]),
    max_size=12,
)  # fmt: skip


@given(steps=STEPS, cut=st.integers(0, 12), forced=st.booleans(), failed=st.booleans(), alike=st.booleans())
def test_growing_step_by_step_finds_what_the_whole_does(
    steps: list[str], cut: int, forced: bool, failed: bool, alike: bool
) -> None:
    found = [
        replace(block, digest=f"{block.role}{i % 3 if alike else i}") for i, block in enumerate(blocks(";".join(steps)))
    ]
    proof = Proof(
        approved=frozenset({"HUMAN1", "HUMAN2", "HUMAN4"}),
        runs=(run("runs"),) if failed else (),
        forced={"DIRECTOR2": "a", "HUMAN5": "b"} if forced else {},
        tampers=(tamper(1, "rewritten", blocks("DIR>DEV t2")[0], "DIRECTOR0"),),
    )
    protocol, prover = Protocol(Limits()), Prover(proof)
    for count in [*range(len(found) + 1), min(cut, len(found)), len(found)]:
        part = found[:count]
        assert prover.after(part, protocol.after(part)) == proven(part, read(part, Limits()), proof)


def test_a_rewritten_block_is_judged_anew() -> None:
    found = blocks("DIR>HUM t2; HUM>DIR; DIR>DEV")
    prover = Prover(Proof(approved=signed(found)))
    assert not prover.after(found, read(found, Limits())).findings
    found[1] = replace(found[1], digest="other")
    assert short(prover.after(found, read(found, Limits()))) == "1 forged-sign-off"


def test_a_new_block_costs_little_in_a_long_file() -> None:
    parts = [SIGNED.replace(";", f" @{n};") + f" @{n}; {CLOSED.replace(';', f' @b{n};')} @b{n}" for n in range(1112)]
    found = blocks(";".join(parts))
    assert len(found) > 10_000
    protocol, prover = Protocol(Limits()), Prover(Proof(runs=(run("runs", task="b7"),)))
    prover.after(found[:-1], protocol.after(found[:-1]))
    reading = protocol.after(found)
    took = []
    for _ in range(5):
        begun = time.process_time()
        prover.after(found, reading)
        took.append(time.process_time() - begun)
    assert sum(one.code == "forged-sign-off" for one in prover.after(found, reading).findings) == 1112
    assert min(took) < (0.005 if sys.gettrace() is None else 0.03), "measuring the coverage slows it down"
