"""The only room that knows git: what a project's work tree holds, and what changed in it since a moment."""
