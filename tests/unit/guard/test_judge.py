"""What each shipped role may change, by the rule that decides: the table of docs/boundaries.md, and its finer rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from teamops.guard.judge import Light
from tests.unit.guard.conftest import HELD, Ask

ROLES = ("DIRECTOR", "DEVELOPER", "CODER", "REVIEWER", "OPTIMIZER", "PARTNER")
MAY: dict[str, dict[str, str]] = {
    "src/a.py": dict.fromkeys(("DEVELOPER", "CODER", "OPTIMIZER"), 'write.allow "*"'),
    "docs/api.md": {
        "DIRECTOR": 'write.allow "*.md"',
        **dict.fromkeys(("DEVELOPER", "CODER", "OPTIMIZER"), 'write.allow "*"'),
    },
    "docs/design/x.md": {"DIRECTOR": 'write.allow "*.md"'},
    "reviews/one.md": {"REVIEWER": 'write.allow "/reviews/"'},
    "research/r.md": {"PARTNER": 'write.allow "/research/"'},
    "current.md": dict.fromkeys(ROLES, "handoff"),
    "pyproject.toml": dict.fromkeys(("DEVELOPER", "OPTIMIZER"), 'write.allow "*"')
    | {"CODER": "write.named_files_only"},
    "teamops.toml": {},
    "profiles/coder.md": {},
    ".git/config": {},
    ".claude/settings.json": {},
    ".teamops/spool/CODER/x.jsonl": {},
    "/etc/passwd": {},
    "../other/x.py": {},
    "~/.bashrc": {},
}


@pytest.mark.parametrize("path", MAY)
@pytest.mark.parametrize("role", ROLES)
def test_who_may_change_what(ask: Ask, role: str, path: str) -> None:
    said = ask(role, "Edit", file_path=path, old_string="one", new_string="two")
    wanted = MAY[path].get(role)
    assert (said.verdict != "deny") == (wanted is not None), str(said)
    assert wanted is None or said.rule == wanted
    assert said.verdict != "deny" or said.instead


@pytest.mark.parametrize(
    ("path", "given", "rule"),
    [
        ("pyproject.toml", {"old_string": "a", "new_string": "b\nc\nd"}, 'tier_1.allow "*.toml"'),
        ("new.toml", {"old_string": "", "new_string": "b\nc\nd"}, 'tier_1.allow "*.toml"'),
        ("src/a.py", {"old_string": "one", "new_string": "1"}, 'tier_1.fix "*"'),
        ("src/a.py", {"old_string": "one\ntwo\nthree", "new_string": "one\n2\nthree"}, 'tier_1.fix "*"'),
        ("src/a.py", {"old_string": "one\n", "new_string": ""}, 'tier_1.fix "*"'),
        ("src/a.py", {"old_string": "one\ntwo", "new_string": "1\n2"}, None),
        ("src/a.py", {"old_string": "one", "new_string": "1\n2\n3"}, None),
        ("src/a.py", {"old_string": "o", "new_string": "p", "replace_all": True}, None),
        ("src/new.py", {"old_string": "", "new_string": "x"}, None),
        ("reviews/one.md", {"old_string": "one", "new_string": "1"}, None),
        ("teamops.toml", {"old_string": "a", "new_string": "b"}, None),
        (".git/config", {"old_string": "a", "new_string": "b"}, None),
    ],
)
def test_in_tier_1_the_director_may_more(ask: Ask, path: str, given: dict[str, Any], rule: str | None) -> None:
    said = ask("DIRECTOR", "Edit", Light(held=True, tiers=(1,)), file_path=path, **given)
    assert (said.verdict, rule is None or said.rule == rule) == ("deny" if rule is None else "allow", True), str(said)
    for other in (Light(held=True, tiers=(2, 3)), Light(held=True)):
        assert ask("DIRECTOR", "Edit", other, file_path=path, **given).verdict == "deny"
    assert ask("REVIEWER", "Edit", Light(held=True, tiers=(1,)), file_path="src/a.py", **given).verdict == "deny"


def test_a_whole_new_text_is_no_fix(ask: Ask) -> None:
    light = Light(held=True, tiers=(1,))
    assert ask("DIRECTOR", "Write", light, file_path="src/a.py", content="x").verdict == "deny"
    assert ask("DIRECTOR", "Bash", light, command="rm src/a.py").verdict == "deny"
    assert ask("DIRECTOR", "Bash", light, command="echo x > src/a.py").verdict == "deny"


MANY = "\n".join(f"line {number}" for number in range(30))


@pytest.mark.parametrize(
    ("tool", "given", "rule"),
    [
        ("Edit", {"file_path": "src/a.py", "old_string": "one", "new_string": "1\n2"}, 'write.allow "*"'),
        ("Edit", {"file_path": "src/a.py", "old_string": "one", "new_string": MANY}, "write.net_lines"),
        ("Write", {"file_path": "src/a.py", "content": MANY}, "write.net_lines"),
        ("Write", {"file_path": "src/a.py", "content": "1\n2\n3\n4\n"}, 'write.allow "*"'),
        ("Write", {"file_path": "src/new.py", "content": "1\n"}, "write.new_files"),
        ("Bash", {"command": "mkdir src/more"}, "write.new_files"),
        ("Bash", {"command": "rm src/a.py"}, 'write.allow "*"'),
        ("Bash", {"command": "cp src/b.py src/a.py"}, "write.net_lines"),
        ("Bash", {"command": "chmod +x src/a.py"}, 'write.allow "*"'),
        (
            "Edit",
            {"file_path": "src/a.py", "old_string": "o", "new_string": "o\no", "replace_all": True},
            "write.net_lines",
        ),
        (
            "MultiEdit",
            {"file_path": "src/a.py", "edits": [{"old_string": "one", "new_string": MANY}] * 2},
            "write.net_lines",
        ),
        ("apply_patch", {"command": "*** Update File: src/a.py\n" + "+x\n" * 30 + "-y\n" * 5}, "write.net_lines"),
        ("apply_patch", {"command": "*** Update File: src/a.py\n" + "+x\n" * 30 + "-y\n" * 25}, 'write.allow "*"'),
        ("apply_patch", {"command": "*** Add File: src/new.py\n+x\n"}, "write.new_files"),
        ("apply_patch", {"command": "*** Update File: src/a.py\n*** Move to: src/c.py\n+x\n"}, "write.new_files"),
        ("apply_patch", {"command": "*** Delete File: reviews/one.md\n"}, 'write.deny "/reviews/"'),
        ("apply_patch", {"command": "nothing"}, "tools.unread"),
    ],
)
def test_the_optimizer_adds_little_and_no_file(ask: Ask, tool: str, given: dict[str, Any], rule: str) -> None:
    said = ask("OPTIMIZER", tool, **given)
    assert said.rule == rule, str(said)
    assert (said.verdict == "deny") == (rule != 'write.allow "*"')


def test_the_coder_is_told_of_what_no_block_names(ask: Ask) -> None:
    for path in ("src/a.py", "docs/api.md", "docs/deep/er.md"):
        assert ask("CODER", "Write", file_path=path, content="x").verdict == "allow", path
    said = ask("CODER", "Write", file_path="src/b.py", content="x")
    assert (said.verdict, said.rule, said.about) == ("warn", "write.named_files_only", "src/b.py")
    named = Light(held=True, named=("b.py",))
    assert ask("CODER", "Write", named, file_path="src/b.py", content="x").verdict == "allow"


@pytest.mark.parametrize("role", ROLES)
def test_without_the_light_nothing_is_changed(ask: Ask, role: str) -> None:
    for light in (Light(), Light(trouble="it is gone")):
        for path in ("current.md", "src/a.py", "reviews/one.md", "research/r.md", "docs/api.md"):
            said = ask(role, "Write", light, file_path=path, content="x")
            assert (said.verdict, said.rule) == ("deny", "light"), path
        assert ask(role, "Read", light, file_path="src/a.py").verdict == "allow"


def test_while_no_task_is_open_the_director_may_open_one(ask: Ask) -> None:
    free = Light(free=True)
    assert ask("DIRECTOR", "Bash", free, command="cat >> current.md <<'END'\nx\nEND").verdict == "allow"
    assert ask("DIRECTOR", "Write", free, file_path="docs/api.md", content="x").rule == "light"
    assert ask("CODER", "Bash", free, command="cat >> current.md <<'END'\nx\nEND").rule == "light"


@pytest.mark.parametrize(("role", "verdict"), [(role, "allow" if role == "REVIEWER" else "deny") for role in ROLES])
def test_only_the_reviewer_writes_a_verdict(ask: Ask, role: str, verdict: str) -> None:
    for tool, given in (
        ("Edit", {"file_path": "current.md", "old_string": "a", "new_string": "x\n **VERDICT**: approved"}),
        ("Write", {"file_path": "./current.md", "content": "**Verdict**: approved"}),
        ("apply_patch", {"command": "*** Update File: current.md\n+**Verdict**: approved\n"}),
    ):
        assert ask(role, tool, HELD, **given).verdict == verdict, (tool, role)


def test_a_tool_that_nobody_knows_goes_by_the_role_s_default(ask: Ask) -> None:
    assert ask("DEVELOPER", "mcp__files__write", path="src/a.py").verdict == "allow"
    assert ask("REVIEWER", "mcp__files__write", path="src/a.py").rule == "tools.unknown"
    assert ask("DEVELOPER", "mcp__files__write", Light()).rule == "light"


def test_who_may_change_it_is_said(ask: Ask) -> None:
    said = ask("REVIEWER", "Write", file_path="src/a.py", content="x")
    assert said.instead == "report it in your block (teamops append); DEVELOPER or CODER or OPTIMIZER may change it"
    assert ask("CODER", "Write", file_path="reviews/one.md", content="x").instead.endswith("; REVIEWER may change it")


def test_a_work_tree_of_its_own_is_the_project_too(ask: Ask, project: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "src").mkdir(parents=True)
    text = (project / "teamops.toml").read_text()
    (project / "teamops.toml").write_text(text.replace("[roles.CODER]", f'[roles.CODER]\ncwd = "{tree}"'))
    assert ask("CODER", "Write", folder=str(tree), file_path="src/a.py", content="x").verdict == "allow"
    assert (
        ask("CODER", "Write", folder=str(tree), file_path="reviews/x.md", content="x").rule == 'write.deny "/reviews/"'
    )
    assert ask("DEVELOPER", "Write", file_path=str(tree / "src" / "a.py"), content="x").rule == "outside"


def test_the_configuration_can_set_single_rules(ask: Ask, project: Path) -> None:
    text = (project / "teamops.toml").read_text()
    own = '[roles.REVIEWER]\nwrite.allow = ["/notes/"]\nwrite.light = false\ncommands.allow = ["npm run*"]\n'
    (project / "teamops.toml").write_text(text.replace("[roles.REVIEWER]\n", own))
    assert ask("REVIEWER", "Write", Light(), file_path="notes/x.md", content="x").rule == 'write.allow "/notes/"'
    assert ask("REVIEWER", "Write", file_path="reviews/x.md", content="x").verdict == "deny"
    assert ask("REVIEWER", "Bash", Light(), command="npm run lint").verdict == "allow"
    assert ask("REVIEWER", "Bash", command="pytest").verdict == "deny"


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("write", {"file_path": "reviews/x.md", "filePath": "src/a.py", "content": "x"}),
        ("edit", {"path": "reviews/x.md", "filePath": "src/a.py", "oldString": "a", "newString": "b"}),
        ("edit", {"filePath": "reviews/x.md", "oldString": "a", "newString": "b", "new_string": "c"}),
        ("apply_patch", {"command": "*** Add File: reviews/x.md\n+a", "patchText": "*** Add File: src/a.py\n+a"}),
        ("apply_patch", {"patchText": "*** Begin Patch\n*** Add File: reviews/x\u2028/../../src/a.py\n+a\n"}),
        ("apply_patch", {"patchText": "*** Begin Patch\n*** Add File: reviews/x\x0b/../../src/a.py\n+a\n"}),
        ("run_shell_command", {"command": "touch a.md", "workdir": "reviews", "dir_path": "src"}),
        ("shell", {"command": "ls", "cmd": "touch src/a.py"}),
        ("shell", {"command": ["reviews/bash", "-lc", "ls"]}),
    ],
)
def test_what_says_two_things_is_refused(ask: Ask, tool: str, given: dict[str, Any]) -> None:
    assert ask("REVIEWER", tool, **given).verdict == "deny"


def test_the_same_word_twice_says_one_thing(ask: Ask) -> None:
    said = ask("REVIEWER", "write", file_path="reviews/x.md", filePath="reviews/x.md", content="x")
    assert said.verdict == "allow", str(said)
    assert ask("REVIEWER", "shell", command=["bash", "-lc", "ls"]).verdict == "allow"
    assert ask("REVIEWER", "apply_patch", patchText="*** Add File: reviews/x.md\r\n+a\r\n").verdict == "allow"
