"""Just enough English inflection for a spinner: the base forms of a word, and a base form inflected.

Spinners look words up by base form and put the ending back, often badly; so this guesses by spelling rules
and knows the irregular verbs that news uses.
"""

from __future__ import annotations

from typing import Final, Literal

Ending = Literal["s", "ed", "ing"]

_VOWELS: Final = "aeiou"
#: Base, past, participle: a word looked up by its past form is put back in the past.
_IRREGULAR_VERBS: Final = """
begin began begun, break broke broken, bring brought brought, build built built, buy bought bought,
catch caught caught, choose chose chosen, come came come, cut cut cut, deal dealt dealt, draw drew drawn,
drink drank drunk, drive drove driven, eat ate eaten, fall fell fallen, feel felt felt,
fight fought fought, find found found, fly flew flown, forget forgot forgotten, get got got,
give gave given, go went gone, grow grew grown, hear heard heard, hide hid hidden, hit hit hit,
hold held held, keep kept kept, know knew known, lead led led, leave left left, lend lent lent,
lose lost lost, make made made, mean meant meant, meet met met, pay paid paid, put put put,
read read read, ride rode ridden, rise rose risen, run ran run, say said said, see saw seen,
seek sought sought, sell sold sold, send sent sent, set set set, shake shook shaken, shoot shot shot,
show showed shown, shut shut shut, sing sang sung, sit sat sat, sleep slept slept, speak spoke spoken,
spend spent spent, stand stood stood, steal stole stolen, strike struck struck, swim swam swum,
take took taken, teach taught taught, tell told told, think thought thought, throw threw thrown,
understand understood understood, wear wore worn, win won won, write wrote written
"""
_VERBS: Final = [verb.split() for verb in _IRREGULAR_VERBS.split(",")]
_PAST: Final = {base: past for base, past, _ in _VERBS}
_BASE: Final = {form: base for base, *forms in _VERBS for form in forms if form != base}
_PARTICLE_LIST: Final = """
up out off on in down over away back through about of to for with from at into by forward together as the
a
"""
#: Words after which a phrase's head stands first ("carry out" -> "carries out").
_PARTICLES: Final = frozenset(_PARTICLE_LIST.split())


def stems(word: str) -> list[tuple[str, Ending]]:
    """The base forms that ``word`` (lower case) may be an inflection of, likeliest first, with the ending."""
    found = list[tuple[str, Ending]]()
    if word in _BASE:
        found.append((_BASE[word], "ed"))
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        if word.endswith("ies"):
            found.append((word[:-3] + "y", "s"))
        found.append((word[:-1], "s"))
        if word.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
            found.append((word[:-2], "s"))
    for ending in ("ed", "ing"):
        if len(word) > len(ending) + 2 and word.endswith(ending):
            root = word[: -len(ending)]
            if ending == "ed" and root.endswith("i"):
                found.append((root[:-1] + "y", "ed"))
            doubled = len(root) > 3 and root[-1] == root[-2]
            bases = [root[:-1], root] if doubled else [root, root + "e"]
            found.extend((base, ending) for base in bases)
    return found


def inflect(phrase: str, ending: Ending) -> str:
    """``phrase`` with the ending on its head: its first word (nouns: its last)."""
    words = phrase.split(" ")
    first = len(words) > 1 and (ending != "s" or any(word in _PARTICLES for word in words[1:]))
    head = 0 if first else -1
    words[head] = _inflect_word(words[head], ending)
    return " ".join(words)


def _inflect_word(word: str, ending: Ending) -> str:
    if not word.isalpha() or not word.islower() or len(word) < 2:
        return word
    consonant_y = word.endswith("y") and word[-2] not in _VOWELS
    if ending == "s":
        if consonant_y:
            return word[:-1] + "ies"
        return word + ("es" if word.endswith(("s", "x", "z", "ch", "sh")) else "s")
    if ending == "ed":
        if word in _PAST:
            return _PAST[word]
        if consonant_y:
            return word[:-1] + "ied"
        return word + "d" if word.endswith("e") else _double(word) + "ed"
    if word.endswith("e") and not word.endswith(("ee", "ye", "oe")) and len(word) > 2:
        return word[:-1] + "ing"
    return _double(word) + "ing"


def _double(word: str) -> str:
    """The last consonant doubled in a word of one short syllable ("stop")."""
    short = len(word) >= 3 and word[-1] not in _VOWELS + "wxy" and word[-2] in _VOWELS
    return word + word[-1] if short and sum(letter in _VOWELS for letter in word) == 1 else word
