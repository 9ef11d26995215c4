"""One list of all alerts: in the code, in docs/alerts.md, and behind every finding that any rule makes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import teamops
from teamops.domain.alert_rules import RULES
from teamops.model.alert import AlertRule
from teamops.model.handoff import Severity

ROOT = Path(teamops.__file__).parent
DOCS = Path(__file__).parents[3] / "docs" / "alerts.md"


def documentation() -> str:
    """Return the table of alerts as docs/alerts.md has it."""
    rows = [
        f"| `{rule.code}` | {rule.severity_words} | {rule.meaning} | {rule.evidence} | {rule.paged} | {rule.do} |"
        for rule in RULES.values()
    ]
    head = "| code | severity | meaning | evidence | you are told away from the screen | what to do |"
    return "\n".join([head, "|---|---|---|---|---|---|", *rows]) + "\n"


def test_the_table_is_the_list_of_rules() -> None:
    assert documentation() in DOCS.read_text(encoding="utf-8")


def said_codes(source: str) -> Iterator[str]:
    """Yield the code of each ``Finding(...)`` in a module: a constant, or one of a table of constants."""
    tree = ast.parse(source)
    named = {
        target.id: value
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and (value := node.value) is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding":
            (code,) = (word.value for word in node.keywords if word.arg == "code")
            yield from constants(code, named)


def said_severities(source: str) -> Iterator[tuple[str, str]]:
    """Yield the code of each ``Finding(...)`` that says how grave it is, and each severity that it may say."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Finding":
            words = {word.arg: word.value for word in node.keywords if word.arg is not None}
            for part in ast.walk(words["severity"]) if "severity" in words else ():
                if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == "Severity":
                    (call,) = said_codes_of(node, tree)
                    yield from ((code, part.attr) for code in call)


def said_codes_of(call: ast.Call, tree: ast.Module) -> list[list[str]]:
    """Return the codes that one ``Finding(...)`` may have."""
    named = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return [constants(word.value, named) for word in call.keywords if word.arg == "code"]


def test_every_severity_that_a_finding_says_is_its_rules() -> None:
    texts = [path.read_text(encoding="utf-8") for path in sorted(ROOT.rglob("*.py"))]
    said = {(code, Severity[name]) for text in texts for code, name in said_severities(text)}
    other = {(code, severity) for code, severity in said if severity is not RULES[code].severity}
    assert other == {(rule.code, rule.else_severity) for rule in RULES.values() if rule.else_severity is not None}
    assert {("agent-dead", Severity.CRITICAL), ("boundary-crossed", Severity.INFO)} <= other


def test_a_severity_that_depends_on_the_case_is_said_with_it() -> None:
    assert RULES["agent-dead"].severity_words == "warning; critical while it holds a light"
    assert RULES["tmux-down"].severity_words == "critical"


def constants(node: ast.expr, named: dict[str, ast.expr]) -> list[str]:
    if isinstance(node, ast.Name):
        node = named[node.id]
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        table = named[node.value.id]
        assert isinstance(table, ast.Dict)
        return [code for value in table.values for code in constants(value, named)]
    assert isinstance(node, ast.Constant), f"line {node.lineno}: say the code of a finding as a constant"
    return [str(node.value)]


def test_every_finding_has_a_rule_and_every_rule_a_finding() -> None:
    said = {code for path in sorted(ROOT.rglob("*.py")) for code in said_codes(path.read_text(encoding="utf-8"))}
    assert said == set(RULES)


def test_the_codes_of_a_table_are_found() -> None:
    source = 'A = "one"\nT = {1: "two", 2: A}\ndef f():\n    return Finding(code=A), Finding(code=T[1])\n'
    assert sorted(said_codes(source)) == ["one", "one", "two"]


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.code)
def test_each_rule_is_sound(rule: AlertRule) -> None:
    assert rule.severity in {Severity.INFO, Severity.WARNING, Severity.CRITICAL}
    assert rule.inhibits <= set(RULES)
    assert rule.code not in rule.inhibits
    assert (rule.else_severity is None) is (not rule.else_when)
    assert rule.else_severity is not rule.severity
    assert all((rule.meaning, rule.evidence, rule.do))
    assert (rule.paged == "no") is (not rule.page)
    assert rule.page or rule.severity is not Severity.CRITICAL, "what is critical calls a person"
    assert rule.for_s >= 0
    assert rule.keep_firing_s >= 0


def test_no_alert_hides_itself_by_way_of_others() -> None:
    left = {code: set(rule.inhibits) for code, rule in RULES.items()}
    while free := [code for code, hides in left.items() if not hides & set(left)]:
        for code in free:
            del left[code]
    assert left == {}
