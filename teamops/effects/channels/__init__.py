"""Ways to a person who is away from the screen."""
