"""Inside a boundary nobody writes another's block, whatever the environment and the options say."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from teamops.effects.confine import Means, means
from teamops.guard.landlock import lacks
from tests.guard.yard import Yard, yard

pytestmark = [
    pytest.mark.tmux,
    pytest.mark.skipif(sys.platform != "linux", reason="Landlock and bwrap are Linux's"),
]
LAYERS: dict[str, Callable[[], Means]] = {
    "both": means,
    "Landlock alone": lambda: replace(means(), bwrap="", lacks=("bwrap is not installed",)),
    "bwrap alone": lambda: replace(means(), landlock=0, lacks=lacks(0)),
}
BLOCK = "### [{}] 2026-03-28 14:30\n\n**Status**: x\n**Turn**: REVIEWER\n**Tier**: 3\n**Task**: t\n\n#### Did\nx\n"
WITHOUT = ("env -i", "env -u TEAMOPS_ROLE -u TEAMOPS_CONFINED", "setsid -w env -i")
ELSEWHERE = 'd="$(mktemp -d)" && trap \'rm -r "$d"\' EXIT && cd "$d" && : > teamops.toml && '


@pytest.fixture(params=LAYERS)
def here(request: pytest.FixtureRequest) -> Iterator[Yard]:
    with yard(os.geteuid(), having=LAYERS[request.param]()) as made:
        opened = subprocess.run(
            ["sh", "-c", append(made, "--role DIRECTOR", task="t")], cwd=made.project, env=made.env,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert opened.returncode == 0, opened.stderr  # the very same line, where nothing holds it
        yield made


def append(made: Yard, who: str, *, task: str, before: str = "env -i", where: str = "") -> str:
    options = f"--task {task} --tier 3 --status x --turn REVIEWER --section 'What I Did=x'"
    project = where or shlex.quote(str(made.project))
    return f'{before} "{sys.executable}" -I -m teamops append -C {project} --state-dir {made.state} {who} {options}'


def test_no_environment_makes_it_another_s(here: Yard) -> None:
    stands = (here.project / "current.md").read_text()
    for who in ("DIRECTOR", "DEVELOPER", "HUMAN"):
        for before in (*WITHOUT, f"env TEAMOPS_ROLE={who}"):
            done = here.inside("REVIEWER", append(here, f"--role {who}", task="u", before=before))
            assert done.returncode == 2, done
            assert f"this is inside REVIEWER's boundary, and the block would be {who}'s".encode() in done.stderr
            assert b"write your own block; Turn hands over the light" in done.stderr
    assert (here.project / "current.md").read_text() == stands


def test_no_whole_block_is_another_s(here: Yard) -> None:
    stands = (here.project / "current.md").read_text()
    whole = f'env -i "{sys.executable}" -I -m teamops append -C {here.project} --state-dir {here.state}'
    done = here.inside("REVIEWER", f"{whole} <<'E'\n{BLOCK.format('DIRECTOR')}E")
    assert done.returncode == 2, done
    assert b"the block is DIRECTOR's, and you write for REVIEWER" in done.stderr
    assert (here.project / "current.md").read_text() == stands


def test_no_other_project_s_settings_make_it_another_s(here: Yard) -> None:
    stands = (here.project / "current.md").read_text()
    line = append(here, "--role DIRECTOR", task="u", where=".")
    done = here.inside("REVIEWER", f"{ELSEWHERE} ln -s {here.project}/current.md . && {line}")
    assert done.returncode == 2, done
    assert b"inside REVIEWER's boundary" in done.stderr
    assert (here.project / "current.md").read_text() == stands


def test_its_own_is_written_without_a_word_of_the_environment(here: Yard) -> None:
    for who in ("", "--role REVIEWER"):
        done = here.inside("REVIEWER", append(here, who, task="t"))
        assert done.returncode == 0, done.stderr
    assert (here.project / "current.md").read_text().count("### [REVIEWER]") == 2
    spools = here.project / ".teamops" / "spool"
    assert [path.name for path in spools.glob("*/*")] == ["hooks.jsonl"]  # what was tried leaves nothing


def test_who_may_write_all_of_the_project_writes_for_itself_where_mounts_tell(here: Yard) -> None:
    done = here.inside("DEVELOPER", append(here, "--role DIRECTOR", task="u"))
    if here.having.bwrap:
        assert (done.returncode, b"inside DEVELOPER's boundary" in done.stderr) == (2, True), done
    else:  # as docs/boundaries.md says: every spool can be written, and nothing is known
        assert done.returncode == 0, done
    assert ("**Task**: u" in (here.project / "current.md").read_text()) is not bool(here.having.bwrap)


def test_a_project_of_its_own_is_anybody_s(here: Yard) -> None:
    """An agent may try its team's very tools out: in a project of its own it is nobody."""
    line = append(here, "--role DIRECTOR", task="u", where=".")
    done = here.inside("REVIEWER", f"{ELSEWHERE} mkdir -p .teamops/spool/CODER && {line}; cat current.md")
    assert b"### [DIRECTOR]" in done.stdout, done
