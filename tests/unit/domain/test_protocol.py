"""The rules as tables: blocks in short notation, and the findings that they raise."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from teamops.domain.limits import Limits
from teamops.domain.protocol import CODES, Protocol, read
from teamops.model.handoff import Block
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
    "DIR>REV t3; REV>DIR back ask:1; DIR>REV say:1; REV>DEV ok none; DEV>REV done gates; REV>DIR ok none; DIR>HUM",
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
    "DIR>COD t2 @a; DIR>REV t3 @b; COD>DIR @a done gates; REV>DEV @b ok none; DIR>NONE @a done gates; DEV>REV @b",
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
        (DESIGNED + "DEV>DIR done gates; DEV>REV; REV>DIR ok none; DIR>HUM done gates", "2 code-review-skipped"),
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
        ("DIR>REV t3; REV>DIR ok none; DIR>DEV t2; DEV>. t2; DEV>REV", "2 tier-lowered; 3 tier-lowered"),
        (DESIGNED + "DEV>DIR t2 done gates", "2 tier-lowered; 2 code-review-skipped"),
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
        (DESIGNED + "DEV>REV done gates in:x; REV>DIR ok none in:x; DIR>HUM done gates", "3 self-review"),
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
        ("DIR>REV t3; REV>DEV ok ask:1; DEV>REV say:1; REV>DIR ok none; DIR>HUM done gates", "4 challenge-unanswered"),
        ("DIR>REV t3; REV>DEV ok ask:1; DEV>DIR blocked; DIR>DEV; DEV>REV", "3 challenge-unanswered"),
        (BUILT + "REV>DEV back ask:1,2; DEV>REV; REV>DIR ok ask:2; DIR>HUM done gates say:1", "6 challenge-unanswered"),
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
        *("gate-contradicted", "forged-sign-off", "appended-by-force"),
        *("block-rewritten", "block-vanished", "block-inserted"),
    }
    raised = {code for _, expected in _fails() for code in re.findall(r"[a-z]+(?:-[a-z]+)+", expected)}
    assert raised == set(CODES) - of_the_ledger - {"echo-chamber"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DIR>REV t3; REV>DEV ok none; DEV>REV done gates; REV>DIR ok none", "3 echo-chamber"),
        ("DIR>REV t3; REV>DEV ok ask:1; DEV>REV done gates; REV>DIR ok none", ""),
        ("DIR>REV t3; REV>DIR back none; DIR>REV; REV>DEV ok none", ""),
        ("DIR>REV t3; REV>DEV ok none; DEV>REV; REV>DEV back none; DEV>REV done gates; REV>DIR ok none", ""),
        ("DIR>REV t3; REV>DEV none; DEV>REV done gates; REV>DIR none", "3 echo-chamber"),
        ("DIR>REV t3; REV>DEV ok none; DEV>REV; REV>DIR blocked; DIR>REV; REV>. ; REV>DIR ok none", "6 echo-chamber"),
        ("DIR>REV t3 @a; DIR>REV t3 @b; REV>DEV @a ok none; REV>DEV @b ok none", "3 echo-chamber"),
        ("DIR>HUM t3; HUM>DIR ok; DIR>REV; REV>DEV ok none", ""),
        ("DIR>REV t3 @a; DIR>REV t3 @b; REV>DEV @a ok ask:1; REV>DEV @b ok none", ""),
        ("; ".join(f"DIR>REV t3 @{n}; REV>DEV @{n} ok none" for n in range(4)), "3 echo-chamber; 7 echo-chamber"),
    ],
)  # fmt: skip
def test_approvals_without_a_challenge_are_counted_over_all_tasks(text: str, expected: str) -> None:
    assert found(text, Limits(approvals_in_a_row=2)) == expected


@pytest.mark.parametrize(
    ("text", "standing", "gates"),
    [
        ("DIR>COD t2", "open", ""),
        ("DIR>COD t2; COD>DIR done gates", "done", "runs correct complete"),
        ("DIR>COD t2; COD>DIR done", "done?", ""),
        ("DIR>COD t2; COD>DIR done gates:runs,correct=fail,complete", "done?", "runs correct complete"),
        ("DIR>COD t2; COD>DIR done; COD>DIR done gates", "done", "runs correct complete"),
        ("DIR>COD t2; COD>DIR done gates; DIR>COD", "open", ""),
        ("DIR>COD t2; COD>DIR done gates; DIR>.", "done", "runs correct complete"),
        (
            "DIR>COD t2; COD>DIR done gates; DIR>NONE done gates:runs!,correct,complete",
            "done?",
            "runs correct complete",
        ),
        ("DIR>COD t2; COD>DIR done gates; DIR>OPT; OPT>DIR done gates:runs", "done?", "runs"),
        ("DIR>COD t2; COD>DIR done gates; HUM>NONE s:thanks", "done", "runs correct complete"),
        ("DIR>COD t2; COD>DIR done gates; HUM>NONE withdrawn", "withdrawn", ""),
        ("DIR>COD t2; COD>DIR done gates; DIR>NONE s:closed_as_wontfix", "withdrawn", ""),
        ("DIR>COD t2; HUM>NONE", "done?", ""),
        ("DIR>COD t2; HUM>NONE gates", "done", "runs correct complete"),
        ("DIR>NONE t1 done; DIR>NONE done gates", "done", "runs correct complete"),
        ("DIR>NONE t1 done gates; DIR>NONE s:note", "done", "runs correct complete"),
        ("DIR>NONE t1 done gates; HUM>NONE s:note", "done", "runs correct complete"),
        ("DIR>NONE t1 done gates; DIR>.", "open", ""),
        (BUILT + "REV>DEV back ask:1", "open", ""),
        (BUILT + "REV>DIR ok none", "done", "runs correct complete"),
        (REVIEWED + "DIR>HUM done gates; HUM>DIR s:sent_back", "open", ""),
        (REVIEWED + "DIR>HUM done gates; HUM>DIR s:question", "done", "runs correct complete"),
        (REVIEWED + "DIR>DEV; DEV>.", "open", ""),
        (BUILT + "DEV>REV s:one_more_file", "done", "runs correct complete"),
        (SIGNED, "done", "runs correct complete"),
        (REVIEWED + "DIR>HUM done gates:runs; HUM>NONE done", "done?", "runs"),
    ],
)
def test_what_done_is_worth(text: str, standing: str, gates: str) -> None:
    (task,) = read(blocks(text), Limits()).tasks
    assert (str(task.standing), " ".join(gate.name for gate in task.gates)) == (standing, gates)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DIR> t2", "design None 0"),
        ("DIR>. t2; DIR>. ; DIR>COD", "design DIRECTOR 0, implement CODER 2"),
        (T2, "implement CODER 0, verify DIRECTOR 1, closed NONE 2"),
        ("DIR>COD t2; COD>DIR blocked; DIR>COD", "implement CODER 0, design DIRECTOR 1, implement CODER 2"),
        ("DIR>COD t2; COD>HUM s:question; HUM>COD", "implement CODER 0, implement HUMAN 1, implement CODER 2"),
        (
            "DIR>REV t3; REV>COD ok none; COD>HUM; HUM>DIR ok; DIR>HUM done gates",
            "design-review REVIEWER 0, implement CODER 1, code-review HUMAN 2, confirm DIRECTOR 3, sign-off HUMAN 4",
        ),
        ("DIR>HUM t3; HUM>DEV; DEV>HUM", "design HUMAN 0, implement DEVELOPER 1, code-review HUMAN 2"),
        (
            "HUM>COD t3; COD>REV; REV>DIR back ask:1; DIR>REV say:1; REV>HUM ok none",
            "implement CODER 0, code-review REVIEWER 1, design DIRECTOR 2, design-review REVIEWER 3, sign-off HUMAN 4",
        ),
        (
            "HUM>COD t3; COD>REV; REV>HUM s:question none; HUM>REV",
            "implement CODER 0, code-review REVIEWER 1, code-review HUMAN 2, code-review REVIEWER 3",
        ),
        ("DIR>OPT t3; OPT>REV done gates", "consult OPTIMIZER 0, code-review REVIEWER 1"),
    ],
)  # fmt: skip
def test_the_way_through_the_stages(text: str, expected: str) -> None:
    (task,) = read(blocks(text), Limits()).tasks
    assert ", ".join(f"{step.stage} {step.holder} {step.index}" for step in task.passages) == expected


def test_a_finding_says_what_is_wrong_where_and_how_to_mend_it_by_appending() -> None:
    (finding,) = read(blocks("DIR>DEV t3 @billing"), Limits()).findings
    assert (finding.line, finding.index, finding.role, finding.task) == (1, 0, "DIRECTOR", "billing")
    assert finding.message == (
        "DIRECTOR gives the tier 3 design of task billing to DEVELOPER, but no design review has let it pass"
    )
    assert finding.hint == "append a [DIRECTOR] block with **Turn**: REVIEWER"
    (finding,) = read(blocks("DIR>COD t2; DIR>DEV"), Limits()).findings
    assert finding.message == (
        "DIRECTOR gives the light to DEVELOPER, but CODER holds the light of task t since line 1:"
        " two roles may work at once"
    )
    assert (
        finding.hint == "append a [DIRECTOR] block that gives it back (**Turn**: CODER), or let HUMAN say whose it is"
    )


def test_an_unanswered_challenge_is_shown_at_its_own_line() -> None:
    reading = read(blocks("DIR>REV t3; REV>DIR back ask:1,2,3; DIR>REV say:2"), Limits())
    assert [(finding.line, finding.index, finding.digest) for finding in reading.findings] == [
        (12, 2, "digest 2"),
        (14, 2, "digest 2"),
    ]
    assert 'in line 21 without an answer to challenge 3 of task t: "point 3"' in reading.findings[1].message


@pytest.mark.parametrize(("text", "expected"), _fails())
def test_every_mending_is_by_appending(text: str, expected: str) -> None:
    del expected
    for finding in read(blocks(text), Limits()).findings:
        assert "append a" in finding.hint or finding.code == "echo-chamber"
        assert len(finding.message) < 200
        assert finding.role is not None
        assert finding.role in finding.message or finding.code == "tier-lowered"


@pytest.mark.parametrize(
    "text",
    [
        "COD>DIR t2; DIR>COD",
        "COD>. t2; DIR>COD",
        "DIR>COD t2; REV>COD none; COD>.",
        "DIR>COD t2; DEV>DIR; DEV>COD; COD>DIR done gates",
        "DIR>COD t2; DEV>DIR; HUM>COD; COD>DIR done gates",
        "DIR>COD t2; DEV>. ; DEV>COD; COD>DIR done gates",
        REVIEWED + "DEV>REV done gates; DEV>DIR done; DIR>HUM done gates",
        REVIEWED + "QA>HUM; QA>DIR; DIR>HUM done gates",
        "DIR>HUM t2; COD>DIR; COD>HUM; HUM>COD",
        "DIR>REV t2; DIR>COD; COD>DIR done gates",
        "DIR>REV t2; DIR>REV t3; REV>DIR ok none",
        "DIR>COD t1; DIR>COD t2; COD>DIR done gates",
        "DIR>DEV t3; DIR>REV; REV>DEV ok none",
        "DIR>NONE t2 done gates; DIR>COD; COD>DIR done gates",
        "DIR>COD t2; COD>NONE done gates; COD>DIR; DIR>NONE done gates",
        "DIR>COD t2; COD>REV done gates; COD>DIR done gates; DIR>NONE done gates",
        "DIR>COD t2; COD>DIR done; COD>DIR done gates; DIR>NONE done gates",
        "DIR>COD t2; COD>DIR done gates:runs=fail,correct,complete; COD>DIR s:not_yet; DIR>COD",
        "DIR>COD t2; COD>DIR done gates t1; COD>DIR done gates t2; DIR>NONE done gates",
        "DIR>NONE t1 done; DIR>NONE done gates",
        "DIR>COD t2; COD>PAR; COD>DIR blocked",
        "DIR>PAR t2; PAR>COD; PAR>DIR; DIR>COD; COD>DIR done gates",
        "DIR>REV t3; REV>DEV back ask:1; REV>DIR back ask:1; DIR>REV say:1",
        "DIR>REV t3; REV>DEV ok; REV>DEV ok none; DEV>REV done gates",
        "DIR>REV t3; REV>DIR back ask:1; DIR>REV; DIR>REV say:1; REV>DEV ok none",
        DESIGNED + "DEV>DIR done gates; DEV>REV done gates; REV>DIR ok none; DIR>HUM done gates",
        BUILT + "REV>DEV ok none; REV>DIR ok none; DIR>HUM done gates",
        BUILT + "REV>DIR blocked; DIR>HUM done gates; DIR>REV; REV>DIR ok none; DIR>HUM done gates",
        BUILT + "REV>DIR back ask:1; DIR>REV say:1; REV>DEV ok; REV>DEV ok none; DEV>REV done gates",
        REVIEWED + "DIR>NONE done gates; DIR>HUM done gates; HUM>NONE",
        REVIEWED + "DIR>HUM done; DIR>HUM done gates; HUM>NONE",
        DESIGNED
        + "DEV>REV done gates in:x; REV>DIR ok none in:x; REV>. in:x; REV>DIR ok none in:y; DIR>HUM done gates",
    ],
)
def test_the_mending_itself_is_legal(text: str) -> None:
    """What the hints tell to append raises nothing new, and the task goes on to its end."""
    reading = read(blocks(text), Limits())
    assert len(reading.findings) == 1, short(reading)


def test_an_unfinished_block_is_judged_when_it_is_complete() -> None:
    protocol = Protocol(Limits())
    before = blocks("DIR>COD t2; COD>REV done ...")
    assert short(protocol.after(before)) == ""
    after = blocks("DIR>COD t2; COD>REV done")
    assert short(protocol.after([before[0], after[1]])) == "1 turn-not-allowed; 1 gates-missing"


def test_outside_words_are_cleaned_where_they_are_quoted() -> None:
    reading = read(blocks("COD>DIR t2 @evil\x1b[2J\x07"), Limits())
    assert "\x1b" not in reading.findings[0].message
    assert "task evil" in reading.findings[0].message


def test_the_table_lists_every_code_with_its_severity_and_meaning() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (\w+) \| ([^|]+) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert {code: (severity, meaning) for code, severity, meaning in rows} == {
        code: (str(severity), meaning) for code, (severity, meaning) in CODES.items()
    }


def _long(count: int) -> list[Block]:
    """Return a long file, half of whose blocks break a rule."""
    way = (
        "DIR>REV t3 {0}; REV>DEV {0} ok ask:1; DEV>REV {0} done gates; REV>DIR {0} ok none; DIR>HUM {0} done;"
        " HUM>NONE {0}; DIR>COD t2 {1}; REV>DIR {1} none; COD>REV {1} done; DIR>NONE {1}; "
    )
    return blocks("".join(way.format(f"@a{n}", f"@b{n}") for n in range(count // 10)))


def test_a_long_file_is_judged_quickly_and_a_new_block_at_once() -> None:
    whole = _long(10_010)
    protocol = Protocol(Limits())
    begun = time.process_time()
    reading = protocol.after(whole[:10_000])
    assert time.process_time() - begun < 1.0
    assert len(reading.findings) > 5_000
    fastest = 1.0
    for count in range(10_001, 10_011):
        begun = time.process_time()
        reading = protocol.after(whole[:count])
        fastest = min(fastest, time.process_time() - begun)
    assert fastest < 0.005
    assert reading == read(whole, Limits())
