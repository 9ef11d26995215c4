"""A team of simulated agents."""
