"""The last word on each layer of each role's boundary."""

from __future__ import annotations

from pathlib import Path

from teamops.ledger.store import open_ledger
from teamops.model.check import Check, Word
from teamops.model.role import Role

R, C = Role("REVIEWER"), Role("CODER")


def check(layer: str, word: Word, role: Role = R) -> Check:
    return Check(layer=layer, word=word, why="because", do="look", role=role, ms=7)


def test_a_layer_that_was_not_tried_keeps_its_last_word(tmp_path: Path) -> None:
    ledger, other = open_ledger(tmp_path / "l"), open_ledger(tmp_path / "l")
    assert ledger.checks.changed()
    assert ledger.checks.all() == {}
    other.checks.save(R, [check("kernel", Word.WORKS), check("budget hold", Word.BROKEN)], 1.0)
    other.checks.save(C, [check("kernel", Word.OFF, C)], 1.0)
    assert ledger.checks.changed()
    assert not ledger.checks.changed()
    other.checks.save(R, [check("kernel", Word.BROKEN)], 2.0)
    found = ledger.checks.all()
    assert {each.layer: each.word for each in found[R]} == {"kernel": Word.BROKEN, "budget hold": Word.BROKEN}
    assert found[C] == (check("kernel", Word.OFF, C),)
    ledger.close()
    other.close()
