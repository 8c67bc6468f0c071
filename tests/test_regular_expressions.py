"""No regular expression, and no way through the detector, takes a time that grows faster than the text."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Final

import pytest

import unspun
from conftest import clock
from unspun.detector import Detector

SOURCES: Final = Path(unspun.__file__).parent
#: Calls of re that need no compiled pattern; each is told here with why it can do no harm.
#: A token is matched whole against one class; the name of a tensor, of some dozen, against digits.
INLINE: Final = {"serve.py": 1, "graph.py": 1}
#: Patterns that never see a long text, or never search one.
BOUNDED: Final[dict[str, Callable[[re.Pattern[str], str], object]]] = {
    "unspun.filtering.streams._COLON": lambda pattern, text: pattern.match(text),  # Matched where a name ends.
    "unspun.text._LAST_WORD": lambda pattern, text: pattern.search(text, 0, 12),  # Twelve characters before a stop.
}
SHORT: Final = 4_000
#: Four times the text may take so many times as long: twice what is linear, and half of what is not.
MOST_GROWTH: Final = 8
#: Seconds below which a time says nothing.
NOTHING: Final = 0.02


def list_modules() -> Iterator[str]:
    """What runs on texts: the training is left out, since it reads none but its own."""
    for module in pkgutil.walk_packages([str(SOURCES)], "unspun."):
        if not module.name.startswith("unspun.training") and "__main__" not in module.name:
            yield module.name


@cache
def collect_patterns() -> dict[str, re.Pattern[str]]:
    found = {}
    for name in list_modules():
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError:
            continue  # An extra that is not installed here.
        for key, value in vars(module).items():
            if isinstance(value, re.Pattern):
                found[f"{name}.{key}"] = value
    return found


def test_all_patterns_are_found() -> None:
    """Patterns are compiled once, in globals; what is not is told above."""
    inline = dict[str, int]()
    for path in SOURCES.rglob("*.py"):
        if "training" in path.parts:
            continue
        text = path.read_text("utf-8")
        names = re.findall(r"^(\w+): Final = re\.compile\(", text, re.MULTILINE)
        assert len(names) == len(re.findall(r"\bre\.compile\(", text)), path
        module = ".".join(path.relative_to(SOURCES.parent).with_suffix("").parts)
        assert {f"{module}.{name}" for name in names} <= collect_patterns().keys()
        calls = len(re.findall(r"\bre\.(?:search|match|fullmatch|sub|subn|split|findall|finditer)\(", text))
        if calls:
            inline[path.name] = calls
    assert inline == INLINE
    assert len(collect_patterns()) >= 18


def draw_pieces(pattern: re.Pattern[str]) -> list[str]:
    """Characters and strings that the pattern is made of: its literals, one or two of each class."""
    pieces = dict[str, None]()

    def walk(items: object) -> None:
        word = ""
        for code, value in items:  # type: ignore[attr-defined]
            if code is codes.LITERAL:
                word += chr(value)
                pieces[chr(value)] = None
                continue
            pieces.setdefault(word)
            word = ""
            if code is codes.IN:
                for kind, what in value:
                    if kind is codes.LITERAL:
                        pieces[chr(what)] = None
                    elif kind is codes.RANGE:
                        pieces[chr(what[0])] = pieces[chr(what[1])] = None
                pieces.update(dict.fromkeys("a 1"))
            elif code is codes.BRANCH:
                for part in value[1]:
                    walk(part)
            elif code in (codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT):
                walk(value[2])
            elif code is codes.SUBPATTERN:
                walk(value[3])
            elif code in (codes.ASSERT, codes.ASSERT_NOT):
                walk(value[1])
            elif code is codes.ATOMIC_GROUP:
                walk(value)
        pieces.setdefault(word)

    walk(parser.parse(pattern.pattern, pattern.flags))
    # Surrogates and the like say no more than their neighbours.
    return [piece for piece in pieces if piece][:16]


def draw_texts(pattern: re.Pattern[str], length: int) -> Iterator[str]:
    """Rows of every piece and of every pair of pieces, with an end that fits nothing."""
    pieces = draw_pieces(pattern)
    for one in [*pieces, *(a + b for a, b in product(pieces[:7], repeat=2)), "ab", "a ", "a-", " \n", '"', "."]:
        row = one * (length // len(one))
        yield row + "\x01"
        yield "a" + row + "_"


def grows_too_fast(action: Callable[[str], object], short: str, long: str) -> bool:
    """Whether ``long``, four times as long as ``short``, takes far more than four times as long."""
    for _ in range(3):
        slow = clock(lambda: action(long))
        if slow < NOTHING or slow < MOST_GROWTH * clock(lambda: action(short)):
            return False
    return True


@pytest.mark.parametrize("name", sorted(collect_patterns()))
def test_no_pattern_takes_the_square_of_the_length(name: str) -> None:
    pattern = collect_patterns()[name]
    use = BOUNDED.get(name, lambda pattern, text: sum(1 for _ in pattern.finditer(text)))
    for short, long in zip(draw_texts(pattern, SHORT), draw_texts(pattern, 4 * SHORT), strict=True):
        assert not grows_too_fast(lambda text: use(pattern, text), short, long), long[:20]


def test_the_check_sees_a_pattern_that_does() -> None:
    pattern = re.compile(r"\.+(?=x)")
    assert grows_too_fast(pattern.findall, "." * (SHORT // 2), "." * (2 * SHORT))
    assert "." in draw_pieces(pattern)


FRAME: Final = (
    "The lighthouse at Corran Head will be vended to the hamlet below it for a single crown, the service of conveyance "
    "said on Friday. The tower has stayed vacant since its lamp was substituted by a buoy nine years ago, and the folk "
    "of the hamlet hope to gain sufficient from guests to fix the rooftop of it before the winter."
)
#: Text of which a megabyte was, or might be, too much: of marks, of hidden characters, of one word or sentence.
ROWS: Final = {
    "stops": ".", "stops and spaces": ". ", "quotation marks": '"', "open quotations": "“ ", "capitals": "A",
    "a word without end": "ab", "hidden characters": "a\u200b", "combining marks": "\u0315\u0300", "apostrophes": "a'",
    "one word": "spam ", "short words": "a an ", "lines": "The spam.\n", "line ends": "\n", "hyphens": "a-",
    "digits": "1.", "initials": "A. B. C. ", "no stop": "the minister vended the house ", "ligatures": "\ufdfa",
}  # fmt: skip


@cache
def detector() -> Detector:
    return Detector.load(context="never")


@pytest.mark.parametrize("name", ROWS)
def test_a_long_row_of_anything_ends_soon_alone_and_beside_another(name: str) -> None:
    """A tenth of a megabyte; a megabyte takes ten times as long (measured by hand)."""
    row = ROWS[name] * (100_000 // len(ROWS[name]))
    text, reference = f"{FRAME} a{row} {FRAME}", f"{FRAME} b{row[: len(row) * 9 // 10]} x {FRAME}"
    detector().score(FRAME)
    assert clock(lambda: detector().score(text)) < 2.5
    assert clock(lambda: detector().score(text, [reference])) < 2.5
