"""Set phrases that spinners put for a word or two: "on the off chance that" for "if", "has actually" for "has".

Such a phrase is no evidence by itself, since people write it too; but a word that is taken for a swap and stands in one
was swapped in with it, and what stood there is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

from unspun.examined import Examined
from unspun.text import Text

#: Read off really spun pages of several services in 2026, as "original = set phrase | set phrase".
_TABLE: Final = """
if = on the off chance that | in the event that
when = at the point when
because = on the grounds that | in light of the fact that | due to the fact
although = in spite of the fact that
however = be that as it may | in any case
according to = as indicated by
how to = step by step instructions to | the most effective method to | instructions to
one of the most = quite possibly of the most | perhaps of the most
born = brought into the world
died = kicked the bucket
tend to = will in general | will generally
thousands of = a great many
millions of = a huge number of
hundreds of = lots of of | tons of of
at the end of = toward the finish of
at all = by any stretch of the imagination
in fact = truth be told
sometimes = now and again | every so often
more than = in excess of
less than = not exactly
early = right on time
instead = all things considered
some of = a portion of
most of = the greater part of
solar = sun based
referred to = alluded to
refers to = alludes to
against = in opposition to
joining = becoming a member of
how many = what number of
where = the place
not = now not
here = right here
into = right into
any = any type of
all = every one of
with = along with
first = very first
same = exact same
own = very own
will = will certainly | will definitely
would = would certainly
has = has actually
have = have actually
had = had actually
is = is actually
are = are actually
was = was actually
been = been actually
may = may possibly
might = might possibly
"""


def list_wordings(table: str) -> Iterator[tuple[str, str]]:
    """(original, alternative) from lines of ``original = alternative | alternative``."""
    for line in table.strip().splitlines():
        original, _, alternatives = line.partition("=")
        for alternative in alternatives.split("|"):
            yield original.strip(), alternative.strip()


#: First word -> its phrases, longest first, each with what it stands for; words as :attr:`unspun.text.Text.keys`.
_Phrases = dict[int | str, list[tuple[tuple[int | str, ...], str]]]


@cache
def _read_table(hashed: bool) -> _Phrases:
    table = _Phrases()
    for original, phrase in list_wordings(_TABLE):
        words = tuple(Text(phrase).keys) if hashed else tuple(phrase.split())
        table.setdefault(words[0], []).append((words, original))
    return {first: sorted(found, key=lambda one: -len(one[0])) for first, found in table.items()}


def find_set_phrases(article: Examined) -> dict[int, tuple[int, int, str]]:
    """For every word in a set phrase: the phrase's words ``[first, last)`` and what it stands for."""
    keys, found, end = article.text.keys, dict[int, tuple[int, int, str]](), 0
    table = _read_table(hashed=article.text.hashes is not None)
    for first in [index for index, key in enumerate(keys) if key in table]:
        for words, original in table[keys[first]] if first >= end else ():
            last = first + len(words)
            if tuple(keys[first:last]) == words and not article.breaks[first + 1 : last].any():
                found |= dict.fromkeys(range(first, last), (first, last, original))
                end = last
                break
    return found
