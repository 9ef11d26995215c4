"""A button refuses to poke for just what the screen's key refuses it."""

from __future__ import annotations

from itertools import product

import pytest
from msgspec import structs

from teamops.domain.no_poke import why_no_poke
from teamops.model.agent import AgentState
from teamops.tui.believable import believable
from teamops.tui.rules import why_not


@pytest.mark.parametrize("state", list(AgentState))
def test_as_the_key(state: AgentState) -> None:
    seen = believable()
    seen = structs.replace(seen, replay=None, supervisor=structs.replace(seen.supervisor, watch_only=False))
    for held, session, pane in product(("", "the day's budget"), ("", "shop-coder"), (None, "%1")):
        agent = structs.replace(seen.agents[0], state=state, held=held, session=session, pane_id=pane)
        assert bool(why_no_poke(agent)) is bool(why_not("poke", seen, agent)), (held, session, pane)
        assert held in why_no_poke(agent)
