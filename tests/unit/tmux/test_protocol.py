"""The control protocol, the listing, and words on their way to tmux: pure parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.model.errors import TeamopsError
from teamops.model.text import clean_colours
from teamops.tmux.command import ServerDown, TmuxFailed, failure, literal, quote, word
from teamops.tmux.control import ControlLost, Notification, Parser, Reply, unescape
from teamops.tmux.listing import format_of, parse
from teamops.tmux.socket import Socket, install_hint

LINES = st.binary(max_size=30).filter(lambda line: b"\n" not in line)


@given(st.lists(st.tuples(st.lists(LINES, max_size=5), st.booleans(), st.integers(0, 1)), max_size=6))
def test_answers_come_back_as_they_were_given(blocks: list[tuple[list[bytes], bool, int]]) -> None:
    parser, replies = Parser(), []
    for number, (lines, ok, flags) in enumerate(blocks):
        guard = b"1700000000 %d %d" % (number, flags)
        inner = [line for line in lines if line not in {b"%end " + guard, b"%error " + guard}]
        for line in (b"%begin " + guard, *inner, (b"%end " if ok else b"%error ") + guard):
            said = parser.feed(line)
            if said is not None:
                replies.append((said, inner))
        assert parser.feed(b"%sessions-changed") == Notification("sessions-changed", "")
    assert [said for said, _ in replies] == [
        Reply(tuple(inner), ok, bool(flags)) for (_, inner), (_, ok, flags) in zip(replies, blocks, strict=True)
    ]


@given(st.lists(LINES | st.sampled_from([b"%begin 1 2 1", b"%end 1 2 1", b"%error 1 2 1", b"%exit"]), max_size=12))
def test_any_lines_are_read_or_end_the_connection(lines: list[bytes]) -> None:
    parser = Parser()
    try:
        for line in lines:
            said = parser.feed(line)
            assert said is None or isinstance(said, Reply | Notification)
    except ControlLost:
        pass


NOT_ENDS = [b"%end 1 3 1", b"%end 2 2 1", b"%end 1 2 0", b"%end 1 2 1 ", b" %end 1 2 1", b"%exit", b"%begin 1 2 1"]


@pytest.mark.parametrize("line", NOT_ENDS, ids=repr)
def test_only_its_own_guard_ends_an_answer(line: bytes) -> None:
    parser = Parser()
    parser.feed(b"%begin 1 2 1")
    assert parser.feed(line) is None
    assert parser.feed(b"%end 1 2 1") == Reply((line,), ok=True, ours=True)


@pytest.mark.parametrize("line", [b"%end 1 2 1", b"%error 1 2 1", b"hello", b""], ids=repr)
def test_what_fits_nowhere_ends_the_connection(line: bytes) -> None:
    with pytest.raises(ControlLost):
        Parser().feed(line)


def test_a_notification_has_a_name_and_arguments() -> None:
    assert Parser().feed(b"%session-renamed $1 a b") == Notification("session-renamed", "$1 a b")


@given(st.binary())
def test_octal_escapes_are_undone(data: bytes) -> None:
    escaped = b"".join(b"\\%03o" % byte if byte < 32 or byte == 92 else bytes((byte,)) for byte in data)
    assert unescape(escaped) == data


WORDS = [("a;", "a\\;"), (";", "\\;"), ("a;b", "a;b"), ("a\\;", "a\\\\;"), ("", "")]


@pytest.mark.parametrize(("text", "expected"), WORDS)
def test_a_trailing_semicolon_is_kept(text: str, expected: str) -> None:
    assert word(text) == expected


def test_words_of_a_command_line() -> None:
    assert quote("it's") == "'it'\\''s'"
    assert literal("#{x} ##") == "##{x} ####"
    for bad in ("a\nb", "a\rb", "a\0b"):
        with pytest.raises(ValueError, match="one line"):
            quote(bad)


FAILURES = [
    ("no server running on /tmp/x", ServerDown),
    ("error connecting to /tmp/x (No such file or directory)", ServerDown),
    ("server exited unexpectedly", ServerDown),
    ("can't find pane: %9", TmuxFailed),
    ("", TmuxFailed),
]


@pytest.mark.parametrize(("said", "kind"), FAILURES)
def test_a_server_that_is_down_is_told_from_a_refusal(said: str, kind: type[TeamopsError]) -> None:
    error = failure(said, ["capture-pane"])
    assert type(error) is kind
    assert error.hint


GUARD = "@g"


def row(
    session: str = "a",
    title: str = "t",
    *,
    pane: str = "%1",
    dead: str = "0",
    status: str = "",
    signal: str = "",
    wrapped: str = "0",
) -> str:
    return f"{GUARD} {pane}|11|22|{dead}|{status}|{signal}|0|80|24|0|1700|/dev/pts/3|{wrapped}:{session}:{title}"


def test_the_format_gives_what_is_parsed() -> None:
    assert format_of(GUARD).count("|") == row().count("|")
    assert format_of(GUARD).startswith(f"{GUARD} #{{pane_id}}|#{{pane_pid}}|#{{pid}}|")


WRAPPED = [("137", None, 9), ("143", None, 15), ("37", 37, None), ("128", 128, None), ("255", 255, None)]


@pytest.mark.parametrize(("status", "code", "number"), WRAPPED)
def test_the_program_around_an_agent_says_how_that_ended(status: str, code: int | None, number: int | None) -> None:
    (pane,) = parse(row(dead="1", status=status, wrapped="1"), GUARD, frozenset({"a"})).panes["a"]
    assert (pane.exit_status, pane.exit_signal) == (code, number)
    (pane,) = parse(row(dead="1", status=status), GUARD, frozenset({"a"})).panes["a"]
    assert (pane.exit_status, pane.exit_signal) == (int(status), None)


SIGNALS = [("9", 9), ("SEGV", 11), ("sigkill", 9), ("", None), ("WHAT", None)]


@pytest.mark.parametrize(("said", "number"), SIGNALS)
def test_a_signal_is_a_number_or_a_name(said: str, number: int | None) -> None:
    (pane,) = parse(row(dead="1", signal=said), GUARD, frozenset("a")).panes["a"]
    assert (pane.dead, pane.exit_signal, pane.exit_status) == (True, number, None)


def test_foreign_sessions_and_foreign_lines_are_passed_over() -> None:
    text = "\n".join([row("b"), "x", "%1|11:a:t", row("a", "one\nmore :a:"), f"{GUARD} 1|2:a:t", row("a", pane="x")])
    listed = parse(text, GUARD, frozenset("a"))
    assert [pane.title for pane in listed.panes["a"]] == ["one"]
    assert set(listed.panes) == {"a"}
    assert listed.server_pid == 22


def test_persons_are_counted_and_control_clients_not() -> None:
    clients = f"{GUARD} 0:a\n{GUARD} 1:a\n{GUARD} 0:b\n{GUARD} 0:a"
    (pane,) = parse(f"{row()}\n{clients}", GUARD, frozenset("a")).panes["a"]
    assert pane.attached == 2


@given(st.text())
def test_any_text_can_be_parsed(text: str) -> None:
    parse(text, GUARD, frozenset("a"))
    parse(f"{GUARD} {text}", GUARD, frozenset("a"))


@given(st.text(alphabet=st.characters(exclude_characters="\n\r")))
def test_a_title_is_always_last(title: str) -> None:
    (pane,) = parse(row(title=title), GUARD, frozenset("a")).panes["a"]
    assert (pane.pane_id, pane.pid, pane.tty) == ("%1", 11, "/dev/pts/3")


@given(st.text(alphabet=st.sampled_from("a\x1b[]0;1m\x07\x0e\x9b\n")))
def test_only_colours_are_left_of_escapes(text: str) -> None:
    left = clean_colours(text)
    for part in left.split("\x1b")[1:]:
        assert part[0] == "["
        assert part[1:].lstrip("0123456789;:").startswith("m")
    assert not set(left) & set("\x07\x0e\x9b")


def test_a_socket_names_its_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("teamops.tmux.socket.shutil.which", lambda name: f"/bin/{name}")
    assert Socket().argv() == ["/bin/tmux", "-u", "-L", "default"]
    assert Socket("x").argv() == ["/bin/tmux", "-u", "-L", "x"]
    assert Socket("x", "/p").argv() == ["/bin/tmux", "-u", "-S", "/p"]
    assert Socket("x").file({"TMUX_TMPDIR": "/t"}).parts[-1] == "x"
    assert Socket("x", "/p").file({}).as_posix() == "/p"


HINTS = [("apt-get", "apt-get install -y tmux"), ("dnf", "dnf install -y tmux"), ("brew", "brew install tmux")]


@pytest.mark.parametrize(("program", "line"), HINTS)
def test_a_missing_tmux_names_the_line_for_this_system(
    program: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("teamops.tmux.socket.shutil.which", lambda name: "/x" if name == program else None)
    assert line in install_hint()
    with pytest.raises(TeamopsError, match="tmux is missing"):
        Socket().argv()
