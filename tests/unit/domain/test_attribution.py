"""Whose violation a change is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from teamops.domain.attribution import SEVERAL, Blame, Candidate, Refusal, attribute, of_several, over_net
from teamops.model.role import CODER, DIRECTOR, PARTNER, REVIEWER, Role

NO = Refusal(rule="write.allow", why="it is not among what REVIEWER may change")


def who(
    role: Role,
    *,
    may: bool = False,
    held_off: bool = False,
    opened: bool = False,
    let: float | None = None,
    refused: float | None = None,
    light: bool = False,
    busy: bool = False,
) -> Candidate:
    return Candidate(
        role=role,
        refusal=None if may else NO,
        held_off=held_off,
        opened=opened,
        let=let,
        refused=refused,
        light=light,
        busy=busy,
    )


TABLE: list[tuple[str, list[Candidate], tuple[Role, ...], bool]] = [
    ("nobody lives there", [], (), False),
    ("who may is there", [who(REVIEWER, light=True), who(CODER, may=True)], (), False),
    ("who may is there, and another was refused it", [who(REVIEWER, refused=2.0), who(CODER, may=True)], (), False),
    ("nobody does anything", [who(REVIEWER), who(PARTNER)], (), False),
    ("one works", [who(REVIEWER, busy=True), who(PARTNER)], (REVIEWER,), False),
    ("the only one works", [who(REVIEWER, busy=True)], (REVIEWER,), True),
    ("the only one has the light, and rests", [who(REVIEWER, light=True)], (REVIEWER,), False),
    ("one holds the light", [who(PARTNER), who(REVIEWER, light=True)], (REVIEWER,), False),
    ("light and work", [who(PARTNER, busy=True), who(REVIEWER, light=True, busy=True)], (REVIEWER, PARTNER), False),
    ("one had it open", [who(CODER, may=True, light=True), who(REVIEWER, opened=True)], (REVIEWER,), True),
    ("both had it open", [who(CODER, may=True, opened=True), who(REVIEWER, opened=True)], (), False),
    ("who may had it open", [who(CODER, may=True, opened=True), who(REVIEWER, light=True)], (), False),
    ("a hook let it through", [who(CODER, may=True), who(REVIEWER, let=1.0)], (REVIEWER,), True),
    ("a hook refused it", [who(PARTNER, light=True), who(REVIEWER, refused=3.0)], (REVIEWER, PARTNER), True),
    ("the kernel holds it off", [who(REVIEWER, held_off=True, light=True), who(PARTNER)], (), False),
    ("the kernel holds the one who may off", [who(CODER, may=True, held_off=True), who(REVIEWER, busy=True)],
     (REVIEWER,), True),
    ("open in spite of the kernel", [who(REVIEWER, held_off=True, opened=True)], (REVIEWER,), True),
    ("open before let before refused", [who(DIRECTOR, let=1), who(REVIEWER, opened=True), who(PARTNER, refused=1)],
     (REVIEWER, DIRECTOR), True),
]  # fmt: skip


@pytest.mark.parametrize(("candidates", "roles", "sure"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_table(candidates: list[Candidate], roles: tuple[Role, ...], sure: bool) -> None:
    blame = attribute(candidates)
    assert (blame.roles if blame else ()) == roles
    assert blame is None or (blame.sure, blame.refusal) == (sure, NO)


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (who(REVIEWER, opened=True), "REVIEWER, or a program of its, had the file open to write"),
        (who(REVIEWER, let=1.6), "REVIEWER's hook let a call about it through 2 s before"),
        (who(REVIEWER, refused=0.0), "REVIEWER's hook refused a call about it 0 s before"),
        (who(REVIEWER, light=True), "REVIEWER holds the light"),
        (who(REVIEWER, light=True, busy=True), "REVIEWER holds the light and was at work"),
        (who(REVIEWER, busy=True), "REVIEWER was at work"),
    ],
)
def test_evidence_in_words(one: Candidate, words: str) -> None:
    blame = attribute([one])
    assert blame is not None
    assert blame.evidence[0] == words


def test_what_is_not_sure_says_so() -> None:
    alone = attribute([who(REVIEWER, light=True)])
    among = attribute([who(REVIEWER, light=True), who(PARTNER)])
    direct = attribute([who(REVIEWER, opened=True)])
    assert alone is not None
    assert among is not None
    assert direct is not None
    assert "nothing shows that it was not you" in alone.evidence[-1]
    assert "nothing shows directly that it was REVIEWER" in among.evidence[-1]
    assert len(direct.evidence) == 1


def test_what_can_t_be_said_is_forbidden_and_undone_by_nobody() -> None:
    unsaid = structs.replace(NO, unsaid=True)
    one = structs.replace(who(REVIEWER, opened=True), refusal=unsaid)
    other = structs.replace(who(PARTNER, opened=True), refusal=unsaid)
    blame = attribute([one, other, who(CODER, may=True)])
    assert blame is not None
    assert not blame.sure
    assert blame.evidence[-1] == "what REVIEWER, PARTNER may change can't be said, so it counts as forbidden"
    assert attribute([one, who(CODER, may=True, opened=True)]) is None


@pytest.mark.parametrize(
    ("lines", "most", "over"),
    [((), 0, False), (((21, 0),), 20, True), (((20, 0),), 20, False), (((100, 90), (10, 0)), 20, False),
     (((0, 50), (60, 0)), 9, True)],
)  # fmt: skip
def test_lines_of_a_turn_are_added_up(lines: tuple[tuple[int, int], ...], most: int, over: bool) -> None:
    said = over_net(lines, most)
    assert bool(said) is over
    if over:
        net = sum(added - removed for added, removed in lines)
        assert said == f"its turn made the files {net} lines longer, and {most} is the most"


def test_blame_is_a_value() -> None:
    blame = attribute([who(REVIEWER, light=True)])
    assert isinstance(blame, Blame)
    assert replace(blame) == blame


def test_only_what_shows_it_is_direct_and_several_acts_are_nobody_s_for_sure() -> None:
    for one, direct in ((who(REVIEWER, opened=True), True), (who(REVIEWER, let=1.0), True)):
        blame = attribute([one])
        assert blame is not None
        assert (blame.direct, blame.sure) == (direct, True)
        several = of_several(blame)
        assert (several.direct, several.sure, several.evidence[-1]) == (False, False, SEVERAL)
    for one in (who(REVIEWER, refused=1.0), who(REVIEWER, busy=True)):
        blame = attribute([one])
        assert blame is not None
        assert (blame.direct, blame.sure) == (False, True)
