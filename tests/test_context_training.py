"""What the contextual model learns from: labels of pieces, families of its own, what is kept of its vocabulary."""

from __future__ import annotations

import random

import numpy as np
import pytest

from unspun.context.pieces import build_tokenizer
from unspun.lexicon import Lexicon
from unspun.training.contextual.families import load_function_strangers, load_strangers
from unspun.training.contextual.windows import KEPT, PROBABLY_KEPT, SWAPPED, UNKNOWN, label_excerpt, label_spun
from unspun.training.corpora import Excerpt
from unspun.training.dictionaries import FUNCTION_WORDS, build_dictionary
from unspun.training.spinner import SpinSettings, spin

pytest.importorskip("tokenizers", reason="needs the extra context")

PIECES = ["[PAD]", "[UNK]", "the", "white", "house", "home", "said", "mention", "##ed", "an", "a", "end", "finish"]
PIECES += ["to", "on", "account", "of", "because", "talks", "deep", "profound", "learning", "."]
NUMBER = {piece: number for number, piece in enumerate(PIECES)}


def show(ids: np.ndarray, state: np.ndarray, wanted: int) -> list[str]:
    return [PIECES[number] for number, one in zip(ids, state, strict=True) if one == wanted]


def test_pieces_of_swapped_words_are_labelled_and_know_their_original() -> None:
    pairs = [
        ("because of", "on account of", 1.0),
        ("said", "mentioned", 1.0),
        ("deep learning", "profound learning", 1.0),
    ]
    dictionary = build_dictionary("test", pairs)
    text = "The White House said talks end because of the deep learning."
    spun = spin(text, dictionary, SpinSettings(rate=1.0), random.Random(0))
    assert spun.text == "The White House mentioned talks end on account of the profound learning."
    found = label_spun(spun, build_tokenizer(PIECES))
    # "of" and "learning" stood there before; both pieces of "mentioned" are of one swapped word.
    assert show(found.ids, found.state, SWAPPED) == ["mention", "##ed", "on", "account", "profound"]
    named = {PIECES[i]: PIECES[o] for i, o in zip(found.ids, found.original, strict=True) if o}
    assert named == {"mention": "said", "on": "because", "profound": "deep"}


def test_a_lone_article_that_was_set_right_is_neither_kept_nor_swapped() -> None:
    dictionary = build_dictionary("test", [("end", "finish", 1.0)])
    settings = SpinSettings(rate=1.0, articles="swapped")
    spun = spin("to an end", dictionary, settings, random.Random(0))
    assert spun.text == "to a finish"
    found = label_spun(spun, build_tokenizer(PIECES))
    assert show(found.ids, found.state, UNKNOWN) == ["a"]
    assert show(found.ids, found.state, KEPT) == ["to"]


def test_what_no_note_names_in_an_excerpt_was_probably_kept() -> None:
    excerpt = Excerpt("1", "The White Home mentioned talks.", (("White Home", "White House"), ("mentioned", "said")))
    found = label_excerpt(excerpt, build_tokenizer(PIECES))
    assert show(found.ids, found.state, SWAPPED) == ["home", "mention", "##ed"]
    assert show(found.ids, found.state, PROBABLY_KEPT) == ["the", "white", "talks", "."]
    assert PIECES[found.original[found.ids.tolist().index(NUMBER["mention"])]] == "said"


def test_a_spinner_of_names_leaves_the_rest() -> None:
    dictionary = build_dictionary("test", [("house", "home", 1.0), ("said", "mentioned", 1.0)])
    text = "In a house, the White House said so."
    spun = spin(text, dictionary, SpinSettings(rate=1.0, only_names=True), random.Random(0))
    assert spun.text == "In a house, the White Home said so."
    assert [swap.kind for swap in spun.substitutions] == ["name"]


def test_strangers_are_as_common_and_inflected_alike_but_no_synonyms_by_design() -> None:
    lexicon = Lexicon.load()
    offered = [word for word, _ in load_strangers(lexicon).find(("ministers",))]
    assert len(offered) > 10
    assert not FUNCTION_WORDS.intersection(offered)
    classes = lexicon.inflections(lexicon.ids(["ministers", *offered]))
    assert len(set(classes.tolist())) == 1
    zipf = lexicon.zipf(["ministers", *offered])
    assert np.abs(zipf - zipf[0]).max() < 1.5
    assert load_strangers(lexicon).find(("the",)) == ()
    small = load_function_strangers()
    assert {word for word, _ in small.find(("my",))} == {"his", "their", "our", "its", "your"}
    assert small.find(("minister",)) == ()


def test_the_vocabulary_keeps_what_english_needs() -> None:
    pytest.importorskip("torch", reason="the export of a checkpoint needs PyTorch")
    from unspun.training.contextual.export import choose_pieces

    vocabulary = [
        "[PAD]",
        "[unused1]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "the",
        "##s",
        "é",
        "—",
        "€",
        "я",
        "東",
        "!",
    ]
    assert [vocabulary[n] for n in choose_pieces(vocabulary)] == [
        "[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "##s", "é", "—", "€", "!",
    ]  # fmt: skip
