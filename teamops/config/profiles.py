"""Profiles: a role's front matter (YAML) and its prompt (Markdown).

Starting teamops needs no more of a shipped profile than the persona's name, so YAML is imported only when a whole
profile is asked for, or a project brings its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct

from teamops.config.problems import ConfigError, ConfigProblem, NotText, nearest, shown_path, text_of
from teamops.config.settings import Profile, ProfileFile
from teamops.domain.boundary_rules import TierRule
from teamops.model.role import Role
from teamops.model.text import clean, clean_line

if TYPE_CHECKING:
    import yaml

LIMIT = 1_000_000
"""Bytes; a longer profile is no prompt."""
_FRONT = re.compile(r"---[ \t]*\n(.*?\n)??---[ \t]*(?:\n|$)", re.DOTALL)
_NAME = re.compile(rb"^name:[ \t]*(\S[^\n#]*)", re.MULTILINE)

TEXT, TEXTS, TIERS, SWITCH = "a text", "a list of texts", "a list of tiers (1, 2, 3)", "true or false"
NUMBER = "a whole number"
_EXCEPTION: dict[str, str] = {"allow": TEXTS, "deny": TEXTS, "fix": TEXTS, "fix_lines": NUMBER}

FIELDS: dict[str, str | dict[str, str]] = {
    "role": TEXT,
    "name": TEXT,
    "title": TEXT,
    "does": TEXTS,
    "never": TEXTS,
    "write": {
        "allow": TEXTS,
        "deny": TEXTS,
        "new_files": SWITCH,
        "delete": SWITCH,
        "named_files_only": SWITCH,
        "net_lines": NUMBER,
        "verdicts": SWITCH,
        "light": SWITCH,
    },
    "commands": {"allow": TEXTS, "deny": TEXTS},
    "network": TEXT,
    "tiers": TIERS,
    "tier_1": {**_EXCEPTION},
    "tier_2": {**_EXCEPTION},
    "tier_3": {**_EXCEPTION},
}
"""Every key of the front matter, and what it holds."""
REQUIRED = ("role", "name", "title")


class CheckedProfile(Struct, frozen=True):
    """A profile that was read to its end."""

    profile: Profile | None
    """``None`` when it is refused."""
    name: str
    """The persona, as far as it could be read."""
    problems: tuple[ConfigProblem, ...]


def folder() -> Path:
    """Return the folder of the shipped profiles: in the package, or beside it in a work tree."""
    package = Path(__file__).parents[1]
    inside = package / "profiles"
    return inside if inside.is_dir() else package.parent / "profiles"


def shipped(role: Role) -> ProfileFile | None:
    """Return the shipped profile of ``role``, or ``None`` for a team's own role."""
    path = folder() / f"{role.lower()}.md"
    try:
        with path.open("rb") as file:
            head = file.read(1000)
    except OSError:
        return None
    found = _NAME.search(head)
    return ProfileFile(path=path, role=role, name=found[1].decode().strip() if found else role.capitalize())


def own(path: Path, role: Role, root: Path) -> tuple[ProfileFile, tuple[ConfigProblem, ...]]:
    """Return a project's own profile of ``role`` with its problems.

    It is read in full, but for an unchanged copy of the shipped one, as ``teamops init`` makes it: that one is sound,
    and reading six of them would slow every start.
    """
    copied = shipped(role)
    if copied is not None and _same(path, copied.path):
        return ProfileFile(path=path, role=role, name=copied.name), ()
    checked = check_profile(path, role, root)
    return ProfileFile(path=path, role=role, name=checked.name or role.capitalize()), checked.problems


def _same(one: Path, other: Path) -> bool:
    """Return whether two files hold the same; ``False`` where they can't be read."""
    try:
        return one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes()
    except OSError:
        return False


@cache
def read_profile(path: Path, role: Role) -> Profile:
    """Return the profile in ``path``, which must be that of ``role``. Raises ``ConfigError`` with every problem."""
    checked = check_profile(path, role, path.parent)
    if checked.profile is None:
        raise ConfigError(checked.problems)
    return checked.profile


def check_profile(path: Path, role: Role, root: Path) -> CheckedProfile:
    """Read ``path`` as the profile of ``role``; problems name it relative to ``root``. Never raises on any file."""
    reading = _Reading(path, shown_path(path, root))
    profile = reading.profile(role)
    return CheckedProfile(None if reading.problems else profile, reading.name, tuple(reading.problems))


@dataclass(slots=True)
class _Reading:
    path: Path
    shown: str
    name: str = ""
    problems: list[ConfigProblem] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tiers: tuple[int, ...] = (1, 2, 3)
    switches: dict[str, bool] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)

    def profile(self, role: Role) -> Profile:
        front, body = self._split()
        if front is not None:
            self._front(front)
        self.name = self.texts.get("name", "")
        if front is not None:
            for key in REQUIRED:
                if key not in self.texts and not any(f'"{key}"' in problem.message for problem in self.problems):
                    self._say(1, 1, f'the front matter lacks "{key}"')
            written = self.texts.get("role", role).upper()
            if written != role:
                self._say(1, 1, f'"role" is {clean_line(written, 60)}, and this is the profile of {role}')
            if not body.strip():
                self._say(1, 1, "the prompt below the front matter is empty")
        return Profile(
            role=role,
            name=self.name,
            title=self.texts.get("title", ""),
            does=self.lists.get("does", ()),
            never=self.lists.get("never", ()),
            write_allow=self.lists.get("write.allow", ()),
            write_deny=self.lists.get("write.deny", ()),
            new_files=self.switches.get("write.new_files", True),
            delete=self.switches.get("write.delete", True),
            named_files_only=self.switches.get("write.named_files_only", False),
            net_lines=self.numbers.get("write.net_lines"),
            verdicts=self.switches.get("write.verdicts", False),
            light=self.switches.get("write.light", True),
            commands_allow=self.lists.get("commands.allow", ()),
            commands_deny=self.lists.get("commands.deny", ()),
            network=self.texts.get("network", ""),
            tiers=self.tiers,
            tier_rules=self._tier_rules(),
            body=body.strip() + "\n",
            source=self.path,
        )

    def _tier_rules(self) -> Mapping[int, TierRule]:
        """Return what the role may do beyond the rest, by tier."""
        lists = self.lists
        return MappingProxyType(
            {
                tier: TierRule(
                    allow=lists.get(f"tier_{tier}.allow", ()),
                    deny=lists.get(f"tier_{tier}.deny", ()),
                    fix=lists.get(f"tier_{tier}.fix", ()),
                    fix_lines=self.numbers.get(f"tier_{tier}.fix_lines", 1),
                )
                for tier in (1, 2, 3)
                if any(key.startswith(f"tier_{tier}.") for key in (*lists, *self.numbers))
            }
        )

    def _split(self) -> tuple[str | None, str]:
        """Return the front matter and the body; without front matter that is a problem, and ``None``."""
        try:
            with self.path.open("rb") as file:
                raw = file.read(LIMIT + 1)
        except OSError as error:
            self._say(1, 1, f"can't be read: {error.strerror}")
            return None, ""
        if len(raw) > LIMIT:
            self._say(1, 1, f"is longer than {LIMIT} bytes")
            return None, ""
        try:
            text = text_of(raw)
        except NotText as error:
            self._say(error.line, error.column, "is not UTF-8 from here on: save the file as UTF-8")
            return None, ""
        found = _FRONT.match(text)
        if found is None:
            self._say(1, 1, 'has no front matter: it begins with a line "---", then role, name and title, then "---"')
            return None, text
        return found[1] or "", text[found.end() :]

    def _front(self, front: str) -> None:
        import yaml

        try:
            node = yaml.compose(front, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line, column = (mark.line + 2, mark.column + 1) if mark else (2, 1)
            self._say(line, column, f"not YAML: {clean_line(error.problem or str(error))}")
            return
        except (yaml.YAMLError, RecursionError) as error:
            self._say(2, 1, f"not YAML: {clean_line(str(error)) or 'nested too deeply'}")
            return
        if node is None:
            return
        if not isinstance(node, yaml.MappingNode):
            self._at(node, "the front matter is a mapping of keys to values")
            return
        self._mapping(node, FIELDS, "")

    def _mapping(self, node: yaml.MappingNode, fields: dict[str, str | dict[str, str]], prefix: str) -> None:
        import yaml

        seen: set[str] = set()
        for key_node, value in node.value:
            key = clean_line(str(key_node.value), 60) if isinstance(key_node, yaml.ScalarNode) else "?"
            if key not in fields:
                found = nearest(key, list(fields))
                hint = f'did you mean "{found}"?' if found else f"known: {', '.join(fields)}"
                self._at(key_node, f'unknown key "{prefix}{key}" ({hint})')
                continue
            if key in seen:
                self._at(key_node, f'"{prefix}{key}" stands here for the second time')
                continue
            seen.add(key)
            kind = fields[key]
            if isinstance(kind, str):
                self._value(prefix + key, kind, value)
            elif isinstance(value, yaml.MappingNode):
                self._mapping(value, {**kind}, f"{key}.")
            else:
                self._at(value, f'"{key}" is a mapping with {", ".join(kind)}')

    def _value(self, key: str, kind: str, node: yaml.Node) -> None:
        import yaml

        if kind == TEXT and isinstance(node, yaml.ScalarNode):
            text = clean_line(node.value)
            if text and node.tag != "tag:yaml.org,2002:null":
                self.texts[key] = text
                return
        elif kind == SWITCH and isinstance(node, yaml.ScalarNode) and node.value in ("true", "false"):
            self.switches[key] = node.value == "true"
            return
        elif kind == NUMBER and isinstance(node, yaml.ScalarNode) and re.fullmatch(r"\d{1,6}", node.value):
            self.numbers[key] = int(node.value)
            return
        elif isinstance(node, yaml.SequenceNode) and all(isinstance(item, yaml.ScalarNode) for item in node.value):
            items = tuple(clean(item.value).strip() for item in node.value)
            if kind == TIERS and all(item in ("1", "2", "3") for item in items):
                self.tiers = tuple(sorted({int(item) for item in items}))
                return
            if kind == TEXTS and all(items):
                self._list(key, items, node)
                return
        self._at(node, f'"{key}" is {kind}')

    def _list(self, key: str, items: tuple[str, ...], node: yaml.SequenceNode) -> None:
        if key.startswith(("write.", "tier_")):
            for item, item_node in zip(items, node.value, strict=True):
                from teamops.domain.globs import rows

                try:
                    rows((item,))
                except ValueError:
                    self._at(item_node, f'"{key}": "{clean_line(item, 60)}" is no glob')
                if ".." in item.split("/"):
                    self._at(
                        item_node, f'"{key}": a pattern stays inside the project, and "{clean_line(item)}" doesn\'t'
                    )
        self.lists[key] = items

    def _at(self, node: yaml.Node, message: str) -> None:
        self._say(node.start_mark.line + 2, node.start_mark.column + 1, message)

    def _say(self, line: int, column: int, message: str) -> None:
        self.problems.append(ConfigProblem(path=self.path, shown=self.shown, line=line, column=column, message=message))
