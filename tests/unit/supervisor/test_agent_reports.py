"""An agent's processes, as a tree of what the process table says at one moment."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from teamops.sources.processes import Use
from teamops.supervisor.agent_reports import LONGEST_NAME, MOST_PROCESSES, process_tree, tree_of


def use(parent: int, name: str = "p", state: str = "S") -> Use:
    return Use(parent=parent, rss_bytes=1024, cpu_s=0.5, name=name, state=state)


def test_children_stand_under_their_parents_by_their_pid() -> None:
    table = {9: use(1, "agent"), 30: use(9, "b"), 12: use(9, "a"), 40: use(12, "c", "Z"), 50: use(2, "stranger")}
    nodes, left_out = tree_of(table, 9)
    assert [(node.pid, node.parent, node.depth, node.name) for node in nodes] == [
        (9, 1, 0, "agent"),
        (12, 9, 1, "a"),
        (40, 12, 2, "c"),
        (30, 9, 1, "b"),
    ]
    assert (nodes[2].state, nodes[2].rss_bytes, nodes[2].cpu_s) == ("Z", 1024, 0.5)
    assert left_out == 0


def test_an_agent_that_has_ended_has_no_tree() -> None:
    assert tree_of({5: use(9)}, 9) == ((), 0)


def test_what_is_more_than_can_be_told_is_counted() -> None:
    table = {1: use(0), **{pid: use(1) for pid in range(2, MOST_PROCESSES + 12)}}
    nodes, left_out = tree_of(table, 1)
    assert len(nodes) == MOST_PROCESSES
    assert left_out == 11


def test_a_program_names_itself_as_it_likes_and_is_cleaned() -> None:
    ((node,), _) = tree_of({1: use(0, "\x1b[2Jgone\n\u202e" + "x" * 500)}, 1)
    assert node.name.isprintable()
    assert "gone" in node.name
    assert len(node.name) <= LONGEST_NAME


@given(st.dictionaries(st.integers(1, 12), st.integers(1, 12), max_size=12))
def test_every_process_is_told_once_below_its_parent_also_in_a_circle(parents: dict[int, int]) -> None:
    nodes, left_out = tree_of({pid: use(parent) for pid, parent in parents.items()}, 1)
    told = {node.pid: node for node in nodes}
    assert left_out == 0
    assert len(told) == len(nodes)
    reached = {1} & set(parents)
    while more := {pid for pid, parent in parents.items() if parent in reached} - reached:
        reached |= more
    assert set(told) == reached
    for place, node in enumerate(nodes):
        if place:
            assert node.depth == told[node.parent].depth + 1
            assert nodes.index(told[node.parent]) < place


def test_this_very_process_has_a_tree() -> None:
    nodes, _ = process_tree(os.getpid())
    assert nodes[0].pid == os.getpid()
    assert nodes[0].name
    assert nodes[0].state
    assert nodes[0].rss_bytes > 0
