"""What the screen says of an agent in few cells: nothing it can meet is without a word."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from teamops.model.agent import AgentState, Evidence, EvidenceKind
from teamops.tui import words
from teamops.tui.believable import believable_agents


@pytest.mark.parametrize("kind", EvidenceKind)
def test_each_kind_of_evidence_has_its_word_and_age(kind: EvidenceKind) -> None:
    (agent, *_) = believable_agents()
    said = words.evidence(replace(agent, evidence=Evidence(kind, 3.0)))
    assert said == (words.NOTHING if kind is EvidenceKind.NOTHING else f"{said.split()[0]} 3s")


def test_no_two_kinds_share_a_word() -> None:
    (agent, *_) = believable_agents()
    said = [words.evidence(replace(agent, evidence=Evidence(kind, 3.0))) for kind in EvidenceKind]
    assert len(set(said)) == len(said)


@pytest.mark.parametrize("state", AgentState)
def test_each_state_has_its_symbol(state: AgentState) -> None:
    symbol, role = words.STATES[state]
    assert len(symbol) == 1
    assert role
