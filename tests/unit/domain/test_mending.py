"""A block that mends what its author did wrong: the finding is no more than a note then."""

from __future__ import annotations

import pytest

from teamops.domain.limits import Limits
from teamops.domain.protocol import Protocol, read
from teamops.model.handoff import Severity, Standing
from tests.unit.domain.notation import BUILT, DESIGNED, REVIEWED, blocks

ROWS = [
    # blocks, codes that are left, codes that are mended
    ("DIR>COD t2; COD>DIR done; COD>DIR done gates", "", "gates-missing"),
    ("DIR>COD t2; COD>DIR done gates:runs!,correct,complete; COD>DIR done gates", "", "gate-unproven"),
    ("DIR>COD t2; COD>DIR done gates:runs=fail,correct,complete; COD>. ", "", "gate-failed"),
    ("DIR>COD t2; COD>DIR done; COD>", "gates-missing", ""),
    ("DIR>COD t2; COD>DIR done; DIR>NONE done gates", "gates-missing", ""),
    ("DIR>COD t2; COD>DIR done gates; DIR>NONE done; DIR>NONE done gates", "", "gates-missing"),
    ("DIR>COD t2; COD>NONE done gates; COD>DIR done gates", "", "verify-skipped"),
    ("DIR>DEV t3; DIR>REV", "", "design-review-skipped"),
    ("DIR>DEV t3; DIR>", "design-review-skipped", ""),
    (DESIGNED + "DEV>DIR done gates; DEV>REV done gates", "", "code-review-skipped"),
    (REVIEWED + "DIR>NONE done gates; DIR>HUM done gates", "", "sign-off-skipped"),
    ("DIR>COD t3; COD>DIR t2 blocked; COD>DIR t3 blocked", "design-review-skipped", "tier-lowered"),
    ("DIR>REV t3; REV>DEV ok; REV>DEV ok none", "", "no-challenges"),
    ("DIR>REV t3; REV>DEV ok; REV>.", "no-challenges", ""),
    ("DIR>REV t3; REV>DEV ok; REV>DEV ok", "no-challenges no-challenges", ""),
    (BUILT + "REV>DIR ok ask:1,2; DIR>HUM done gates; DIR>HUM done gates say:1,2", "", "challenge-unanswered " * 2),
    (
        BUILT + "REV>DIR ok ask:1,2; DIR>HUM done gates; DIR>HUM done gates say:1",
        "challenge-unanswered",
        "challenge-unanswered",
    ),
    ("DIR>COD t2; REV>DIR none; REV>COD none", "", "two-lights"),
    ("DIR>COD t2; REV>DIR none; COD>DIR done gates", "two-lights", ""),
    # later, by who has something to bring
    ("DIR>COD t2; COD>DIR done; DIR>. ; COD>DIR done gates", "", "gates-missing"),
    ("DIR>COD t2; COD>DIR done; DIR>NONE done gates; COD>NONE done gates", "", "gates-missing"),
    ("DIR>COD t2; COD>DIR done; DIR>. ; COD> done gates:runs", "gates-missing gates-missing", ""),
    ("DIR>COD t2; COD>DIR done; DIR>. ; DIR>COD; COD>DIR done gates", "", "gates-missing"),
    ("DIR>COD t2; COD>DIR done; DIR>. ; COD>DEV done gates", "gates-missing two-lights", ""),
    ("DIR>COD t2; COD>DIR done; DIR>. ; COD>DIR", "gates-missing not-holder", ""),
    ("DIR>COD t2; COD>DIR done; COD>. s:not_yet; COD>DIR done gates", "", "gates-missing"),
    ("DIR>REV t3; REV>DEV ok; DEV>. ; REV>DEV none", "", "no-challenges"),
    ("DIR>REV t3; REV>DIR ok ask:1; DIR>DEV; DEV>. ; DIR>DEV say:1", "", "challenge-unanswered"),
    ("DIR>REV t3; REV>DIR v:hm none; DIR>. ; REV>DIR ok; DIR>DEV; DEV>REV", "", "unclear-verdict"),
    ("DIR>REV t3; REV>DIR v:hm none; DIR>. ; REV>DIR v:well", "unclear-verdict unclear-verdict", ""),
    ("DIR>REV t3; REV>DIR v:hm; DIR>. ; REV>DIR none", "unclear-verdict", "no-challenges"),
    ("DIR>REV t3; REV>DIR ok none; DIR>DEV t2; DEV>. t2; DIR>DEV t3", "", "tier-lowered"),
    ("DIR>REV t3; REV>DIR ok none; DIR>DEV t2; HUM>DEV t2; DEV>DIR t2 done gates", "", "tier-lowered"),
    ("DIR>COD t2; REV>DIR none; COD>COD; REV>COD", "", "two-lights"),
    ("DIR>COD t2; REV>DIR none; COD>DIR done gates; REV>COD", "two-lights two-lights", ""),
    # by whom the hint names
    ("DIR>COD t2; REV>DEV none; HUM>COD; COD>DIR done gates", "", "two-lights"),
    ("COD>. t2; DIR>COD", "", "not-holder"),
    ("DIR>COD t2; REV> ; COD>. s:no", "", "not-holder"),
    ("DIR>COD t2; REV> ; REV> ; COD> ", "not-holder not-holder", ""),
    ("DIR>DEV t3; DEV>. ; DEV>DIR blocked; DIR>REV; REV>DEV ok none; DEV>REV", "", "design-review-skipped"),
    ("DIR>DEV t3; DEV>. ; HUM>DEV", "", "design-review-skipped"),
    (DESIGNED + "DEV>DIR done gates; DIR>. ; DIR>REV; REV>DIR ok none", "", "code-review-skipped"),
    (DESIGNED + "DEV>DIR done gates; DIR>. ; HUM>DIR ok; DIR>HUM done gates", "", "code-review-skipped"),
    (DESIGNED + "DEV>DIR done gates; DIR>. ; HUM>DIR", "code-review-skipped", ""),
    (DESIGNED + "DEV>REV ok done gates; REV>DIR ok none; DIR>REV", "", "self-review"),
    (REVIEWED + "DIR>NONE done gates; HUM>DIR; DIR>HUM done gates", "", "sign-off-skipped"),
    ("DIR>NONE t2 done gates; DIR>. ; DIR>COD; COD>DIR done gates; DIR>NONE done gates", "", "build-skipped"),
    ("HUM>DIR t2 done; DIR>NONE done gates; HUM>DIR; DIR>COD", "", "build-skipped"),
    ("DIR>NONE t2 done gates; DIR>NONE withdrawn", "", "build-skipped"),
    ("DIR>COD t2; COD>NONE done gates; DIR>NONE done gates; DIR> s:note", "", "verify-skipped"),
    ("DIR>COD t2; COD>NONE done gates; DIR>. ", "", "verify-skipped"),
    ("DIR>COD t2; COD>REV done gates; REV>DIR blocked; DIR>NONE done gates", "turn-not-allowed", ""),
    ("DIR>COD t2; COD>REV done gates; HUM>DIR; DIR>NONE done gates", "", "turn-not-allowed"),
    # of a task that began anew, nothing is left to bring
    ("DIR>COD t2; COD>DIR done; DIR>NONE done gates; DIR>DEV; COD>DEV gates", "gates-missing not-holder", ""),
]


@pytest.mark.parametrize(("text", "left", "mended"), ROWS)
def test_what_its_author_mends_is_a_note(text: str, left: str, mended: str) -> None:
    findings = read(blocks(text), Limits()).findings
    notes = [one for one in findings if one.severity is Severity.INFO]
    assert [one.code for one in findings if one not in notes] == left.split()
    assert [one.code for one in notes] == mended.split()
    assert all("mended in line " in one.message for one in notes)


@pytest.mark.parametrize("text", [row[0] for row in ROWS])
def test_the_same_while_the_file_grows(text: str) -> None:
    growing, all_blocks = Protocol(Limits()), blocks(text)
    for count in range(1, len(all_blocks) + 1):
        assert growing.after(all_blocks[:count]) == read(all_blocks[:count], Limits())


def test_a_mended_claim_is_proven() -> None:
    (task,) = read(blocks(ROWS[0][0]), Limits()).tasks
    assert task.standing is Standing.DONE
