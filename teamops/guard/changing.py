"""What the programs change that are known to change files: which of their words are files, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from teamops.guard.act import ADDS, DELETE, KEEPS, MAKE, REPLACES, WRITE, Act
from teamops.guard.grammars import GRAMMARS, PLAIN, UNREAD
from teamops.guard.options import Given, sorted_words, words_within
from teamops.guard.scripts import sed_only_edits
from teamops.guard.words import Word

ALL, MORE, BESIDE = "all", "more", "beside"
"""How much of what a program changes is known: all; not all of its files; all of them, and it may do something else."""
Changed = tuple[list[Act], str]
"""What is changed, and how much of it that is."""


def changes_of(name: str, words: list[Word], inputs: Sequence[str] = ()) -> Changed | None:
    """Return what the program changes; ``None`` = it is none that is known to change files.

    ``inputs``: what it is given to read by the line itself. Words that can't be sorted are all taken for files.
    """
    plain = PLAIN.get(name, name)
    if plain == "dd":
        return _dd(words)
    if plain == "zip":
        return _zip(words)
    if plain in UNREAD:
        return any_of(words), MORE
    grammar = GRAMMARS.get(plain)
    if grammar is None:
        return None
    if plain == "tar":
        words = _tar_words(words, grammar[1])
    given = sorted_words(words, grammar)
    if given is None:
        return any_of(words, deletes=plain in {"rm", "mv", "rmdir", "unlink", "shred", "rsync"}), MORE
    if plain == "patch":
        return _patch(given, inputs)
    return _READERS[plain](given)


def any_of(words: list[Word], *, deletes: bool = True) -> list[Act]:
    """Return the changes that there would be if each of the words were a file that is changed."""
    acts = []
    for word in words_within(words):
        for how in (WRITE, DELETE) if deletes else (WRITE,):
            act = act_on(how, word, mode=REPLACES)
            act.maybe = True
            acts.append(act)
    return acts


def act_on(how: str, word: Word, *, mode: str = REPLACES, deep: bool = False) -> Act:
    """Return the change of the file that ``word`` names; what is written there is not known."""
    act = Act(how, word.text, text=None, added=0 if mode == KEEPS else None, mode=mode)
    act.glob, act.deep = word.glob, deep
    return act


def on_all(how: str, words: list[Word], *, mode: str = REPLACES, deep: bool = False) -> Changed:
    """Return the change of each file; a word that nobody knows makes it not all."""
    return [act_on(how, word, mode=mode, deep=deep) for word in words if not word.unknown], _known(words)


def put(sources: list[Word], target: Word, *, into: bool | None, tree: bool) -> list[Act]:
    """Return the changes where each source comes to stand; ``tree``: with all that is below it."""
    acts = []
    for source in sources:
        act = act_on(WRITE, target, deep=tree)
        act.into = True if into is None and len(sources) > 1 else into
        if not source.unknown:
            act.source, act.source_glob = source.text, source.glob
        acts.append(act)
    return [] if target.unknown else acts


def _known(words: list[Word]) -> str:
    """Return ALL where each word is known, and there is one."""
    return ALL if words and not any(word.unknown for word in words) else MORE


def _removed(given: Given) -> Changed:
    return on_all(DELETE, given.operands, deep=True)


def _rmdir(given: Given) -> Changed:
    acts, sure = on_all(DELETE, given.operands)
    for word in given.operands if given.has("p", "parents") else ():
        above = word.text.rstrip("/").rpartition("/")[0]
        while above.strip("/"):
            acts.append(Act(DELETE, above))
            above = above.rpartition("/")[0]
    return acts, sure


def _shred(given: Given) -> Changed:
    acts, sure = on_all(WRITE, given.operands)
    if given.has("u", "remove"):
        acts += on_all(DELETE, given.operands)[0]
    return acts, sure


def _kept(given: Given) -> Changed:
    return on_all(WRITE, given.operands, mode=KEEPS)


def _made(given: Given) -> Changed:
    return on_all(MAKE, given.operands)


def _emptied(given: Given) -> Changed:
    return on_all(WRITE, given.operands)


def _teed(given: Given) -> Changed:
    acts, _ = on_all(WRITE, given.operands, mode=ADDS if given.has("a", "append") else REPLACES)
    return acts, MORE if any(word.unknown for word in given.operands) else ALL


def _copied(given: Given) -> Changed:
    return _put_by(given, tree=True)


def _moved(given: Given) -> Changed:
    acts, sure = _put_by(given, tree=True)
    gone = given.operands if given.has("t", "target-directory") else given.operands[:-1]
    if given.has("exchange"):
        return any_of(given.operands), MORE
    return acts + on_all(DELETE, gone, deep=True)[0], sure


def _linked(given: Given) -> Changed:
    if len(given.operands) == 1 and not given.has("t", "target-directory"):
        here = Word()
        here.text = "."
        given.operands.append(here)
    acts, sure = _put_by(given, tree=False)
    sources = given.operands if given.has("t", "target-directory") else given.operands[:-1]
    # What it leads to may be written by its new name.
    return acts + on_all(WRITE, sources)[0], sure


def _installed(given: Given) -> Changed:
    if given.has("d", "directory"):
        return _made(given)
    return _put_by(given, tree=False)


def _put_by(given: Given, *, tree: bool) -> Changed:
    targets = given.values("t", "target-directory")
    operands = given.operands
    if targets:
        acts = [act for target in targets for act in put(operands, target, into=True, tree=tree)]
        return acts, _known([*operands, *targets]) if acts else MORE
    if len(operands) < 2:
        return any_of(operands), MORE
    alone = given.has("T", "no-target-directory")
    acts = put(operands[:-1], operands[-1], into=False if alone else None, tree=tree)
    return acts, _known(operands)


def _synced(given: Given) -> Changed:
    *sources, target = given.operands or [Word()]
    if not sources or given.has("n", "dry-run", "list-only"):
        return [], BESIDE
    sources = [source for source in sources if ":" not in source.text.partition("/")[0]]
    acts: list[Act] = []
    if ":" not in target.text.partition("/")[0]:
        acts += put(sources, target, into=None, tree=True) or on_all(WRITE, [target])[0]
        if any(name[:3] == "del" and name != "delay-updates" for name in given.options):
            acts += on_all(DELETE, [target], deep=True)[0]
    if given.has("remove-source-files"):
        acts += on_all(DELETE, sources, deep=True)[0]
    acts += on_all(WRITE, given.values("log-file"))[0]
    acts += on_all(MAKE, given.values("backup-dir", "partial-dir", "T", "temp-dir"))[0]
    return acts, BESIDE


def _sent(given: Given) -> Changed:
    *sources, target = given.operands or [Word()]
    if ":" in target.text.partition("/")[0]:
        return [], BESIDE
    local = [source for source in sources if ":" not in source.text.partition("/")[0]]
    return put(local, target, into=None, tree=True) or on_all(WRITE, [target])[0], BESIDE


def _zip(words: list[Word]) -> Changed:
    """Read zip, which writes the first of its files, and takes the others away where it is told to move them."""
    if any(word.text[:1] == "-" and word.text[:2] != "--" and "m" in word.text for word in words):
        return any_of(words), MORE
    return on_all(WRITE, [word for word in words if word.text[:1] != "-"][:1])[0], BESIDE


def _moded(given: Given) -> Changed:
    deep = given.has("R", "recursive")
    files = given.operands
    if not given.has("reference", *"rstuwxX"):
        files = files[1:]
    return _other_rights(files, deep=deep)


def _owned(given: Given) -> Changed:
    files = given.operands if given.has("reference") else given.operands[1:]
    return _other_rights(files, deep=given.has("R", "recursive"))


def _other_rights(files: list[Word], *, deep: bool) -> Changed:
    acts, state = on_all(WRITE, files, deep=deep)
    for act in acts:
        act.added = 0
    return acts, state


def _dd(words: list[Word]) -> Changed:
    acts = []
    for word in words:
        name, _, value = word.text.partition("=")
        if name == "of" and value:
            made = act_on(WRITE, word)
            made.path = value
            acts.append(made)
    return acts, _known(words)


def _sed(given: Given) -> Changed:
    scripts = given.values("e", "expression")
    files = given.operands
    if files and not files[0].text and not files[0].unknown:
        files = files[1:]  # `-i ''` of BSD
    if not given.has("e", "expression", "f", "file"):
        scripts, files = files[:1], files[1:]
    if not given.has("i", "I", "in-place"):
        return [], BESIDE
    acts, sure = on_all(WRITE, files)
    if all(one.text[:1] == "s" and not one.unknown and "\\" not in one.text for one in scripts):
        for act in acts:
            act.added = 0  # a text in another's place makes no lines
    plain = not given.has("f", "file") and all(not one.unknown and sed_only_edits(one.text) for one in scripts)
    return acts, sure if plain else BESIDE


def _in_place(given: Given) -> Changed:
    """Read perl and ruby, whose script may do anything beside."""
    if not given.has("i"):
        return [], BESIDE
    return on_all(WRITE, given.operands if given.has("e", "E") else given.operands[1:])[0], BESIDE


def _awk(given: Given) -> Changed:
    if not any(value.text == "inplace" for value in given.values("i", "include")):
        return [], BESIDE
    return on_all(WRITE, given.operands if given.has("f", "file", "e", "source") else given.operands[1:])[0], BESIDE


def _patch(given: Given, inputs: Sequence[str]) -> Changed:
    if given.has("dry-run"):
        return [], BESIDE
    acts = on_all(WRITE, [*given.operands[:1], *given.values("o", "output", "r", "reject-file")])[0]
    for folder in given.values("d", "directory"):
        for act in acts:
            act.path = act.path if act.path[:1] == "/" else f"{folder.text}/{act.path}"
        acts += into_folder(folder)
    folders = [word.text for word in given.values("d", "directory")] or [""]
    acts += [act for folder in folders for act in patched(inputs, folder)]
    return acts, BESIDE if inputs or given.operands else MORE


_PATCH_SIGNS = ("--- ", "+++ ", "rename from ", "rename to ", "copy to ", "*** ")


def patched(inputs: Sequence[str], folder: str = "") -> list[Act]:
    """Return the changes that a patch in ``inputs`` makes, its paths with and without their first folder."""
    paths = []
    for text in inputs:
        for line in text.splitlines():
            sign = next((sign for sign in _PATCH_SIGNS if line.startswith(sign)), "")
            if sign:
                paths.append(line[len(sign) :].partition("\t")[0].strip().strip('"'))
    acts = []
    for path in dict.fromkeys(paths):
        for one in (path, path.partition("/")[2]):
            if one and path != "/dev/null":
                act = Act(WRITE, f"{folder}/{one}" if folder else one, text=None)
                act.maybe = one == path
                acts.append(act)
    return acts


def _tar_words(words: list[Word], valued: str) -> list[Word]:
    """Return tar's words with a dash where the first ones stand without."""
    if not words or words[0].text[:1] in {"-", ""} or words[0].unknown:
        return words
    letters, rest, made = words[0].text, words[1:], []
    for letter in letters:
        option = Word()
        option.text = f"-{letter}"
        made.append(option)
        if letter in valued and rest:
            made.append(rest.pop(0))
    return made + rest


def _tar(given: Given) -> Changed:
    folders = given.values("C", "directory")
    if given.has("x", "extract", "get"):
        acts = [act for folder in folders for act in into_folder(folder)]
        acts += on_all(MAKE, given.values("one-top-level"))[0]
        return acts, MORE
    if given.has("t", "list", "d", "diff"):
        return [], BESIDE
    acts = on_all(WRITE, given.values("f", "file"))[0]
    if given.has("remove-files"):
        acts += on_all(DELETE, given.operands, deep=True)[0]
    return acts, BESIDE


def _unzip(given: Given) -> Changed:
    if given.has("l", "t", "v", "p", "Z", "z"):
        return [], BESIDE
    return [act for folder in given.values("d") for act in into_folder(folder)], MORE


def into_folder(folder: Word) -> list[Act]:
    """Return the change of a folder into which nobody knows what comes; of where one stands nothing can be said."""
    if folder.unknown or folder.text.rstrip("/") in {"", "."}:
        return []
    return [act_on(MAKE, folder)]


def _split(given: Given) -> Changed:
    made = Act(WRITE, (given.operands[1].text if len(given.operands) > 1 else "x") + "aa", text=None, mode=REPLACES)
    return [made], _known(given.operands) if given.operands else ALL


def _sorted(given: Given) -> Changed:
    acts = on_all(WRITE, given.values("o", "output"))[0]
    acts += on_all(MAKE, given.values("T", "temporary-directory"))[0]
    return acts, BESIDE


def _second(given: Given) -> Changed:
    return on_all(WRITE, given.operands[1:2])[0], BESIDE


def _packed(given: Given) -> Changed:
    if given.has("c", "l", "t", "stdout", "to-stdout", "list", "test"):
        return [], BESIDE
    acts = on_all(WRITE, given.operands)[0]
    return acts if given.has("k", "keep") else acts + on_all(DELETE, given.operands, deep=True)[0], BESIDE


_FETCHES_WORDS = (
    "s S L f i k v g o O output silent show-error location fail include insecure create-dirs compressed remote-name"
    " output-dir"
)
_FETCHES = frozenset(_FETCHES_WORDS.split())
_CURL_WRITES_WORDS = "c cookie-jar D dump-header trace trace-ascii stderr etag-save hsts alt-svc libcurl"


def _curl(given: Given) -> Changed:
    kept = [word for word in given.values(*_CURL_WRITES_WORDS.split()) if word.text != "-"]
    acts = on_all(WRITE, kept)[0]
    by_name = given.has("O", "remote-name", "remote-name-all")
    acts += _fetched(given.values("o", "output"), given.values("output-dir"), given, by_name=by_name)
    plain = set(given.options) <= _FETCHES and all(word.text[:4] == "http" for word in given.operands)
    return acts, ALL if plain and not any(word.unknown for word in given.values("o", "output")) else BESIDE


def _wget(given: Given) -> Changed:
    acts = on_all(WRITE, given.values("o", "output-file", "save-cookies"))[0]
    acts += on_all(WRITE, given.values("a", "append-output"), mode=ADDS)[0]
    outputs = given.values("O", "output-document")
    acts += _fetched(outputs, given.values("P", "directory-prefix"), given, by_name=not outputs)
    return acts, BESIDE


def _fetched(outputs: list[Word], folders: list[Word], given: Given, *, by_name: bool) -> list[Act]:
    """Return the changes where what is fetched is kept."""
    acts = [act for folder in folders for act in into_folder(folder)]
    names = [word.text for word in outputs if not word.unknown and word.text != "-"]
    if by_name:
        names += [last for word in given.operands if (last := word.text.partition("?")[0].rpartition("/")[2])]
    for name in names:
        acts.append(Act(WRITE, name, text=None, mode=REPLACES))
        acts += [Act(WRITE, f"{folder.text}/{name}", text=None, mode=REPLACES) for folder in folders]
    return acts


_READERS: dict[str, Callable[[Given], Changed]] = {
    "rm": _removed, "rmdir": _rmdir, "unlink": _removed, "shred": _shred, "touch": _kept, "mkdir": _made,
    "mkfifo": _made, "tee": _teed, "sponge": _teed, "truncate": _emptied, "cp": _copied, "mv": _moved, "ln": _linked,
    "link": _linked, "install": _installed, "chmod": _moded, "chown": _owned, "chgrp": _owned, "rsync": _synced,
    "sed": _sed, "perl": _in_place, "ruby": _in_place, "awk": _awk, "unzip": _unzip, "tar": _tar, "split": _split,
    "sort": _sorted, "uniq": _second, "xxd": _second, "gzip": _packed, "curl": _curl, "scp": _sent, "wget": _wget,
}  # fmt: skip
