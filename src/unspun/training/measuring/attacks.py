"""What somebody does to a text to keep a detector from seeing what it is. Readers see little or no difference."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from typing import Final

from unspun.text import Text
from unspun.training.tampering import DISGUISES

Attack = Callable[[str, random.Random], str]

#: Share of the words that a change of letters touches: enough to be felt, few enough for a reader to go on.
_TOUCHED: Final = 0.2
_MISSPELT: Final = 0.05
_LEAST_LETTERS: Final = 4
#: Furniture of a page, invented, as a crawler leaves it around an article.
_BEFORE: Final = (
    "Home | News | Sport | Weather | Business | Opinion | Travel\nSign in or subscribe for 2 a week. Skip to text.\n"
    "Breaking: road closed near the harbour after a lorry spilled its load. Live updates below.\n\n"
)
_AFTER: Final = (
    "\n\nShare this story on your favourite network or send it by e-mail. Read more: Ten gardens to visit this spring. "
    "Why the ferry is late again. What your letters said this week.\nAll rights reserved. No part of this page may be "
    "copied without written permission of the publisher. Terms of use, privacy, cookies, contact, careers, advertise "
    "with us. This site uses cookies so that we can remember you. By going on you agree to our use of them.\n"
)


def disguise_letters(text: str, rng: random.Random) -> str:
    """Letters exchanged for look-alikes of other alphabets."""

    def disguise(word: str) -> str:
        places = [place for place, letter in enumerate(word) if letter in DISGUISES]
        if not places:
            return word
        place = rng.choice(places)
        return word[:place] + rng.choice(DISGUISES[word[place]]) + word[place + 1 :]

    return _change_words(text, _TOUCHED, disguise, rng)


def hide_characters(text: str, rng: random.Random) -> str:
    """Zero-width characters inside words."""
    return _change_words(text, _TOUCHED, lambda word: _split(word, "\u200b", rng), rng)


def hide_soft_hyphens(text: str, rng: random.Random) -> str:
    """Soft hyphens inside words, as typesetting leaves them."""
    return _change_words(text, _TOUCHED, lambda word: _split(word, "\u00ad", rng), rng)


def mix_case(text: str, rng: random.Random) -> str:
    """Letters in upper and lower case at random."""

    def mix(word: str) -> str:
        return "".join(rng.choice((letter.upper(), letter.lower())) for letter in word)

    return _change_words(text, _TOUCHED, mix, rng)


def widen_spaces(text: str, rng: random.Random) -> str:
    """Spaces doubled, made unbreakable, or broken into lines."""
    choices = ("  ", "\u00a0", "\n", " \t", "\u2009")
    return re.sub(" ", lambda match: rng.choice(choices) if rng.random() < _TOUCHED else match.group(), text)


def misspell(text: str, rng: random.Random) -> str:
    """Neighbouring letters exchanged, a letter doubled or left out."""

    def slip(word: str) -> str:
        at = rng.randrange(1, len(word) - 1)
        a, b = word[at], word[at + 1]
        return word[:at] + rng.choice((b + a, a + a + b, b)) + word[at + 2 :]

    return _change_words(text, _MISSPELT, slip, rng)


def shuffle_sentences(text: str, rng: random.Random) -> str:
    """The sentences in another order."""
    sentences = [text[start:end] for start, end in Text(text).sentence_slices]
    rng.shuffle(sentences)
    return " ".join(sentences)


def correct_grammar(text: str, rng: random.Random) -> str:
    """What a checker mends after a spinner: a and an, doubled words, capitals after a full stop."""
    # Where the letter does not tell the sound ("an hour", "a European", "a one-off"), nothing is touched.
    text = re.sub(r"\b([Aa]) (?=[ai]|e[^u]|o[^n])", r"\1n ", text)
    text = re.sub(r"\b([Aa])n (?=[b-dfgj-np-tv-z])", r"\1 ", text)
    text = re.sub(r"\b(\w+) \1\b", r"\1", text)
    return re.sub(r"([.!?] )([a-z])", lambda match: match[1] + match[2].upper(), text)


def cut_off(text: str, rng: random.Random) -> str:
    """The first half."""
    words = Text(text).words
    return text[: words[len(words) // 2].start] if len(words) > 1 else text


def pad(text: str, rng: random.Random) -> str:
    """The furniture of a page before and after."""
    return _BEFORE + text + _AFTER


def _change_words(text: str, share: float, change: Callable[[str], str], rng: random.Random) -> str:
    pieces, at = list[str](), 0
    for word in Text(text).words:
        found = text[word.start : word.end]
        if len(found) >= _LEAST_LETTERS and found.isalpha() and rng.random() < share:
            pieces += [text[at : word.start], change(found)]
            at = word.end
    return "".join([*pieces, text[at:]])


def _split(word: str, mark: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(word))
    return word[:at] + mark + word[at:]


ATTACKS: Final[Mapping[str, Attack]] = {
    "look-alike letters": disguise_letters,
    "zero-width characters": hide_characters,
    "soft hyphens": hide_soft_hyphens,
    "mixed case": mix_case,
    "spaces": widen_spaces,
    "misspelling": misspell,
    "sentences shuffled": shuffle_sentences,
    "grammar corrected": correct_grammar,
    "cut in half": cut_off,
    "padded": pad,
}
