from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from teamops.config.settings import Settings
from teamops.model.errors import TeamopsError
from teamops.sources.clock import Clock
from teamops.supervisor import run
from teamops.supervisor.lease import Lease, state_dir_of

HOLD = """
import sys
import threading
from pathlib import Path
from teamops.supervisor.lease import Lease
lease = Lease(Path(sys.argv[1]))
print(lease.acquire(12.0), flush=True)
sys.stdin.read()
"""


def test_one_holds_the_others_see_who(tmp_path: Path) -> None:
    first, second = Lease(tmp_path), Lease(tmp_path)
    assert second.holder() is None
    assert first.acquire(5.0)
    assert first.acquire(6.0)
    assert not second.acquire(7.0)
    assert not second.held
    for lease in (first, second):
        holder = lease.holder()
        assert holder is not None
        assert (holder.pid, holder.since_wall) == (os.getpid(), 5.0)
    first.release()
    first.release()
    assert second.holder() is None
    assert second.acquire(8.0)
    second.release()


def test_kill_9_gives_the_lease_back(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == "True"
        mine = Lease(tmp_path)
        assert not mine.acquire(1.0)
        holder = mine.holder()
        assert holder is not None
        assert holder.pid == other.pid
        other.send_signal(signal.SIGKILL)
        other.wait(10)
        assert mine.holder() is None
        assert mine.acquire(2.0)
        mine.release()


def test_garbage_in_the_file_harms_nothing(tmp_path: Path) -> None:
    (tmp_path / "lease").write_bytes(b"\xff{")
    lease = Lease(tmp_path)
    assert lease.holder() is None
    assert lease.acquire(1.0)
    lease.release()


def test_each_project_has_its_own_folder(tmp_path: Path) -> None:
    def settings(root: str, project: str = "shop/../x") -> Settings:
        return Settings(root=tmp_path / root, project=project, handoff=tmp_path / root / "current.md", roles=())

    one, two = state_dir_of(settings("a"), tmp_path), state_dir_of(settings("b"), tmp_path)
    assert one != two
    assert one.parent == tmp_path
    assert state_dir_of(settings("a"), tmp_path) == one


def test_others_see_when_the_holder_went_round(tmp_path: Path) -> None:
    mine, other = Lease(tmp_path), Lease(tmp_path)
    mine.say_round(1.0)
    assert not (tmp_path / "lease").exists(), "who holds nothing says nothing"
    assert mine.acquire(5.0)
    holder = other.holder()
    assert holder is not None
    assert holder.round_age(100.0) is None
    for machine in (90.0, 1e9 + 0.123456789):
        mine.say_round(machine)
        holder = other.holder()
        assert holder is not None
        assert holder.round_at == machine
        assert holder.since_wall == 5.0
        assert holder.round_age(machine + 10) == 10
        assert holder.round_age(machine - 10) == 0
    mine.release()


async def test_one_that_hangs_before_its_first_round_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = []

    @asynccontextmanager
    async def hanging(_: object, folder: Path, *__: object, **___: object) -> AsyncIterator[None]:
        told.append(Lease(folder).holder())
        if told:
            raise TeamopsError("it gets no further", "")
        yield

    monkeypatch.setattr(run, "living", hanging)
    settings = Settings(root=tmp_path, project="a", handoff=tmp_path / "current.md", roles=(), source=None)
    with pytest.raises(TeamopsError, match="no further"):
        await run.supervise_forever(settings, lambda _: None, state_dir=tmp_path, clock=Clock(lambda: 90.0))
    (holder,) = told
    assert holder is not None
    assert holder.round_age(100.0) == 10.0


def test_a_reader_finds_all_of_it_while_it_is_written_anew(tmp_path: Path) -> None:
    mine, other = Lease(tmp_path), Lease(tmp_path)
    assert mine.acquire(5.0)
    over = threading.Event()

    def write() -> None:
        number = 0
        while not over.is_set():
            number += 1
            mine.say_round(number * 1.37)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert all(other.holder() is not None for _ in range(3000))
    finally:
        over.set()
        writer.join()
        mine.release()
