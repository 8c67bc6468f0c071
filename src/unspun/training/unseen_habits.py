"""Habits for training texts: those that were not counted over a text, and those that do not know its spinner.

A scorer that always meets the habits of the spinner before it learns to trust them, and is lost with the next spinner.
So what to make of an unknown one is learnt from texts that are measured as if theirs had never been seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unspun.habits import Habits
from unspun.training.folds import fold_of, hash_group


@dataclass(frozen=True, slots=True, eq=False)
class UnseenHabits:
    """Habits that were not counted over a text: ``tables`` by the fold left out, and by the family left out or None;
    ``families``: those that can be left out."""

    tables: Mapping[tuple[int, str | None], Habits]
    families: tuple[str, ...]

    def find(self, group: str) -> Habits:
        """The habits without the fold of a text's group."""
        return self.tables[fold_of(group), None]

    def find_strange(self, group: str, family: str | None) -> Habits:
        """The same without the family that spun the text; for an honest text without any one, so that what is left
        out says nothing."""
        if not self.families:
            return self.find(group)
        left_out = family if family in self.families else self.families[hash_group(group) % len(self.families)]
        return self.tables[fold_of(group), left_out]
