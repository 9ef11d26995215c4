"""Every attack is run for real: without a boundary, where it works, and within, where it must not."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import pytest

from teamops.effects.confine import means
from tests.guard.attacks import CLIENTS, GIT, HELD, OTHERS, SYSTEM, WRITES, Attack
from tests.guard.yard import LIMIT_S, NOBODY, Yard, python_of, yard

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


def test_what_a_link_among_settings_leads_to_is_held() -> None:
    """The link itself can be put elsewhere: that is a hole, and said."""
    with yard(os.geteuid()) as here:
        home = here.home / ".claude"
        (home / "mine").mkdir()
        (home / "mine" / "x.md").write_text("mine\n")
        (home / "CLAUDE.md").symlink_to("mine/x.md")
        (home / "commands").symlink_to("mine")
        here.words("DEVELOPER", ["true"])
        before = here.held(ALLOWED["DEVELOPER"])
        script = 'cd "$HOME"/.claude; echo x >> CLAUDE.md; echo x > commands/y.md; echo x > mine/z.md; mv mine m'
        done = here.inside("DEVELOPER", f"({script}); cd $P; echo held > src/control")
        assert (here.project / "src" / "control").read_text() == "held\n", done.stderr.decode()
        assert here.held(ALLOWED["DEVELOPER"]) == before, done.stderr.decode()


@pytest.mark.parametrize("how", ["replaced", "written"])
def test_a_file_that_its_client_saves_outside_meanwhile_is_still_held(how: str) -> None:
    with yard(os.geteuid()) as here:
        own, ready, go = here.home / ".claude.json", here.project / "src" / "ready", here.project / "src" / "go"

        def save() -> None:
            end = time.monotonic() + LIMIT_S
            while not ready.exists() and time.monotonic() < end:
                time.sleep(0.01)
            if how == "replaced":
                (here.home / ".new").write_text('{"saved": true}')
                (here.home / ".new").replace(own)
            else:
                own.write_text('{"saved": true}')
            go.touch()

        person = threading.Thread(target=save)
        person.start()
        script = (
            'touch src/ready; until [ -e src/go ]; do :; done; echo planted > "$HOME"/.claude.json; '
            'echo planted > "$HOME"/.n && mv -f "$HOME"/.n "$HOME"/.claude.json; echo held > src/control'
        )
        done = here.inside("DEVELOPER", script)
        person.join()
        assert (here.project / "src" / "control").read_text() == "held\n", done.stderr.decode()
        assert own.read_text() == '{"saved": true}'


def test_there_are_enough_of_them() -> None:
    assert len({attack.script for attack in (*WRITES, *GIT)}) >= 40
