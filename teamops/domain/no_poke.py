"""Why no line is typed into an agent's client, though the person asks for it."""

from __future__ import annotations

from teamops.model.agent import AgentState, AgentView


def why_no_poke(agent: AgentView) -> str:
    """Return why ``agent`` is not to be poked now, in words for the events; empty where it may be.

    The screen's key says the same with the keys that help (``tui.rules``).
    """
    if agent.held:
        return f"{agent.role} is held ({agent.held})"
    if not agent.session:
        return f"{agent.role} has no tmux session"
    if agent.pane_id is None:
        return f"the session of {agent.role} does not run"
    if agent.state is AgentState.DEAD:
        return f"{agent.role} is dead: nobody would read it"
    if agent.state is AgentState.WAITING:
        return f"{agent.role} waits at a question: a line and Enter would answer it"
    return ""
