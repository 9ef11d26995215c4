"""Which commands only read: known to write nothing and to run nothing else, with the very words they have.

Nothing is known of a program by its name alone where an option makes it write or run something: those options are
counted out, in every way in which they may be shortened.
"""

from __future__ import annotations

from teamops.guard.words import Word

_READS_WORDS = (
    ": arch b2sum basename cal cat cksum cmp comm cut df diff dir dirname du echo egrep expand expr factor false"
    " fgrep fold free getconf grep groups head id join jq locale ls lsblk lscpu md5sum nl nproc numfmt od"
    " paste pgrep pidof printenv pwd readelf readlink realpath rev seq sha1sum sha224sum sha256sum sha384sum"
    " sha512sum sleep stat strings sum tac tail tr true tsort tty type uname unexpand uptime users wait wc"
    " whereis which who whoami zcat zgrep"
)
READS = frozenset(_READS_WORDS.split())
"""They write nothing and run nothing, whatever their words are."""
ONLY_NOT: dict[str, tuple[str, tuple[str, ...]]] = {
    "sort": ("oT", ("--output", "--compress-program", "--temporary-directory", "--files0-from")),
    "rg": ("z", ("--pre", "--pre-glob", "--hostname-bin", "--search-zip")),
    "tree": ("oR", ("--output",)),
    "file": ("C", ("--compile",)),
    "column": ("", ()),
    "xxd": ("r", ("-revert",)),
    "hexdump": ("", ()),
    "ps": ("", ()),
    "base64": ("o", ("--output",)),
    "fd": ("xX", ("--exec", "--exec-batch")),
    "shuf": ("o", ("--output", "--random-source")),
    "lsof": ("D", ()),
    "nm": ("", ("--plugin",)),
    "objdump": ("", ("--plugin",)),
    "size": ("", ("--plugin",)),
}
"""They only read without these options: letters of short ones, long ones in full."""
_OPERANDS = {"xxd": 1, "uniq": 1}
"""Their next operand would be written."""
LOOKED_AT = frozenset({"uniq", "test", "[", "printf", "xargs", "env", "hostname", "command"})
_GIT_READS_WORDS = (
    "blame cat-file check-ignore describe diff diff-index diff-tree grep log ls-files ls-tree merge-base name-rev"
    " rev-list rev-parse shortlog show show-ref status version for-each-ref cherry count-objects check-attr range-diff"
    " show-branch whatchanged verify-commit verify-tag var ls-remote"
)
GIT_READS = frozenset(_GIT_READS_WORDS.split())
GIT_WRITES = ("--output", "--ext-diff", "--textconv", "--filters", "--open-files-in-pager", "--exec", "--upload-pack")
_GIT_BRANCH_WORDS = (
    "-a -r -v -vv -av -avv --list -l --all --show-current --contains --merged --no-merged --remotes --sort"
)
GIT_LISTS: dict[str, frozenset[str]] = {
    "branch": frozenset(_GIT_BRANCH_WORDS.split()),
    "tag": frozenset({"-l", "--list", "-n"}),
    "remote": frozenset({"-v", "show", "get-url"}),
    "stash": frozenset({"list", "show"}),
    "worktree": frozenset({"list"}),
    "reflog": frozenset({"show"}),
    "config": frozenset({"--get", "--list", "-l", "--get-all"}),
    "submodule": frozenset({"status"}),
}
"""Their first word has to be one of these."""
GIT_ALONE = frozenset({"branch", "tag", "remote", "reflog", "submodule"})
"""Without a word they list, too."""
_CURL_PLAIN_WORDS = (
    "--silent --show-error --location --fail"
    " --head --include --insecure --verbose --compressed --get --globoff --http1.1 --http2"
)
_CURL_LETTERS = frozenset("sSLfIikvgG46")
_CURL_PLAIN = frozenset(_CURL_PLAIN_WORDS.split())
_CURL_VALUED_WORDS = "-H --header -A --user-agent -e --referer -m --max-time --connect-timeout --retry -X"
_CURL_VALUED = frozenset(_CURL_VALUED_WORDS.split())
HARMLESS = frozenset(
    {
        "LANG",
        "LC_ALL",
        "LC_COLLATE",
        "LC_CTYPE",
        "LC_MESSAGES",
        "LC_NUMERIC",
        "LC_TIME",
        "TZ",
        "NO_COLOR",
        "COLUMNS",
        "CLICOLOR",
        "FORCE_COLOR",
        "CI",
        "PYTHONUNBUFFERED",
        "PYTHONDONTWRITEBYTECODE",
    }
)
"""Variables that make no program write or run anything."""
BIN = ("/bin/", "/usr/bin/", "/usr/local/bin/", "/opt/homebrew/bin/")


def reads(name: str, words: list[Word]) -> bool:
    """Return whether the program, with these words behind its name, only reads."""
    if name in READS:
        return True
    if name == "command":
        return bool(words) and words[0].text in {"-v", "-V"}
    if name in {"test", "[", "printf"}:
        # What looks like a counted name may run something where it is counted out.
        return not any("$(" in word.text or "`" in word.text or word.text in {"-v", "-R"} for word in words)
    loose = any(word.unknown or (word.glob and word.text[:1] in "*?[-") for word in words)
    if name in SCRIPTED:
        return not loose and SCRIPTED[name](words)
    if name in {"env", "hostname"}:
        return not words
    if name in _ASKS:
        texts = [word.text for word in words]
        return (
            not (loose or has_option([text for text in texts if text != "--local"], "", _NOT.get(name, ())))
            and tuple(texts[: _ASKS[name][0]]) in _ASKS[name][1]
        )
    if name == "uniq" or name in ONLY_NOT:
        letters, longs = ONLY_NOT.get(name, ("", ()))
        texts = [word.text for word in words]
        most = _OPERANDS.get(name)
        glob = any(word.glob for word in words)
        if most is not None and (glob or sum(not text.startswith("-") or text == "-" for text in texts) > most):
            return False
        return not loose and not has_option(texts, letters, longs)
    return False


def is_plain_xargs(words: list[Word]) -> bool:
    """Return whether it hands its input to a program that only reads, whatever its words are."""
    at = 0
    while at < len(words) and words[at].text[:1] == "-" and not words[at].unknown:
        text = words[at].text
        if text[:2] in {"-n", "-L", "-I", "-P", "-d"}:
            at += 1 if text[2:] else 2
        elif set(text[1:]) <= set("0rt"):
            at += 1
        else:
            return False
    return at < len(words) and words[at].text in READS and not words[at].unknown and not words[at].glob


def has_option(words: list[str], letters: str, longs: tuple[str, ...]) -> bool:
    """Return whether one of the options may be among ``words``; a word after ``--`` counts, too."""
    for word in words:
        if word.startswith("--") or (word.startswith("-") and word in longs):
            head = word.partition("=")[0]
            if len(head) > 2 and any(long.startswith(head) or head.startswith(long) for long in longs):
                return True
        elif word.startswith("-") and any(letter in word for letter in letters):
            return True
    return False


def _is_plain_sed(words: list[Word]) -> bool:
    """Return whether sed only prints what it makes of its files."""
    from teamops.guard.grammars import GRAMMARS
    from teamops.guard.options import sorted_words
    from teamops.guard.scripts import sed_only_edits

    given = sorted_words(words, GRAMMARS["sed"])
    if given is None or given.has("i", "I", "in-place", "f", "file"):
        return False
    scripts = given.values("e", "expression") or given.operands[:1]
    return bool(scripts) and all(sed_only_edits(one.text) for one in scripts)


def _is_plain_awk(words: list[Word]) -> bool:
    """Return whether awk only prints what it makes of its files."""
    from teamops.guard.scripts import awk_only_reads

    at = 0
    while at < len(words) and words[at].text[:2] in {"-F", "-v"}:
        at += 1 if words[at].text[2:] else 2
    return at < len(words) and words[at].text[:1] != "-" and awk_only_reads(words[at].text)


def _is_plain_set(words: list[Word]) -> bool:
    """Return whether it only says how the shell takes what fails."""
    texts = [word.text for word in words]
    return bool(texts) and all(text in _SET for text in texts)


def _is_plain_curl(given: list[Word]) -> bool:
    """Return whether curl only asks, and shows the answer."""
    words, at = [word.text for word in given], 0
    while at < len(words):
        word = words[at]
        if word in _CURL_VALUED:
            if word == "-X" and words[at + 1 : at + 2] not in (["GET"], ["HEAD"]):
                return False
            if words[at + 1 : at + 2] and words[at + 1].startswith("@"):
                return False
            at += 2
            continue
        if word.startswith("-") and word not in _CURL_PLAIN and not (word[1:] and set(word[1:]) <= _CURL_LETTERS):
            return False
        if not word.startswith("-") and not word.startswith(("http://", "https://")):
            return False
        at += 1
    return True


def _is_plain_date(words: list[Word]) -> bool:
    """Return whether date only shows: it sets the clock by a word of its own."""
    return all(word.text.startswith(("+", "-u", "-I", "-R", "--date=", "--iso", "--utc", "--rfc")) for word in words)


_SET_WORDS = "-e -u -x -v +e +u +x -eu -ex -ux -eux -o -euo -uo -eo -euxo -exo pipefail errexit nounset xtrace"
_SET = frozenset(_SET_WORDS.split())
SCRIPTED = {"sed": _is_plain_sed, "awk": _is_plain_awk, "gawk": _is_plain_awk, "curl": _is_plain_curl,
            "date": _is_plain_date, "set": _is_plain_set}  # fmt: skip
"""Programs whose words have to be looked at, all of them."""
_VERSION = frozenset({("--version",), ("-V",)})
_VERB = _VERSION | {("version",)}
"""Of programs that take a word for no script, target or file of that name."""
_NOT_PIP = ("--log", "--log-file", "--local-log", "--python", "--cache-dir", "--config-settings")
_NOT_NPM = ("--cache", "--logs-dir", "--prefix", "--node-options", "--script-shell", "--userconfig", "--globalconfig")
_NOT = {"pip": _NOT_PIP, "pip3": _NOT_PIP, "npm": _NOT_NPM}
"""With these options they write where they are told to, or start what they are told to."""
_GH = frozenset(
    (topic, verb)
    for topic in ("pr", "issue", "run", "release", "repo", "workflow", "label", "gist", "cache")
    for verb in ("view", "list", "status", "diff", "checks")
)
_ASKS: dict[str, tuple[int, frozenset[tuple[str, ...]]]] = {
    **dict.fromkeys(("python", "python3", "rustc", "mypy", "gcc", "clang", "make", "java"), (2, _VERSION)),
    **dict.fromkeys(("cargo", "uv", "ruff"), (2, _VERB)),
    "node": (2, _VERSION | {("-v",)}),
    "go": (2, frozenset({("version",), ("env",)})),
    "gh": (2, _GH),
    "pip": (1, frozenset({("list",), ("show",), ("freeze",), ("--version",)})),
    "pip3": (1, frozenset({("list",), ("show",), ("freeze",), ("--version",)})),
    "npm": (1, frozenset({("ls",), ("list",), ("view",), ("outdated",), ("-v",), ("--version",)})),
    "docker": (1, frozenset({("ps",), ("images",), ("logs",), ("--version",)})),
}
"""Programs that only say something where their first words are these; so many of them are looked at."""
