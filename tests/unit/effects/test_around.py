"""Whose boundary is around a process, read from its mounts."""

from __future__ import annotations

from pathlib import Path

import pytest

from teamops.config.load import load
from teamops.config.settings import Settings
from teamops.effects.around import own_role, roles_around
from teamops.model.errors import UsageError
from teamops.model.role import CODER, DIRECTOR, HUMAN, REVIEWER, Role


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    root = tmp_path / "my shop"
    root.mkdir()
    (root / "teamops.toml").write_text("[roles.CODER]\n")
    return load(root)


def proc(tmp_path: Path, *points: str, privileges: int = 0) -> Path:
    folder = tmp_path / "proc"
    folder.mkdir(exist_ok=True)
    rows = [f"34 98 254:0 /x {point.replace(' ', chr(92) + '040')} rw,nosuid - ext4 /dev/x rw\n" for point in points]
    (folder / "mountinfo").write_text("".join(rows))
    (folder / "status").write_text(f"Name:\tx\nNoNewPrivs:\t{privileges}\n")
    return folder


def test_the_mounts_of_a_boundary_tell(settings: Settings, tmp_path: Path) -> None:
    spool = f"{settings.root}/.teamops/spool"
    assert roles_around(settings, proc(tmp_path, "/", f"{spool}/CODER", f"{spool}/CODER")) == {CODER}
    assert roles_around(settings, proc(tmp_path, f"{spool}/CODER", f"{spool}/REVIEWER")) == {CODER, REVIEWER}
    assert roles_around(settings, proc(tmp_path, "/", str(settings.root), f"{spool}/CODER/x", "")) == frozenset()


def test_another_project_s_tell_where_they_let_this_file_be_written(settings: Settings, tmp_path: Path) -> None:
    other = "/srv/other/.teamops/spool/CODER"
    assert roles_around(settings, proc(tmp_path, other)) == frozenset()
    assert roles_around(settings, proc(tmp_path, other, str(settings.handoff))) == {CODER}
    assert roles_around(settings, proc(tmp_path, other, str(settings.handoff.parent))) == {CODER}


def test_where_nobody_tells_nothing_is_known(settings: Settings, tmp_path: Path) -> None:
    assert roles_around(settings, tmp_path / "none") == frozenset()
    for name in ("CODER", "REVIEWER"):
        (settings.spool / name).mkdir(parents=True)
    for privileges in (0, 1):
        assert roles_around(settings, proc(tmp_path, "/", privileges=privileges)) == frozenset()
    assert list(settings.spool.glob("*/*")) == []


def test_who_may_write_for_whom() -> None:
    none: frozenset[Role] = frozenset()
    assert own_role(None, none) is None
    assert own_role(DIRECTOR, none) == DIRECTOR
    assert own_role(None, frozenset({CODER})) == CODER
    assert own_role(CODER, frozenset({CODER})) == CODER
    for role, around in ((HUMAN, {CODER}), (CODER, {CODER, REVIEWER}), (None, {CODER, REVIEWER})):
        with pytest.raises(UsageError, match="boundary") as refused:
            own_role(role, frozenset(around))
        assert "write your own block" in refused.value.hint
