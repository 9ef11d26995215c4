"""Each client's reader on the logs of its kind: read whole, in pieces, cut off, over two lives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from teamops.model.usage import Tokens, Usage
from teamops.usage.clients import CLIENTS, LogClient, Readers
from tests.usage_logs import LOGS, complete_lines, files_of, home_of, line_clients, price, read_home, sums

Counts = tuple[int, int, int, int, int, int]
"""Input, output, cache write, its 1 h part, cache read; entries."""
EXPECTED: dict[str, tuple[dict[tuple[str, str, str], Counts], int]] = {
    "claude": (
        {
            ("2026-11-19", "claude-haiku-4-5", "33333"): (40, 300, 0, 0, 0, 1),
            ("2026-11-19", "claude-sonnet-4-5", "33333"): (6, 30, 0, 0, 700, 1),
            ("2026-11-20", "claude-haiku-4-5", "11111"): (30, 500, 2000, 0, 0, 1),
            ("2026-11-20", "claude-opus-4-5", "11111"): (9, 77, 500, 0, 9000, 1),
            ("2026-11-20", "claude-sonnet-4-5", "11111"): (
                225,
                710,
                4000,
                2000,
                26000,
                5,
            ),
            ("2026-11-21", "claude-sonnet-4-5", "11111"): (5, 61, 0, 0, 15000, 1),
            ("2026-11-21", "claude-sonnet-4-5", "22222"): (4, 90, 100, 0, 10000, 1),
        },
        2,
    ),
    "codex": (
        {
            ("2026-11-19", "gpt-5", "00004"): (600, 30, 0, 0, 100, 1),
            ("2026-11-20", "gpt-5", "00001"): (2700, 200, 0, 0, 1800, 3),
            ("2026-11-20", "gpt-5", "00002"): (500, 80, 0, 0, 2100, 2),
            ("2026-11-20", "gpt-5-mini", "00001"): (500, 60, 0, 0, 4500, 1),
            ("2026-11-21", "gpt-5", "00003"): (2000, 100, 0, 0, 600, 2),
            ("2026-11-21", "gpt-5-mini", "00001"): (0, 40, 0, 0, 1000, 1),
        },
        1,
    ),
    "gemini": (
        {
            ("2026-11-19", "gemini-2.5-pro", "0000b"): (900, 80, 0, 0, 100, 2),
            ("2026-11-20", "gemini-2.5-pro", "0000a"): (3030, 150, 0, 0, 300, 2),
            ("2026-11-21", "gemini-2.5-flash", "0000a"): (900, 30, 0, 0, 0, 1),
            ("2026-11-21", "gemini-2.5-pro", "0000a"): (500, 10, 0, 0, 200, 1),
        },
        1,
    ),
    "opencode": (
        {
            ("2026-11-19", "gemini-2.5-pro", "ses_0"): (300, 20, 0, 0, 0, 1),
            ("2026-11-20", "claude-sonnet-4-5", "ses_1"): (1000, 50, 200, 0, 300, 1),
            ("2026-11-20", "gpt-5", "ses_1"): (2000, 200, 0, 0, 400, 1),
            ("2026-11-21", "claude-haiku-4-5", "ses_2"): (500, 40, 0, 0, 0, 1),
        },
        1,
    ),
    "amp": (
        {
            ("2026-11-20", "claude-haiku-4-5", "22222"): (300, 12, 0, 0, 0, 1),
            ("2026-11-20", "claude-sonnet-4-5", "11111"): (10, 200, 1000, 0, 0, 1),
            ("2026-11-20", "claude-sonnet-4-5", "22222"): (7, 90, 500, 0, 800, 1),
            ("2026-11-21", "claude-opus-4-5", "11111"): (5, 300, 0, 0, 1000, 1),
        },
        2,
    ),
    "pi": (
        {
            ("2026-11-20", "claude-sonnet-4-5", "00001"): (15, 500, 1000, 0, 1000, 2),
            ("2026-11-21", "claude-haiku-4-5", "00002"): (4, 90, 0, 0, 10000, 1),
            ("2026-11-21", "claude-sonnet-4-5", "00001"): (7, 30, 0, 0, 0, 1),
        },
        1,
    ),
}
"""By client: what its logs hold, by day, model and end of session, and how many lines or records are malformed."""
LINES = {
    name: [
        (str(path), complete_lines(path.read_bytes()))
        for path in files_of(CLIENTS[name], LOGS / name)
        if CLIENTS[name].is_lines(path)
    ]
    for name in line_clients()
}


@pytest.fixture(params=CLIENTS, ids=str)
def client(request: pytest.FixtureRequest) -> LogClient:
    return CLIENTS[request.param]


@pytest.fixture
def home(client: LogClient, tmp_path: Path) -> Path:
    return home_of(client, tmp_path)


def total(usages: list[Usage]) -> Tokens:
    return sum((usage.tokens for usage in usages), Tokens())


def nothing(usages: list[Usage]) -> bool:
    """Where the last record of a response stands, its first one may come and go again."""
    return all(each.tokens == Tokens() and not each.cost for each in sums(usages).values())


def lines_reader(name: str) -> Readers:
    readers = CLIENTS[name].readers()
    assert readers.lines is not None
    return readers


def test_the_logs_give_what_they_hold(client: LogClient, home: Path) -> None:
    usages, bad = read_home(client, home)
    found = {
        (day, model, session[-5:]): (
            each.tokens.input,
            each.tokens.output,
            each.tokens.cache_write,
            each.tokens.cache_write_1h,
            each.tokens.cache_read,
            each.entries,
        )
        for (day, model, session), each in sums(usages).items()
    }
    expected, malformed = EXPECTED[client.name]
    assert found == expected
    assert bad == malformed
    assert {usage.client for usage in usages} == {client.name}


def test_a_session_says_where_it_works(client: LogClient, home: Path) -> None:
    usages, _ = read_home(client, home)
    places = {usage.cwd for usage in usages}
    assert places <= {"/home/ana/shop", "/home/ana/site", ""}
    assert "/home/ana/shop" in places


def test_what_was_read_adds_nothing_when_it_is_read_again(client: LogClient, home: Path) -> None:
    readers = client.readers()
    first, _ = read_home(client, home, readers)
    again, _ = read_home(client, home, readers)
    assert total(first) != Tokens()
    assert nothing(again)


def test_a_next_life_adds_nothing_to_what_was_told(client: LogClient, home: Path) -> None:
    usages, _ = read_home(client, home)
    readers = client.readers()
    readers.learn(usages)
    again, _ = read_home(client, home, readers)
    assert nothing(again)


def test_what_is_remembered_of_a_life_is_what_it_told(client: LogClient, home: Path) -> None:
    readers = client.readers()
    usages, _ = read_home(client, home, readers)
    counted = list(readers.counted())
    assert total(counted) == total(usages)
    assert len({usage.key for usage in counted}) == len(counted)
    assert sum(map(price, counted)) == sum(map(price, usages))


@pytest.mark.parametrize("name", LINES)
@given(data=st.data())
def test_lines_that_come_in_any_pieces_add_up_to_the_whole(name: str, data: st.DataObject) -> None:
    readers = lines_reader(name)
    reader = readers.lines
    assert reader is not None
    usages: list[Usage] = []
    bad = 0
    for path, lines in LINES[name]:
        cuts = sorted(data.draw(st.lists(st.integers(0, len(lines)), max_size=4)))
        for begin, end in zip([0, *cuts], [*cuts, len(lines)], strict=True):
            reading = reader.read(lines[begin:end], path)
            usages += reading.usages
            bad += reading.bad_lines
    whole = lines_reader(name).lines
    assert whole is not None
    expected = [whole.read(lines, path) for path, lines in LINES[name]]
    assert sums(usages) == sums(usage for reading in expected for usage in reading.usages)
    assert bad == sum(reading.bad_lines for reading in expected)


@pytest.mark.parametrize("name", LINES)
@given(data=st.data())
def test_a_file_that_is_cut_at_any_byte_and_goes_on_gives_the_same(name: str, data: st.DataObject) -> None:
    """A part of a line waits; so the sum of what was told is never more than the whole."""
    readers = lines_reader(name)
    reader = readers.lines
    assert reader is not None
    usages: list[Usage] = []
    for path, lines in LINES[name]:
        content = b"".join(line + b"\n" for line in lines)
        cut = data.draw(st.integers(0, len(content)))
        held = 0
        for end in (cut, len(content)):
            complete = complete_lines(content[held:end])
            usages += reader.read(complete, path).usages
            held += sum(len(line) + 1 for line in complete)
    whole = lines_reader(name).lines
    assert whole is not None
    assert total(usages) == total([usage for path, lines in LINES[name] for usage in whole.read(lines, path).usages])


@pytest.mark.parametrize("name", LINES)
@given(data=st.data())
def test_no_bytes_raise_or_count_below_nothing(name: str, data: st.DataObject) -> None:
    """Lines that are cut, spliced or sown with any bytes are skipped or counted as malformed; the rest is read."""
    reader = lines_reader(name).lines
    assert reader is not None
    known = [line for _, lines in LINES[name] for line in lines]
    spoilt = st.builds(
        lambda line, at, junk: line[: at % (len(line) + 1)] + junk + line[(at + len(junk)) % (len(line) + 1) :],
        st.sampled_from(known),
        st.integers(0, 5000),
        st.binary(max_size=12),
    )
    lines = data.draw(st.lists(st.one_of(st.binary(max_size=60), spoilt, st.sampled_from(known)), max_size=25))
    usages: list[Usage] = []
    for line in lines:
        usages += reader.read([line], "somewhere.jsonl").usages
    assert min(vars_of(total(usages))) >= 0


@pytest.mark.parametrize("name", ["gemini", "opencode", "amp"])
@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_of_any_bytes_is_malformed_not_fatal(name: str, data: st.DataObject, tmp_path: Path) -> None:
    """A file that is being rewritten may be seen half; a database may be none at all."""
    client = CLIENTS[name]
    whole = max((path.read_bytes() for path in (LOGS / name).rglob("*.json")), key=len)
    content = data.draw(st.one_of(st.binary(max_size=100), st.integers(0, len(whole) - 1).map(lambda end: whole[:end])))
    reader = client.readers().whole
    assert reader is not None
    path = tmp_path / ("T-1.json" if data.draw(st.booleans()) or name != "opencode" else "opencode.db")
    path.write_bytes(content)
    reading = reader.read(path)
    assert reading.usages == ()
    assert reading.bad_lines == 1 or path.suffix == ".db" or content.strip() in (b"{}", b"[]", b"null")
    path.write_bytes(whole)
    if path.suffix == ".json":
        assert reader.read(path).usages  # and the next look sees it whole


@pytest.mark.parametrize("name", ["gemini", "amp"])
@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_file_that_is_rewritten_as_it_grows_adds_up_to_the_last(
    name: str, data: st.DataObject, tmp_path: Path
) -> None:
    client = CLIENTS[name]
    source = next(path for path in files_of(client, LOGS / name) if not client.is_lines(path))
    whole = json.loads(source.read_bytes())
    readers = client.readers()
    assert readers.whole is not None
    path = tmp_path / source.name
    usages: list[Usage] = []
    for length in [*sorted(data.draw(st.lists(st.integers(0, len(whole["messages"])), max_size=4))), None]:
        path.write_text(json.dumps({**whole, "messages": whole["messages"][:length]}))
        usages += readers.whole.read(path).usages
    once = client.readers().whole
    assert once is not None
    assert total(usages) == total(list(once.read(path).usages)) != Tokens()


def vars_of(tokens: Tokens) -> tuple[int, ...]:
    return (tokens.input, tokens.output, tokens.cache_write, tokens.cache_write_1h, tokens.cache_read)
