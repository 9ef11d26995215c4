"""The rules as tables: blocks in short notation, and the findings that they raise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from teamops.domain.limits import Limits
from teamops.domain.protocol import CODES, Protocol, Reading, read
from tests.unit.domain.notation import blocks, found, short

DOCS = Path(__file__).parents[3] / "docs" / "protocol.md"

T2 = "DIR>COD t2; COD>DIR done gates; DIR>NONE done gates"
DESIGNED = "DIR>REV t3; REV>DEV ok none; "
BUILT = DESIGNED + "DEV>REV done gates; "
REVIEWED = BUILT + "REV>DIR ok none; "
SIGNED = REVIEWED + "DIR>HUM done gates; HUM>NONE s:signed_off"

LEGAL = [
    # tier 1
    "DIR>NONE t1 done gates",
    "DIR>. t1; DIR>NONE done gates",
    "DIR>. t1; DIR> s:note; DIR>. s:note; DIR>NONE done gates",
    "DIR>NONE t1 withdrawn",
    "DIR>HUM t1 s:question; HUM>DIR s:answered; DIR>NONE done gates",
    "DIR>OPT t1; OPT>DIR done gates; DIR>NONE done gates",
    "DIR>PAR t1; PAR>DIR s:answered; DIR>NONE done gates",
    "DIR>QA t1; QA>DIR s:looked; DIR>NONE done gates",
    "HUM>DIR t1; DIR>NONE done gates",
    "DIR>. t1; HUM>NONE s:never_mind",
    # tier 2
    T2,
    "DIR>DEV t2 done; DEV>. ; DEV>DIR done gates; DIR>NONE done gates",
    "DIR>COD t2; COD>DIR done gates; DIR>COD s:not_yet; COD>DIR done gates; DIR>NONE done gates",
    "DIR>COD t2; COD>DIR blocked; DIR>COD; COD>DIR done gates; DIR>NONE done gates",
    "DIR>COD t2; COD>HUM s:question; HUM>COD; COD>DIR done gates; DIR>NONE done gates",
    "DIR>COD t2; COD>HUM done gates; HUM>NONE done",
    "DIR>COD t2; COD>DIR done gates; DIR>HUM s:look; HUM>DIR s:fine; DIR>NONE done gates",
    "DIR>COD t2; COD>DIR s:waiting_for_your_review; DIR>NONE done gates",
    "DIR>COD t2; COD>DIR blocked; DIR>DEV; DEV>DIR done gates; DIR>NONE done gates",
    "DIR>COD t2; COD>DIR done gates; DIR>OPT; OPT>DIR done gates; DIR>NONE done gates",
    "DIR>COD t2; COD>DIR done gates; DIR>QA; QA>DIR s:answered; DIR>NONE done gates",
    "DIR>OPT t2; OPT>. s:measuring; OPT>DIR done gates; DIR>NONE done gates",
    "DIR>OPT t2; OPT>DIR s:nothing_to_gain; DIR>NONE done gates",
    "DIR>PAR t2; PAR>DIR s:answered; DIR>COD; COD>DIR done gates; DIR>NONE done gates",
    "DIR>PAR t2; PAR>DIR s:answered; DIR>NONE done gates",
    "DIR>PAR t2; PAR>. ; PAR>HUM s:question; HUM>PAR; PAR>DIR; DIR>NONE done gates",
    "DIR>COD t2; COD>DIR blocked; DIR>NONE withdrawn",
    "DIR>NONE t2 withdrawn",
    "HUM>COD t2; COD>DIR done gates; DIR>NONE done gates",
    "DIR>HUM t2 s:please_build; HUM>DIR done; DIR>NONE done gates",
    "HUM>REV t2; REV>COD none; COD>DIR done gates; DIR>NONE done gates",
    # tier 3
    SIGNED,
    "DIR>REV t3 done; REV>DIR ok none; DIR>COD; COD>REV done gates; REV>DIR ok none; DIR>HUM done gates; HUM>NONE",
    "DIR>REV t3; REV>DIR back ask:1; DIR>REV say:1; REV>DEV ok none; DEV>REV done gates; REV>DIR ok none; DIR>HUM done"
    " gates; HUM>NONE",
    BUILT + "REV>DEV back ask:1; DEV>REV done gates; REV>DIR ok none; DIR>HUM done gates say:1; HUM>NONE",
    BUILT + "REV>DIR back ask:1; DIR>DEV say:1; DEV>REV done gates; REV>DIR ok none; DIR>HUM done gates; HUM>NONE",
    BUILT + "REV>DIR back ask:1; DIR>REV say:1; REV>DIR ok none; DIR>HUM done gates; HUM>NONE",
    BUILT + "REV>DIR back ask:1; DIR>REV say:1; REV>DEV back ask:2; DEV>REV done gates; REV>DIR ok none; DIR>HUM say:2",
    BUILT + "REV>DIR back ask:1; DIR>REV say:1; REV>DIR back ask:2; DIR>DEV say:2; DEV>REV done gates",
    BUILT + "REV>DEV none; DEV>REV done gates; REV>DIR none; DIR>HUM done gates; HUM>NONE",
    DESIGNED + "DEV>. ; DEV>DIR blocked; DIR>REV; REV>DEV ok none; DEV>REV done gates; REV>DIR ok none; DIR>HUM done"
    " gates",
    DESIGNED + "DEV>DIR blocked; DIR>REV; REV>DIR back ask:1; DIR>REV say:1; REV>DIR ok none; DIR>DEV; DEV>REV",
    DESIGNED + "DEV>DIR blocked; DIR>DEV; DEV>REV done gates; REV>DIR ok none; DIR>HUM done gates; HUM>NONE",
    DESIGNED + "DEV>HUM s:question; HUM>DEV; DEV>REV done gates",
    DESIGNED + "DEV>DIR withdrawn; DIR>HUM s:withdrawn; HUM>NONE withdrawn",
    REVIEWED + "DIR>DEV; DEV>REV done gates; REV>DIR ok none; DIR>HUM done gates; HUM>NONE",
    REVIEWED + "DIR>DEV; DEV>DIR blocked; DIR>HUM done gates; HUM>NONE",
    REVIEWED + "DIR>REV; REV>DIR ok none; DIR>HUM done gates; HUM>NONE",
    REVIEWED + "DIR>OPT; OPT>REV done gates; REV>DIR ok none; DIR>HUM done gates; HUM>NONE",
    REVIEWED + "DIR>OPT; OPT>DIR done gates; DIR>REV; REV>DIR ok none; DIR>HUM done gates; HUM>NONE",
    REVIEWED + "DIR>OPT; OPT>DIR blocked; DIR>HUM done gates; HUM>NONE",
    REVIEWED + "DIR>HUM done gates; HUM>DIR s:sent_back; DIR>HUM done gates; HUM>NONE",
    REVIEWED + "DIR>HUM done gates; HUM>DIR back; DIR>HUM done gates; HUM>NONE",
    REVIEWED + "DIR>HUM done gates; HUM>DEV back; DEV>REV done gates; REV>DIR ok none; DIR>HUM done gates; HUM>NONE",
    REVIEWED + "DIR>HUM done gates; HUM>. ; HUM> s:note; HUM>NONE",
    BUILT + "REV>HUM ok none; HUM>NONE",
    BUILT + "REV>DIR blocked; DIR>REV; REV>DIR ok none; DIR>HUM done gates",
    BUILT + "REV>DEV s:question ask:1; DEV>REV done gates; REV>DIR ok none; DIR>HUM done gates say:1",
    BUILT + "REV>. s:reading; REV>DIR ok ask:1; DIR>. ; DIR>. say:1; DIR>HUM done gates; HUM>NONE",
    "DIR>HUM t3 s:question; HUM>DIR; DIR>REV",
    "DIR>HUM t3 done; HUM>DEV; DEV>HUM done gates; HUM>DIR ok; DIR>HUM done gates; HUM>NONE",
    "DIR>HUM t3; HUM>DIR ok; DIR>DEV; DEV>REV done gates; REV>DIR ok none",
    "DIR>HUM t3; HUM>DIR back ask:1; DIR>HUM say:1; HUM>DIR ok; DIR>DEV",
    "DIR>REV t3; REV>HUM ok none; HUM>REV done; REV>DIR ok none; DIR>HUM done gates; HUM>NONE",
    "DIR>REV t3; HUM>DEV; DEV>REV done gates",
    "DIR>PAR t3; PAR>DIR s:answered; DIR>PAR; PAR>DIR; DIR>REV",
    "DIR>PAR t3; PAR>DIR s:answered; DIR>NONE done gates",
    "DIR>OPT t3; OPT>REV done gates; REV>DIR ok none; DIR>HUM done gates; HUM>NONE",
    "DIR>QA t3; QA>DIR; DIR>REV",
    BUILT + "HUM>PAR; PAR>HUM; HUM>REV; REV>DIR ok none",
    BUILT + "HUM>NONE s:good_enough",
    # tiers change
    "DIR>COD t2; COD>DIR done gates t2; DIR>REV t3; REV>DIR ok none; DIR>HUM done gates; HUM>NONE",
    "DIR>COD t2; COD>DIR done gates; DIR>COD t3; COD>REV done gates; REV>DIR ok none; DIR>HUM done gates",
    "DIR>. t1; DIR>COD t2; COD>DIR t2 done gates; DIR>NONE done gates",
    "DIR>. t3; HUM>DIR t2; DIR>COD t2; COD>DIR done gates; DIR>NONE done gates",
    "DIR>COD; COD>DIR done gates; DIR>REV; REV>DIR none; DIR>NONE done gates",
    # again
    "DIR>NONE t1 done gates; DIR>. ; DIR>NONE done gates",
    "DIR>NONE t1 done gates; DIR> s:note; HUM> s:thanks; DIR>NONE done; DIR>NONE s:note",
    "DIR>NONE t1 done gates; HUM>DIR; DIR>NONE done gates",
    T2 + "; DIR>COD; COD>DIR done gates; DIR>NONE done gates",
    SIGNED + "; DIR>REV; REV>DEV ok none; DEV>REV done gates; REV>DIR ok none; DIR>HUM done gates; HUM>NONE",
    # several tasks at once, and none
    "DIR>COD t2 @a; DIR>REV t3 @b; COD>DIR @a done gates; REV>DEV @b ok none; DIR>NONE @a done gates; DEV>REV @b done gates",
    "DIR>COD t2 @a; COD>DIR @A done gates; DIR>NONE @a done gates",
    "DIR>COD t2 @; DIR>NONE t1 @x done gates; COD>DIR @ done gates; DIR>NONE @ done gates",
    "DIR>COD t2 @a; DIR>PAR t1 @b; PAR>DIR @b; DIR>NONE @b done gates; COD>DIR @a done gates",
    # still in writing
    "DIR>COD t2; REV>NONE ...",
    "",
]


def _fails() -> list[tuple[str, str]]:
    return [
        # who may write
        ("COD>DIR t2", "0 not-holder"),
        ("PAR>DIR t2", "0 not-holder"),
        ("REV> t3", "0 not-holder"),
        ("COD>. t2; DIR>COD", "0 not-holder"),
        (T2 + "; COD>DIR", "3 not-holder"),
        (T2 + "; COD> s:note", "3 not-holder"),
        (T2 + "; REV>NONE", "3 not-holder"),
        ("DIR>COD t2; DIR>COD", "1 not-holder"),
        ("DIR>COD t2; DIR> s:note", "1 not-holder"),
        ("DIR>COD t2; DIR>NONE withdrawn", "1 not-holder"),
        ("DIR>COD t2; REV>COD none", "1 not-holder"),
        ("DIR>COD t2; QA>COD; QA>COD", "1 not-holder; 2 not-holder"),
        ("DIR> t2; COD>DIR", "1 not-holder"),
        # two lights
        ("DIR>COD t2; DIR>DEV", "1 two-lights"),
        ("DIR>COD t2; DIR>.", "1 two-lights"),
        ("DIR>COD t2; DEV>DIR done gates", "1 two-lights"),
        ("DIR>COD t2; REV>DIR none", "1 two-lights"),
        ("DIR>REV t3; DEV>REV done gates; REV>DEV ok none", "1 not-holder"),
        ("DIR>HUM t3; DIR>REV", "1 two-lights"),
        ("DIR>COD t2 @a; DIR>DEV @A", "1 two-lights"),
        ("HUM>DIR t2; COD>REV", "1 two-lights"),
        # ... and what comes after them
        ("DIR>COD t2; DEV>HUM; COD>DIR done gates; DIR>NONE done gates", "1 two-lights"),
        ("DIR>COD t2; DEV>DIR; DIR>NONE done gates", "1 two-lights"),
        ("DIR>COD t2; DIR>DEV; DEV>DIR done gates; DIR>NONE done gates", "1 two-lights"),
        ("DIR>COD t2; DIR>DEV; DIR>COD; COD>DIR done gates", "1 two-lights"),
        ("DIR>COD t2; DIR>DEV; DIR>OPT; COD>DIR done gates", "1 two-lights; 2 two-lights"),
        ("DIR>COD t2; DIR>DEV; DEV>. ; COD>DIR done gates", "1 two-lights; 3 two-lights"),
        ("DIR>COD t2; REV>DIR none; QA>HUM; COD>DIR done gates", "1 two-lights; 2 two-lights"),
        ("DIR>COD t2; REV>NONE none; COD>DIR done gates; DIR>NONE done gates", "1 not-holder"),
        (REVIEWED + "DEV>REV done gates; DIR>HUM done gates; HUM>NONE", "4 two-lights"),
        # where the light may go
        ("DIR>COD t1; COD>DIR done gates; DIR>NONE done gates", "0 turn-not-allowed"),
        ("DIR>REV t1; REV>DIR none; DIR>NONE done gates", "0 turn-not-allowed"),
        ("DIR>REV t2", "0 turn-not-allowed"),
        ("DIR>COD t2; COD>REV done gates", "1 turn-not-allowed"),
        ("DIR>COD t2; COD>DEV done gates", "1 turn-not-allowed"),
        ("DIR>COD t2; COD>OPT done gates", "1 turn-not-allowed"),
        ("DIR>COD t2; COD>QA", "1 turn-not-allowed"),
        ("DIR>COD t1; COD>NONE done gates", "0 turn-not-allowed; 1 turn-not-allowed"),
        ("DIR>OPT t2; OPT>COD", "1 turn-not-allowed"),
        ("DIR>OPT t2; OPT>REV done gates", "1 turn-not-allowed"),
        ("DIR>OPT t2; OPT>NONE done gates", "1 turn-not-allowed"),
        ("DIR>QA t3; QA>DEV", "1 turn-not-allowed"),
        ("DIR>REV t3; REV>DEV back ask:1", "1 turn-not-allowed"),
        ("DIR>REV t3; REV>OPT ok none", "1 turn-not-allowed"),
        (BUILT + "REV>DEV ok none", "3 turn-not-allowed"),
        (DESIGNED + "DEV>COD s:help_me", "2 turn-not-allowed"),
        (DESIGNED + "DEV>. ; DEV>DIR blocked; DIR>REV; REV>DEV back ask:1", "5 turn-not-allowed"),
        ("HUM>REV t1; REV>COD none", "1 turn-not-allowed"),
        ("HUM>REV t2; REV>NONE none", "1 turn-not-allowed"),
        ("DIR>COD t2; COD>DIR done gates; HUM>REV; REV>NONE none", "3 turn-not-allowed"),
        ("DIR>REV t2; DIR>COD; COD>DIR done gates; DIR>NONE done gates", "0 turn-not-allowed"),
        # the design review
        ("DIR>DEV t3", "0 design-review-skipped"),
        ("DIR>DEV t3; DEV>REV done gates; REV>DIR ok none; DIR>HUM done gates; HUM>NONE", "0 design-review-skipped"),
        ("DIR>DEV t3; DIR>REV; REV>DEV ok none; DEV>REV", "0 design-review-skipped"),
        ("DIR>REV t3; REV>DIR back ask:1; DIR>DEV say:1", "2 design-review-skipped"),
        ("DIR>REV t3; REV>DIR ok none; DIR>REV; REV>DIR back ask:1; DIR>COD say:1", "4 design-review-skipped"),
        ("DIR>REV t3; REV>DIR blocked; DIR>DEV", "2 design-review-skipped"),
        ("DIR>REV t3; DIR>DEV", "1 two-lights; 1 design-review-skipped"),
        ("DIR>PAR t3; PAR>DIR; DIR>DEV", "2 design-review-skipped"),
        ("DIR>OPT t3; OPT>DIR done gates; DIR>DEV", "2 design-review-skipped"),
        (DESIGNED + "DEV>DIR blocked; DIR>REV; REV>DIR back ask:1; DIR>DEV say:1", "5 design-review-skipped"),
        (SIGNED + "; DIR>DEV", "6 design-review-skipped"),
        ("DIR>HUM t3; HUM>DIR; DIR>DEV", "2 design-review-skipped"),
        ("DIR>HUM t3; HUM>DIR back; DIR>DEV", "2 design-review-skipped"),
        # the code review
        (DESIGNED + "DEV>DIR done gates", "2 code-review-skipped"),
        (DESIGNED + "DEV>DIR s:half_of_it", "2 code-review-skipped"),
        (DESIGNED + "DEV>DIR done gates; DEV>REV done gates; REV>DIR ok none; DIR>HUM done gates", "2 code-review-skipped"),
        (DESIGNED + "DEV>DIR done gates; DIR>REV; REV>DIR ok none; DIR>HUM done gates", "2 code-review-skipped"),
        (DESIGNED + "DEV>DIR done gates; DIR>HUM done gates", "2 code-review-skipped; 3 code-review-skipped"),
        (DESIGNED + "DEV>. ; DEV>DIR blocked; DIR>HUM done gates", "4 code-review-skipped"),
        (BUILT + "REV>DIR back ask:1; DIR>HUM done gates say:1", "4 code-review-skipped"),
        (BUILT + "REV>DIR blocked; DIR>HUM done gates", "4 code-review-skipped"),
        (BUILT + "DIR>HUM done gates", "3 two-lights; 3 code-review-skipped"),
        (BUILT + "REV>HUM none; HUM>DIR; DIR>HUM done gates", "5 code-review-skipped"),
        (REVIEWED + "DIR>DEV; DEV>. ; DEV>DIR blocked; DIR>HUM done gates", "7 code-review-skipped"),
        (REVIEWED + "DIR>OPT; OPT>DIR done gates; DIR>HUM done gates", "6 code-review-skipped"),
        (REVIEWED + "DIR>QA; QA>DIR; DIR>HUM done gates", "6 code-review-skipped"),
        ("DIR>HUM t3; HUM>DEV; DEV>HUM done gates; HUM>DIR; DIR>HUM done gates", "4 code-review-skipped"),
        ("DIR>COD t2; COD>DIR done gates; DIR>HUM t3 done gates", "2 code-review-skipped"),
        # the sign-off
        (REVIEWED + "DIR>NONE done gates", "4 sign-off-skipped"),
        (REVIEWED + "DIR>NONE done gates; DIR>HUM done gates; HUM>NONE", "4 sign-off-skipped"),
        (REVIEWED + "DIR>NONE done gates; HUM> s:hm; DIR>HUM done gates; HUM>NONE", "4 sign-off-skipped"),
        (BUILT + "REV>NONE ok none", "3 sign-off-skipped"),
        (BUILT + "REV>NONE back ask:1", "3 code-review-skipped; 3 sign-off-skipped"),
        (DESIGNED + "DEV>NONE done gates", "2 code-review-skipped; 2 sign-off-skipped"),
        (DESIGNED + "DIR>NONE withdrawn", "2 not-holder; 2 sign-off-skipped"),
        ("DIR>NONE t3 withdrawn", "0 sign-off-skipped"),
        ("DIR>NONE t3 done gates", "0 build-skipped; 0 sign-off-skipped"),
        ("DIR>PAR t3; PAR>NONE", "1 sign-off-skipped"),
        ("DIR>OPT t3; OPT>DIR done gates; DIR>NONE done gates", "2 code-review-skipped; 2 sign-off-skipped"),
        ("DIR>QA t3; QA>DIR; DIR>NONE done gates", "2 build-skipped; 2 sign-off-skipped"),
        # nothing built
        ("DIR>NONE t2 done gates", "0 build-skipped"),
        ("DIR>NONE t2 done gates; DIR>COD; COD>DIR done gates; DIR>NONE done gates", "0 build-skipped"),
        ("DIR>COD t2; COD>DIR blocked; DIR>NONE done gates", "2 build-skipped"),
        ("DIR>HUM t2 s:question; HUM>DIR s:answered; DIR>NONE done gates", "2 build-skipped"),
        ("DIR>REV t3; REV>DIR ok none; DIR>HUM done", "2 build-skipped"),
        ("DIR>HUM t3 done gates", "0 build-skipped"),
        # the verification
        ("DIR>COD t2; COD>NONE done gates", "1 verify-skipped"),
        ("DIR>COD t2; COD>NONE withdrawn", "1 verify-skipped"),
        ("DIR>COD t2; COD>NONE done gates; COD>DIR; DIR>NONE done gates", "1 verify-skipped"),
        ("DIR>COD t2; COD>NONE done gates; DIR>NONE done gates", "1 verify-skipped"),
        # the tier
        ("DIR>COD t2; COD>DIR t1 done gates; DIR>NONE done gates", "1 tier-lowered"),
        ("DIR>REV t3; REV>DIR ok none; DIR>DEV t2; DEV>DIR t2 done gates", "2 tier-lowered; 3 tier-lowered; 3 code-review-skipped"),
        ("DIR>COD t2; HUM> t1; HUM>COD t2; COD> t1", "3 tier-lowered"),
        # PARTNER
        ("DIR>COD t2; COD>DIR blocked; DIR>PAR; PAR>DIR; DIR>COD", "2 partner-in-loop"),
        (BUILT + "REV>DIR ok none; DIR>PAR; PAR>DIR; DIR>HUM done gates", "4 partner-in-loop"),
        ("DIR>REV t3; REV>PAR ok none; PAR>DIR", "1 partner-in-loop"),
        ("DIR>COD t2; COD>PAR; PAR>DIR", "1 partner-in-loop"),
        ("DIR>OPT t2; OPT>PAR", "1 partner-in-loop"),
        ("DIR>PAR t2; PAR>COD; COD>DIR done gates", "1 partner-in-loop"),
        ("DIR>PAR t1; PAR>NONE", "1 partner-in-loop"),
        ("DIR>PAR t3; PAR>DEV", "1 partner-in-loop"),
        ("DIR>COD t2; PAR>COD", "1 not-holder; 1 partner-in-loop"),
        ("DIR>COD t2; PAR>DIR", "1 two-lights; 1 partner-in-loop"),
        ("DIR>QA t2; PAR>QA", "1 not-holder"),
        ("DIR>COD; COD>DIR blocked; DIR>PAR", "2 partner-in-loop"),
        # reviews of one's own
        (DESIGNED + "DEV>REV done gates ok; REV>DIR ok none", "2 self-review"),
        (BUILT + "DEV>DIR ok; DIR>HUM done gates", "3 two-lights; 3 self-review; 3 code-review-skipped"),
        (BUILT + "DEV>DIR", "3 two-lights; 3 self-review; 3 code-review-skipped"),
        (BUILT + "DEV>DIR blocked", "3 two-lights"),
        (BUILT + "DEV>REV s:forgot_a_line", "3 not-holder"),
        (BUILT + "COD>DIR ok", "3 two-lights; 3 code-review-skipped"),
        ("DIR>REV t3; REV>DEV ok none; DEV>REV done gates in:x; REV>DIR ok none in:x; DIR>HUM done gates", "3 self-review"),
        ("DIR>REV t3; REV>DEV ok none in:x; DEV>REV done gates in:y; REV>DIR ok none in:x", ""),
        (DESIGNED + "DEV>REV done gates in:x; REV>DIR none in:x", "3 self-review"),
        (DESIGNED + "DEV>REV done gates in:x; REV>. in:x; REV>DIR blocked in:x", ""),
        (DESIGNED + "DEV>REV done gates in:x; REV>. ok in:x", "3 self-review"),
        ("DIR>OPT t3; OPT>REV done gates in:x; REV>DIR ok none in:x", "2 self-review"),
        ("DIR>OPT t2; OPT>DIR done gates ok", ""),
        ("DIR>OPT t2; OPT>DIR done gates; DIR>OPT; OPT>DIR ok", "3 self-review"),
        # gates
        ("DIR>COD t2; COD>DIR done", "1 gates-missing"),
        ("DIR>COD t2; COD>DIR s:finished", "1 gates-missing"),
        ("DIR>COD t2; COD>DIR done gates:runs,correct", "1 gates-missing"),
        ("DIR>COD t2; COD>DIR done gates:runs!,correct,complete", "1 gate-unproven"),
        ("DIR>COD t2; COD>DIR done gates:runs!,correct!,complete", "1 gate-unproven"),
        ("DIR>COD t2; COD>DIR done gates:runs=fail,correct,complete", "1 gate-failed"),
        ("DIR>COD t2; COD>DIR done gates:runs=unknown!,correct,complete", "1 gate-failed"),
        ("DIR>COD t2; COD>DIR done gates:runs,correct,complete,lint=fail", "1 gate-failed"),
        ("DIR>COD t2; COD>DIR done gates:runs,correct,complete,lint", ""),
        ("DIR>COD t2; COD>DIR done gates:runs!,correct=fail", "1 gates-missing; 1 gate-failed; 1 gate-unproven"),
        ("DIR>COD t2; COD>. done", ""),
        ("DIR>COD t2; COD> done", ""),
        ("DIR>COD t2; COD>DIR s:half_done", ""),
        ("DIR>COD t2; COD>DIR done; COD>DIR done gates; DIR>NONE done gates", "1 gates-missing"),
        ("DIR>COD t2; COD>DIR done gates; DIR>NONE done", "2 gates-missing"),
        ("DIR>COD t2; COD>DIR done gates; DIR>NONE s:closed", "2 gates-missing"),
        ("DIR>COD t2; COD>DIR done gates; DIR>NONE", "2 gates-missing"),
        ("DIR>COD t2; COD>DIR done gates; DIR>NONE done; DIR>NONE done gates", "2 gates-missing"),
        ("DIR>NONE t1 done", "0 gates-missing"),
        ("DIR>NONE t1 done; DIR>NONE done gates:runs,correct", "0 gates-missing; 1 gates-missing"),
        ("DIR>PAR t1; PAR>DIR; DIR>NONE done", "2 gates-missing"),
        ("DIR>OPT t1; OPT>DIR done; DIR>NONE done gates", "1 gates-missing"),
        (DESIGNED + "DEV>REV done", "2 gates-missing"),
        (DESIGNED + "DEV>HUM done", "2 gates-missing"),
        (REVIEWED + "DIR>HUM done", "4 gates-missing"),
        (REVIEWED + "DIR>HUM s:question", ""),
        (REVIEWED + "DIR>HUM done gates:runs,correct,complete!", "4 gate-unproven"),
        # challenges
        ("DIR>REV t3; REV>DEV ok", "1 no-challenges"),
        ("DIR>REV t3; REV>DEV ok none!", "1 no-challenges"),
        ("DIR>REV t3; REV>DIR back", "1 no-challenges"),
        ("DIR>REV t3; REV>DIR", "1 no-challenges"),
        ("DIR>REV t3; REV>DIR blocked ok", "1 no-challenges"),
        ("DIR>REV t3; REV>HUM", "1 no-challenges"),
        ("DIR>REV t3; REV>HUM blocked", ""),
        ("DIR>REV t3; REV>. ok", ""),
        ("DIR>REV t3; REV>DEV ok; REV>DEV ok none; DEV>REV", "1 no-challenges"),
        ("DIR>REV t3; REV>DIR back ask:1; DIR>REV", "2 challenge-unanswered"),
        ("DIR>REV t3; REV>DIR back ask:1,2,3; DIR>REV say:2", "2 challenge-unanswered; 2 challenge-unanswered"),
        ("DIR>REV t3; REV>DIR back ask:1; DIR>REV; DIR>REV say:1; REV>DEV ok none", "2 challenge-unanswered"),
        ("DIR>REV t3; REV>DIR back ask:1; DIR>. ; DIR>HUM", "3 challenge-unanswered"),
        ("DIR>REV t3; REV>DEV ok ask:1; DEV>REV done gates say:1; REV>DIR ok none; DIR>HUM done gates", "4 challenge-unanswered"),
        ("DIR>REV t3; REV>DEV ok ask:1; DEV>DIR blocked; DIR>DEV; DEV>REV", "3 challenge-unanswered"),
        (BUILT + "REV>DEV back ask:1,2; DEV>REV done gates; REV>DIR ok ask:2; DIR>HUM done gates say:1", "6 challenge-unanswered"),
        (BUILT + "REV>DIR ok ask:1; DIR>NONE done gates", "4 sign-off-skipped; 4 challenge-unanswered"),
        (BUILT + "REV>DIR ok ask:1; HUM>DIR say:1; DIR>HUM done gates", ""),
        (BUILT + "REV>DIR ok ask:1; HUM>NONE; DIR>REV", ""),
        ("DIR>HUM t3; HUM>DIR back ask:1; DIR>HUM", "2 challenge-unanswered"),
        ("DIR>COD t2; COD>DIR done gates ask:1; DIR>NONE done gates", ""),
    ]  # fmt: skip


@pytest.mark.parametrize("text", LEGAL)
def test_what_is_legal_raises_no_finding(text: str) -> None:
    assert found(text) == ""


@pytest.mark.parametrize(("text", "expected"), _fails())
def test_what_is_found(text: str, expected: str) -> None:
    assert found(text) == expected


def test_every_code_that_blocks_alone_can_raise_stands_in_the_table() -> None:
    of_the_ledger = {
        "gate-contradicted", "forged-sign-off", "block-rewritten", "block-vanished", "block-inserted", "appended-by-force",
    }  # fmt: skip
    raised = {code for _, expected in _fails() for code in re.findall(r"[a-z]+(?:-[a-z]+)+", expected)}
    assert raised == set(CODES) - of_the_ledger - {"echo-chamber"}
