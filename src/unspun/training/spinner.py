"""The spinner that makes training text: words of a clean text swapped as real spinners swap them.

Only the swapped words change: white space, punctuation and line ends stay byte for byte, and the swaps tell
exactly what stood there (:meth:`SpunText.restore`). What is imitated was read off really spun pages.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Final, Literal

from unspun.text import Text
from unspun.training.dictionaries import FUNCTION_WORDS, Alternatives, Dictionary
from unspun.training.inflection import Ending, inflect, stems

Articles = Literal["kept", "swapped", "everywhere"]
Partial = Literal["whole", "body", "paragraphs", "sentences"]

#: What may stand between the words of one phrase.
_JOINTS: Final = frozenset((" ", "-", "\u00a0"))
#: A capital after one of these starts a sentence of its own, so it does not tell a name.
_OPENERS: Final = frozenset("\"'“‘«([:•*–—-")
#: Swaps tried for one place before it is left: the dictionary may only offer what already stands there.
_ATTEMPTS: Final = 4


@dataclass(frozen=True, slots=True)
class SpinSettings:
    """How a spinner works.

    ``rate``: share of the touched part's words to replace (0-1); ``fixed``: one swap a word for the whole
    text, else a new draw at each place; ``inflect``: endings are put back on swaps found by base form, else
    the base form is left ("this results in" -> "this outcome in"); ``names``, ``quotes``: whether capitalised
    words in mid-sentence and quoted words are swapped; ``only_names``: nothing but those words is; ``protected``:
    how many of the text's commonest content words stay; ``part``: what is touched (``body``: all but the first
    and last paragraph; ``paragraphs``: half of them; ``sentences``: every ``step``-th); ``articles``: where a/an
    is set by the next letter.
    """

    rate: float
    fixed: bool = False
    inflect: bool = True
    names: bool = False
    only_names: bool = False
    quotes: bool = True
    protected: int = 0
    part: Partial = "whole"
    step: int = 2
    articles: Articles = "kept"


@dataclass(frozen=True, slots=True)
class Swap:
    """``replacement`` at ``[start, end)`` of the spun text, for ``original`` at its own place.

    Half-open code point ranges; ``kind`` is a kind of span (synonym, name, quote, phrase, grammar).
    """

    start: int
    end: int
    original_start: int
    original_end: int
    original: str
    replacement: str
    kind: str


@dataclass(frozen=True, slots=True)
class SpunText:
    """A spun text with its swaps in text order; ``rate`` is the share of the original's words replaced."""

    text: str
    substitutions: tuple[Swap, ...]
    rate: float

    def restore(self) -> str:
        """The original text: every swap put back."""
        pieces, at = list[str](), 0
        for swap in self.substitutions:
            pieces += [self.text[at : swap.start], swap.original]
            at = swap.end
        return "".join([*pieces, self.text[at:]])


@dataclass(frozen=True, slots=True)
class _Place:
    """Words ``first`` to ``last`` (half-open) that the dictionary knows, and the ending their entry lacks."""

    first: int
    last: int
    alternatives: Alternatives
    ending: Ending | None


def draw_settings(rng: random.Random) -> SpinSettings:
    """Settings as they are met: see the shares in the shared folder's notes on real spinners."""
    return SpinSettings(
        # Real documents run from 5 to 45 % and pile up at 15-30 %; light passes are what is hard to find.
        rate=min(0.6, max(0.05, rng.lognormvariate(-1.6, 0.6))),
        fixed=rng.random() < 0.4,
        inflect=rng.random() < 0.75,
        names=rng.random() < 0.4,
        quotes=rng.random() < 0.75,
        protected=rng.choice((0, 0, 3, 6, 10)),
        part=rng.choices(("whole", "body", "paragraphs", "sentences"), (70, 12, 10, 8))[0],
        step=rng.randint(2, 4),
        articles=rng.choices(("kept", "swapped", "everywhere"), (45, 40, 15))[0],
    )


def spin(text: str, dictionary: Dictionary, settings: SpinSettings, rng: random.Random) -> SpunText:
    """``text`` with words swapped by ``dictionary``; equal seeds give equal texts.

    The rate is met as closely as the dictionary's coverage allows; the rate reached is in the result.
    """
    source = Text(text)
    if not source.words:
        return SpunText(text, (), 0.0)
    names = _find_names(source)
    quoted = _find_quoted(source)
    touched = _find_touched(source, settings, rng)
    blocked = [not is_touched for is_touched in touched]
    for index in range(len(blocked)):
        swappable = (settings.names or settings.only_names) if names[index] else not settings.only_names
        if not swappable or (quoted[index] and not settings.quotes):
            blocked[index] = True
    protected = _common_words(source, settings.protected)
    if protected:
        blocked = [block or norm in protected for block, norm in zip(blocked, source.norms, strict=True)]

    places = list(_find_places(source, dictionary, blocked))
    budget = max(1, round(settings.rate * sum(touched)))
    chosen = _choose(source, places, budget, settings, rng)
    replacements = {
        place.first: (place.last, wording, _kind(place, names, quoted, dictionary)) for place, wording in chosen
    }
    if settings.articles != "kept":
        _fix_articles(source, replacements, touched, everywhere=settings.articles == "everywhere")
    return _assemble(source, replacements)


def spin_whole(text: str, dictionary: Dictionary, rate: float, rng: random.Random) -> SpunText:
    """All of ``text`` spun at ``rate`` as closely as the dictionary allows; the other settings are drawn."""
    return spin(text, dictionary, replace(draw_settings(rng), rate=rate, part="whole"), rng)


def tighten_swaps(spun: SpunText) -> list[Swap]:
    """The swaps of a spun text without the words that both wordings have in the same place ("profound learning" for
    "deep learning": only "profound" was swapped). Spans are measured against these."""
    tight = list[Swap]()
    for swap in spun.substitutions:
        new, old = Text(swap.replacement), Text(swap.original)
        changes = [op for op in SequenceMatcher(None, new.norms, old.norms, False).get_opcodes() if op[0] != "equal"]
        if not all(tag == "replace" for tag, *_ in changes):
            # A word more or less belongs to its neighbour: the phrase was swapped as one.
            tight.append(swap)
            continue
        for _, i0, i1, j0, j1 in changes:
            start, end = new.slice(i0, i1)
            old_start, old_end = old.slice(j0, j1)
            tight.append(
                replace(
                    swap, start=swap.start + start, end=swap.start + end,
                    original_start=swap.original_start + old_start, original_end=swap.original_start + old_end,
                    original=old.raw[old_start:old_end], replacement=new.raw[start:end],
                )
            )  # fmt: skip
    return tight


def _find_names(source: Text) -> list[bool]:
    """For each word whether it is capitalised in mid-sentence, or opens one but is nowhere in lower case."""
    raw, words = source.raw, source.words
    opens = {first for first, _ in source.sentences}
    capital = [raw[word.start].isupper() and word.norm != "i" and word.norm[:2] != "i'" for word in words]
    inside = [False] * len(words)
    for index, word in enumerate(words):
        if capital[index] and index not in opens:
            before = raw[max(0, word.start - 2) : word.start].rstrip()
            inside[index] = not (before and before[-1] in _OPENERS)
    named = {words[index].norm for index in range(len(words)) if inside[index]}
    lower = {words[index].norm for index in range(len(words)) if not capital[index]}
    return [
        inside[index] or (capital[index] and word.norm in named and word.norm not in lower)
        for index, word in enumerate(words)
    ]


def _find_quoted(source: Text) -> list[bool]:
    quoted, index = [False] * len(source.words), 0
    for start, end in source.quotations:
        while index < len(quoted) and source.words[index].start < start:
            index += 1
        while index < len(quoted) and source.words[index].end <= end:
            quoted[index] = True
            index += 1
    return quoted


def _find_touched(source: Text, settings: SpinSettings, rng: random.Random) -> list[bool]:
    """For each word whether it lies in the part that is spun; everything, where the part would be empty."""
    units = source.sentences if settings.part == "sentences" else _paragraphs(source)
    chosen = range(len(units))
    if settings.part == "sentences":
        chosen = range(rng.randrange(settings.step), len(units), settings.step)
    elif settings.part == "body":
        chosen = range(1, len(units) - 1)
    touched = [False] * len(source.words)
    if settings.part == "paragraphs":
        picked: Sequence[int] = rng.sample(range(len(units)), (len(units) + 1) // 2)
    else:
        picked = chosen
    for unit in picked:
        first, last = units[unit]
        touched[first:last] = [True] * (last - first)
    return touched if any(touched) else [True] * len(touched)


def _paragraphs(source: Text) -> list[tuple[int, int]]:
    """Half-open ranges of word indices between line ends."""
    ranges, first = list[tuple[int, int]](), 0
    for index in range(1, len(source.words)):
        if "\n" in source.raw[source.words[index - 1].end : source.words[index].start]:
            ranges.append((first, index))
            first = index
    return [*ranges, (first, len(source.words))]


def _common_words(source: Text, count: int) -> frozenset[str]:
    """The ``count`` commonest content words that stand more than once."""
    if not count:
        return frozenset()
    counts = Counter(norm for norm in source.norms if len(norm) > 3 and norm not in FUNCTION_WORDS)
    return frozenset(word for word, times in counts.most_common(count) if times > 1)


def _find_places(source: Text, dictionary: Dictionary, blocked: Sequence[bool]) -> Iterator[_Place]:
    """What the dictionary knows, longest phrase first from the left, without overlaps."""
    words, norms, raw = source.words, source.norms, source.raw
    index = 0
    while index < len(words):
        if blocked[index]:
            index += 1
            continue
        reach = index + 1
        limit = min(len(words), index + dictionary.longest(norms[index]))
        while reach < limit and not blocked[reach] and raw[words[reach - 1].end : words[reach].start] in _JOINTS:
            reach += 1
        for last in range(reach, index, -1):
            alternatives = dictionary.find(tuple(norms[index:last]))
            if alternatives:
                yield _Place(index, last, alternatives, None)
                index = last
                break
        else:
            for base, ending in stems(norms[index]):
                alternatives = dictionary.find((base,))
                if alternatives:
                    yield _Place(index, index + 1, alternatives, ending)
                    break
            index += 1


def _choose(
    source: Text, places: list[_Place], budget: int, settings: SpinSettings, rng: random.Random
) -> list[tuple[_Place, str]]:
    """The places to swap, at most ``budget`` words, with their new wordings."""
    groups = list[list[_Place]]()
    if settings.fixed:
        by_words = dict[tuple[str, ...], list[_Place]]()
        for place in places:
            by_words.setdefault(tuple(source.norms[place.first : place.last]), []).append(place)
        groups = list(by_words.values())
    else:
        groups = [[place] for place in places]
    rng.shuffle(groups)
    chosen, spent = list[tuple[_Place, str]](), 0
    for group in groups:
        cost = (group[0].last - group[0].first) * len(group)
        if spent + cost > budget:
            continue
        wording = _draw(source, group[0], settings, rng)
        if wording is None:
            continue
        for place in group:
            old = source.raw[slice(*source.slice(place.first, place.last))]
            new = _match_case(old, wording)
            if new != old:
                chosen.append((place, new))
                spent += place.last - place.first
        if spent == budget:
            break
    return chosen


def _draw(source: Text, place: _Place, settings: SpinSettings, rng: random.Random) -> str | None:
    """A wording for the place that differs from what stands there, or None."""
    wordings = [wording for wording, _ in place.alternatives]
    weights = [weight for _, weight in place.alternatives]
    old = " ".join(source.norms[place.first : place.last])
    for _ in range(_ATTEMPTS):
        wording = rng.choices(wordings, weights)[0]
        if place.ending and settings.inflect:
            wording = inflect(wording, place.ending)
        if wording.lower() != old:
            return wording
    return None


def _match_case(old: str, new: str) -> str:
    """``new`` capitalised as ``old`` is: all capitals, every word, the first letter, or as it comes."""
    letters = [letter for letter in old if letter.isalpha()]
    if not letters or not letters[0].isupper():
        return new
    if len(letters) > 1 and old.isupper():
        return new.upper()
    words = old.replace("-", " ").split()
    if len(words) > 1 and all(word[0].isupper() for word in words):
        return " ".join(word[:1].upper() + word[1:] for word in new.split(" "))
    return new[0].upper() + new[1:]


def _kind(place: _Place, names: list[bool], quoted: list[bool], dictionary: Dictionary) -> str:
    if any(names[place.first : place.last]):
        return "name"
    if quoted[place.first]:
        return "quote"
    return dictionary.span_kind if place.last - place.first > 1 else "synonym"


def _fix_articles(
    source: Text, replacements: dict[int, tuple[int, str, str]], touched: list[bool], everywhere: bool
) -> None:
    """Set a/an by the letter of the next word: before swaps, or everywhere ("an MBA" -> "a MBA")."""
    taken = {index for first, (last, _, _) in replacements.items() for index in range(first, last)}
    for index in range(len(source.words) - 1):
        if source.norms[index] not in ("a", "an") or index in taken or not touched[index]:
            continue
        word, after = source.words[index], source.words[index + 1]
        swap = replacements.get(index + 1)
        if source.raw[word.end : after.start] not in _JOINTS or not (swap or everywhere):
            continue
        letter = (swap[1] if swap else source.raw[after.start])[0].lower()
        old = source.raw[word.start : word.end]
        new = "an" if letter in "aeiou" else "a"
        if letter.isalpha() and old.lower() != new and old in ("a", "A", "an", "An"):
            replacements[index] = (index + 1, _match_case(old[0], new), "grammar")


def _assemble(source: Text, replacements: dict[int, tuple[int, str, str]]) -> SpunText:
    raw, pieces, swaps = source.raw, list[str](), list[Swap]()
    at = length = replaced = 0
    for first in sorted(replacements):
        last, wording, kind = replacements[first]
        start, end = source.slice(first, last)
        length += start - at
        swaps.append(Swap(length, length + len(wording), start, end, raw[start:end], wording, kind))
        pieces += [raw[at:start], wording]
        length += len(wording)
        at = end
        if kind != "grammar":
            replaced += last - first
    return SpunText("".join([*pieces, raw[at:]]), tuple(swaps), replaced / len(source.words))
