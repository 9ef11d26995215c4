"""Reading the handoff file: total, incremental equal to whole, and the inverse of writing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from teamops.handoff import Document, parse
from teamops.handoff.document import Read
from teamops.handoff.fields import _INSIDE, KNOWN
from teamops.handoff.write import append_text, render_block
from teamops.model.role import AGENT_ROLES, HUMAN, NONE, Role
from teamops.model.text import clean_line

PIECES = st.sampled_from(
    [
        b"### [DIRECTOR] 2026-03-28 14:30\n",
        b"### [director] 2026-03-28 14:31\n",
        b"### [Nobody] 2026-03-28 14:32\r\n",
        b"### [CODER]\n",
        b"  ### [REVIEWER] 2026-13-45 99:99\n",
        b"### [REVI",
        b"### [CODER]",
        b"(url)\n",
        b"## [CODER] 2026-01-01 10:00\n",
        b"###[CODER] 2026-01-01 10:00\n",
        b"### CODER 2026-01-01 10:00\n",
        b"**Status**: done\n",
        b"**Turn**: CODER\n",
        b"**Turn**: Max",
        b"### [Max] 2026-03-28 14:33\n",
        b"**Gates**:\n",
        b"**Gate**: x\n",
        b"**Tier**: 3\n",
        b"**Turn**: NONE\n",
        b"__Turn:__ human\r\n",
        b"**Tier**: 2\n",
        b"**Tier**\xef\xbc\x9a 9\n",
        b"**Task**: Notify\n",
        b"**Task**: notify\n",
        b"- **Verdict**: changes-requested\n",
        b"Turn: CODER\n",
        b"#### Part\n",
        b"```\n",
        b"~~~",
        b"- item\n",
        b"  ```\n",
        b"<!-- a\n",
        b"-->\n",
        b"<b>\n",
        b"text\n",
        b"caf\xe9\n",
        b"\xc3",
        b"\xa9\n",
        b"\xef\xbb\xbf",
        b"\r",
        b"\n",
        b" ",
        b"#",
    ]
)
DATA = st.lists(PIECES, max_size=12).map(b"".join)


def reading(data: bytes) -> Read:
    return lambda start, end: data[start:end]


@given(st.binary(max_size=300) | DATA)
def test_any_bytes_are_read(data: bytes) -> None:
    read = parse(data)
    assert read.size == len(data)
    lines = max(1, read.lines)
    for problem in read.problems:
        assert 1 <= problem.line <= lines
        assert problem.column >= 1
        assert problem.hint
    ends = [0, *(block.end for block in read.blocks)]
    for before, block in zip(ends, read.blocks, strict=False):
        assert before <= block.start < block.end <= len(data)
        assert 1 <= block.line <= block.end_line <= lines
        assert block.role == block.role.upper()
        assert all(block.line < section.line <= block.end_line for section in block.sections)


class Growing(RuleBasedStateMachine):
    """A file that people and programs change in every way; what was read is always what a whole reading gives."""

    def __init__(self) -> None:
        super().__init__()
        self.data = b""
        self.document = Document()

    @initialize(data=DATA)
    def begin(self, data: bytes) -> None:
        self.data = data
        self.document.update(len(data), reading(data))

    @rule(more=DATA)
    def append(self, more: bytes) -> None:
        self.data += more
        grew = self.document.update(len(self.data), reading(self.data))
        assert grew or not more

    @rule(more=DATA)
    def change_the_last_byte_and_append(self, more: bytes) -> None:
        self.data = self.data[:-1] + b"?" + more
        self.document.update(len(self.data), reading(self.data))

    @rule(size=st.integers(0, 400))
    def truncate(self, size: int) -> None:
        self.data = self.data[:size]
        self.update()

    @rule(at=st.integers(0, 400), length=st.integers(0, 30), new=DATA)
    def edit(self, at: int, length: int, new: bytes) -> None:
        self.data = self.data[:at] + new + self.data[at + length :]
        self.update()

    @rule(at=st.integers(0, 400), more=DATA)
    def edit_in_place_and_append(self, at: int, more: bytes) -> None:
        flipped = self.data[at : at + 1].swapcase()
        self.data = self.data[:at] + flipped + self.data[at + 1 :] + more
        self.update()

    def update(self) -> None:
        read = reading(self.data)
        self.document.update(len(self.data), read)
        if not self.document.verify(read):
            self.document.load(len(self.data), read)

    @invariant()
    def equals_a_whole_reading(self) -> None:
        assert self.document.handoff == parse(self.data)
        assert self.document.verify(reading(self.data))


TestGrowing = Growing.TestCase
TestGrowing.settings = settings(max_examples=150, stateful_step_count=12, deadline=None)


@given(st.lists(st.integers(1, 40), max_size=30), DATA)
@example([44], b"### [DIRECTOR] 2026-03-28 14:30\n\n### [CODER](url)\n**Turn**: CODER\n")
@example([3], b"\xef\xbb\xbf### [DIRECTOR] 2026-03-28 14:30\n")
def test_a_file_that_comes_in_any_portions_reads_the_same(portions: list[int], data: bytes) -> None:
    document = Document()
    size = 0
    for portion in [*portions, len(data)]:
        size = min(len(data), size + portion)
        document.update(size, reading(data))
        assert document.handoff == parse(data[:size])
    assert document.verify(reading(data))


LINE = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40)
WORDS = st.from_regex(r"[A-Za-z][A-Za-z0-9 ().,-]{0,20}[a-z0-9]", fullmatch=True)
TEXT = st.lists(DATA.map(lambda data: data.decode("utf-8", "replace")) | LINE, max_size=6).map("\n".join)
VALUE = LINE.filter(lambda value: not _INSIDE.search(value))
"""A value with a known field in bold in it would be told as a problem."""
NAMES = WORDS.filter(lambda name: name.lower() not in {known.lower() for known in (*KNOWN, "Session", "Gate")})


@dataclass(frozen=True)
class Written:
    role: Role
    at: datetime
    status: str
    turn: Role
    tier: int
    task: str | None
    gates: str | None
    verdict: str | None
    fields: dict[str, str]
    sections: list[tuple[str, str]]

    def text(self) -> str:
        return render_block(
            self.role,
            self.at,
            self.status,
            self.turn,
            self.tier,
            task=self.task,
            gates=self.gates,
            verdict=self.verdict,
            fields=self.fields,
            sections=self.sections,
        )


WRITTEN = st.builds(
    Written,
    role=st.sampled_from([*AGENT_ROLES, HUMAN]),
    at=st.datetimes(),
    status=WORDS,
    turn=st.sampled_from([*AGENT_ROLES, HUMAN, NONE]),
    tier=st.integers(1, 3),
    task=st.none() | WORDS,
    gates=st.none() | VALUE,
    verdict=st.none() | WORDS,
    fields=st.lists(st.tuples(NAMES, VALUE), max_size=3, unique_by=lambda field: field[0].lower()).map(dict),
    sections=st.lists(st.tuples(WORDS, TEXT), max_size=3),
)


@given(WRITTEN)
def test_what_is_written_is_read(written: Written) -> None:
    follower = render_block(HUMAN, written.at, "ok", NONE, written.tier)
    data = append_text(b"", written.text())
    data += append_text(data[-4:], follower)
    read = parse(data)
    assert [block.role for block in read.blocks] == [written.role, HUMAN]
    block = read.blocks[0]
    assert block.at == written.at.replace(second=0, microsecond=0)
    assert (block.status, block.turn, block.tier) == (clean_line(written.status).lower(), written.turn, written.tier)
    assert block.task == (clean_line(written.task) if written.task is not None else None)
    assert block.verdict == (clean_line(written.verdict).lower() if written.verdict is not None else None)
    assert [section.title for section in block.sections] == [clean_line(title) for title, _ in written.sections]
    for name, value in written.fields.items():
        assert block.fields[clean_line(name)] == clean_line(value).rstrip("\\ ")
    # Any words may stand in Gates; where they name no gate, that is told.
    said = ["unreadable-gates"] if read.problems and not block.checks and written.gates else []
    assert [problem.code for problem in read.problems] == said


@given(WRITTEN)
def test_a_fence_in_a_section_stays_code(written: Written) -> None:
    fenced = "```\n### [HUMAN] 2026-03-28 14:30\n```"
    text = replace(written, sections=[*written.sections, ("Code", fenced)]).text()
    assert fenced in text
    assert len(parse(text.encode()).blocks) == 1
