"""The peer that has to be trained: fastText on honest and spun articles."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from unspun.detector import Detector
from unspun.training.bench.articles import Pool, make_texts
from unspun.training.measures import measure_auc

#: The spinner that it never sees: does it know spun text, or one spinner's words?
LEFT_OUT: Final = "moby"
#: One text in three is held out, and joined with none of the others.
_HELD_OUT: Final = 3
#: Word pairs, as the quality classifiers of web corpora have, and fewer buckets for fewer texts. More rounds, a higher
#: rate or words alone told them apart no better (AUC .91). One thread, so that each run trains the same model.
_SETTINGS: Final = {"wordNgrams": 2, "dim": 100, "bucket": 200_000, "epoch": 30, "lr": 0.5, "minCount": 2, "thread": 1}


def train_classifier(pool: Pool, count: int, words: int) -> Any:
    """A fastText model of so many articles, half of them spun by all spinners but :data:`LEFT_OUT`."""
    import fasttext

    known = [dictionary for dictionary in pool.dictionaries if dictionary.family != LEFT_OUT]
    kept = [text for number, text in enumerate(pool.texts) if number % _HELD_OUT]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "articles.txt"
        with file.open("w", encoding="utf-8") as stream:
            for text, spun in make_texts(kept, known, count, words, 0.5, "learnt"):
                stream.write(f"__label__{'spun' if spun else 'honest'} {_write(text)}\n")
        return fasttext.train_supervised(str(file), seed=1, verbose=0, **_SETTINGS)


def measure_classifiers(classifier: Any, detector: Detector, pool: Pool, count: int, words: int) -> dict[str, Any]:
    """AUC and the share told rightly at even odds of the classifier, and AUC of unspun, on articles of held-out texts,
    half of them spun: by the spinners that it learnt from, and by the one that it did not."""
    held = [text for number, text in enumerate(pool.texts) if number % _HELD_OUT == 0]
    found = {}
    for setting, wanted in (("spinners that it learnt from", False), (f"a spinner left out ({LEFT_OUT})", True)):
        dictionaries = [d for d in pool.dictionaries if (d.family == LEFT_OUT) == wanted]
        articles = make_texts(held, dictionaries, count, words, 0.5, f"tried:{wanted}")
        texts, spun = [text for text, _ in articles], np.array([is_spun for _, is_spun in articles])
        theirs = _ask(classifier, texts)
        ours = np.array([verdict.score or 0.0 for verdict in detector.score_many(texts)])
        found[setting] = {
            "articles": len(texts),
            "fastText AUC": round(measure_auc(theirs[~spun], theirs[spun]), 3),
            "fastText accuracy": round(float(((theirs > 0.5) == spun).mean()), 3),
            "unspun AUC": round(measure_auc(ours[~spun], ours[spun]), 3),
        }
    return found


def _write(text: str) -> str:
    return text.replace("\n", " ")


def _ask(classifier: Any, texts: Sequence[str]) -> Any:
    """The probability that each text is spun."""
    labels, odds = classifier.predict([_write(text) for text in texts])
    return np.array([p[0] if label[0] == "__label__spun" else 1 - p[0] for label, p in zip(labels, odds, strict=True)])
