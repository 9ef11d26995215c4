"""Composition: sources to rules to ledger, snapshot and effects."""
