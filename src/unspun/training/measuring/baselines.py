"""What the detector is measured against: what a newcomer would build in an afternoon."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from unspun.classifier import PRIOR, to_probability
from unspun.examined import Examined
from unspun.extractors.phrases import find_phrases
from unspun.lexicon import Lexicon
from unspun.text import Text

Floats = NDArray[np.float64]
Counts = Any  # a sparse matrix or an array with one row a text

#: Words below this Zipf frequency are rare: one in a million.
RARE_ZIPF: Final = 3.0
#: Cells of the hashed counts. Hashing has no vocabulary, so no held-out text can leave a trace in it.
_CELLS: Final = 2**18
#: Inverse regularisation. Of 1, 10 and 100: within 0.01 AUC of the best in family, and of less memory than 100.
_C: Final = 10.0


def count_words(texts: Sequence[str]) -> Counts:
    """Words and pairs of words, counted."""
    return HashingVectorizer(ngram_range=(1, 2), n_features=_CELLS, norm=None, alternate_sign=False).transform(texts)


def count_characters(texts: Sequence[str]) -> Counts:
    """Runs of three to five characters within words, counted."""
    vectoriser = HashingVectorizer(
        analyzer="char_wb", ngram_range=(3, 5), n_features=_CELLS, norm=None, alternate_sign=False
    )
    return vectoriser.transform(texts)


def measure_frequency(texts: Sequence[str]) -> Counts:
    """float64[n, 2]: mean Zipf frequency of the words, and the share of rare ones (figures left out)."""
    lexicon, rows = Lexicon.load(), []
    for text in texts:
        zipf = lexicon.zipf([norm for norm in Text(text).norms if norm.isalpha()] or ["the"])
        rows.append((float(zipf.mean()), float((zipf < RARE_ZIPF).mean())))
    return np.array(rows)


def count_phrases(texts: Sequence[str]) -> Floats:
    """float64[n]: the known tortured phrases of each text, counted. A score as it is: nothing is learnt."""
    lexicon = Lexicon.load()
    return np.array([float(len(find_phrases(Examined(Text(text), lexicon), 1.0))) for text in texts])


#: The baselines that learn: what they count, and how counts are weighed.
LEARNERS: Final[Mapping[str, tuple[Callable[[Sequence[str]], Counts], Callable[[], Any]]]] = {
    "word TF-IDF": (count_words, lambda: TfidfTransformer(sublinear_tf=True)),
    "character TF-IDF": (count_characters, lambda: TfidfTransformer(sublinear_tf=True)),
    "frequency only": (measure_frequency, StandardScaler),
}
PHRASES: Final = "phrase list only"


def learn_and_score(name: str, learnt: Counts, spun: NDArray[np.bool_], counts: Counts) -> Floats:
    """Train a baseline of :data:`LEARNERS` on counted texts, then score others: float64[n] probabilities for the
    share of spun articles that the detector's scores are calibrated for."""
    pipeline = make_pipeline(
        LEARNERS[name][1](), LogisticRegression(C=_C, class_weight="balanced", solver="liblinear", random_state=0)
    )
    pipeline.fit(learnt, spun)
    log_odds = pipeline.decision_function(counts) + np.log(PRIOR / (1 - PRIOR))
    return to_probability(np.asarray(log_odds, np.float64))
