"""What a command does, where that is known: it only reads, it changes files that are known, or it is another program.

Nothing is known of a program by its name alone where an option makes it write or run something: those options are
counted out, in every way in which they may be shortened. What is not listed here is another program.
"""

from __future__ import annotations

from teamops.guard.shell import Command, NotUnderstood, Word

_READS_WORDS = (
    "basename cal cat cksum cmp comm cut df diff dirname du echo egrep expand false fgrep fold free grep groups head id"
    " jq join ls md5sum nl nproc od paste pwd readlink realpath rev seq sha1sum sha256sum sha512sum sleep stat strings"
    " tac tail tr true type uname uptime users wc which who whoami printenv unexpand"
)
READS = frozenset(_READS_WORDS.split())
"""They write nothing and run nothing, whatever their words are."""
_ONLY_NOT: dict[str, tuple[str, tuple[str, ...]]] = {
    "sort": ("oT", ("--output", "--compress-program", "--temporary-directory", "--files0-from")),
    "rg": ("z", ("--pre", "--pre-glob", "--hostname-bin", "--search-zip")),
    "tree": ("oR", ("--output",)),
    "file": ("C", ("--compile",)),
    "column": ("", ()),
    "xxd": ("r", ("-revert",)),
    "hexdump": ("", ()),
    "ps": ("", ()),
}
"""They only read without these options: letters of short ones, long ones in full."""
_OPERANDS = {"xxd": 1, "uniq": 1}
"""Their next operand would be written."""
_LOOKED_AT = frozenset({"uniq", "test", "[", "printf", "xargs", "env", "hostname", "command"})
_FIND_ACTS = ("-exec", "-execdir", "-ok", "-okdir", "-delete", "-fprint", "-fprint0", "-fprintf", "-fls")
_GIT_READS_WORDS = (
    "blame cat-file check-ignore describe diff diff-index diff-tree grep log ls-files ls-tree merge-base name-rev"
    " rev-list rev-parse shortlog show show-ref status version"
)
_GIT_READS = frozenset(_GIT_READS_WORDS.split())
_GIT_WRITES = ("--output", "--ext-diff", "--textconv", "--filters", "--open-files-in-pager", "--exec", "--upload-pack")
_GIT_LISTS: dict[str, frozenset[str]] = {
    "branch": frozenset({"-a", "-r", "-v", "-vv", "--list", "--all", "--show-current", "--contains", "--merged"}),
    "tag": frozenset({"-l", "--list", "-n"}),
    "remote": frozenset({"-v", "show", "get-url"}),
    "stash": frozenset({"list", "show"}),
    "worktree": frozenset({"list"}),
    "reflog": frozenset({"show"}),
    "config": frozenset({"--get", "--list", "-l", "--get-all"}),
    "submodule": frozenset({"status"}),
}
"""Their first word has to be one of these."""
_GIT_ALONE = frozenset({"branch", "tag", "remote", "reflog", "submodule"})
"""Without a word they list, too."""
_CURL_PLAIN_WORDS = (
    "-s -S -L -f -I -i -k -v -g -4 -6 -sS -sL -sSL -fsSL -fsS -sf -sSf -sSfL --silent --show-error --location --fail"
    " --head --include --insecure --verbose --compressed --get -G --globoff --http1.1 --http2"
)
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
    }
)
"""Variables that make no program write or run anything."""
_BIN = ("/bin/", "/usr/bin/", "/usr/local/bin/", "/opt/homebrew/bin/")

READING, CHANGING, RISKY, OTHER = "reading", "changing", "risky", "other"
"""RISKY: a program that is known to read, with words that are not."""
WRITE, DELETE, MAKE = "write", "delete", "make"


class Effect:
    """What one command does."""

    __slots__ = ("acts", "kind", "name", "words")

    def __init__(self, kind: str, words: list[str], acts: list[tuple[str, str, bool]]) -> None:
        self.kind = kind
        self.words = words
        """Its words as they are known; the name without its folder, git without what stands before its command."""
        self.acts = acts
        """What it changes: how, the path, with all that is below."""
        self.name = words[0]


def effect_of(command: Command) -> Effect:
    """Return what ``command`` does, its redirections left out."""
    command = _unwrapped(command)
    words = [word.text for word in command.words]
    name = words[0]
    for folder in _BIN:
        if name.startswith(folder) and "/" not in name[len(folder) :]:
            name = name[len(folder) :]
    words[0] = name
    if any(variable not in HARMLESS or value.unknown for variable, value in command.assigned):
        return Effect(RISKY, bare_git(words), [])
    if name == "git":
        return _git(command.words, bare_git(words))
    if _reads(name, command.words[1:]):
        return Effect(READING, words, [])
    loose = any(word.unknown or word.glob for word in command.words)
    acts = None if loose else _changes(name, words[1:])
    if acts is not None:
        return Effect(CHANGING, words, acts)
    return Effect(RISKY if name in _ONLY_NOT or name in _SCRIPTED or name in _LOOKED_AT else OTHER, words, [])


def _unwrapped(command: Command) -> Command:
    """Return the command that ``timeout`` or ``command`` runs."""
    words = command.words
    if words[0].text == "timeout" and len(words) > 2 and words[1].text[:1].isdigit() and not words[1].unknown:
        start = 2
    elif words[0].text == "command" and len(words) > 1 and not words[1].text.startswith("-"):
        start = 1
    else:
        return command
    first = words[start]
    if first.unknown or first.glob or not first.text:
        raise NotUnderstood("which program it runs can't be said")
    inner = Command()
    inner.words, inner.assigned, inner.writes, inner.inputs = words[start:], command.assigned, [], command.inputs
    return _unwrapped(inner)


def _reads(name: str, words: list[Word]) -> bool:
    if name in READS:
        return True
    if name == "cd":
        return False
    if name == "command":
        return bool(words) and words[0].text in {"-v", "-V"}
    if name in {"test", "[", "printf"}:
        # What looks like a counted name may run something where it is counted out.
        return not any("$(" in word.text or "`" in word.text or word.text in {"-v", "-R"} for word in words)
    loose = any(word.unknown or word.glob for word in words)
    if name in _SCRIPTED:
        return not loose and _SCRIPTED[name]([word.text for word in words])
    if name in {"env", "hostname"}:
        return not words
    if name == "xargs":
        return _is_plain_xargs(words)
    if name == "uniq" or name in _ONLY_NOT:
        letters, longs = _ONLY_NOT.get(name, ("", ()))
        texts = [word.text for word in words]
        most = _OPERANDS.get(name)
        if most is not None and (loose or sum(not text.startswith("-") or text == "-" for text in texts) > most):
            return False
        return not any(word.unknown for word in words) and not _has_option(texts, letters, longs)
    return False


def _is_plain_xargs(words: list[Word]) -> bool:
    """Return whether it hands its input to a program that only reads, whatever its words are."""
    at = 0
    while at < len(words) and words[at].text in {"-0", "-r", "-n", "-L", "-I"} and not words[at].unknown:
        at += 1 if words[at].text in {"-0", "-r"} else 2
    return at < len(words) and words[at].text in READS and not words[at].unknown and not words[at].glob


def _has_option(words: list[str], letters: str, longs: tuple[str, ...]) -> bool:
    """Return whether one of the options may be among ``words``; a word after ``--`` counts, too."""
    for word in words:
        if word.startswith("--") or (word.startswith("-") and word in longs):
            head = word.partition("=")[0]
            if len(head) > 2 and any(long.startswith(head) or head.startswith(long) for long in longs):
                return True
        elif word.startswith("-") and any(letter in word for letter in letters):
            return True
    return False


def _is_plain_sed(words: list[str]) -> bool:
    """Return whether sed only prints lines: ``sed -n '1,20p' FILE``, and no other script."""
    if words[:1] != ["-n"] or len(words) < 2:
        return False
    script, files = words[1], words[2:]
    if any(word.startswith("-") and word != "-" for word in files):
        return False
    return script.endswith("p") and all(part.isdigit() or part == "$" for part in script[:-1].split(","))


def _is_plain_curl(words: list[str]) -> bool:
    """Return whether curl only asks, and shows the answer."""
    at = 0
    while at < len(words):
        word = words[at]
        if word in _CURL_VALUED:
            if word == "-X" and words[at + 1 : at + 2] not in (["GET"], ["HEAD"]):
                return False
            if words[at + 1 : at + 2] and words[at + 1].startswith("@"):
                return False
            at += 2
            continue
        if word.startswith("-") and word not in _CURL_PLAIN:
            return False
        if not word.startswith("-") and not word.startswith(("http://", "https://")):
            return False
        at += 1
    return True


def _is_plain_find(words: list[str]) -> bool:
    return not any(word.startswith(_FIND_ACTS) for word in words)


def _is_plain_date(words: list[str]) -> bool:
    """Return whether date only shows: it sets the clock by a word of its own."""
    return all(word.startswith(("+", "-u")) for word in words)


_SCRIPTED = {"find": _is_plain_find, "sed": _is_plain_sed, "curl": _is_plain_curl, "date": _is_plain_date}
"""Programs whose words have to be looked at, all of them."""


def bare_git(words: list[str]) -> list[str]:
    """Return git's words without the options before its command."""
    if words[0] != "git":
        return words
    at = 1
    while at < len(words) and words[at].startswith("-"):
        at += (
            2
            if words[at] in {"-C", "-c", "--git-dir", "--work-tree", "--namespace", "--exec-path", "--config-env"}
            else 1
        )
    return ["git", *words[at:]]


def _git(given: list[Word], words: list[str]) -> Effect:
    before = [word.text for word in given[1 : len(given) - len(words) + 1]]
    loose = any(word.unknown for word in given)
    globs = any(word.glob for word in given)
    plain = all(word in {"--no-pager", "--no-optional-locks", "--literal-pathspecs"} for word in before)
    if before[:1] == ["-C"] and len(before) == 2:
        plain = True
    if len(words) > 1 and (given[len(given) - len(words) + 1].unknown or not words[1]):
        raise NotUnderstood("which of git's commands it runs can't be said")
    if not plain or loose or len(words) < 2:
        alone = plain and not loose and not words[1:]
        return Effect(READING if alone else RISKY, words, [])
    verb, rest = words[1], words[2:]
    if verb in _GIT_READS:
        risky = _has_option(rest, "O" if verb == "grep" else "", _GIT_WRITES) or (globs and verb in {"diff", "grep"})
        return Effect(RISKY if risky else READING, words, [])
    if verb in _GIT_LISTS:
        lists = rest[0] in _GIT_LISTS[verb] if rest else verb in _GIT_ALONE
        lists = lists and not _has_option(rest[1:], "dDmMcCfu", ("--delete", "--force", "--move", "--edit", "--unset"))
        if (
            verb in {"branch", "tag", "remote"}
            and rest
            and rest[0] in {"-a", "-r", "-v", "-vv", "-n"}
            and len(rest) > 1
        ):
            lists = False
        return Effect(READING if lists else OTHER, words, [])
    if verb in {"rm", "mv"} and not globs and before[:1] != ["-C"]:
        acts = _changes(verb, rest)
        if acts is not None:
            return Effect(CHANGING, words, acts)
    return Effect(OTHER, words, [])


def _changes(name: str, words: list[str]) -> list[tuple[str, str, bool]] | None:
    """Return what a program changes that is known to change just the files among its words; ``None`` = not known."""
    if name == "sed":
        return _sed_changes(words)
    options = [word for word in words if word.startswith("-") and word != "-"]
    paths = [word for word in words if not word.startswith("-")]
    if "--" in words or any(option.startswith("--") for option in options if option not in _LONG.get(name, ())):
        return None
    if any(letter not in _SHORT.get(name, "") for option in options if option[1] != "-" for letter in option[1:]):
        return None
    if name in {"rm", "rmdir", "unlink"} and paths:
        return [(DELETE, path, name == "rm") for path in paths]
    if name == "touch" and paths:
        return [(WRITE, path, False) for path in paths]
    if name == "mkdir" and paths:
        return [(MAKE, path, False) for path in paths]
    if name in {"tee", "truncate"}:
        return [(WRITE, path, False) for path in paths]
    if name in {"mv", "cp", "ln"} and len(paths) >= 2:
        *sources, target = paths
        acts = [(WRITE, target, False)]
        acts += [(WRITE, f"{target.rstrip('/')}/{source.rstrip('/').rpartition('/')[2]}", False) for source in sources]
        if name == "mv":
            acts += [(DELETE, source, True) for source in sources]
        if name == "ln":
            acts += [(WRITE, source, False) for source in sources]  # it may be written by its new name
        return acts
    if name == "chmod" and len(paths) >= 2:
        return [(WRITE, path, False) for path in paths[1:]]
    return None


def _sed_changes(words: list[str]) -> list[tuple[str, str, bool]] | None:
    """Return the files in which ``sed -i s/a/b/`` puts one text in another's place; ``None`` = it may do more."""
    options = [word for word in words if word.startswith("-")]
    script, *paths = [word for word in words if not word.startswith("-")] or [""]
    if "-i" not in options or not set(options) <= {"-i", "-E", "-r"} or not paths or script[:1] != "s":
        return None
    parts = script.split(script[1:2] or "s")
    if len(parts) != 4 or "\n" in script or not set(parts[3]) <= set("gIip0123456789"):
        return None
    return [(WRITE, path, False) for path in paths]


_SHORT = {
    "rm": "rRfvi",
    "rmdir": "pv",
    "unlink": "",
    "touch": "acm",
    "mkdir": "pv",
    "tee": "a",
    "mv": "fvin",
    "cp": "fvinp",
    "ln": "sfvn",
    "chmod": "v",
}
_LONG = {"rm": ("--recursive", "--force", "--cached"), "mkdir": ("--parents",), "tee": ("--append",)}
