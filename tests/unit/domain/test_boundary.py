"""Policies made ready for the hooks, and whose turn it is, as the hooks are told."""

from __future__ import annotations

import json

import pytest

from teamops.domain.boundary import Places, compiled, overridden, unruled
from teamops.domain.boundary_rules import PROTECTED, Policy, TierRule
from teamops.domain.globs import folded, rows
from teamops.domain.light_rows import light_rows, named_in
from teamops.domain.limits import Limits
from teamops.domain.protocol import read
from teamops.guard.globs import match
from teamops.handoff import parse
from teamops.model.role import CODER, DEVELOPER, DIRECTOR, REVIEWER

PLACES = Places(
    roots=("/p",),
    handoff="current.md",
    handoff_path="/p/current.md",
    light="/s/light.json",
    ours=("/s",),
    home="/home/ann",
    scratch=("/tmp",),
    protected=("/mine.md",),
)


@pytest.mark.parametrize(
    ("glob", "form", "text"),
    [
        ("*", "all", ""),
        ("*.py", "suffix", ".py"),
        ("/docs/", "below", "docs/"),
        ("/docs/design/", "below", "docs/design/"),
        ("/current.md", "at", "current.md"),
        ("docs/", "regex", None),
        ("/a*/", "regex", None),
        ("*.p[yx]", "regex", None),
        ("/a//b", "regex", None),
    ],
)
def test_a_glob_is_as_plain_as_it_can_be(glob: str, form: str, text: str | None) -> None:
    [row] = rows([glob])
    assert (row[0], row[2], row[3]) == (form, True, glob)
    assert text is None or row[1] == text


def test_what_says_nothing_is_left_out_and_what_is_none_is_refused() -> None:
    assert rows(["# a comment", "", "  "]) == ()
    assert rows(["!/a"])[0][2] is False
    with pytest.raises(ValueError, match="is no glob"):
        rows(["!"])


def test_a_folded_row_keeps_the_glob_as_it_was_written() -> None:
    [row] = folded(rows(["/Docs/E\u0301/"]))
    assert row == ("below", "docs/é/", True, "/Docs/E\u0301/") or row[0] == "regex"
    [odd] = folded(rows(["Do[ck]s"]))
    assert odd[1] == rows(["Do[ck]s"])[0][1]


def test_a_compiled_policy_is_plain_values() -> None:
    policy = Policy(
        role=CODER,
        write_allow=("*",),
        write_deny=("/reviews/",),
        commands_allow=("*",),
        tiers={1: TierRule(allow=("*.toml",), fix=("*",), fix_lines=2)},
    )
    other = Policy(role=REVIEWER, write_allow=("/reviews/",))
    told = compiled(policy, PLACES, [policy, other])
    assert json.loads(json.dumps(told)) == json.loads(json.dumps(told, sort_keys=True))
    assert told["others"] == {REVIEWER: {"allow": [["below", "reviews/", True, "/reviews/"]], "deny": []}}
    assert told["scratch"] == ["/tmp"]
    assert compiled(other, PLACES)["scratch"] == []
    assert (told["opens"], compiled(Policy(role=DIRECTOR), PLACES)["opens"]) == (False, True)
    tiers = told["tiers"]
    assert isinstance(tiers, dict)
    assert tiers["1"]["fix_lines"] == 2
    assert unruled(CODER) == {"v": 1, "role": CODER, "unruled": True}
    with pytest.raises(ValueError, match="is no glob"):
        compiled(Policy(role=CODER, write_allow=("!",)), PLACES)


def test_the_configuration_stands_in_the_profile_s_place() -> None:
    policy = Policy(role=CODER, write_allow=("*",), new_files=True)
    changed = overridden(policy, {"write_allow": ("/src/",), "new_files": False})
    assert (changed.write_allow, changed.new_files, changed.role) == (("/src/",), False, CODER)


@pytest.mark.parametrize(
    "path",
    [
        ".git", ".git/hooks/pre-commit", "sub/.git/config", ".teamops/spool/x", "teamops.toml", "profiles/coder.md",
        ".claude/settings.json", "sub/.claude/settings.local.json", ".codex/config.toml", ".gemini/settings.json",
        ".opencode/plugins/x.js", "opencode.json", "opencode.jsonc", ".mcp.json", "a/.codex/hooks.json",
    ],
)  # fmt: skip
def test_what_the_rules_stand_on_is_protected(path: str) -> None:
    assert match(list(rows(PROTECTED)), path)


@pytest.mark.parametrize("path", ["src/a.py", ".gitignore", ".github/x.yml", "docs/profiles/x.md", ".claude/a.md"])
def test_what_they_do_not_stand_on_is_not(path: str) -> None:
    assert not match(list(rows(PROTECTED)), path)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Change `src/a.py` and `docs/`.", ("src/a.py", "docs/")),
        ("Change src/a.py, tests/test_a.py and setup.cfg.", ("src/a.py", "tests/test_a.py", "setup.cfg")),
        ("`src/a.py:12`, `./b.py`", ("src/a.py", "b.py")),
        ("`src/a.py, src/b.py`", ("src/a.py", "src/b.py")),
        ("`../x.py` and ../../y.py", ()),
        ("`pytest -q` and `a` and `...` and `/`", ()),
        ("1. Not a file. e.g. this", ()),
        ("https://example.com/x.html", ()),
        ("`dir with space/a.py`", ("dir with space/a.py",)),
        ("", ()),
    ],
)
def test_what_looks_like_a_file_is_named(text: str, named: tuple[str, ...]) -> None:
    found = named_in(text)
    assert set(named) <= set(found)
    if not named:
        assert not [name for name in found if name.endswith((".py", "/"))]


TEXT = """### [DIRECTOR] 2026-03-28 14:30

**Status**: in progress
**Turn**: CODER
**Tier**: 2
**Task**: one

#### For Coder
Build `src/a.py`.

### [CODER] 2026-03-28 14:40

**Status**: in progress
**Turn**: CODER
**Tier**: 2
**Task**: one

#### What I Did
Also `src/mine.py`.

### [DIRECTOR] 2026-03-28 14:50

**Status**: done
**Turn**: NONE
**Tier**: 1
**Task**: two
"""


def test_each_open_task_is_a_row_with_what_others_name_in_it() -> None:
    blocks = parse(TEXT.encode()).blocks
    tasks = read(blocks, Limits()).tasks
    told = light_rows(tasks, blocks, lambda block: TEXT[block.start : block.end])
    assert told == [{"role": CODER, "task": "one", "tier": 2, "named": ["src/a.py"]}]
    assert light_rows((), (), lambda _: "") == []
    assert DEVELOPER not in {row["role"] for row in told}
