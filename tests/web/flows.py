"""Workflows that the tests of the page share."""

SAVED = """
name: saved
tasks:
  - {name: first, run: echo one, revert: echo back}
  - {savepoint: middle}
  - {name: second, run: echo two, revert: echo back}
"""
