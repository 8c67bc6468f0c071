"""Which references are asked: those of a time, of some outlets, in some languages."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from unspun.article import Article
from unspun.index.keys import hash_string

#: The day of what has no date: before all others.
UNDATED: Final = -(1 << 31)
_EPOCH: Final = date(1970, 1, 1).toordinal()
#: What is known of no outlet or language.
_UNKNOWN: Final = 0


@dataclass(frozen=True, slots=True)
class Selection:
    """References that are asked: from the day ``after`` to the day ``before``, both included (those without a date then
    go); of these ``outlets``, the hosts of their URLs without ``www.``; in these ``languages``, as they are given with
    them ("en" is "en-GB" too). None and nothing named: all."""

    after: date | None = None
    before: date | None = None
    outlets: Collection[str] = ()
    languages: Collection[str] = ()

    @classmethod
    def around(cls, day: date, days: int) -> Selection:
        """What appeared at most so many days before or after a day."""
        return cls(day - timedelta(days), day + timedelta(days))

    def allows(
        self, days: NDArray[np.int32], outlets: NDArray[np.uint32], languages: NDArray[np.uint32]
    ) -> NDArray[np.bool_]:
        """Which of some references are asked, from their columns: bool[n]."""
        allowed = np.ones(len(days), np.bool_)
        if self.after or self.before:
            allowed &= days != UNDATED
        if self.after:
            allowed &= days >= number_day(self.after)
        if self.before:
            allowed &= days <= number_day(self.before)
        if self.outlets:
            allowed &= np.isin(outlets, [_hash(name.lower().removeprefix("www.")) for name in self.outlets])
        if self.languages:
            allowed &= np.isin(languages, [_hash(_shorten(name)) for name in self.languages])
        return allowed


def number_day(day: date) -> int:
    """Days since the beginning of 1970."""
    return day.toordinal() - _EPOCH


def parse_date(written: str) -> date | None:
    """The day of a date as ISO 8601 or RFC 5322 write it, None where it is neither; what zone it is of is left."""
    try:
        return datetime.fromisoformat(written.strip()).date()
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(written).date()
    except (ValueError, TypeError, IndexError):
        return None


def find_outlet(source: str | None) -> str | None:
    """The host of a URL without ``www.``; None of a path."""
    if not source or "://" not in source:
        return None
    try:
        host = urlsplit(source).hostname
    except ValueError:
        return None
    return host.removeprefix("www.") if host else None


def describe(article: Article) -> tuple[int, int, int]:
    """What an index keeps of an article to select by: its day, outlet and language as numbers."""
    day = parse_date(article.date) if article.date else None
    outlet = find_outlet(article.source)
    return (
        number_day(day) if day else UNDATED,
        _hash(outlet) if outlet else _UNKNOWN,
        _hash(_shorten(article.language)) if article.language else _UNKNOWN,
    )


def _shorten(language: str) -> str:
    return language.lower().replace("_", "-").partition("-")[0]


def _hash(name: str) -> int:
    """32 bits of a name, never those of an unknown one."""
    return hash_string(name) & 0xFFFFFFFF | 1
