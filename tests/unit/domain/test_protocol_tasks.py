"""What the blocks mean for a task: its stages, what "done" is worth, who may mend what; and how fast it is known."""

from __future__ import annotations

import time

import pytest

from teamops.domain.limits import Limits
from teamops.domain.protocol import Protocol, read
from teamops.model.handoff import Block
from tests.unit.domain.notation import BUILT, DESIGNED, REVIEWED, SIGNED, T2, blocks, found, short


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DIR>REV t3; REV>DEV ok none; DEV>REV done gates; REV>DIR ok none", "3 echo-chamber"),
        ("DIR>REV t3; REV>DEV ok ask:1; DEV>REV done gates; REV>DIR ok none", ""),
        ("DIR>REV t3; REV>DIR back none; DIR>REV; REV>DEV ok none", ""),
        ("DIR>REV t3; REV>DEV ok none; DEV>REV; REV>DEV back none; DEV>REV done gates; REV>DIR ok none", ""),
        ("DIR>REV t3; REV>DEV none; DEV>REV done gates; REV>DIR none", "3 echo-chamber"),
        ("DIR>REV t3; REV>DEV ok none; DEV>REV; REV>DIR blocked; DIR>REV; REV>. ; REV>DIR ok none", "6 echo-chamber"),
        ("DIR>REV t3 @a; DIR>REV t3 @b; REV>DEV @a ok none; REV>DEV @b ok none", "3 echo-chamber"),
        ("DIR>HUM t3; HUM>DIR ok; DIR>REV; REV>DEV ok none", ""),
        ("DIR>REV t3 @a; DIR>REV t3 @b; REV>DEV @a ok ask:1; REV>DEV @b ok none", ""),
        ("; ".join(f"DIR>REV t3 @{n}; REV>DEV @{n} ok none" for n in range(4)), "3 echo-chamber; 7 echo-chamber"),
    ],
)  # fmt: skip
def test_approvals_without_a_challenge_are_counted_over_all_tasks(text: str, expected: str) -> None:
    assert found(text, Limits(approvals_in_a_row=2)) == expected


def test_a_limit_of_none_counts_no_approvals() -> None:
    assert (
        found("; ".join(f"DIR>REV t3 @{n}; REV>DEV @{n} ok none" for n in range(9)), Limits(approvals_in_a_row=0)) == ""
    )


@pytest.mark.parametrize(
    ("text", "standing", "gates"),
    [
        ("DIR>COD t2", "open", ""),
        ("DIR>COD t2; COD>DIR done gates", "done", "runs correct complete"),
        ("DIR>COD t2; COD>DIR done", "done?", ""),
        ("DIR>COD t2; COD>DIR done gates:runs,correct=fail,complete", "done?", "runs correct complete"),
        ("DIR>COD t2; COD>DIR done; COD>DIR done gates", "done", "runs correct complete"),
        ("DIR>COD t2; COD>DIR done gates; DIR>COD", "open", ""),
        ("DIR>COD t2; COD>DIR done gates; DIR>.", "done", "runs correct complete"),
        (
            "DIR>COD t2; COD>DIR done gates; DIR>NONE done gates:runs!,correct,complete",
            "done?",
            "runs correct complete",
        ),
        ("DIR>COD t2; COD>DIR done gates; DIR>OPT; OPT>DIR done gates:runs", "done?", "runs"),
        ("DIR>COD t2; COD>DIR done gates; HUM>NONE s:thanks", "done", "runs correct complete"),
        ("DIR>COD t2; COD>DIR done gates; HUM>NONE withdrawn", "withdrawn", ""),
        ("DIR>COD t2; COD>DIR done gates; DIR>NONE s:closed_as_wontfix", "withdrawn", ""),
        ("DIR>COD t2; HUM>NONE", "done?", ""),
        ("DIR>COD t2; COD>DIR done gates; DIR>HUM withdrawn", "done", "runs correct complete"),
        ("DIR>COD t2; COD>DIR done; HUM>DIR gates", "done?", ""),
        ("DIR>NONE t1 withdrawn; HUM>NONE s:note", "withdrawn", ""),
        ("DIR>COD t2; HUM>NONE gates", "done", "runs correct complete"),
        ("DIR>NONE t1 done; DIR>NONE done gates", "done", "runs correct complete"),
        ("DIR>NONE t1 done gates; DIR>NONE s:note", "done", "runs correct complete"),
        ("DIR>NONE t1 done gates; HUM>NONE s:note", "done", "runs correct complete"),
        ("DIR>NONE t1 done gates; DIR>.", "open", ""),
        (BUILT + "REV>DEV back ask:1", "open", ""),
        (BUILT + "REV>DIR ok none", "done", "runs correct complete"),
        (REVIEWED + "DIR>HUM done gates; HUM>DIR s:sent_back", "open", ""),
        (REVIEWED + "DIR>HUM done gates; HUM>DIR s:question", "done", "runs correct complete"),
        (REVIEWED + "DIR>DEV; DEV>.", "open", ""),
        (BUILT + "DEV>REV s:one_more_file", "done", "runs correct complete"),
        (REVIEWED + "DEV>REV s:look_again; DEV>DIR s:sorry", "done", "runs correct complete"),
        (SIGNED, "done", "runs correct complete"),
        (REVIEWED + "DIR>HUM done gates:runs; HUM>NONE done", "done?", "runs"),
        ("DIR>REV t3; REV>DIR back ask:1; DIR>HUM withdrawn say:1; HUM> s:hm; HUM>NONE s:signed_off", "withdrawn", ""),
        (REVIEWED + "DIR>HUM withdrawn; HUM>NONE done", "done", "runs correct complete"),
        (REVIEWED + "DIR>HUM withdrawn; HUM>DIR; DIR>HUM done gates; HUM>NONE", "done", "runs correct complete"),
        ("DIR>COD t2; COD>DIR done; DIR>. ; COD>DIR done gates", "done", "runs correct complete"),
        ("DIR>COD t2; COD>DIR done; DIR>COD; DIR>COD; COD> gates:runs", "open", ""),
        ("DIR>COD t2; COD>DIR done; DIR>DEV; COD>DEV done gates", "open", ""),
        (
            "DIR>COD t2; COD>DIR done gates; DIR>NONE done; DIR>. gates; DIR>NONE done gates",
            "done",
            "runs correct complete",
        ),
    ],
)
def test_what_done_is_worth(text: str, standing: str, gates: str) -> None:
    (task,) = read(blocks(text), Limits()).tasks
    assert (str(task.standing), " ".join(gate.name for gate in task.gates)) == (standing, gates)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DIR> t2", "design None 0"),
        ("DIR>. t2; DIR>. ; DIR>COD", "design DIRECTOR 0, implement CODER 2"),
        (T2, "implement CODER 0, verify DIRECTOR 1, closed NONE 2"),
        ("DIR>COD t2; COD>DIR blocked; DIR>COD", "implement CODER 0, design DIRECTOR 1, implement CODER 2"),
        ("DIR>COD t2; COD>HUM s:question; HUM>COD", "implement CODER 0, implement HUMAN 1, implement CODER 2"),
        (
            "DIR>REV t3; REV>COD ok none; COD>HUM; HUM>DIR ok; DIR>HUM done gates",
            "design-review REVIEWER 0, implement CODER 1, code-review HUMAN 2, confirm DIRECTOR 3, sign-off HUMAN 4",
        ),
        ("DIR>HUM t3; HUM>DEV; DEV>HUM", "design HUMAN 0, implement DEVELOPER 1, code-review HUMAN 2"),
        (
            "HUM>COD t3; COD>REV; REV>DIR back ask:1; DIR>REV say:1; REV>HUM ok none",
            "implement CODER 0, code-review REVIEWER 1, design DIRECTOR 2, code-review REVIEWER 3, sign-off HUMAN 4",
        ),
        (
            "HUM>COD t3; COD>REV; REV>HUM s:question none; HUM>REV",
            "implement CODER 0, code-review REVIEWER 1, code-review HUMAN 2, code-review REVIEWER 3",
        ),
        ("DIR>OPT t3; OPT>REV done gates", "consult OPTIMIZER 0, code-review REVIEWER 1"),
        (
            "HUM>COD t3; COD>REV; REV>DIR back ask:1; DIR>HUM say:1; HUM>REV",
            "implement CODER 0, code-review REVIEWER 1, design DIRECTOR 2, design HUMAN 3, code-review REVIEWER 4",
        ),
        (
            "HUM>COD t3; COD>REV; REV>DIR back ask:1; DIR>REV s:the_design_again say:1",
            "implement CODER 0, code-review REVIEWER 1, design DIRECTOR 2, design-review REVIEWER 3",
        ),
        (
            "HUM>COD t3; COD>DIR; DIR>HUM done; HUM>DIR; DIR>HUM",
            "implement CODER 0, confirm DIRECTOR 1, sign-off HUMAN 2, confirm DIRECTOR 3, confirm HUMAN 4",
        ),
    ],
)  # fmt: skip
def test_the_way_through_the_stages(text: str, expected: str) -> None:
    (task,) = read(blocks(text), Limits()).tasks
    assert ", ".join(f"{step.stage} {step.holder} {step.index}" for step in task.passages) == expected


@pytest.mark.parametrize(
    ("text", "rounds"),
    [
        (REVIEWED, 0),
        ("DIR>REV t3; REV>DIR back ask:1; DIR>REV say:1; REV>DIR back ask:2; DIR>REV say:2; REV>DEV ok none", 2),
        (BUILT + "REV>DEV ask:1; DEV>REV done gates; REV>DIR none", 1),
        (BUILT + "REV>DEV back; REV>DEV back ask:1", 1),
        (REVIEWED + "DIR>QA; QA>DIR back", 1),
        (BUILT + "DEV>DIR back", 0),
        (REVIEWED + "DIR>DEV; REV>DIR none; REV>DEV", 0),
        (REVIEWED + "DIR>HUM done gates; HUM>DIR back", 1),
        ("DIR>COD t2; COD>DIR blocked back; DIR>COD", 0),
    ],
)
def test_how_often_it_was_sent_back(text: str, rounds: int) -> None:
    (task,) = read(blocks(text), Limits()).tasks
    assert task.rounds == rounds


@pytest.mark.parametrize(
    "text",
    [
        "COD>DIR t2; DIR>COD",
        "COD>. t2; DIR>COD",
        "DIR>COD t2; REV>COD none; COD>.",
        "DIR>COD t2; DEV>DIR; DEV>COD; COD>DIR done gates",
        "DIR>COD t2; DEV>DIR; HUM>COD; COD>DIR done gates",
        "DIR>COD t2; DEV>. ; DEV>COD; COD>DIR done gates",
        REVIEWED + "DEV>REV done gates; DEV>DIR done; DIR>HUM done gates",
        REVIEWED + "QA>HUM; QA>DIR; DIR>HUM done gates",
        "DIR>HUM t2; COD>DIR; COD>HUM; HUM>COD",
        "DIR>REV t2; DIR>COD; COD>DIR done gates",
        "DIR>REV t2; DIR>REV t3; REV>DIR ok none",
        "DIR>REV t2; DIR> s:note; HUM> s:note; DIR>COD; COD>DIR done gates",
        "DIR>COD t1; DIR>COD t2; COD>DIR done gates",
        "DIR>DEV t3; DIR>REV; REV>DEV ok none",
        "DIR>NONE t2 done gates; DIR>COD; COD>DIR done gates",
        "DIR>COD t2; COD>NONE done gates; COD>DIR; DIR>NONE done gates",
        "DIR>COD t2; COD>REV done gates; COD>DIR done gates; DIR>NONE done gates",
        "DIR>COD t2; COD>DIR done; COD>DIR done gates; DIR>NONE done gates",
        "DIR>COD t2; COD>DIR done gates:runs=fail,correct,complete; COD>DIR s:not_yet; DIR>COD",
        "DIR>COD t2; COD>DIR done gates t1; COD>DIR done gates t2; DIR>NONE done gates",
        "DIR>NONE t1 done; DIR>NONE done gates",
        "DIR>COD t2; COD>PAR; COD>DIR blocked",
        "DIR>PAR t2; PAR>COD; PAR>DIR; DIR>COD; COD>DIR done gates",
        "DIR>REV t3; REV>DEV back ask:1; REV>DIR back ask:1; DIR>REV say:1",
        "DIR>REV t3; REV>DEV ok; REV>DEV ok none; DEV>REV done gates",
        "DIR>REV t3; REV>DIR back ask:1; DIR>REV; DIR>REV say:1; REV>DEV ok none",
        DESIGNED + "DEV>DIR done gates; DEV>REV done gates; REV>DIR ok none; DIR>HUM done gates",
        BUILT + "REV>DEV ok none; REV>DIR ok none; DIR>HUM done gates",
        BUILT + "REV>DIR blocked; DIR>HUM done gates; DIR>REV; REV>DIR ok none; DIR>HUM done gates",
        BUILT + "REV>DIR back ask:1; DIR>REV say:1; REV>DEV ok; REV>DEV ok none; DEV>REV done gates",
        REVIEWED + "DIR>NONE done gates; DIR>HUM done gates; HUM>NONE",
        REVIEWED + "DIR>HUM done; DIR>HUM done gates; HUM>NONE",
        DESIGNED
        + "DEV>REV done gates in:x; REV>DIR ok none in:x; REV>. in:x; REV>DIR ok none in:y; DIR>HUM done gates",
    ],
)
def test_the_mending_itself_is_legal(text: str) -> None:
    """What the hints tell to append raises nothing new, and the task goes on to its end."""
    reading = read(blocks(text), Limits())
    assert len(reading.findings) == 1, short(reading)


def test_an_unfinished_block_is_judged_when_it_is_complete() -> None:
    protocol = Protocol(Limits())
    before = blocks("DIR>COD t2; COD>REV done ...")
    assert short(protocol.after(before)) == ""
    after = blocks("DIR>COD t2; COD>REV done")
    assert short(protocol.after([before[0], after[1]])) == "1 turn-not-allowed; 1 gates-missing"


def _long(count: int) -> list[Block]:
    """Return a long file, half of whose blocks break a rule."""
    way = (
        "DIR>REV t3 {0}; REV>DEV {0} ok ask:1; DEV>REV {0} done gates; REV>DIR {0} ok none; DIR>HUM {0} done;"
        " HUM>NONE {0}; DIR>COD t2 {1}; REV>DIR {1} none; COD>REV {1} done; DIR>NONE {1}; "
    )
    return blocks("".join(way.format(f"@a{n}", f"@b{n}") for n in range(count // 10)))


def test_a_long_file_is_judged_quickly_and_a_new_block_at_once() -> None:
    whole = _long(10_010)
    protocol = Protocol(Limits())
    reading = protocol.after(whole[:10_000])
    taken: dict[int, float] = {}
    for count in (1_000, 10_000, 1_000, 10_000):  # another program may have had the processor's other half
        begun = time.process_time()
        Protocol(Limits()).after(whole[:count])
        taken[count] = min(taken.get(count, 60.0), time.process_time() - begun)
    assert taken[10_000] < 30 * taken[1_000], taken  # ten times the blocks, about ten times the time
    assert taken[10_000] < 5.0, taken
    assert len(reading.findings) > 5_000
    fastest = 1.0
    for count in range(10_001, 10_011):
        begun = time.process_time()
        reading = protocol.after(whole[:count])
        fastest = min(fastest, time.process_time() - begun)
    assert fastest < 0.005
    assert reading == read(whole, Limits())
