from __future__ import annotations

import pytest

from teamops.domain.sending import Sending, begin, failed, gave_up
from teamops.model.handoff import Severity
from teamops.model.page import Page, Receipt, Transition

PAGE = Page(
    id="1", transition=Transition.FIRED, keys=(("c", "s"),), thread="c s", severity=Severity.WARNING, project="shop",
    title="t", body="b", do="d", wall=0.0,
)  # fmt: skip
ORDER = ("phone", "desktop", "bell")
AGAIN = Receipt(ok=False, message="m", retry=True)
NEVER = Receipt(ok=False, message="m")


def course(receipts: list[Receipt], first: int = 0, *, known_bad: bool = False) -> list[tuple[str, float]]:
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
            [Receipt(ok=False, message="m", retry=True, after_s=60.0)], [("phone", 0), ("phone", 60)], id="as it says"
        ),
        pytest.param(
            [Receipt(ok=False, message="m", retry=True, after_s=1e9)],
            [("phone", 0), ("phone", 3600)],
            id="not for ever",
        ),
    ],
)
def test_the_course_of_a_page(receipts: list[Receipt], tries: list[tuple[str, float]]) -> None:
    assert course(receipts) == tries


def test_one_that_failed_the_page_before_is_tried_once() -> None:
    assert course([AGAIN, AGAIN], known_bad=True) == [("phone", 0), ("desktop", 0), ("bell", 0)]


def test_an_escalated_page_begins_further_down_and_goes_round() -> None:
    assert [name for name, _ in course([NEVER, NEVER], first=1)] == ["desktop", "bell", "phone"]
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
