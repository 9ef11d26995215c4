"""The rules, pure: functions from values to values. ``now`` is always an argument."""
