"""What is claimed about speed, measured on the real program. ``make bench`` or ``python -m benchmarks [NAME …]``."""
