from __future__ import annotations

from dataclasses import replace

import pytest
from msgspec import structs

from teamops.domain.sending import LONGEST_S, PERHAPS, Course, Sending, begin, course, failed, gave_up, resume
from teamops.model.handoff import Severity
from teamops.model.page import Page, Receipt, Transition

PAGE = Page(
    id="1", transition=Transition.FIRED, keys=(("c", "s"),), thread="c s", severity=Severity.WARNING, project="shop",
    title="t", body="b", do="d", wall=0.0,
)  # fmt: skip
ORDER = ("phone", "desktop", "bell")
AGAIN = Receipt(ok=False, message="m", retry=True)
NEVER = Receipt(ok=False, message="m")


def play(receipts: list[Receipt], first: int = 0, *, known_bad: bool = False) -> list[tuple[str, float]]:
    """Return by which channel and when a page is tried, each of ``receipts`` the answer to a try."""
    one = begin(PAGE, ORDER, first, 0.0)
    out = [(one.channel, one.due)]
    for receipt in receipts:
        one = failed(one, receipt, one.due, known_bad=known_bad)
        out.append((one.channel, one.due))
    return out


@pytest.mark.parametrize(
    ("receipts", "tries"),
    [
        pytest.param([], [("phone", 0)], id="at once"),
        pytest.param([AGAIN], [("phone", 0), ("phone", 2)], id="again"),
        pytest.param([AGAIN] * 3, [("phone", 0), ("phone", 2), ("phone", 10), ("desktop", 10)], id="then the next"),
        pytest.param([NEVER], [("phone", 0), ("desktop", 0)], id="the next at once where trying again is no use"),
        pytest.param(
            [NEVER] * 4, [("phone", 0), ("desktop", 0), ("bell", 0), ("phone", 15), ("desktop", 15)], id="a new lap"
        ),
        pytest.param(
            [NEVER] * 12,
            [(name, at) for at in (0, 15, 75, 375) for name in ORDER] + [("phone", 675)],
            id="ever later, and never given up",
        ),
        pytest.param(
            [Receipt(ok=False, message="m", retry=True, after_s=9.0)], [("phone", 0), ("phone", 9)], id="as it says"
        ),
        pytest.param(
            [Receipt(ok=False, message="m", retry=True, after_s=60.0)],
            [("phone", 0), ("desktop", 0)],
            id="no page waits for one that wants a rest while there is another",
        ),
    ],
)
def test_the_course_of_a_page(receipts: list[Receipt], tries: list[tuple[str, float]]) -> None:
    assert play(receipts) == tries


@pytest.mark.parametrize(("after_s", "pause"), [(60.0, 60.0), (1e9, LONGEST_S), (-1.0, 0.0)])
def test_the_only_channel_is_waited_for_as_it_says_but_not_for_ever(after_s: float, pause: float) -> None:
    wait = Receipt(ok=False, message="m", retry=True, after_s=after_s)
    one = failed(begin(PAGE, ("phone",), 0, 5.0), wait, 5.0, known_bad=False)
    assert (one.channel, one.due, one.tries, one.laps) == ("phone", 5.0 + pause, 1, 0)


def test_one_that_failed_the_page_before_is_tried_once() -> None:
    assert play([AGAIN, AGAIN], known_bad=True) == [("phone", 0), ("desktop", 0), ("bell", 0)]


def test_an_escalated_page_begins_further_down_and_goes_round() -> None:
    assert [name for name, _ in play([NEVER, NEVER], first=1)] == ["desktop", "bell", "phone"]
    assert begin(PAGE, ("phone",), 3, 0.0).channel == "phone", "a channel fewer than when it was decided"


def test_a_channel_is_given_up_when_another_is_next() -> None:
    one = begin(PAGE, ORDER, 0, 0.0)
    again = failed(one, AGAIN, 0.0, known_bad=False)
    assert (one.fresh, again.fresh) == (True, False)
    assert not gave_up(one, again)
    assert gave_up(again, failed(again, NEVER, 0.0, known_bad=False))
    alone = begin(PAGE, ("bell",), 0, 0.0)
    assert gave_up(alone, failed(alone, NEVER, 0.0, known_bad=False)), "its lap is over"


def test_a_page_on_its_way_is_a_value() -> None:
    assert begin(PAGE, ORDER, 0, 1.0) == Sending(page=PAGE, channels=ORDER, due=1.0)


# over lives


def test_the_next_life_goes_on_where_the_last_one_was() -> None:
    one = begin(PAGE, ORDER, 1, 0.0)
    for receipt in (AGAIN, NEVER, NEVER, NEVER, AGAIN):
        one = failed(one, receipt, one.due, known_bad=False)
    kept = course(one, one.due - 2.0, 1000.0)
    assert kept == Course(channel="desktop", tries=1, laps=1, due_wall=1002.0)
    again = resume(PAGE, ORDER, 1, kept, 70.0, 1001.0)
    assert again == replace(one, due=71.0, left=True, parts={})
    assert resume(PAGE, ORDER, 1, kept, 70.0, 5000.0).due == 70.0
    assert resume(PAGE, ORDER, 1, kept, 70.0, -9e9).due == 70.0 + LONGEST_S, "a clock that was set back"
    assert resume(PAGE, ORDER, 0, Course(), 70.0, 1.0) == replace(begin(PAGE, ORDER, 0, 70.0), left=True)
    gone = resume(PAGE, ("phone",), 0, kept, 70.0, 1001.0)
    assert (gone.channel, gone.tries, gone.laps) == ("phone", 0, 0), "that channel is in use no longer"


def test_what_was_cut_off_goes_by_its_channel_once_more_and_says_so() -> None:
    kept = Course(channel="phone", tries=2, due_wall=9.0, cut_off="desktop")
    one = resume(PAGE, ORDER, 0, kept, 0.0, 10.0)
    assert (one.channel, one.tries) == ("desktop", 0)
    assert one.given == replace(PAGE, body=f"b\n{PERHAPS}")
    after = failed(one, NEVER, 1.0, known_bad=False)
    assert after.given == PAGE, "the next channel has never seen it"
    assert resume(PAGE, ORDER, 0, replace(kept, cut_off="phone"), 0.0, 10.0).tries == 2


def test_what_of_it_is_done_with_is_kept_for_its_channel() -> None:
    some = structs.replace(AGAIN, parts=(("0", True),))
    one = failed(begin(PAGE, ORDER, 0, 0.0), some, 0.0, known_bad=False)
    assert one.given.parts == (("0", True),)
    one = failed(one, AGAIN, 1.0, known_bad=False)  # cut off: it tells of none
    assert one.given.parts == (("0", True),)
    one = failed(one, structs.replace(AGAIN, parts=(("0", True), ("1", False))), 2.0, known_bad=False)
    assert (one.channel, one.given) == ("desktop", PAGE)
    assert one.parts["phone"] == (("0", True), ("1", False))
    assert one.heard


def test_what_was_refused_is_tried_again_when_all_channels_are() -> None:
    refused = structs.replace(NEVER, parts=(("0", True), ("1", False)))
    one = failed(begin(PAGE, ("phone",), 0, 0.0), refused, 0.0, known_bad=False)
    assert (one.laps, one.given.parts) == (1, (("0", True),))
    alone = failed(begin(PAGE, ("phone",), 0, 0.0), structs.replace(NEVER, parts=(("0", False),)), 0.0, known_bad=False)
    assert (alone.given, alone.heard) == (PAGE, False)
    left = resume(PAGE, ORDER, 0, Course(parts={"phone": (("0", True), ("1", False))}), 0.0, 10.0)
    assert left.given.parts == (("0", True),)
