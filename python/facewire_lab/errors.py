"""What can go wrong for whoever trains."""

from __future__ import annotations


class LabError(Exception):
    """The message says what is wrong, where, and what to do."""
