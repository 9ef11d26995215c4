"""Text to blocks and problems, and blocks to text."""
