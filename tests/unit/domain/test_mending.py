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
]


@pytest.mark.parametrize(("text", "left", "mended"), ROWS)
def test_what_its_author_mends_is_a_note(text: str, left: str, mended: str) -> None:
    findings = read(blocks(text), Limits()).findings
    notes = [one for one in findings if one.severity is Severity.INFO]
    assert [one.code for one in findings if one not in notes] == left.split()
    assert [one.code for one in notes] == mended.split()
    last = max(block.line for block in blocks(text))
    assert all(f"mended in line {last}" in one.message for one in notes)


@pytest.mark.parametrize("text", [row[0] for row in ROWS])
def test_the_same_while_the_file_grows(text: str) -> None:
    growing, all_blocks = Protocol(Limits()), blocks(text)
    for count in range(1, len(all_blocks) + 1):
        assert growing.after(all_blocks[:count]) == read(all_blocks[:count], Limits())


def test_a_mended_claim_is_proven() -> None:
    (task,) = read(blocks(ROWS[0][0]), Limits()).tasks
    assert task.standing is Standing.DONE
