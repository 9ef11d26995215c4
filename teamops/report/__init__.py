"""Snapshots and the ledger into text and JSON for people and programs."""
