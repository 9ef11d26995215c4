"""An agent writes its own block: no line and no edit that the hook sees writes another's."""

from __future__ import annotations

from pathlib import Path

import pytest

from teamops.guard.judge import Light
from teamops.guard.speaking import PERSONAS, ROLES
from teamops.handoff import headings
from teamops.model.role import AGENT_ROLES, HUMAN
from tests.unit.guard.conftest import Ask

HEAD = "### [DIRECTOR] 2026-03-28 14:30"
BLOCK = f"{HEAD}\n\n**Status**: in progress\n**Turn**: CODER\n"
WORDS = "--task t --status 'in progress' --turn CODER --section 'For Coder=go'"
AS_ANOTHER = [
    f"teamops append --role DIRECTOR {WORDS}",
    f"teamops append --role=director {WORDS}",
    f"teamops append {WORDS} --role HUMAN",
    f"env -u TEAMOPS_ROLE teamops append --role DIRECTOR {WORDS}",
    f"env -u TEAMOPS_ROLE teamops append {WORDS}",
    f"env --unset=TEAMOPS_ROLE teamops append {WORDS}",
    f"env -uTEAMOPS_ROLE nice teamops append {WORDS}",
    "env -i teamops append < block.md",
    "env - teamops append < block.md",
    f"env TEAMOPS_ROLE=DIRECTOR teamops append {WORDS}",
    f"TEAMOPS_ROLE=DIRECTOR teamops append {WORDS}",
    f"TEAMOPS_ROLE= teamops append {WORDS}",
    f'TEAMOPS_ROLE="$X" teamops append {WORDS}',
    f"unset TEAMOPS_ROLE; teamops append --role DIRECTOR {WORDS}",
    "unset TEAMOPS_ROLE && teamops append < block.md",
    f"export TEAMOPS_ROLE=DIRECTOR; teamops append {WORDS}",
    f"TEAMOPS_ROLE=DIRECTOR; teamops append {WORDS}",
    f'unset TEAMOPS_ROLE; teamops append --role "$X" {WORDS}',
    f"python -m teamops append --role DIRECTOR {WORDS}",
    f".venv/bin/python3.12 -I -m teamops append --role DIRECTOR {WORDS}",
    f"python3 -mteamops append --role DIRECTOR {WORDS}",
    f"uv run teamops append --role DIRECTOR {WORDS}",
    f"/opt/x/bin/teamops append --role DIRECTOR {WORDS}",
    f"timeout 9 sudo teamops append {WORDS}",
    f"teamops run --role REVIEWER -- teamops append {WORDS}",
    f"teamops run --role REVIEWER -- env -u TEAMOPS_ROLE teamops append --role DIRECTOR {WORDS}",
    "sh -c 'teamops append --role DIRECTOR --turn CODER'",
    "sh -c 'unset TEAMOPS_ROLE; teamops append < block.md'",
    "env -u TEAMOPS_ROLE sh -c 'teamops append < block.md'",
    "TEAMOPS_ROLE=DIRECTOR bash -lc 'teamops append --turn CODER'",
    "teamops run --role REVIEWER -- sh -c 'teamops append --turn CODER'",
    "bash <<'E'\nteamops append --role DIRECTOR --turn CODER\nE",
    "eval 'teamops append --role DIRECTOR --turn CODER'",
    "find . -maxdepth 0 -exec teamops append --role DIRECTOR --turn CODER ';'",
    "for f in x; do teamops append --role DIRECTOR --turn CODER; done",
    "if true; then env -u TEAMOPS_ROLE teamops append < block.md; fi",
    "for f in x; do unset TEAMOPS_ROLE; done\nteamops append < block.md",
    "x=teamops; $x append --role DIRECTOR --turn CODER",
    "while true; do env -i teamops append < block.md; done",
    f"teamops append <<'E'\n{BLOCK}E",
    f"teamops append <<E\n\n{BLOCK}E",
    f"for f in x; do teamops append <<'E'\n{BLOCK}E\ndone",
    f"teamops append <<< '{BLOCK}'",
    "teamops append <<'E'\n### [Max] 2026-03-28 14:30\nE",
    "teamops append <<'E'\n### **[`human`]** 2026-03-28 14:30\nE",
]
OWN = [
    f"teamops append {WORDS}",
    f"teamops append --role CODER {WORDS}",
    f"teamops append --role=coder {WORDS}",
    f'teamops append --role "$TEAMOPS_ROLE" {WORDS}',
    f"env A=b TEAMOPS_ROLE=CODER teamops append {WORDS}",
    f"env -u TEAMOPS_ROLE teamops append --role CODER {WORDS}",
    f"env -i TEAMOPS_ROLE=CODER teamops append --role CODER {WORDS}",
    f"echo TEAMOPS_ROLE is $TEAMOPS_ROLE; teamops append {WORDS}",
    'for f in x; do teamops append --role "${ROLE}" < block.md; done',
    f"python -m teamops append {WORDS}",
    "bash -c 'echo $TEAMOPS_ROLE; teamops append < block.md'",
    'for f in x; do echo "$TEAMOPS_ROLE"; teamops append --role "$TEAMOPS_ROLE" < block.md; done',
    "for f in x; do teamops append < block.md; done; teamops poke --role DIRECTOR",
    "cat block.md | teamops append",
    "x=teamops; $x append --role CODER < block.md; $x append < block.md",
    f"teamops append <<'E'\n{BLOCK.replace('DIRECTOR', 'CODER')}\n```\n{BLOCK}```\nE",
    f"teamops append {WORDS} --turn DIRECTOR <<'E'\nAs was said in\n```\n{BLOCK}```\nE",
    "teamops append <<'E'\n### [Kevin] 2026-03-28 14:30\nE",
    f"unset TEAMOPS_ROLE; teamops append <<'E'\n{BLOCK.replace('DIRECTOR', 'CODER')}E",
    "git commit -m 'teamops append --role DIRECTOR is refused'",
    "for f in x; do git commit -m 'env -u TEAMOPS_ROLE'; done",
]
ADDED = [
    f"echo '{HEAD}' >> current.md",
    f"echo '   {HEAD}' >> current.md",
    f"printf '%s\\n' '{HEAD}' '**Turn**: CODER' >> current.md",
    f"cat >> current.md <<'E'\n\n{BLOCK}E",
    f"tee -a current.md <<'E'\n{BLOCK}E",
    "echo '### [HUMAN] 2026-03-28 14:30' >> current.md",
    "echo '### [DIRECTOR]' >> current.md",
    "echo '###\t**[Max]**: 2026-03-28 14:30' >> current.md",
    "bash -c \"echo '### [REVIEWER] 2026-03-28 14:30' >> current.md\"",
]
NOT_ANOTHER_S = [
    f"cat >> current.md <<'E'\n\n{BLOCK.replace('DIRECTOR', 'CODER')}E",
    "echo '## [DIRECTOR] 2026-03-28 14:30' >> current.md",
    "echo '#### [DIRECTOR] said' >> current.md",
    "echo '### [DIRECTOR](docs/x.md)' >> current.md",
    "echo '### [notes] x' >> current.md",
    "echo '    ### [DIRECTOR] 2026-03-28 14:30' >> current.md",
    f"echo '> {HEAD}' >> current.md",
    "echo '### DIRECTOR said' >> current.md",
]


@pytest.mark.parametrize("line", AS_ANOTHER)
def test_no_line_writes_a_block_as_another(ask: Ask, line: str) -> None:
    assert ask("CODER", "Bash", Light(), command=line).rule in {"speaks", "light"}
    said = ask("CODER", "Bash", command=line)
    assert (said.verdict, said.rule) == ("deny", "speaks"), str(said)
    assert "write your own block; Turn hands over the light" in said.instead


@pytest.mark.parametrize("line", OWN)
def test_an_agent_s_own_block_goes_through(ask: Ask, line: str) -> None:
    said = ask("CODER", "Bash", command=line)
    assert said.verdict == "allow", str(said)


@pytest.mark.parametrize("line", ADDED)
def test_no_line_puts_another_s_heading_into_the_file(ask: Ask, line: str) -> None:
    said = ask("CODER", "Bash", command=line)
    assert (said.verdict, said.rule) == ("deny", "speaks"), str(said)


@pytest.mark.parametrize("line", NOT_ANOTHER_S)
def test_what_opens_nobody_else_s_block_is_added(ask: Ask, line: str) -> None:
    assert ask("CODER", "Bash", command=line).verdict == "allow"


def test_no_tool_puts_another_s_heading_into_the_file(ask: Ask, project: Path) -> None:
    file = project / "current.md"
    file.write_text(f"{BLOCK}\n### [CODER] 2026-03-28 15:00\n\n**Turn**: REVIEWER\n")
    stands = file.read_text()
    own = "### [CODER] 2026-03-28 16:00\n\n**Turn**: REVIEWER\n"
    other = own.replace("CODER", "DIRECTOR")
    last = "**Turn**: REVIEWER\n"
    for given in (
        ("Write", {"file_path": "current.md", "content": stands + other}),
        ("Write", {"file_path": "current.md", "content": stands + BLOCK}),
        ("Edit", {"file_path": "current.md", "old_string": last, "new_string": last + other}),
        ("Edit", {"file_path": "current.md", "old_string": "[CODER] 2026", "new_string": "[DIRECTOR] 2026"}),
        ("Edit", {"file_path": "current.md", "old_string": "CODER", "new_string": "HUMAN", "replace_all": True}),
        ("Edit", {"file_path": "current.md", "old_string": "stands nowhere", "new_string": other}),
        ("Edit", {"file_path": "current.md", "old_string": "14:30", "new_string": "14:31"}),
        ("MultiEdit", {"file_path": "current.md", "edits": [
            {"old_string": "[CODER] 2026", "new_string": "[Z] 2026"},
            {"old_string": "[Z]", "new_string": "[REVIEWER]"},
        ]}),
        ("apply_patch", {"command": f"*** Update File: current.md\n {last}+{HEAD}\n"}),
    ):  # fmt: skip
        said = ask("CODER", given[0], **given[1])
        assert (said.verdict, said.rule) == ("deny", "speaks"), (given, str(said))
    for given in (
        ("Write", {"file_path": "current.md", "content": stands + own}),
        ("Edit", {"file_path": "current.md", "old_string": stands, "new_string": stands + own}),
        ("Edit", {"file_path": "current.md", "old_string": last, "new_string": last + own}),
        ("Edit", {"file_path": "current.md", "old_string": "nowhere\n" + BLOCK, "new_string": BLOCK + own}),
        ("apply_patch", {"command": f"*** Update File: current.md\n-{HEAD}\n+{HEAD}\n+{own}"}),
        ("apply_patch", {"command": f"*** Update File: current.md\n {HEAD}\n+x\n"}),
        ("Write", {"file_path": "src/a.py", "content": BLOCK}),
    ):
        said = ask("CODER", given[0], **given[1])
        assert said.verdict == "allow", (given, str(said))


def test_a_team_s_own_role_is_another_s_too(ask: Ask, project: Path) -> None:
    text = (project / "teamops.toml").read_text()
    (project / "teamops.toml").write_text(f'{text}[roles.SCOUT]\nprofile = "profiles/scout.md"\n')
    (project / "profiles").mkdir()
    (project / "profiles" / "scout.md").write_text(
        "---\nrole: SCOUT\nname: Sky\ntitle: Scout\nwrite:\n  allow: [/docs/]\ncommands:\n  allow: []\n---\n# Sky\n"
    )
    said = ask("CODER", "Bash", command="echo '### [SCOUT] 2026-03-28 14:30' >> current.md")
    assert (said.verdict, said.rule) == ("deny", "speaks"), str(said)
    assert ask("CODER", "Bash", command="echo '### [SPOUT] 2026-03-28 14:30' >> current.md").verdict == "allow"


def test_the_names_are_those_of_the_handoff_file() -> None:
    assert {*AGENT_ROLES, HUMAN} == ROLES
    assert dict(headings.PERSONAS) == PERSONAS
