"""What can be wrong with the data that is given."""

from __future__ import annotations


class InputError(Exception):
    """What was given to be evaluated cannot be used; the message says where and why."""
