"""Whatever is known of whomever: nobody who may is blamed, and nothing is sure without a reason."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from teamops.domain.attribution import Candidate, Refusal, attribute
from teamops.model.role import AGENT_ROLES

NO = Refusal(rule="r", why="w")
UNSAID = Refusal(rule="r", why="w", unsaid=True)
_ago = st.none() | st.floats(0, 10)
_candidates = st.lists(
    st.builds(
        Candidate,
        role=st.sampled_from(AGENT_ROLES),
        refusal=st.sampled_from([None, NO, UNSAID]),
        held_off=st.booleans(),
        opened=st.booleans(),
        let=_ago,
        refused=_ago,
        light=st.booleans(),
        busy=st.booleans(),
    ),
    max_size=6,
    unique_by=lambda one: one.role,
)


@given(_candidates)
def test_who_is_blamed(candidates: list[Candidate]) -> None:
    blame = attribute(candidates)
    by_role = {one.role: one for one in candidates}
    able = [one for one in candidates if one.opened or not one.held_off]
    direct = [one for one in able if one.direct]
    if blame is None:
        assert any(one.refusal is None for one in direct or able) or not any(one.active for one in able)
        return
    blamed = [by_role[role] for role in blame.roles]
    assert blamed
    for one in blamed:
        assert one.refusal is not None
        assert one.active
        assert one in able
    assert not direct or all(one.direct for one in blamed)
    assert [one.rank for one in blamed] == sorted((one.rank for one in blamed), reverse=True)
    unsaid = any(one.refusal is UNSAID for one in blamed)
    assert len(blame.evidence) == len(blamed) + (0 if direct else 1) + unsaid
    if blame.sure:
        assert not unsaid
        assert blamed[0].direct or blamed[0].refused is not None or (len(able) == 1 and blamed[0].busy)


@given(_candidates, st.randoms())
def test_the_order_in_which_they_are_asked_means_nothing(candidates: list[Candidate], dice: object) -> None:
    other = list(candidates)
    dice.shuffle(other)  # type: ignore[attr-defined]
    one, two = attribute(candidates), attribute(other)
    assert (one is None) == (two is None)
    if one is not None and two is not None:
        assert (set(one.roles), one.sure if len({c.rank for c in candidates}) == len(candidates) else None) == (
            set(two.roles),
            two.sure if len({c.rank for c in candidates}) == len(candidates) else None,
        )
