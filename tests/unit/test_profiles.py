"""The shipped profiles, and what is refused in a person's own."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from teamops.config.problems import ConfigError
from teamops.config.profiles import FIELDS, check_profile, folder, read_profile, shipped
from teamops.config.settings import Profile
from teamops.domain.limits import Limits
from teamops.domain.protocol import read
from teamops.handoff import parse
from teamops.handoff.write import render_block
from teamops.model.role import (
    AGENT_ROLES,
    CODER,
    DEVELOPER,
    DIRECTOR,
    NONE,
    OPTIMIZER,
    PARTNER,
    REVIEWER,
    Role,
)

PERSONAS = dict(zip(AGENT_ROLES, ["Max", "Isabelle", "Kevin", "Sarah", "Sam", "Alex"], strict=True))
TESTER = Role("TESTER")


def profile_of(role: Role) -> Profile:
    file = shipped(role)
    assert file is not None
    return file.read()


def may_write(role: Role, path: str) -> bool:
    profile = profile_of(role)
    allowed = GitIgnoreSpec.from_lines(profile.write_allow).match_file(path)
    return allowed and not GitIgnoreSpec.from_lines(profile.write_deny).match_file(path)


@pytest.mark.parametrize("role", AGENT_ROLES)
def test_each_shipped_profile_is_whole(role: Role) -> None:
    file = shipped(role)
    assert file is not None
    profile = file.read()
    assert profile.name == file.name == PERSONAS[role]
    assert profile.title
    assert len(profile.does) >= 2
    assert len(profile.never) >= 3
    assert profile.source == folder() / f"{role.lower()}.md"
    assert f"You are {profile.name}, the {role}" in profile.body


@pytest.mark.parametrize("role", AGENT_ROLES)
def test_each_prompt_says_all_that_its_role_must_know(role: Role) -> None:
    body = profile_of(role).body
    for heading in ("## What you do", "## What you never do", "## The handoff file"):
        assert body.count(heading) == 1
    for topic in ("When it is not your turn", "When you are poked", "How you hand on", "Tiers", "Gates", "Challenges"):
        assert f"**{topic}.**" in body


@pytest.mark.parametrize("role", AGENT_ROLES)
def test_the_example_in_each_prompt_is_a_block_of_that_role(role: Role) -> None:
    [example] = re.findall(r"```markdown\n(.*?)```", profile_of(role).body, re.DOTALL)
    handoff = parse(example.encode())
    assert [problem for problem in handoff.problems if problem.severity != "info"] == []
    [block] = handoff.blocks
    assert block.role == role
    assert block.turn not in {None, role}
    assert block.task
    assert block.tier in profile_of(role).tiers
    assert any(section.title == f"For {str(block.turn).capitalize()}" for section in block.sections)
    assert bool(block.verdict) == (role == REVIEWER)
    assert bool(block.gates) == (block.status == "done")


GATES = "runs=pass (pytest -q: 9 passed); correct=pass (tried both ends by hand); complete=pass (docs, tests)"


def walk(steps: str, tier: int, task: str = "t") -> str:
    """The blocks of a task in short notation, each written as the profiles say.

    ``ROLE>TURN`` is a block in progress; with ``!`` it claims done with its gates, ``?`` is blocked, ``x`` withdrawn,
    ``=`` an answer, ``-`` a review that sends back with two points, ``+`` an approval with a reasoned none, ``~``
    an approval with a point that can wait; ``^`` raises the tier to 3. The DIRECTOR answers what is owed.
    """
    owed: list[int] = []
    number = 0
    blocks = []
    for step in steps.split():
        found = re.fullmatch(r"([A-Z]+)>([A-Z]+)([!?x=~+^-]?)", step)
        assert found, step
        role, turn, mark = Role(found[1]), Role(found[2]), found[3]
        tier = 3 if mark == "^" else tier
        sections = [("What I Did", "Something.")]
        if mark in {"-", "~"}:
            points = range(number + 1, number + 3 - (mark == "~"))
            sections.append(("Challenges", "\n".join(f"{point}. Point {point} of them." for point in points)))
            owed += points
            number = points[-1]
        elif role == REVIEWER and turn != role:
            sections.append(("Challenges", "None: I looked for races and for unbounded growth; a lock rules out both."))
        if role == DIRECTOR and turn != role and owed:
            sections.append(("Responses", "\n".join(f"{point}. Agreed, changed in the design." for point in owed)))
            owed = []
        if turn not in {role, NONE}:
            sections.append((f"For {turn.capitalize()}", "Go on."))
        status = {"!": "done", "?": "blocked", "x": "withdrawn", "=": "answered"}.get(mark, "in progress")
        verdict = {"-": "changes-requested", "+": "approved", "~": "approved"}.get(mark)
        at = datetime(2026, 3, 28, 9)  # noqa: DTZ001 - headings carry naive times
        gates = GATES if mark == "!" else None
        blocks.append(
            render_block(role, at, status, turn, tier, task=task, gates=gates, verdict=verdict, sections=sections)
        )
    return "\n".join(blocks)


def broken(text: str) -> list[str]:
    handoff = parse(text.encode())
    assert [problem for problem in handoff.problems if problem.severity != "info"] == []
    findings = read(handoff.blocks, Limits()).findings
    return [f"{finding.code}, line {finding.line}: {finding.message}" for finding in findings]


BEFORE = {
    DIRECTOR: "DIRECTOR>DIRECTOR",
    DEVELOPER: "DIRECTOR>REVIEWER REVIEWER>DEVELOPER+",
    CODER: "DIRECTOR>CODER",
    REVIEWER: "DIRECTOR>REVIEWER REVIEWER>DIRECTOR- DIRECTOR>REVIEWER REVIEWER>DEVELOPER~ DEVELOPER>REVIEWER!",
    OPTIMIZER: "DIRECTOR>CODER CODER>DIRECTOR! DIRECTOR>OPTIMIZER",
    PARTNER: "DIRECTOR>PARTNER",
}
"""What stands in the task before the example of a profile."""


@pytest.mark.parametrize("role", AGENT_ROLES)
def test_the_example_in_each_prompt_breaks_no_rule(role: Role) -> None:
    [example] = re.findall(r"```markdown\n(.*?)```", profile_of(role).body, re.DOTALL)
    [block] = parse(example.encode()).blocks
    assert block.tier
    assert block.task
    assert broken(walk(BEFORE[role], block.tier, block.task) + "\n" + example) == []


D2 = "DIRECTOR>DIRECTOR DIRECTOR>CODER CODER>CODER CODER>DIRECTOR!"
D3 = "DIRECTOR>DIRECTOR DIRECTOR>REVIEWER REVIEWER>REVIEWER REVIEWER>DEVELOPER+ DEVELOPER>DEVELOPER DEVELOPER>REVIEWER!"
END3 = "REVIEWER>DIRECTOR~ DIRECTOR>DIRECTOR DIRECTOR>HUMAN!"
LETTER = [
    (1, "DIRECTOR>DIRECTOR DIRECTOR>NONE!"),
    (1, "DIRECTOR>NONE!"),
    (1, "DIRECTOR>DIRECTOR DIRECTOR>NONEx"),
    (1, "DIRECTOR>HUMAN? HUMAN>DIRECTOR DIRECTOR>NONE!"),
    (1, "DIRECTOR>PARTNER PARTNER>DIRECTOR= DIRECTOR>NONE!"),
    (2, f"{D2} DIRECTOR>NONE!"),
    (2, f"{D2} DIRECTOR>CODER CODER>DIRECTOR! DIRECTOR>NONE!"),
    (2, f"{D2} DIRECTOR>DEVELOPER DEVELOPER>DIRECTOR! DIRECTOR>NONE!"),
    (2, f"{D2} DIRECTOR>OPTIMIZER OPTIMIZER>OPTIMIZER OPTIMIZER>DIRECTOR! DIRECTOR>NONE!"),
    (2, f"{D2} DIRECTOR>OPTIMIZER OPTIMIZER>DIRECTOR= DIRECTOR>NONE!"),
    (2, f"{D2} DIRECTOR>HUMAN? HUMAN>DIRECTOR DIRECTOR>NONE!"),
    (2, f"{D2} DIRECTOR>NONE! DIRECTOR>DEVELOPER DEVELOPER>DIRECTOR! DIRECTOR>NONE!"),
    (2, "DIRECTOR>PARTNER PARTNER>PARTNER PARTNER>DIRECTOR= DIRECTOR>CODER CODER>DIRECTOR! DIRECTOR>NONE!"),
    (2, "DIRECTOR>PARTNER PARTNER>DIRECTOR= DIRECTOR>NONE!"),
    (2, "DIRECTOR>PARTNER PARTNER>DIRECTOR? DIRECTOR>NONEx"),
    (2, "DIRECTOR>OPTIMIZER OPTIMIZER>DIRECTOR= DIRECTOR>CODER CODER>DIRECTOR! DIRECTOR>NONE!"),
    (2, "DIRECTOR>CODER CODER>DIRECTOR? DIRECTOR>CODER CODER>DIRECTOR! DIRECTOR>NONE!"),
    (2, "DIRECTOR>CODER CODER>HUMAN? HUMAN>CODER CODER>DIRECTOR! DIRECTOR>NONE!"),
    (2, "DIRECTOR>CODER CODER>DIRECTOR? DIRECTOR>NONEx"),
    (2, "DIRECTOR>HUMAN HUMAN>DIRECTOR DIRECTOR>NONEx"),  # a team without an implementer
    (2, f"{D2} DIRECTOR>REVIEWER^ {END3} HUMAN>NONE"),
    (2, f"{D2} DIRECTOR>REVIEWER^ REVIEWER>CODER- CODER>REVIEWER! {END3} HUMAN>NONE"),
    (2, f"{D2} DIRECTOR>REVIEWER^ REVIEWER>DIRECTOR+ DIRECTOR>CODER CODER>REVIEWER! {END3} HUMAN>NONE"),
    (2, f"DIRECTOR>CODER CODER>DIRECTOR? DIRECTOR>REVIEWER^ REVIEWER>CODER+ CODER>REVIEWER! {END3} HUMAN>NONE"),
    (3, f"{D3} {END3} HUMAN>NONE"),
    (3, f"{D3} {END3} HUMAN>DIRECTOR DIRECTOR>HUMAN! HUMAN>NONE"),
    (3, f"{D3} {END3} HUMAN>DIRECTOR DIRECTOR>DEVELOPER DEVELOPER>REVIEWER! {END3} HUMAN>NONE"),
    (3, f"{D3} {END3} HUMAN>DEVELOPER DEVELOPER>REVIEWER! {END3} HUMAN>NONE"),
    (3, f"{D3} REVIEWER>DEVELOPER- DEVELOPER>REVIEWER! {END3} HUMAN>NONE"),
    (3, f"{D3} REVIEWER>DIRECTOR- DIRECTOR>DEVELOPER DEVELOPER>REVIEWER! {END3} HUMAN>NONE"),
    (3, f"{D3} REVIEWER>DIRECTOR- DIRECTOR>REVIEWER {END3} HUMAN>NONE"),
    (3, f"{D3} REVIEWER>DIRECTOR+ DIRECTOR>DEVELOPER DEVELOPER>REVIEWER! {END3} HUMAN>NONE"),
    (3, f"{D3} REVIEWER>DIRECTOR+ DIRECTOR>REVIEWER {END3} HUMAN>NONE"),
    (3, f"{D3} REVIEWER>DIRECTOR~ DIRECTOR>OPTIMIZER OPTIMIZER>DIRECTOR! DIRECTOR>REVIEWER {END3} HUMAN>NONE"),
    (3, f"{D3} REVIEWER>DIRECTOR+ DIRECTOR>OPTIMIZER OPTIMIZER>REVIEWER! {END3} HUMAN>NONE"),
    (3, f"{D3} REVIEWER>DIRECTOR? DIRECTOR>REVIEWER {END3} HUMAN>NONE"),
    (3, f"{D3} REVIEWER>HUMAN? HUMAN>REVIEWER {END3} HUMAN>NONE"),
    (3, "DIRECTOR>PARTNER PARTNER>DIRECTOR= DIRECTOR>REVIEWER REVIEWER>DIRECTOR- DIRECTOR>REVIEWER REVIEWER>CODER+"),
    (3, "DIRECTOR>PARTNER PARTNER>DIRECTOR= DIRECTOR>NONE!"),
    (3, "DIRECTOR>REVIEWER REVIEWER>DIRECTOR+ DIRECTOR>CODER CODER>REVIEWER!"),
    (3, "DIRECTOR>REVIEWER REVIEWER>DIRECTOR? DIRECTOR>REVIEWER REVIEWER>CODER+ CODER>REVIEWER!"),
    (3, "DIRECTOR>REVIEWER REVIEWER>CODER~ CODER>DIRECTOR? DIRECTOR>CODER CODER>REVIEWER!"),
    (3, "DIRECTOR>REVIEWER REVIEWER>CODER~ CODER>DIRECTOR? DIRECTOR>REVIEWER REVIEWER>CODER+ CODER>REVIEWER!"),
    (3, "DIRECTOR>REVIEWER REVIEWER>CODER~ CODER>DIRECTOR? DIRECTOR>HUMANx HUMAN>NONEx"),
    (3, "DIRECTOR>REVIEWER REVIEWER>CODER+ CODER>HUMAN? HUMAN>CODER CODER>REVIEWER!"),
    (3, "DIRECTOR>HUMAN HUMAN>CODER+ CODER>HUMAN! HUMAN>DIRECTOR+ DIRECTOR>HUMAN! HUMAN>NONE"),  # without a REVIEWER
]
"""Tier and steps: what a team does that follows its profiles to the letter."""


@pytest.mark.parametrize(("tier", "steps"), LETTER)
def test_who_follows_the_profiles_breaks_no_rule(tier: int, steps: str) -> None:
    assert broken(walk(steps, tier)) == []


def test_a_question_beside_a_task_that_is_being_built_is_a_task_of_its_own() -> None:
    own = "\n".join(
        [
            walk("DIRECTOR>CODER CODER>DIRECTOR?", 2),
            walk("DIRECTOR>PARTNER PARTNER>DIRECTOR= DIRECTOR>NONE!", 2, "question"),
            walk("DIRECTOR>CODER CODER>DIRECTOR! DIRECTOR>NONE!", 2),
        ]
    )
    assert broken(own) == []
    within = walk("DIRECTOR>CODER CODER>DIRECTOR? DIRECTOR>PARTNER PARTNER>DIRECTOR=", 2)
    assert {line.partition(",")[0] for line in broken(within)} == {"partner-in-loop"}


def test_the_way_in_is_teamops_append_and_the_way_round_the_person_is_denied() -> None:
    for role in AGENT_ROLES:
        profile = profile_of(role)
        assert {"teamops append*", "*"} & set(profile.commands_allow), role
        assert {"teamops handoff*", "*"} & set(profile.commands_allow), role
        assert "teamops approve*" in profile.commands_deny, role
        assert ("teamops handoff rotate*" in profile.commands_deny) == (role != DIRECTOR)
        text = profile.body
        assert text.index("`teamops append <<'END'`") < text.index("`cat >> current.md <<'END'`")
        assert f"`teamops append --role {role} " in text
    assert {role for role in AGENT_ROLES if {"teamops gate*", "*"} & set(profile_of(role).commands_allow)} == {
        *AGENT_ROLES
    } - {PARTNER}


def test_all_know_the_same_protocol() -> None:
    def common(role: Role) -> str:
        text = profile_of(role).body.split("## The handoff file")[1]
        text = re.sub(r"```markdown\n.*?```", "", text, flags=re.DOTALL)
        return text.replace(f"[{role}]", "[ROLE]").replace(f"`{role}`", "ROLE")

    texts = {role: common(role) for role in AGENT_ROLES}
    ends = {role: text[text.index("**Tiers.**") :] for role, text in texts.items()}
    assert len(set(ends.values())) == 1


@pytest.mark.parametrize(
    ("path", "writers"),
    [
        ("current.md", set(AGENT_ROLES)),
        ("src/a.py", {DEVELOPER, CODER, OPTIMIZER}),
        ("web/a.ts", {DEVELOPER, CODER, OPTIMIZER}),
        ("docs/conf.py", {DEVELOPER, CODER, OPTIMIZER}),
        ("docs/api.md", {DIRECTOR, DEVELOPER, CODER, OPTIMIZER}),
        ("docs/design/x.md", {DIRECTOR}),
        ("pyproject.toml", {DEVELOPER, CODER, OPTIMIZER}),
        ("reviews/x.md", {REVIEWER}),
        ("research/x.md", {PARTNER}),
        ("docs/current.md", {DIRECTOR, DEVELOPER, CODER, OPTIMIZER}),
        ("src/reviews/x.py", {DEVELOPER, CODER, OPTIMIZER}),
        ("teamops.toml", set()),
        ("profiles/coder.md", set()),
        (".teamops/spool/CODER/a.jsonl", set()),
        (".git/hooks/pre-commit", set()),
    ],
)
def test_who_may_write_what(path: str, writers: set[Role]) -> None:
    assert {role for role in AGENT_ROLES if may_write(role, path)} == writers


def test_the_finer_boundaries() -> None:
    assert [role for role in AGENT_ROLES if not profile_of(role).new_files] == [OPTIMIZER]
    assert [role for role in AGENT_ROLES if profile_of(role).named_files_only] == [CODER]
    assert [role for role in AGENT_ROLES if 1 in profile_of(role).tiers] == [DIRECTOR]
    assert [role for role in AGENT_ROLES if 2 not in profile_of(role).tiers] == [REVIEWER]
    assert [(role, profile_of(role).net_lines) for role in AGENT_ROLES if profile_of(role).net_lines is not None] == [
        (OPTIMIZER, 20)
    ]
    assert [role for role in AGENT_ROLES if profile_of(role).verdicts] == [REVIEWER]
    assert all(profile_of(role).light for role in AGENT_ROLES)
    assert all(profile_of(role).network for role in AGENT_ROLES)
    assert {role: [*profile_of(role).tier_rules] for role in AGENT_ROLES if profile_of(role).tier_rules} == {
        DIRECTOR: [1]
    }
    assert all("git push*" in profile_of(role).commands_deny for role in AGENT_ROLES)
    assert any("verdict" in line for line in profile_of(DEVELOPER).never)


FRONT = "---\nrole: TESTER\nname: Toni\ntitle: Tester\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", "1:1 has no front matter", id="empty"),
        pytest.param("You are Toni.", "1:1 has no front matter", id="no front matter"),
        pytest.param(FRONT, "1:1 has no front matter", id="never closed"),
        pytest.param(FRONT + "---\n\n", "1:1 the prompt below the front matter is empty", id="no prompt"),
        pytest.param(FRONT + "titel: x\n---\nx", '5:1 unknown key "titel" (did you mean "title"?)', id="near"),
        pytest.param(FRONT + "write:\n  alow: []\n---\nx", '6:3 unknown key "write.alow" (did you mean', id="inner"),
        pytest.param(FRONT + "zzz: x\n---\nx", '5:1 unknown key "zzz" (known: role, name', id="far"),
        pytest.param(FRONT + "name: x\n---\nx", '5:1 "name" stands here for the second time', id="twice"),
        pytest.param(FRONT + "does: x\n---\nx", '5:7 "does" is a list of texts', id="no list"),
        pytest.param(FRONT + "does: [[x]]\n---\nx", '5:7 "does" is a list of texts', id="nested"),
        pytest.param(FRONT + "write: x\n---\nx", '5:8 "write" is a mapping with allow, deny', id="no mapping"),
        pytest.param(
            FRONT + "write: {allow: [../x]}\n---\nx", '5:17 "write.allow": a pattern stays inside', id="outside"
        ),
        pytest.param(
            FRONT + "write: {new_files: maybe}\n---\nx", '5:20 "write.new_files" is true or false', id="switch"
        ),
        pytest.param(FRONT + "tiers: [4]\n---\nx", '5:8 "tiers" is a list of tiers', id="tier"),
        pytest.param(FRONT + "tiers: 3\n---\nx", '5:8 "tiers" is a list of tiers', id="tiers"),
        pytest.param(FRONT.replace("Toni", "") + "---\nx", '3:6 "name" is a text', id="no name"),
        pytest.param("---\nrole: TESTER\nname: T\n---\nx", '1:1 the front matter lacks "title"', id="missing"),
        pytest.param(FRONT.replace("TESTER", "CODER") + "---\nx", '1:1 "role" is CODER, and this is the', id="other"),
        pytest.param(FRONT + "does: [\n---\nx", "6:1 not YAML: ", id="syntax"),
        pytest.param("---\n- x\n---\nx", "2:1 the front matter is a mapping", id="list"),
        pytest.param(FRONT + "does: !!python/object:os.system x\n---\nx", '5:7 "does" is a list', id="python"),
    ],
)
def test_what_is_wrong_is_refused_in_its_place(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "tester.md"
    path.write_text(text)
    shown = [str(problem) for problem in check_profile(path, TESTER, tmp_path).problems]
    assert any(line.startswith(f"tester.md:{expected}") for line in shown), shown
    with pytest.raises(ConfigError):
        read_profile(path, TESTER)


def test_bytes_that_are_no_text_are_refused_in_their_place(tmp_path: Path) -> None:
    path = tmp_path / "tester.md"
    path.write_bytes(FRONT.encode() + b"does: [\xe4]\n---\nx")
    [problem] = check_profile(path, TESTER, tmp_path).problems
    assert (problem.line, problem.column) == (5, 8)
    assert str(check_profile(tmp_path / "none.md", TESTER, tmp_path).problems[0]).startswith(
        "none.md:1:1 can't be read"
    )


def test_yes_and_no_are_words(tmp_path: Path) -> None:
    path = tmp_path / "tester.md"
    path.write_text(FRONT.replace("Toni", "No") + "does: [yes, 1.0]\ntiers: [3, 2, 3]\n---\nx\r\n")
    profile = read_profile(path, TESTER)
    assert (profile.name, profile.does, profile.tiers) == ("No", ("yes", "1.0"), (2, 3))


@given(
    st.text()
    | st.lists(st.sampled_from([*FIELDS, ":", " ", "\n", "[", "]", "{", "- ", "x", "&a", "*a", "!!"])).map("".join)
)
def test_no_front_matter_makes_it_raise(tmp_path_factory: pytest.TempPathFactory, front: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.md"
    path.write_bytes(f"---\n{front}\n---\nx".encode("utf-8", "surrogatepass"))
    checked = check_profile(path, TESTER, path.parent)
    assert (checked.profile is None) == bool(checked.problems)
    assert all(problem.line >= 1 and problem.column >= 1 for problem in checked.problems)
