"""Screens of real clients, read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from teamops.model.pane import Screen
from teamops.tmux.screen import KNOWN_CLIENTS, draft_of, plain_of, read, read_screen, solid_of

SAMPLES = Path(__file__).with_name("screens")
RULE = "─" * 40

SCREENS = {
    "claude_api_error_401": Screen.RETRYING,
    "claude_api_failed_401": Screen.FAILED,
    "claude_api_failed_529": Screen.FAILED,
    "claude_api_retry_529": Screen.RETRYING,
    "claude_ask_user_question": Screen.DIALOG,
    "claude_exited": Screen.EXITED,
    "claude_idle": Screen.PROMPT,
    "claude_idle_after_turn": Screen.PROMPT,
    "claude_interrupted": Screen.PROMPT,
    "claude_permission_bash": Screen.DIALOG,
    "claude_permission_write": Screen.DIALOG,
    "claude_working_bash": Screen.BUSY,
    "claude_working_hang_15s": Screen.BUSY,
    "claude_working_streaming": Screen.BUSY,
    "codex_api_failed_401": Screen.FAILED,
    "codex_api_failed_529": Screen.FAILED,
    "codex_api_retry_401": Screen.RETRYING,
    "codex_api_retry_529": Screen.RETRYING,
    "codex_exited": Screen.EXITED,
    "codex_idle": Screen.PROMPT,
    "codex_permission": Screen.DIALOG,
    "codex_working": Screen.PROMPT,
    "gemini_api_failed_401": Screen.FAILED,
    "gemini_draft": Screen.PROMPT,
    "gemini_idle": Screen.PROMPT,
    "gemini_permission": Screen.DIALOG,
    "gemini_rejected": Screen.PROMPT,
    "gemini_working": Screen.BUSY,
    "opencode_api_failed_401": Screen.FAILED,
    "opencode_api_retry_529": Screen.RETRYING,
    "opencode_draft": Screen.PROMPT,
    "opencode_idle": Screen.PROMPT,
    "opencode_interrupted": Screen.PROMPT,
    "opencode_permission": Screen.DIALOG,
    "opencode_rejected": Screen.PROMPT,
    "opencode_working": Screen.BUSY,
}
"""codex_working looks idle without its title: the title tells (see TITLES)."""

REFUSED = {
    "claude_api_error_401",
    "claude_api_failed_401",
    "codex_api_failed_401",
    "codex_api_retry_401",
    "gemini_api_failed_401",
}
"""Those whose account is refused by their own words; opencode shows no more than the provider's own message."""

DRAFTS = {
    "claude_api_error_401": "",
    "claude_idle": "",
    "claude_idle_after_turn": "",
    "claude_interrupted": "FAKE:hang",
    "claude_working_bash": "",
    "claude_working_streaming": "",
    "claude_permission_bash": None,
    "claude_exited": None,
    "codex_idle": "",
    "codex_working": "",
    "codex_exited": None,
}


def sample(name: str, kind: str = "txt") -> str:
    return (SAMPLES / f"{name}.{kind}").read_text("utf-8")


def test_every_sample_is_in_the_table() -> None:
    assert {path.stem for path in SAMPLES.glob("*.txt")} == set(SCREENS)


@pytest.mark.parametrize("name", SCREENS)
@pytest.mark.parametrize("kind", ["txt", "ansi"])
def test_a_real_screen_is_read(name: str, kind: str) -> None:
    text = "\n".join(plain_of(line) for line in sample(name, kind).splitlines())
    assert read_screen(name.partition("_")[0], text) is SCREENS[name]


@pytest.mark.parametrize("name", SCREENS)
def test_a_refused_account_is_told_from_other_failures(name: str) -> None:
    assert read(name.partition("_")[0], sample(name)).auth is (name in REFUSED)


@pytest.mark.parametrize("name", DRAFTS)
def test_a_draft_is_told_from_a_suggestion(name: str) -> None:
    assert draft_of(name.partition("_")[0], sample(name, "ansi")) == DRAFTS[name]


TITLES = [
    pytest.param("codex", "codex_idle", "\u280b xt", Screen.BUSY, id="codex spinner"),
    pytest.param("codex", "codex_idle", "[ ! ] Action Required | xt", Screen.DIALOG, id="codex action"),
    pytest.param("codex", "codex_working", "xt", Screen.PROMPT, id="codex name"),
    pytest.param("claude", "claude_idle", "◐ work", Screen.BUSY, id="claude busy"),
    pytest.param("claude", "claude_idle", "✳ work", Screen.PROMPT, id="claude idle"),
    pytest.param("claude", "claude_permission_bash", "✳ work", Screen.DIALOG, id="claude waiting"),
]


@pytest.mark.parametrize(("client", "name", "title", "expected"), TITLES)
def test_the_title_helps(client: str, name: str, title: str, expected: Screen) -> None:
    assert read_screen(client, sample(name), title) is expected


def box(draft: str, footer: str = "  ? for shortcuts", above: str = "") -> str:
    return f"{above}\n{RULE}\n\u276f\u00a0{draft}\n{RULE}\n{footer}"


TRUST = """Do you trust the files in this folder?

 \u276f 1. Yes, proceed
   2. No, exit

 Enter to confirm · Esc to exit"""
CODEX_BUSY = "• Working (3s • esc to interrupt)\n\n\u203a Ask Codex to do anything\n  gpt"
CODEX_WAITS = "• Reconnecting... waiting for network (3s • esc to interrupt)\n\n\u203a Ask Codex\n  gpt"
GEMINI_DIALOG = "│ Allow execution of: 'rm'? │\n│ ● 1. Yes, allow once │\n Type your message"
GEMINI_RETRY = " ⠏ Trying to reach gemini-3-pro (Attempt 2/10) (esc to cancel, 5s)\n─────\n >   Type your message"
RETRY_IN_TALK = box("", footer="  esc to interrupt", above="✻ 529 · retrying in 2s · attempt 1/9\n" + "  more\n" * 6)
CLAUDE_OVER_IT = box("", above="● API Error: 529 x\n\u276f again\n● Done.")
GEMINI_OVER_IT = "✕ [API Error: x]\n > again\n✦ Done.\n─────\n >   Type your message"
OPENCODE_DENIED = "  ┃\n  ┃  $ rm x\n  ┃\n     ▣  Build · Claude\n  ┃\n  tab agents  ctrl+p commands"
OPENCODE_KEY = "  ┃\n  ┃  invalid x-api-key\n  ┃\n     ▣  Build · Claude\n  ┃\n  tab agents  ctrl+p commands"

MADE = [
    pytest.param("claude", box("", above="Said: Do you want to? Esc to cancel"), Screen.PROMPT, id="words in the talk"),
    pytest.param("claude", box("", above=" 1. Yes\n 2. No"), Screen.PROMPT, id="a list in the talk"),
    pytest.param("claude", box("a\n  b\n  c"), Screen.PROMPT, id="a draft of three lines"),
    pytest.param("claude", box("", footer="  Esc to cancel"), Screen.DIALOG, id="a footer that cancels"),
    pytest.param("claude", TRUST, Screen.DIALOG, id="trust"),
    pytest.param("claude", "ann@host:~$ ", Screen.UNKNOWN, id="a shell"),
    pytest.param("claude", "\n\n", Screen.UNKNOWN, id="empty"),
    pytest.param("codex", "\n", Screen.UNKNOWN, id="empty codex"),
    pytest.param("codex", "ann@host:~$ ", Screen.UNKNOWN, id="a shell instead of codex"),
    pytest.param("codex", CODEX_BUSY, Screen.BUSY, id="codex says it works"),
    pytest.param("gemini", "│ >   Type your message or @path/to/file │", Screen.PROMPT, id="gemini prompt"),
    pytest.param("gemini", "⠏ Thinking (esc to cancel, 5s)\n│ >   Type your message │", Screen.BUSY, id="gemini busy"),
    pytest.param("gemini", GEMINI_DIALOG, Screen.DIALOG, id="gemini dialog"),
    pytest.param("opencode", "┃ Permission required\n┃ Allow once", Screen.DIALOG, id="opencode dialog"),
    pytest.param("opencode", "what is this", Screen.UNKNOWN, id="opencode unknown"),
    pytest.param("claude", CLAUDE_OVER_IT, Screen.PROMPT, id="a failure of before"),
    pytest.param("claude", box("", above="● API Error handling is done."), Screen.PROMPT, id="talk of failures"),
    pytest.param("claude", box("", above="  ⎿  Invalid API key · Please run /login"), Screen.FAILED, id="a wrong key"),
    pytest.param("claude", box("", above="● 529 · retrying in 2s · attempt 1/9"), Screen.PROMPT, id="at rest"),
    pytest.param("claude", RETRY_IN_TALK, Screen.BUSY, id="a retry in the talk of one that works"),
    pytest.param("codex", CODEX_WAITS, Screen.RETRYING, id="codex waits for the network"),
    pytest.param("codex", "■ Conversation interrupted - tell the model\n\n\u203a x\n  gpt", Screen.PROMPT, id="escape"),
    pytest.param("codex", "■ stream error\n\u203a go on\n• Done.\n\u203a x\n  gpt", Screen.PROMPT, id="got over it"),
    pytest.param("gemini", GEMINI_RETRY, Screen.RETRYING, id="gemini tries again"),
    pytest.param("gemini", GEMINI_OVER_IT, Screen.PROMPT, id="gemini got over it"),
    pytest.param("gemini", "ann@host:~$ ", Screen.UNKNOWN, id="a shell instead of gemini"),
    pytest.param("opencode", OPENCODE_DENIED, Screen.PROMPT, id="a tool's box under a turn that was cut off"),
    pytest.param("opencode", OPENCODE_KEY, Screen.FAILED, id="opencode's key"),
    pytest.param("command", "", Screen.PROMPT, id="any command"),
    pytest.param("sdk", "Do you want to proceed?", Screen.PROMPT, id="sdk"),
]  # fmt: skip


@pytest.mark.parametrize(("client", "text", "expected"), MADE)
def test_a_made_screen_is_read(client: str, text: str, expected: Screen) -> None:
    assert read_screen(client, text) is expected


def test_the_words_of_a_refused_key_are_read() -> None:
    assert read("opencode", OPENCODE_KEY).auth
    assert not read("claude", box("", above="● API Error: 529\n\u276f x\n● 401 Unauthorized was the fault.")).auth


CODEX_CALLS = [
    "unexpected status 503 Service Unavailable: overloaded, url: https://api.openai.com/v1/responses",
    "exceeded retry limit, last status: 429 Too Many Requests, request id: 1",
    "stream disconnected before completion: error sending request for url (https://api.openai.com/)",
    "Connection failed: error sending request",
    "You\u2019ve hit your usage limit. Try again at 3:14 PM.",
    "Quota exceeded. Check your plan and billing details.",
    "We\u2019re currently experiencing high demand, which may cause temporary errors.",
    "Selected model is at capacity. Please try a different model.",
    "Codex ran out of room in the model's context window. Start a new thread.",
    "Missing environment variable: `OPENAI_API_KEY`.",
    "Your access token could not be refreshed because your refresh token has expired.",
    '{"type": "error", "error": {"type": "invalid_request_error", "message": "Invalid schema"}}',
    '{ "detail": "Unsupported model" }',
]
NO_CALLS = [
    ("codex", "■", "Failed to save model migration prompt preference: Device or resource busy (os error 16)"),
    ("codex", "■", "Failed to set trust for /p: failed to persist config.toml: Read-only file system"),
    ("codex", "■", "MCP client for `docs` failed to start"),
    ("codex", "■", "Unrecognized command '/x'"),
    ("gemini", "✕", "Error adding context: EBUSY: resource or device busy, rename '/h/.gemini/settings.json'"),
    ("gemini", "✕", "EROFS: read-only file system, open '/h/.gemini/settings.json'"),
    ("gemini", "✕", "Unknown command: /x"),
]
CODEX_INPUT = "\u203a Ask Codex\n\n  gpt"
GEMINI_INPUT = "─────\n >   Type your message"


def at_prompt(client: str, *said: str) -> str:
    return "\n".join([*said, CODEX_INPUT if client == "codex" else GEMINI_INPUT])


@pytest.mark.parametrize("said", CODEX_CALLS)
def test_a_call_that_codex_gave_up_is_known_by_its_words(said: str) -> None:
    seen = read("codex", at_prompt("codex", "\u203a go on", f"■ {said}"))
    assert (seen.screen, seen.trouble, seen.complaint) == (Screen.FAILED, (f"■ {said}",), "")


def test_a_login_that_codex_can_t_renew_is_a_refused_account() -> None:
    said = "■ Your access token could not be refreshed because your refresh token was revoked."
    assert read("codex", at_prompt("codex", said)).auth


@pytest.mark.parametrize(("client", "mark", "said"), NO_CALLS)
def test_an_error_that_is_no_failed_call_is_told_and_makes_no_state(client: str, mark: str, said: str) -> None:
    seen = read(client, at_prompt(client, f"{mark} {said}"))
    assert (seen.screen, seen.trouble, seen.complaint) == (Screen.PROMPT, (), said)


@pytest.mark.parametrize(
    ("client", "mark", "failed"), [("codex", "■", "■ stream disconnected"), ("gemini", "✕", "✕ [API Error: x]")]
)
def test_an_error_of_another_kind_does_not_make_a_failed_call_good(client: str, mark: str, failed: str) -> None:
    seen = read(client, at_prompt(client, failed, "  of a model", f"{mark} Failed to save", f"{mark} 401 unauthorized"))
    assert (seen.screen, seen.trouble) == (Screen.FAILED, (failed, "  of a model"))
    assert (seen.auth, seen.complaint) == (False, "401 unauthorized")


@pytest.mark.parametrize("client", ["codex", "gemini"])
def test_an_error_before_the_last_turn_is_told_no_more(client: str) -> None:
    talk = ("■ Failed to save", "\u203a go on", "• Done.") if client == "codex" else ("✕ EROFS", " > go on", "✦ Done.")
    assert read(client, at_prompt(client, *talk)).complaint == ""
    assert read("codex", at_prompt("codex", "■ Failed to save", "■ Conversation interrupted - tell")).complaint == ""


def test_a_complaint_is_made_safe_to_show() -> None:
    assert read("codex", at_prompt("codex", "■ a\u202eb" + "c" * 999)).complaint.startswith("abccc")
    assert len(read("codex", at_prompt("codex", "■ " + "c" * 999)).complaint) <= 200


DIALOGS = [
    "claude_permission_bash",
    "claude_permission_write",
    "claude_ask_user_question",
    "codex_permission",
    "gemini_permission",
    "opencode_permission",
]


@pytest.mark.parametrize("name", DIALOGS)
@given(data=st.data())
def test_a_dialog_with_lines_cut_off_above_is_never_a_prompt(name: str, data: st.DataObject) -> None:
    """A small pane shows only the lower part."""
    lines = sample(name).rstrip().splitlines()
    first = data.draw(st.integers(0, len(lines) - 1))
    assert read_screen(name.partition("_")[0], "\n".join(lines[first:])) in {Screen.DIALOG, Screen.UNKNOWN}


@given(st.text(), st.text(), st.sampled_from(sorted(KNOWN_CLIENTS)))
def test_any_text_can_be_read(text: str, title: str, client: str) -> None:
    assert read_screen(client, text, title) in Screen
    draft_of(client, text)


FAINT = [
    pytest.param("plain", "plain", id="plain"),
    pytest.param("\x1b[2mghost\x1b[0m", "", id="faint"),
    pytest.param("a\x1b[2mghost\x1b[22mb", "ab", id="faint within"),
    pytest.param("\x1b[38;5;2mgreen\x1b[48;2;2;2;2mback", "greenback", id="a colour's 2 is no faint"),
    pytest.param("\x1b[7mT\x1b[0;2mry this\x1b[0m", "", id="a suggestion under the cursor"),
    pytest.param("\x1b[7mT\x1b[0m", "T", id="a letter under the cursor"),
]


@pytest.mark.parametrize(("line", "solid"), FAINT)
def test_what_is_faint_is_left_out(line: str, solid: str) -> None:
    assert solid_of(line) == solid
