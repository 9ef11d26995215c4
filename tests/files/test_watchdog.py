"""The dead man's switch against a real web server: what it tells, when it is silent, and what it never says."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request

import pytest

from teamops.effects import web_page as module
from teamops.effects.watchdog import MOST_MISSES, Watchdog
from teamops.effects.web_page import _Redirects
from tests.http_service import Tarpit

SECRET = "5f1c-secret"  # noqa: S105 - of a test


class Listener:
    """A web server that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []
        self.answer: Callable[[str], tuple[int, str]] = lambda _path: (200, "")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                outer.told.append((self.command, self.path, body))
                code, location = outer.answer(self.path)
                self.send_response(code)
                if location:
                    self.send_header("Location", location)
                self.end_headers()

            do_POST = do_GET  # noqa: N815 - the library's name

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/ping/{SECRET}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def paths(self) -> list[str]:
        return [path.removeprefix(f"/ping/{SECRET}") for _, path, _ in self.told]

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    one = Listener()
    yield one
    one.stop()


class Said:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def __call__(self, trouble: str, hint: str) -> None:
        self.lines.append((trouble, hint))


def until(condition: Callable[[], bool], what: str, *, alive: Watchdog | None = None) -> None:
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, what
        if alive is not None:
            alive.see_round()
        time.sleep(0.01)


def test_it_tells_start_then_beats_as_long_as_the_loop_goes_round(listener: Listener) -> None:
    dog = Watchdog(listener.url, every_s=0.1, hung_s=5)
    dog.begin_life(Said())
    until(lambda: len(listener.told) >= 5, "beats", alive=dog)
    dog.stop()
    assert listener.paths()[:5] == ["/start", "", "", "", ""]
    assert {method for method, _, _ in listener.told} == {"GET"}
    told = len(listener.told)
    assert len(listener.told) == told, "nothing is told after its end"


def test_a_loop_that_hangs_is_told_once_and_then_there_is_silence_until_it_goes_on(listener: Listener) -> None:
    dog = Watchdog(listener.url, every_s=0.05, hung_s=0.3)
    dog.begin_life(Said())
    until(lambda: "/fail" in listener.paths(), "the hang is told")
    [(method, _, body)] = [row for row in listener.told if row[1].endswith("/fail")]
    assert method == "POST"
    assert "no round for" in body
    told = len(listener.told)
    deadline = time.monotonic() + 0.5
    until(lambda: time.monotonic() > deadline, "half a second of silence")
    assert len(listener.told) == told
    until(lambda: len(listener.told) > told, "it goes on", alive=dog)
    assert listener.paths()[told] == ""
    dog.stop()


def test_when_nobody_supervises_nothing_is_told(listener: Listener) -> None:
    dog = Watchdog(listener.url, every_s=0.05, hung_s=5)
    dog.begin_life(Said())
    until(lambda: len(listener.told) > 2, "beats", alive=dog)
    dog.begin_life(None)
    told = len(listener.told) + 1  # one may be on its way
    deadline = time.monotonic() + 0.5
    until(lambda: time.monotonic() > deadline, "half a second")
    assert len(listener.told) <= told
    dog.fail("teamops ended: LedgerError")
    dog.stop()
    assert listener.told[-1] == ("POST", f"/ping/{SECRET}/fail", "teamops ended: LedgerError")


def test_three_misses_are_a_trouble_without_the_secret_and_end_with_the_first_answer(listener: Listener) -> None:
    listener.answer = lambda _path: (500, "")
    said = Said()
    dog = Watchdog(listener.url, every_s=0.05, hung_s=5)
    dog.begin_life(said)
    until(lambda: bool(said.lines), "said", alive=dog)
    assert len(listener.told) >= MOST_MISSES
    trouble, hint = said.lines[0]
    assert "127.0.0.1" in trouble
    assert "500" in trouble
    assert SECRET not in trouble + hint
    until(lambda: len(listener.told) > MOST_MISSES + 3, "more misses", alive=dog)
    assert len(said.lines) == 1, "said once"
    listener.answer = lambda _path: (200, "")
    until(lambda: len(said.lines) == 2, "over", alive=dog)
    assert said.lines[1] == ("", "")
    dog.stop()


@pytest.mark.parametrize(
    ("location", "followed"),
    [("/elsewhere", True), ("file:///etc/hostname", False), ("ftp://127.0.0.1/x", False), ("data:,x", False)],
)
def test_redirects_lead_to_web_pages_only(listener: Listener, location: str, *, followed: bool) -> None:
    listener.answer = lambda path: (302, location) if SECRET in path else (200, "")
    said = Said()
    dog = Watchdog(listener.url, every_s=0.05, hung_s=5)
    dog.begin_life(said)
    if followed:
        until(lambda: ("GET", "/elsewhere", "") in listener.told, "followed", alive=dog)
        assert not said.lines
    else:
        until(lambda: bool(said.lines), "refused", alive=dog)
        assert any(word in said.lines[0][0] for word in ("302", "leads elsewhere"))
        assert SECRET not in str(said.lines)
    dog.stop()


def test_what_was_asked_in_secret_is_not_asked_again_in_the_open() -> None:
    redirects, headers = _Redirects(), HTTPMessage()
    asked = Request(f"https://hc.example/{SECRET}")
    with pytest.raises(URLError, match="leads elsewhere, by http"):
        redirects.redirect_request(asked, BytesIO(), 302, "", headers, f"http://hc.example/{SECRET}")
    assert redirects.redirect_request(asked, BytesIO(), 302, "", headers, "https://b.example/x") is not None


def test_a_page_that_leads_to_itself_is_given_up(listener: Listener) -> None:
    listener.answer = lambda _path: (302, listener.url)
    said = Said()
    dog = Watchdog(listener.url, every_s=0.05, hung_s=5)
    dog.begin_life(said)
    until(lambda: bool(said.lines), "said", alive=dog)
    assert SECRET not in str(said.lines)
    dog.stop()


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/x", "http://nosuch.invalid/x", "https://127.0.0.1:1/x"])
def test_nobody_there_is_said_and_no_crash(url: str) -> None:
    said = Said()
    dog = Watchdog(url, every_s=0.02, hung_s=5)
    dog.begin_life(said)
    until(lambda: bool(said.lines), "said", alive=dog)
    dog.stop()


def test_a_server_that_never_answers_holds_nobody_up(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT_S", 0.2)
    gate = threading.Event()
    listener.answer = lambda _path: (200 + gate.wait(10) * 0, "")
    said = Said()
    dog = Watchdog(listener.url, every_s=0.05, hung_s=5)
    begun = time.monotonic()
    dog.begin_life(said)
    dog.see_round()
    assert time.monotonic() - begun < 0.5
    until(lambda: bool(said.lines), "said", alive=dog)
    assert "no answer" in said.lines[0][0] or "timed out" in said.lines[0][0]
    gate.set()
    dog.stop()


def test_the_address_is_in_no_print_of_the_settings(tmp_path: Path) -> None:
    from teamops.config.load import load

    (tmp_path / "teamops.toml").write_text(f'[watchdog]\nurl = "https://hc.example/{SECRET}/"\n', encoding="utf-8")
    settings = load(tmp_path)
    assert settings.watchdog_url == f"https://hc.example/{SECRET}"
    assert SECRET not in repr(settings)


def test_a_page_that_never_comes_to_an_end_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT_S", 1.0)
    with Tarpit() as tarpit:
        page = module.Page(f"http://127.0.0.1:{tarpit.port}/{SECRET}")
        for _ in range(2):
            began = time.monotonic()
            assert page.ask("", "") == ("127.0.0.1", "no answer within 1 s")
            assert time.monotonic() - began < 5.0
    with Tarpit(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n") as tarpit:
        assert module.Page(f"http://127.0.0.1:{tarpit.port}").ask("", "") == ("127.0.0.1", "no answer within 1 s")


def test_one_that_answers_leaves_nothing_behind(listener: Listener) -> None:
    page = module.Page(listener.url)
    for _ in range(3):
        assert page.ask("", "") == ("127.0.0.1", "")
    assert not [thread for thread in threading.enumerate() if thread.name == "deadline"]
