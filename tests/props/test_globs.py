"""Globs without a library are those of the library."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from teamops.domain import globs as made
from teamops.guard import globs

NAME = st.text(st.sampled_from("aAbé.py-_~ "), min_size=1, max_size=4).filter(lambda name: name not in {".", ".."})
PATH = st.lists(NAME, min_size=1, max_size=4).map("/".join)
PIECE = st.sampled_from(["a", "A", "b", "é", "*", "**", "?", "[ab]", "[!a]", ".py", "*.py", "\\*", "a b", ".", "-"])
GLOB = st.builds(
    lambda sign, head, parts, tail: sign + head + "/".join(parts) + tail,
    st.sampled_from(["", "", "", "!"]),
    st.sampled_from(["", "/"]),
    st.lists(st.lists(PIECE, min_size=1, max_size=2).map("".join), min_size=1, max_size=3),
    st.sampled_from(["", "/", "/**"]),
)


@given(st.lists(GLOB, max_size=5), PATH)
@example(["*", "!/a/"], "a/b")
@example(["*", "!/a/**"], "a/b")
@example(["*.py", "!b.py"], "a.py/b.py")
@example(["*/"], "a/b")
@example(["/a//b"], "a/b")
def test_rows_match_what_pathspec_matches(given: list[str], path: str) -> None:
    try:
        wanted = GitIgnoreSpec.from_lines(given).match_file(path)
    except ValueError:
        return
    said = globs.match(list(made.rows(given)), path)
    assert bool(said) == wanted
    assert not said or said in given


@given(st.lists(GLOB.filter(lambda glob: glob[0] != "!"), max_size=4), PATH)
def test_folding_never_loses_a_match(given: list[str], path: str) -> None:
    try:
        rows = made.rows(given)
    except ValueError:
        return
    if globs.match(list(rows), path):
        folded = made.folded(rows)
        assert any(globs.match(list(folded), one, fold=True) for one in globs.folds(path))
