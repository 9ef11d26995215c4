"""What a client's tool call would change: files with their new text, or a shell's line.

Tools that are not listed are judged as programs that nobody knows. Source: the four clients' own tools, of Claude Code
2.1, Codex 0.169, Gemini CLI 0.61 and opencode 1.18, by their hooks' input.
"""

from __future__ import annotations

from teamops.guard.act import DELETE, WRITE, Act

_READS_WORDS = (
    # Claude Code
    "read glob grep ls notebookread webfetch websearch todowrite todoread task agent askuserquestion exitplanmode"
    " enterplanmode skill slashcommand bashoutput killshell killbash taskcreate taskupdate taskget tasklist taskoutput"
    " taskstop toolsearch listmcpresourcestool readmcpresourcetool lsp structuredoutput"
    # Codex
    " update_plan view_image web_search list_dir read_file grep_files request_user_input"
    # Gemini CLI
    " read_many_files list_directory search_file_content grep_search google_web_search web_fetch write_todos ask_user"
    " activate_skill get_internal_docs enter_plan_mode exit_plan_mode codebase_investigator delegate_to_agent"
    # opencode
    " list codesearch question"
)
READS = frozenset(_READS_WORDS.split())
"""They change no file. What an agent that they start does comes through the same hooks."""
_SHELLS_WORDS = "bash shell local_shell exec_command shell_command run_shell_command"
_SHELLS = frozenset(_SHELLS_WORDS.split())
_WRITES_WORDS = "write write_file create_file"
_WRITES = frozenset(_WRITES_WORDS.split())
_EDITS_WORDS = "edit multiedit replace notebookedit edit_file"
_EDITS = frozenset(_EDITS_WORDS.split())
_PATCHES_WORDS = "apply_patch patch"
_PATCHES = frozenset(_PATCHES_WORDS.split())
_PATHS = ("file_path", "filePath", "notebook_path", "path", "absolute_path")
_OLD = ("old_string", "oldString")
_NEW = ("new_string", "newString", "new_source", "newSource")

_SHELL_PROGRAMS = frozenset(
    folder + name for folder in ("", "/bin/", "/usr/bin/", "/usr/local/bin/") for name in ("bash", "sh", "zsh")
)
"""As words of a call; one of another folder is a program of whoever put it there."""
_ODD = frozenset("\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
"""Ends of lines to some readers, and letters to others."""

Told = dict[str, object]


class Call:
    """What one tool call would do."""

    __slots__ = ("acts", "folder", "known", "line", "reads", "tool", "trouble")

    def __init__(self, tool: str) -> None:
        self.tool = tool
        self.known = True
        """The tool is one that this module knows."""
        self.reads = False
        """It changes nothing."""
        self.acts: list[Act] = []
        self.line: str | None = None
        """A shell's line."""
        self.folder = ""
        """Where that runs, if the call says so."""
        self.trouble = ""
        """Why what it would change can't be said; empty = it can."""


class Twofold(Exception):  # noqa: N818 - an answer, not a defect
    """A call says one thing in two ways."""


def call_of(tool: str, given: object) -> Call:
    """Return what the tool would do with the input ``given``. Never raises."""
    call = Call(tool)
    try:
        _read(call, tool.lower(), given if isinstance(given, dict) else {})
    except Twofold as error:
        call.acts, call.line, call.trouble = [], None, str(error)
    return call


def _read(call: Call, name: str, told: Told) -> None:
    if name in READS:
        call.reads = True
    elif name in _SHELLS:
        _shell(call, told)
    elif name in _WRITES:
        _write(call, told)
    elif name in _EDITS:
        _edit(call, told)
    elif name in _PATCHES:
        _patch(call, told)
    else:
        call.known = False
        call.trouble = "what it does is not known"


def _text(told: Told, *names: str) -> str | None:
    """Return the field of any of these names; of several that differ nobody knows which the client takes.

    Raises ``Twofold`` then.
    """
    found = {value for name in names if isinstance(value := told.get(name), str)}
    if len(found) > 1:
        raise Twofold(f"it says {' and '.join(name for name in names if name in told)} differently")
    return found.pop() if found else None


def _shell(call: Call, told: Told) -> None:
    if "command" in told and "cmd" in told and told["command"] != told["cmd"]:
        raise Twofold("it says command and cmd differently")
    words = told.get("command", told.get("cmd"))
    call.folder = _text(told, "workdir", "dir_path", "directory", "cwd") or ""
    if isinstance(words, str):
        call.line = words
    elif isinstance(words, list) and words and all(isinstance(word, str) for word in words):
        if len(words) == 3 and words[0] in _SHELL_PROGRAMS and words[1] in {"-c", "-lc"}:
            call.line = str(words[2])
        else:
            call.line = " ".join("'" + str(word).replace("'", "'\\''") + "'" for word in words)
    else:
        call.trouble = "it names no command"


def _write(call: Call, told: Told) -> None:
    path, text = _text(told, *_PATHS), _text(told, "content", "file_text")
    if path is None:
        call.trouble = "it names no file"
    else:
        act = Act(WRITE, path, text=text or "")
        act.whole = True
        call.acts.append(act)


def _edit(call: Call, told: Told) -> None:
    path = _text(told, *_PATHS)
    if path is None:
        call.trouble = "it names no file"
        return
    many = told.get("edits")
    edits = [one for one in many if isinstance(one, dict)] if isinstance(many, list) else [told]
    texts: list[str] = []
    told_edits: list[tuple[str, str, bool]] = []
    added: int | None = 0
    changed: int | None = 0
    for edit in edits:
        old, new = _text(edit, *_OLD), _text(edit, *_NEW) or ""
        every = any(edit.get(name) is True for name in ("replace_all", "replaceAll", "allow_multiple"))
        count = edit.get("expected_replacements")
        many_times = every or (isinstance(count, int) and count > 1)
        texts.append(new)
        told_edits.append((old or "", new, many_times))
        if old is None or (many_times and _lines(new) != _lines(old)):
            added = None
        elif added is not None:
            added += _lines(new) - _lines(old)
        if old is None or many_times or changed is None:
            changed = None
        else:
            changed += max(_differing(old, new))
    act = Act(WRITE, path, text="\n".join(texts), added=added, changed=changed)
    act.edits = told_edits
    call.acts.append(act)


def _patch(call: Call, told: Told) -> None:
    """Take the patch that Codex and opencode write: ``*** Update File: PATH`` and so on."""
    text = _text(told, "command", "input", "patchText", "patch", "patch_text")
    if text is None:
        call.trouble = "it has no patch"
        return
    act: Act | None = None
    for line in text.replace("\r\n", "\n").split("\n"):
        word, _, path = line.strip().partition(" File: ")
        how = {"*** Add": WRITE, "*** Update": WRITE, "*** Delete": DELETE}.get(word)
        if line[:3] == "***" and not _ODD.isdisjoint(line):
            raise Twofold("a path in its patch holds a letter that ends lines")
        if how is not None and path:
            act = Act(how, path.strip(), added=0, changed=0)
            call.acts.append(act)
        elif line.strip().startswith("*** Move to: "):
            if act is None:
                break
            moved = Act(WRITE, line.strip()[len("*** Move to: ") :].strip(), text=act.text)
            act.how = DELETE
            call.acts.append(moved)
            act = moved
        elif act is not None and line[:1] in {"+", "-"}:
            sign = 1 if line[0] == "+" else -1
            act.added = None if act.added is None else act.added + sign
            act.changed = None if act.changed is None else act.changed + (sign > 0)
            act.text = (act.text or "") + (line[1:] + "\n" if sign > 0 else "")
            act.before += line[1:] + "\n" if sign < 0 else ""
    if not call.acts:
        call.trouble = "what its patch changes can't be read"


def _lines(text: str) -> int:
    return len(text.splitlines())


def _differing(old: str, new: str) -> tuple[int, int]:
    """Return how many lines of each are left without those that both begin and end with."""
    before, after = old.splitlines(), new.splitlines()
    while before and after and before[0] == after[0]:
        del before[0], after[0]
    while before and after and before[-1] == after[-1]:
        del before[-1], after[-1]
    return len(before), len(after)
