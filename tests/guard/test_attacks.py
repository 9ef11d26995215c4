"""Every attack is run for real: without a boundary, where it works, and within, where it must not."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import pytest

from teamops.effects.confine import means
from tests.guard.attacks import CLIENTS, GIT, HELD, OTHERS, SYSTEM, WRITES, Attack
from tests.guard.yard import NOBODY, Yard, python_of, yard

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.skipif(sys.platform != "linux", reason="Landlock and bwrap are Linux's"),
]
CODE = tuple(replace(attack, role="DEVELOPER") for attack in (*HELD, *CLIENTS))
ATTACKS = (*WRITES, *GIT, *SYSTEM, *OTHERS, *CODE)
ALLOWED = {
    "REVIEWER": ("shop/current.md", "shop/.current.md.lock", "shop/reviews", "shop/.teamops/spool/REVIEWER", "sock"),
    "DEVELOPER": (
        "shop/current.md", "shop/.current.md.lock", "shop/src", "shop/.teamops/spool/DEVELOPER", "sock", "shop/new",
        "shop/docs/guide.md", "state/shop-1/agents/DEVELOPER.plan.client.0",
    ),
}  # fmt: skip
CONTROL = {"REVIEWER": "reviews/control", "DEVELOPER": "src/control"}


def _users() -> list[int]:
    return [os.geteuid(), NOBODY] if os.geteuid() == 0 else [os.geteuid()]


@dataclass
class Place:
    """A yard that lasts for as long as every attack on it is held."""

    uid: int
    here: Yard | None = None
    stack: ExitStack = field(default_factory=ExitStack)

    def ready(self) -> Yard:
        if self.here is None:
            self.stack.close()
            self.here = self.stack.enter_context(yard(self.uid, world=True))
        for folder, kept in (("reviews", "old.md"), ("src", "a.py")):
            for path in (self.here.project / folder).iterdir():
                if path.name != kept:
                    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        return self.here


@pytest.fixture(scope="module", params=_users(), ids=lambda uid: "root" if uid == 0 else f"user-{uid}")
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    uid: int = request.param
    assert means().bwrap, means().lacks
    assert means().landlock, means().lacks
    if not python_of(uid):
        pytest.skip("another user can't read this work tree, or run Python")
    with ExitStack() as stack:
        yield Place(uid, stack=stack)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.role.lower()}: {attack.name}")
def test_an_attack_is_held(attack: Attack, place: Place) -> None:
    if attack.tool and shutil.which(attack.tool) is None:
        pytest.skip(f"there is no {attack.tool} here")
    here = place.ready()
    place.here = None
    here.words(attack.role, ["true"], client=attack.client)  # what a start makes is there before
    before = here.held(ALLOWED[attack.role])
    control = CONTROL[attack.role]
    done = here.inside(attack.role, f"({attack.script}\n) ; echo held > {control}", client=attack.client)
    assert (here.project / control).read_text() == "held\n", done.stderr.decode()
    assert here.held(ALLOWED[attack.role]) == before, done.stderr.decode()
    assert all(process.poll() is None for process in here.processes), "an outside process was ended"
    place.here = here


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
