"""Secrets in texts: what is taken out, and what must stay readable."""

from __future__ import annotations

import time

import pytest

from teamops.domain.paging import Lately, Moment, PagingPolicy, decide
from teamops.domain.secrets import SECRET, without_secrets
from teamops.model.alert import Alert, AlertState
from teamops.model.handoff import Severity
from teamops.model.role import CODER

# Put together here, so that no scanner takes this file for a leak.
OPENAI = "sk-" + "proj-Zb3kQ9wX7vLm2NpR5tYc8dFg1hJs4aTe"
ANTHROPIC = "sk-" + "ant-api03-Qw8erty7Uiop6Asdf5Ghjk4Lzxc3Vbnm2"
GITHUB = "ghp" + "_16C7e42F292c6912E7710c838347Ae178B4a"
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
SLACK = "xoxb" + "-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzqqgy"
JWT = "eyJhbGciOiJIUzI1NiJ9" + ".eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
TELEGRAM = "110201543" + ":AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawQ"
HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param(f"401 for {OPENAI}.", f"401 for {SECRET}.", id="openai"),
        pytest.param(f"({ANTHROPIC})", f"({SECRET})", id="anthropic"),
        pytest.param(f"push with {GITHUB} failed", f"push with {SECRET} failed", id="github"),
        pytest.param(f"id {AWS}: denied", f"id {SECRET}: denied", id="aws"),
        pytest.param(f"slack says {SLACK}", f"slack says {SECRET}", id="slack"),
        pytest.param(f"jwt {JWT} expired", f"jwt {SECRET} expired", id="jwt"),
        pytest.param(f"bot {TELEGRAM}", f"bot {SECRET}", id="telegram"),
        pytest.param("Authorization: Bearer abc123def456ghi", f"Authorization: Bearer {SECRET}", id="bearer"),
        pytest.param("BASIC dXNlcjpwYXNzd29yZDE=", f"BASIC {SECRET}", id="basic"),
        pytest.param("postgres://shop:hunter2@db/x", f"postgres://{SECRET}@db/x", id="an address with a password"),
        pytest.param("https://0123456789abcdefff@h/x", f"https://{SECRET}@h/x", id="an address with a token"),
        pytest.param("PASSWORD=correcthorse ok", f"PASSWORD={SECRET} ok", id="set in a shell"),
        pytest.param("STRIPE_API_KEY='abcdef'", f"STRIPE_API_KEY='{SECRET}'", id="set and quoted"),
        pytest.param('password="my secret phrase1"', f'password="{SECRET}"', id="a phrase in quotes"),
        pytest.param("api key: abcd1234efgh", f"api key: {SECRET}", id="two words"),
        pytest.param("login --password hunter2xyz now", f"login --password {SECRET} now", id="an option"),
        pytest.param('"token" : "a1b2c3d4"', f'"token" : "{SECRET}"', id="in JSON"),
        pytest.param("the password is hunter22!", f"the password is {SECRET}", id="told"),
        pytest.param("GET /x?token=abcdef1&page=2", f"GET /x?token={SECRET}&page=2", id="in a query"),
        pytest.param(f"the secret for it: {HEX}", f"the secret for it: {SECRET}", id="hex near a word"),
        pytest.param("key Qm9iJ3MgMzIgYnl0ZSBzZWNyZXQga2V5ISEx", f"key {SECRET}", id="base64 near a word"),
        pytest.param("key=Qm9iJ3MgMzIgYnl0ZSBzZWNyZXQga2V5ISEx", f"key={SECRET}", id="base64 set"),
        pytest.param(
            "https://hooks.slack.com/services/T000/B000/XXXXXXXX",
            f"https://hooks.slack.com/services/{SECRET}",
            id="an address that is a right",
        ),
        pytest.param(
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----\nnext",
            f"{SECRET}\nnext",
            id="a private key",
        ),
        pytest.param("-----BEGIN PRIVATE KEY-----\nMIIE", SECRET, id="half a private key"),
        pytest.param(f"keys {HEX} and {HEX}", f"keys {SECRET} and {SECRET}", id="two behind one word"),
    ],
)
def test_a_secret_is_taken_out(text: str, left: str) -> None:
    assert without_secrets(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "CODER is dead: killed by signal 9 (out of memory)",
        "bf83274 is on main; 16c999e8c71134401a78d4d46435517b2271d6ac is not",
        "merge 16c999e8c71134401a78d4d46435517b2271d6ac",
        "used 41200 tokens a minute: tokens=41200, max_tokens: 8192, token count=1200000",
        "password: required, secret=None, token is missing, api_key=undefined",
        "press the key r; the key is documented in docs/configuration.md",
        "sk-learn-compatible-estimators are fine",
        "git clone ssh://git@example.org/team/shop.git",
        "basic understanding of bearer bonds",
        "see src/webhooks/handler_2.py:120 and tests/unit/test_tokens_of_2026.py",
        "the token handling in src/authentication/middleware/session_store moved",
        "https://example.org/a/b?page=2&sort=name",
        "12:30:45 on 2026-03-28, took 00:01:23.456",
        "tier 3, round 2: 5 approvals without one challenge",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert without_secrets(text) == text


@pytest.mark.parametrize(
    "text", ["key " * 20_000, "token=" * 20_000, "a://" * 20_000, "sk-" * 20_000, "-----BEGIN PRIVATE KEY-----" * 2_000]
)
def test_a_hostile_text_costs_little(text: str) -> None:
    began = time.process_time()
    without_secrets(text)
    assert time.process_time() - began < 2.0


def test_a_page_is_made_without_them() -> None:
    alert = Alert(
        code="agent-zombie",
        subject="CODER",
        severity=Severity.CRITICAL,
        state=AlertState.FIRING,
        agent=CODER,
        message=f"CODER hangs after: 401 for {OPENAI}",
        do="restart it (r)",
        since_wall=0.0,
        changed_wall=0.0,
        notify=True,
    )
    decided = decide([alert], Lately(), Moment(1000.0, 1000.0, 600), PagingPolicy(), project="p", channels=1)
    [(page, _)] = decided.pages
    assert SECRET in page.title + page.body
    assert OPENAI not in repr(page)
