"""How good scoring without references is: the detector and what it is measured against, in one run."""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import unspun
from unspun.article import Article
from unspun.classifier import Model, ModelError
from unspun.detector import Detector
from unspun.lexicon import Lexicon
from unspun.resources import find_models
from unspun.training.corpora import Document, hash_data, source_of
from unspun.training.dictionaries import FAMILIES, load_dictionaries
from unspun.training.fitting import SPUN_COST
from unspun.training.measures import count_spans, find_threshold, join_small
from unspun.training.measuring.baselines import LEARNERS, PHRASES, Counts, count_phrases, learn_and_score
from unspun.training.measuring.evaluation_figures import Figures, Fold, summarise
from unspun.training.measuring.evaluation_page import write_json, write_markdown
from unspun.training.measuring.evaluation_set import Sizes, Trial, draw_learnt, draw_trials
from unspun.training.pools import build_pools, read_documents
from unspun.training.progress import start_clock

Places = NDArray[np.intp]
#: Name of what is left out -> the trials that what was trained without it is tried on, and what it may learn from.
Leaving = Mapping[str, tuple[Places, NDArray[np.bool_]]]


def leave_spinners(trials: Sequence[Trial], learnt: Sequence[Trial]) -> Leaving:
    """Each spinner family left out: tried on its spun texts and all honest cuts; of the honest documents as they
    are, every one is tried once, with the families in turn."""
    tried, known = (np.array([t.family or "" for t in some]) for some in (trials, learnt))
    whole = np.array([t.family is None and t.length == 0 for t in trials])
    turn = np.where(whole, (np.cumsum(whole) - 1) % len(FAMILIES), -1)
    return {
        family: (np.flatnonzero(np.where(whole, turn == number, np.isin(tried, ("", family)))), known != family)
        for number, family in enumerate(FAMILIES)
    }


def leave_corpora(trials: Sequence[Trial], learnt: Sequence[Trial]) -> Leaving:
    """Each corpus left out: tried on its texts, honest and spun."""
    tried, known = (np.array([source_of(t.corpus) for t in some]) for some in (trials, learnt))
    return {str(name): (np.flatnonzero(tried == name), known != name) for name in np.unique(tried)}


def leave_nothing(trials: Sequence[Trial], learnt: Sequence[Trial]) -> Leaving:
    """Everything may be learnt from, everything is tried."""
    return {"": (np.arange(len(trials)), np.ones(len(learnt), np.bool_))}


def try_detector(detector: Detector, trials: Sequence[Trial], places: Places) -> Fold:
    """The detector's verdicts on some of the trials."""
    articles = (Article(str(place), trials[place].text) for place in places.tolist())
    scores, labels, spans = [], [], {}
    workers = os.cpu_count() or 1
    for place, verdict in zip(places.tolist(), detector.score_many(articles, workers=workers), strict=True):
        # What is unscored (few English words) is called nothing.
        scores.append(verdict.score or 0.0)
        labels.append(verdict.label)
        if trials[place].family:
            spans[place] = count_spans(trials[place].text, verdict.spans, trials[place].swaps)
    called = np.array(labels)
    return Fold(places, np.array(scores), called == "spun", np.isin(called, ("spun", "suspect")), spans)


def try_models(folder: Path, left: Leaving, lexicon: Lexicon, trials: Sequence[Trial]) -> list[Fold]:
    """The models ``without-NAME.npz`` of a folder, each on the trials that belong to what it was trained without."""
    # All are read first: one that is missing is told at once.
    models = [Model.load(folder / f"without-{name}.npz") for name in left]
    return [
        try_detector(Detector(model, lexicon), trials, places)
        for model, (places, _) in zip(models, left.values(), strict=True)
    ]


def try_scores(scores: NDArray[np.float64], places: Places, trials: Sequence[Trial], left_out: str) -> Fold:
    """A baseline's scores (of all trials) as a fold: its threshold is set as the detector's is, the lowest at
    which no clean corpus of some size is called spun more often than allowed; never on a corpus left out."""
    honest = defaultdict[str, list[float]](list)
    for trial, score in zip(trials, scores.tolist(), strict=True):
        if trial.family is None and not trial.length and source_of(trial.corpus) != left_out:
            honest[trial.corpus].append(score)
    threshold = find_threshold(map(np.array, join_small(honest.values(), SPUN_COST)), SPUN_COST)
    return Fold(places, scores[places], scores[places] >= threshold)


# What a baseline counted of the texts learnt from (with which of them are spun) and of the trials: set before workers
# are forked, so that only scores travel.
_counted: tuple[Counts, NDArray[np.bool_], Counts]


def _learn_fold(name: str, kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    features, spun, counts = _counted
    return learn_and_score(name, features[kept], spun[kept], counts)


def try_learner(
    name: str, learnt: tuple[Counts, NDArray[np.bool_]], counts: Counts, trials: Sequence[Trial], left: Leaving
) -> list[Fold]:
    """A baseline, trained anew for everything that is left out."""
    global _counted
    _counted = (*learnt, counts)
    with multiprocessing.get_context("fork").Pool() as workers:
        scores = workers.starmap(_learn_fold, [(name, kept) for _, kept in left.values()], chunksize=1)
    return [
        try_scores(one, places, trials, without)
        for one, (without, (places, _)) in zip(scores, left.items(), strict=True)
    ]


def evaluate(
    documents: Sequence[Document], lexicon: Lexicon, options: argparse.Namespace, say: Callable[[str], None]
) -> Figures:
    """Draw the evaluation set, try everything on it, and give the figures: setting -> method -> figures."""
    dictionaries = load_dictionaries(lexicon, options.shared)
    pools = build_pools(documents, dictionaries)
    sizes = Sizes().scale(options.scale)
    trials = draw_trials(pools["validation"].documents, dictionaries, sizes, options.seed)
    training = defaultdict[str, list[Document]](list)
    for role in ("scorers", "heads"):
        for corpus, found in pools[role].documents.items():
            training[corpus] += found
    learnt = draw_learnt(training, dictionaries, sizes.learnt, options.seed)
    say(f"{len(trials)} trials, {sum(t.family is not None for t in trials)} of them spun")
    left = {
        "spinner left out": leave_spinners(trials, learnt),
        "corpus left out": leave_corpora(trials, learnt),
        "in family": leave_nothing(trials, learnt),
    }
    settings: Figures = {setting: {} for setting in left}
    for setting, folder in (("spinner left out", options.models), ("corpus left out", options.corpus_models)):
        if folder:
            settings[setting]["unspun"] = summarise(trials, try_models(folder, left[setting], lexicon, trials))
            say(f"unspun, {setting}")
    shipped = Detector(Model.load(options.model), lexicon)
    settings["in family"]["unspun"] = summarise(trials, [try_detector(shipped, trials, np.arange(len(trials)))])
    say("unspun, in family")
    texts, spun = [trial.text for trial in trials], np.array([trial.family is not None for trial in learnt])
    for name, (count, _) in LEARNERS.items():
        features, counts = count([trial.text for trial in learnt]), count(texts)
        for setting, leaving in left.items():
            folds = try_learner(name, (features, spun), counts, trials, leaving)
            settings[setting][name] = summarise(trials, folds)
        say(name)
    phrases = count_phrases(texts)
    for setting, leaving in left.items():
        folds = [try_scores(phrases, places, trials, without) for without, (places, _) in leaving.items()]
        settings[setting][PHRASES] = summarise(trials, folds)
    say(PHRASES)
    return {
        "heading": "spinners left out of training, then in-family" if options.models else "in-family",
        "unspun": unspun.__version__,
        "model": shipped.model.name,
        "model_sha256": hashlib.sha256((options.model or find_models("default.npz")).read_bytes()).hexdigest(),
        "data_sha256": hash_data(options.shared),
        "seed": options.seed,
        "scale": options.scale,
        "settings": settings,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """``scripts/evaluate``: scoring without references against baselines; writes evaluation.json, evaluation.md and
    plots (SVG). Without ``--models`` the shipped model is measured in-family only."""
    parser = argparse.ArgumentParser(prog="scripts/evaluate", description=main.__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="the folder with corpora/, lexicons/, real/")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    parser.add_argument("--model", type=Path, help="a model file instead of the shipped one")
    parser.add_argument("--models", type=Path, help="folder of without-FAMILY.npz (scripts/leave_one_out --models)")
    parser.add_argument("--corpus-models", type=Path, help="folder of without-CORPUS.npz, such as without-brown.npz")
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="share of the usual number of articles; below 0.5 no corpus is large enough to have a say of its own in "
        "the baselines' thresholds, so that they find more than they may",
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if not options.shared.is_dir():
        message = f"{options.shared}: no such folder; name the one with the corpora by --shared"
        print(f"scripts/evaluate: {message}", file=sys.stderr)
        return 2
    try:
        from unspun.training.measuring.plots import draw_plots
    except ModuleNotFoundError as missing:
        print(f"scripts/evaluate: {missing}; install the extra: pip install '.[evaluate]'", file=sys.stderr)
        return 2
    say = start_clock()

    try:
        results = evaluate(read_documents(options.shared), Lexicon.load(), options, say)
    except (FileNotFoundError, ModelError) as error:
        print(f"scripts/evaluate: {error}", file=sys.stderr)
        return 2
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "evaluation.json").write_text(write_json(results), "utf-8")
    (options.out / "evaluation.md").write_text(write_markdown(results), "utf-8")
    draw_plots(results, options.out)
    say(f"written to {options.out}")
    return 0
