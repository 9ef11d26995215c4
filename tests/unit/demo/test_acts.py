"""What simulated agents do on their turn."""

from __future__ import annotations

from random import Random

import pytest
from genai_prices import Usage, calc_price
from hypothesis import given
from hypothesis import strategies as st

from teamops.demo.acts import acts_of
from teamops.demo.agent import PERSONAS
from teamops.demo.script import Draft
from teamops.demo.stories import STORIES
from teamops.model.role import AGENT_ROLES, DIRECTOR, Role


@given(st.sampled_from(AGENT_ROLES), st.sampled_from(sorted(STORIES)), st.integers())
def test_a_turn_begins_with_the_handoff_file_and_repeats_no_thought(role: Role, task: str, seed: int) -> None:
    story = STORIES[task]
    draft = Draft(role=role, task=task, tier=2, turn=DIRECTOR, status="", sections=(), files=story.files)
    acts, again = (acts_of(draft, Random(seed)) for _ in range(2))  # noqa: S311 - a story, not a secret
    assert acts[0].target == "current.md"
    assert 4 <= len(acts) <= 7
    assert all(act.target and act.result for act in acts)
    thoughts = [act.thought for act in acts if act.thought]
    assert len(thoughts) == len(set(thoughts))
    assert acts == again


@pytest.mark.parametrize("role", AGENT_ROLES)
def test_each_agents_model_has_a_price(role: Role) -> None:
    name, model = PERSONAS[role]
    assert name
    price = calc_price(Usage(input_tokens=1000, output_tokens=10), model, provider_id="anthropic")
    assert price.total_price > 0
