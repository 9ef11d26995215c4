"""Secrets in what agents say: an error message with a key in it must not reach a phone, a chat or a lock screen.

Known shapes (those that their issuers publish for scanners), and what a text itself calls a key, token or password.
What only looks random is kept: a commit's hash is no secret.
"""

from __future__ import annotations

import re
from functools import cache

SECRET = "[secret]"  # noqa: S105 - what stands in place of one

_PASS = r"(?:passwd|password|passphrase|passcode|(?<![A-Za-z])pass(?![A-Za-z])|(?-i:(?<![A-Za-z])[Pp]wd))"  # noqa: S105 - names of one
_NAME = (
    r"(?:(?:api|access|secret|private|signing|auth|account|encryption)[ _-]?key|token|secret|credentials?|cookie|"
    rf"authorization|signature|{_PASS})"
)
_QUOTE = r"(?:\\{0,3}[\"'])?"
"""Behind a name: JSON's, or that of JSON within JSON."""
_CALLED = rf"(?i:{_NAME})[A-Za-z0-9_]{{0,20}}{_QUOTE}"
_SET = rf"{_CALLED}\s{{0,3}}(?::?=>?|:)\s{{0,3}}"
_IN = r"(?:[^\s\"',;]|[\"',;](?=[^\s\"',;:)\]}])(?![A-Za-z_][A-Za-z0-9_.-]{0,40}[\"']?\s?[=:]))"
"""A sign within a value that stands in no quotes. What stands before the next name is none, an ``&`` is one."""
_MIXED = r"(?=[^\s\"',;]{0,200}[A-Za-z])(?=[^\s\"',;]{0,200}\d)"
"""What follows has a letter and a digit before it ends."""
_NO_VALUE = (
    r"(?!\\{0,3}[\"'])(?!(?:true|false|none|null|nil|undefined|required|missing|invalid|empty|unset|redacted)(?![A-Za-z0-9_&%$#!@*^-]))"
    r"(?!\[secret\])"
)
_NO_COUNT = r"(?![\d.,]+(?![^\s\"',;&]))"
_PROSE = (
    r"(?!(?:to|is|was|for|and|or|in|on|as|the|a|an|of|at|by|be|it|if|not|must|can|may|needs?|has|had|with|without|"
    r"from|into|here|there|this|that|option|flag|argument|parameter|switch|value|file|prompt|instead|again|when|"
    r"which|will|does|takes?|should|would|given|set|used|works?)(?![^\s.,;:)]))"
)
"""What follows an option in a sentence about it."""
_BEGINS = r"(?:(?<![A-Za-z0-9_-])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f][0-9A-Fa-f]))"
"""Not within a word, though behind an escape within another text."""

_WHOLE = (
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[\s\S]*?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|[\s\S]*)"
    r"|(?<![A-Za-z0-9+/=\s\\])[A-Za-z0-9+/=\s\\]{16,}-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    rf"|{_BEGINS}(?:"
    r"sk-(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{16,}"  # OpenAI, Anthropic, and those that follow them
    r"|(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{10,}|whsec_[A-Za-z0-9+/=]{16,}"  # Stripe
    r"|gh[opsru]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}"
    r"|(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}"  # AWS
    r"|xox[a-z]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{10,}"  # Slack
    r"|AIza[A-Za-z0-9_-]{30,}|ya29\.[A-Za-z0-9_-]{20,}"  # Google
    r"|npm_[A-Za-z0-9]{30,}|pypi-[A-Za-z0-9_-]{40,}|hf_[A-Za-z0-9]{30,}|dop_v1_[0-9a-f]{40,}"
    r"|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|tk_[a-z0-9]{20,}"  # SendGrid, ntfy
    r"|GOCSPX-[A-Za-z0-9_-]{20,}|AGE-SECRET-KEY-1[A-Z0-9]{20,}|(?:dckr_pat_|glsa_|gldt-|glrt-|shp[acps][at]_|lin_api_)"
    r"[A-Za-z0-9_-]{16,}|[MNO][A-Za-z0-9_-]{23,27}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}"  # Discord
    r"|\d{8,10}:[A-Za-z0-9_-]{35}"  # Telegram
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"  # JWT
    r")"
)
_AFTER = (
    # user:password@ of an address; a name alone ("git@") is none, a long one is a token, a number is a port
    r"(?P<address>[A-Za-z][A-Za-z0-9+.-]{0,30}://)(?:[^\s/@:]{0,200}:(?!\d{1,5}[/?#])[^\s/]{1,400}|[^\s/@:]{16,400}"
    r"|[^\s/@:]{0,200}:(?!\d{1,5}[/?#])[^\s@]{1,400})(?=@)"
    # addresses that are themselves the right to write there
    r"|(?P<hook>(?:hooks\.slack\.com/(?:services|workflows)|discord(?:app)?\.com/api/webhooks|"
    r"api\.telegram\.org/bot)/?)[A-Za-z0-9_/:-]{8,}"
    rf"|(?P<scheme>(?i:\b(?:bearer|basic)\s{{1,4}}))(?:{_MIXED}[A-Za-z0-9._~+/=-]{{12,}}|[A-Za-z0-9._~+/=-]{{24,}})"
    # whatever a password is set to, in quotes with all that stands between them
    rf"|(?P<double>{_SET}\")(?i:{_NO_VALUE})(?:\\.|[^\"\\\n]){{4,2000}}(?=\")"
    rf"|(?P<single>{_SET}')(?i:{_NO_VALUE})(?:\\.|[^'\\\n]){{4,2000}}(?=')"
    rf"|(?P<inner>{_SET}\\{{1,3}}\")(?i:{_NO_VALUE})[^\"\\\n]{{4,2000}}(?=\\{{1,3}}\")"
    rf"|(?P<tag><[A-Za-z0-9_:.-]{{0,40}}(?i:{_NAME})[^<>\n]{{0,60}}>)(?i:{_NO_VALUE})[^<>\n]{{4,2000}}(?=</)"
    r"|(?P<user>(?<!\S)(?:-u|--user|--proxy-user)[ =]{0,3}[\"']?[^\s:\"'/]{1,100}:)"
    rf"(?i:{_NO_VALUE}){_NO_COUNT}{_IN}+"
    rf"|(?P<option>--(?:[A-Za-z0-9]{{1,20}}-)?(?i:{_NAME})\s{{1,3}}[\"']?)(?i:{_NO_VALUE}{_PROSE})(?!-){_IN}{{4,}}"
    # in an address and a form, where an & ends it
    rf"|(?P<query>[?&][A-Za-z0-9_.-]{{0,40}}(?i:{_NAME})[A-Za-z0-9_]{{0,20}}=)(?i:{_NO_VALUE}){_NO_COUNT}"
    r"[^\s\"',;&]{4,}"
    rf"|(?P<pass>(?i:{_PASS})[A-Za-z0-9_]{{0,20}}{_QUOTE}\s{{0,3}}:?=>?\s{{0,3}}{_QUOTE})(?i:{_NO_VALUE})(?![(/]){_IN}+"
    rf"|(?P<set>{_CALLED}\s{{0,3}}:?=>?\s{{0,3}}{_QUOTE})(?i:{_NO_VALUE}){_NO_COUNT}{_IN}{{4,}}"
    # password: hunter2, "the token is abc123def"
    rf"|(?P<told>{_CALLED}(?:\s{{0,3}}:|\s{{1,3}}is)\s{{0,3}}{_QUOTE})(?i:{_NO_VALUE}){_MIXED}{_IN}{{7,}}"
    # what is long and random within reach of such a word
    r"|(?P<near>(?i:\b(?:[a-z]{1,20}[_-])?(?:key|token|secret|password|credential)s?\b)[^\n]{0,40}?"
    r"(?<![A-Za-z0-9+/_-]))(?:[0-9a-fA-F]{32,}(?![A-Za-z0-9+/=_-])"
    r"|(?=[A-Za-z0-9+/=_-]*[A-Z])(?=[A-Za-z0-9+/=_-]*[a-z])(?=(?:[A-Za-z+/=_-]*\d){3})[A-Za-z0-9+/=_-]{32,})"
)


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what finds whole secrets, and those behind a word; made for the first text: it takes its milliseconds."""
    return re.compile(_WHOLE), re.compile(_AFTER)


def without_secrets(text: str) -> str:
    """Return ``text`` with ``[secret]`` in place of what looks like one. Total; twice is as once.

    Give it the whole text, cleaned, and cut it afterwards: half a secret has no shape any more.
    """
    whole, after = _patterns()
    text = whole.sub(SECRET, text)
    before = None
    while before != text:  # a word may call two values that stand behind it
        before, text = text, after.sub(lambda found: f"{found[str(found.lastgroup)]}{SECRET}", text)
    return text
