"""Strips and gaps hold for any history: no second is lost, none counts twice, and each is what it was."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from teamops.domain.health import SERVER_GONE
from teamops.domain.presence import merged, presence_of, stays, strip
from teamops.model.agent import AgentState
from teamops.model.day_facts import StateEdge
from teamops.model.day_report import SLOT_S, Presence
from teamops.model.role import CODER

START, END = 60_000, 160_000
WALLS = st.integers(START - 5000, END + 5000)
SPANS = st.lists(st.tuples(WALLS, WALLS).map(sorted).map(tuple), max_size=8)
EDGES = st.lists(st.tuples(WALLS, st.sampled_from([*AgentState, "a word of a later version"])), max_size=12)
MINUTES = st.sets(st.integers((START - 900) // 60, (END + 900) // 60), max_size=40).map(sorted)
WORST = (Presence.DOWN, Presence.UNWELL, Presence.HELD)


def at(wall: int, states: list[StateEdge], watched: list[tuple[int, int]], minutes: list[int]) -> Presence:
    """Return the presence at one moment, by looking at everything."""
    if any(begun <= wall < ended for begun, ended in watched):
        known = [edge for edge in states if edge.wall <= wall]
        return presence_of(known[-1].state) if known else Presence.OFF
    before = [minute for minute in minutes if minute * 60 <= wall]
    after = [minute for minute in minutes if minute * 60 > wall]
    if before and wall < before[-1] * 60 + 60:
        return Presence.ALIVE
    if before and after and after[0] * 60 - (before[-1] * 60 + 60) <= 180:
        return Presence.ALIVE
    return Presence.UNSEEN


@settings(max_examples=300, deadline=None)
@given(EDGES, SPANS, MINUTES, st.lists(st.integers(START, END - 1), max_size=20))
def test_each_moment_is_in_one_stay_and_is_what_it_was(
    edges: list[tuple[int, str]], watched: list[tuple[int, int]], minutes: list[int], moments: list[int]
) -> None:
    states = [StateEdge(float(wall), CODER, state, "") for wall, state in sorted(edges, key=lambda one: one[0])]
    found = stays(states, watched, minutes, float(START), float(END))
    assert found[0].since_wall == START
    assert found[-1].until_wall == END
    for one, other in pairwise(found):
        assert one.until_wall == other.since_wall
        assert one.presence is not other.presence
        assert one.seconds > 0
    for wall in moments:
        (stay,) = [one for one in found if one.since_wall <= wall < one.until_wall]
        assert stay.presence is at(wall, states, watched, minutes)


@settings(max_examples=300, deadline=None)
@given(EDGES, SPANS, MINUTES)
def test_a_strip_shows_the_worst_of_each_half_hour_and_else_the_most(
    edges: list[tuple[int, str]], watched: list[tuple[int, int]], minutes: list[int]
) -> None:
    states = [StateEdge(float(wall), CODER, state, "") for wall, state in sorted(edges, key=lambda one: one[0])]
    found = stays(states, watched, minutes, float(START), float(END))
    shown = strip(found, float(START), float(END))
    assert len(shown) == -(-(END - START) // int(SLOT_S))
    for number, word in enumerate(shown):
        begun, ended = START + number * SLOT_S, min(END, START + (number + 1) * SLOT_S)
        lengths = {
            presence: sum(
                max(0.0, min(one.until_wall, ended) - max(one.since_wall, begun))
                for one in found
                if one.presence is presence
            )
            for presence in Presence
        }
        worst = [presence for presence in WORST if lengths[presence]]
        assert word is worst[0] if worst else lengths[word] == max(lengths.values())


@given(SPANS)
def test_merged_spans_cover_the_same_and_touch_no_other(spans: list[tuple[int, int]]) -> None:
    found = merged(spans)
    for (_, ended), (begun, _) in pairwise(found):
        assert ended < begun
    for wall in {edge for span in spans for edge in span}:
        inside = any(begun <= wall < ended for begun, ended in spans)
        assert inside == any(begun <= wall < ended for begun, ended in found)


def test_no_time_has_no_stay_and_no_sign() -> None:
    assert stays([], [], [], 5.0, 5.0) == ()
    assert strip([], 5.0, 5.0) == ()


def test_who_went_with_its_tmux_server_is_down_and_who_never_ran_is_not_there() -> None:
    assert presence_of(AgentState.UNKNOWN, f"process: {SERVER_GONE}") is Presence.DOWN
    assert presence_of(AgentState.UNKNOWN, "nothing: no session") is Presence.OFF
