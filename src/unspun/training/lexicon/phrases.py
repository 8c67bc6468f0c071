"""The tortured phrases of the shared folder, less what honest text has."""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Final

from unspun.letters import normalise_word
from unspun.lexicon import Lexicon
from unspun.text import WORD
from unspun.training.corpora import read_rows

#: Remarks in the list's expectations: abbreviations and notes in brackets.
_REMARK: Final = re.compile(r"\s*\([^)]*\)?")


def build_phrases(shared: Path, lexicon: Lexicon) -> list[tuple[str, str, int]]:
    """(tortured, expected, papers), the guards of data/README.md applied; prints what was dropped."""
    rows = list(read_rows(shared / "lexicons/tortured_phrases.jsonl.gz"))
    entries: dict[tuple[str, ...], tuple[tuple[str, ...], int]] = {}
    dropped: dict[str, list[str]] = defaultdict(list)
    for row in sorted(rows, key=lambda r: (-(r["papers"] or 0), r["tortured"], r["expected"])):
        tortured, expected = _norms(row["tortured"]), _norms(_REMARK.sub("", row["expected"]))
        if len(tortured) < 2:
            dropped["a single word"].append(row["tortured"])
        elif not expected:
            dropped["no expectation"].append(row["tortured"])
        elif f" {' '.join(tortured)} " in f" {' '.join(expected)} ":
            dropped["equals its expectation or a part of it"].append(row["tortured"])
        elif tortured in entries:
            dropped["twice in the list"].append(row["tortured"])
        else:
            entries[tortured] = expected, row["papers"] or 0
    honest, generated = _count_documents(shared / "corpora", set(entries))
    for phrase, (_, papers) in list(entries.items()):
        documents = honest[phrase] + generated[phrase]
        if honest[phrase] >= 1 or documents >= 2:
            dropped["stands in clean text"].append(f"{' '.join(phrase)} ({documents})")
        elif _is_idiom(phrase, papers, lexicon):
            dropped["a known sequence"].append(" ".join(phrase))
        else:
            continue
        del entries[phrase]
    for reason, phrases in dropped.items():
        print(f"dropped {len(phrases)} of {len(rows)}, {reason}: {'; '.join(phrases[:20])}", file=sys.stderr)
    return sorted((" ".join(phrase), " ".join(expected), n) for phrase, (expected, n) in entries.items())


def _is_idiom(phrase: tuple[str, ...], papers: int, lexicon: Lexicon) -> bool:
    """Whether the language model has seen it: two words together, or (in no paper) every pair of more."""
    ids = lexicon.ids(phrase)
    return bool(lexicon.find_pairs(ids[:-1], ids[1:]).found.all()) and (len(phrase) == 2 or papers == 0)


def _norms(text: str) -> tuple[str, ...]:
    return tuple(normalise_word(match.group()) for match in WORD.finditer(text))


def _count_documents(
    corpora: Path, phrases: set[tuple[str, ...]]
) -> tuple[Counter[tuple[str, ...]], Counter[tuple[str, ...]]]:
    """In how many documents each phrase stands: written by people, and written by machines (llm, mt)."""
    honest: Counter[tuple[str, ...]] = Counter()
    generated: Counter[tuple[str, ...]] = Counter()
    lengths = defaultdict(set)
    for phrase in phrases:
        lengths[phrase[0]].add(len(phrase))
    for path in sorted(corpora.glob("*/*.jsonl.gz")):
        for row in read_rows(path):
            if "dipper" in row["kind"]:
                continue
            words = _norms(row["text"])
            found = {
                words[i : i + length]
                for i, word in enumerate(words)
                for length in lengths.get(word, ())
                if words[i : i + length] in phrases
            }
            machine = any(mark in row["kind"] for mark in ("llm", "mt"))
            (generated if machine else honest).update(found)
    return honest, generated
