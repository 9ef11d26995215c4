"""Every attack is run for real: without a boundary, where it works, and within, where it must not."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import replace

import pytest

from teamops.effects.confine import means
from tests.guard.attacks import GIT, HELD, OTHERS, SYSTEM, WRITES, Attack
from tests.guard.yard import NOBODY, python_of, yard

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.skipif(sys.platform != "linux", reason="Landlock and bwrap are Linux's"),
]
CODE = tuple(replace(attack, role="DEVELOPER") for attack in HELD)
ATTACKS = (*WRITES, *GIT, *SYSTEM, *OTHERS, *CODE)
ALLOWED = {
    "REVIEWER": ("shop/current.md", "shop/.current.md.lock", "shop/reviews", "shop/.teamops/spool/REVIEWER", "sock"),
    "DEVELOPER": (
        "shop/current.md", "shop/.current.md.lock", "shop/src", "shop/.teamops/spool/DEVELOPER", "sock", "shop/new",
        "shop/docs/guide.md",
    ),
}  # fmt: skip
CONTROL = {"REVIEWER": "reviews/control", "DEVELOPER": "src/control"}


def _users() -> list[int]:
    return [os.geteuid(), NOBODY] if os.geteuid() == 0 else [os.geteuid()]


@pytest.fixture(params=_users(), ids=lambda uid: "root" if uid == 0 else f"user-{uid}")
def user(request: pytest.FixtureRequest) -> int:
    uid: int = request.param
    if not python_of(uid):
        pytest.skip("another user can't read this work tree, or run Python")
    return uid


def _needs_both() -> None:
    assert means().bwrap, means().lacks
    assert means().landlock, means().lacks


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.role.lower()}: {attack.name}")
def test_an_attack_is_held(attack: Attack, user: int) -> None:
    _needs_both()
    if attack.tool and shutil.which(attack.tool) is None:
        pytest.skip(f"there is no {attack.tool} here")
    with yard(user, world=attack in (*SYSTEM, *OTHERS)) as here:
        here.words(attack.role, ["true"])  # what the start makes is there before
        before = here.held(ALLOWED[attack.role])
        control = CONTROL[attack.role]
        done = here.inside(attack.role, f"({attack.script}\n) ; echo held > {control}")
        assert (here.project / control).read_text() == "held\n", done.stderr.decode()
        assert here.held(ALLOWED[attack.role]) == before, done.stderr.decode()


@pytest.mark.parametrize("attack", [each for each in ATTACKS if each.works_outside], ids=lambda attack: attack.name)
def test_it_is_an_attack(attack: Attack) -> None:
    if attack.tool and shutil.which(attack.tool) is None:
        pytest.skip(f"there is no {attack.tool} here")
    with yard(os.geteuid(), world=attack in (*SYSTEM, *OTHERS)) as here:
        before = here.held(ALLOWED[attack.role])
        done = here.outside(attack.script)
        assert here.held(ALLOWED[attack.role]) != before, done.stderr.decode()


def test_there_are_enough_of_them() -> None:
    assert len({attack.script for attack in (*WRITES, *GIT)}) >= 40
