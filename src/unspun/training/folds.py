"""Folds of training texts, by event, site or source: what is known of a text's words was not counted on itself."""

from __future__ import annotations

import hashlib
from typing import Final

FOLDS: Final = 4


def hash_group(group: str) -> int:
    """A stable number for a group of texts."""
    return int.from_bytes(hashlib.blake2b(group.encode(), digest_size=7).digest(), "big")


def fold_of(group: str) -> int:
    """The fold of a group of texts."""
    return hash_group(group) % FOLDS
