"""teamops: a supervisor for a team of AI coding agents in tmux."""
