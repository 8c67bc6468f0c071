"""How good the contextual model is: beside the fast one alone, on spinners and corpora left out and in family, on real
excerpts and wordings.

The scorers are fitted on one half of the validation texts, by group, and tried on the other, both ways round: what is
called spun is called so by thresholds of other texts.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from unspun.article import Article, Verdict
from unspun.classifier import Model
from unspun.context.model import ContextModel
from unspun.context.transformer import Marks, Reader, keep_quiet
from unspun.detector import Detector
from unspun.lexicon import Lexicon
from unspun.text import Text
from unspun.training.contextual.context_card import write_card
from unspun.training.contextual.fit import ReadText, fit_context, make_examples, read_texts
from unspun.training.contextual.real import measure_exactness, measure_excerpts, measure_speed, measure_wordings
from unspun.training.corpora import Document, hash_data, source_of
from unspun.training.dictionaries import Dictionary, load_dictionaries
from unspun.training.folds import hash_group
from unspun.training.measures import count_spans
from unspun.training.measuring.evaluation_figures import Figures, Fold, summarise
from unspun.training.measuring.evaluation_page import write_json
from unspun.training.measuring.evaluation_set import LENGTHS, Sizes, Trial, draw_trials
from unspun.training.pools import build_pools, read_documents
from unspun.training.progress import start_clock
from unspun.training.situations import Pool

#: Shares of honest articles that the contextual model reads in the cascade, for the curve.
SHARES: Final = (0.02, 0.04, 0.08, 0.15, 0.3, 0.6, 1.0)
#: Texts that exactness is measured on.
EXACT: Final = 400
METHODS: Final = ("fast alone", "cascade", "reads everything")


class KeptReader(Reader):
    """A reader that knows the marks of many texts beforehand."""

    def __init__(self, file: Path) -> None:
        super().__init__(file)
        self.kept: dict[str, Marks] = {}

    def read_all(self, texts: Iterable[str]) -> None:
        """Read these on all cores."""
        global _reader
        _reader = self
        wanted = sorted(set(texts) - self.kept.keys())
        with multiprocessing.get_context("fork").Pool() as workers:
            self.kept |= zip(wanted, workers.imap(_mark, wanted, 16), strict=True)

    def mark(self, text: Text) -> Marks:
        """The marks, read now where they are not known."""
        found = self.kept.get(text.raw)
        return super().mark(text) if found is None else found


# Set before workers fork.
_reader: KeptReader


def _mark(raw: str) -> Marks:
    return _reader.mark(Text(raw))


@dataclass(frozen=True, slots=True, eq=False)
class Half:
    """One half of the validation texts, as what is tried; the scorers learn from the other half."""

    trials: list[Trial]
    others: list[ReadText]


def halve(
    pool: Pool, texts: Sequence[ReadText], dictionaries: Sequence[Dictionary], sizes: Sizes, seed: int
) -> list[Half]:
    """Both halves, by group."""
    halves = []
    for number in (0, 1):
        documents: dict[str, list[Document]] = {}
        for corpus, found in pool.documents.items():
            documents[corpus] = [d for d in found if hash_group(d.group) % 2 == number]
        others = [one for one in texts if hash_group(one.situation.group) % 2 != number]
        halves.append(Half(draw_trials(documents, dictionaries, sizes, seed), others))
    return halves


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """Verdicts on some trials by the fast model, and by the contextual one reading all; ``read_from`` as in
    :class:`unspun.context.model.ContextModel`."""

    trials: list[Trial]
    fast: list[Verdict]
    read: list[Verdict]
    read_from: float

    def fold(self, method: str, places: NDArray[np.intp], share: float | None = None) -> Fold:
        """One method's verdicts as a fold; ``share``: of honest texts, how many the cascade reads, not its own."""
        verdicts = {"fast alone": self.fast, "reads everything": self.read}.get(method)
        if verdicts is None:
            limit = self.read_from
            if share is not None:
                honest = [v.score or 0.0 for v, t in zip(self.fast, self.trials, strict=True) if t.family is None]
                limit = float(np.quantile(honest, 1 - share)) if share < 1 else -1.0
            verdicts = [
                read if (fast.score or 0.0) >= limit else _call_clean(fast)
                for fast, read in zip(self.fast, self.read, strict=True)
            ]
        called = np.array([verdict.label for verdict in verdicts])
        spans = {
            int(place): count_spans(trial.text, verdict.spans, trial.swaps)
            for place, trial, verdict in zip(places, self.trials, verdicts, strict=True)
            if trial.family
        }
        scores = np.array([verdict.score or 0.0 for verdict in verdicts])
        return Fold(places, scores, called == "spun", np.isin(called, ("spun", "suspect")), spans)


def _call_clean(verdict: Verdict) -> Verdict:
    return Verdict(verdict.id, verdict.source, verdict.score, "clean", None, model=verdict.model)


def try_half(
    half: Half, reader: KeptReader, fast: Model, lexicon: Lexicon, without: Sequence[str], tried: Sequence[Trial]
) -> Tried:
    """Some of the half's trials, by scorers that learnt from the other half ``without`` some families or corpora."""
    learnt = [
        one
        for one in half.others
        if one.situation.family not in without and source_of(one.situation.corpus) not in without
    ]
    context = fit_context(make_examples(learnt, fast, lexicon), fast, reader, "tried", {})
    reader.read_all(trial.text for trial in tried)
    return Tried(
        list(tried),
        _score(Detector(fast, lexicon), tried),
        _score(Detector(fast, lexicon, context, read_all=True), tried),
        context.read_from,
    )


def _score(detector: Detector, trials: Sequence[Trial]) -> list[Verdict]:
    articles = (Article(str(place), trial.text) for place, trial in enumerate(trials))
    return list(detector.score_many(articles, workers=os.cpu_count() or 1))


def summarise_tried(trials: Sequence[Trial], tried: Sequence[tuple[Tried, NDArray[np.intp]]]) -> Figures:
    """Figures by method, and how much the cascade finds by the share of honest articles that it reads."""
    figures: Figures = {
        method: summarise(trials, [one.fold(method, places) for one, places in tried]) for method in METHODS
    }
    curve = []
    for share in SHARES:
        found = summarise(trials, [one.fold("cascade", places, share) for one, places in tried])
        curve.append([share, {rate: value[0] for rate, value in found["tpr by rate"].items()}])
    return figures | {"cascade by share read": curve}


def try_settings(
    options: argparse.Namespace, halves: Sequence[Half], lexicon: Lexicon, reader: KeptReader,
    say: Callable[[str], None],
) -> Figures:  # fmt: skip
    """The figures of each setting that ``options`` ask for: with spinners left out, with corpora, or in family."""
    settings: Figures = {}
    for name, folder, left_out in (
        ("spinner left out", options.models, options.families),
        ("corpus left out", options.corpus_models, options.corpora),
        ("in family", None, [] if options.families or options.corpora else [""]),
    ):
        trials, tried = list[Trial](), list[tuple[Tried, NDArray[np.intp]]]()
        for left in left_out:
            model = Model.load(folder / f"without-{left}.npz" if folder else None)
            # A new spinner and a new kind of text are two questions: spinners are tried on the kinds that are known.
            without = [left] if name == "corpus left out" else [left, *options.corpora]
            for half in halves:
                chosen = [trial for trial in half.trials if _belongs(trial, name, left, without)]
                places = np.arange(len(trials), len(trials) + len(chosen))
                trials += chosen
                tried.append((try_half(half, reader, model, lexicon, without, chosen), places))
                say(f"{name} {left}: {len(chosen)} trials")
        if tried:
            settings[name] = summarise_tried(trials, tried)
    return settings


def measure_shipped(
    context: ContextModel, trials: Sequence[Trial], lexicon: Lexicon, options: argparse.Namespace
) -> Figures:
    """The models as they are, on really spun text, by speed, and beside the graph with exact weights."""
    fast = Model.load()
    everything = Detector(fast, lexicon, context, read_all=True)
    detectors = dict(zip(METHODS, (Detector(fast, lexicon), Detector(fast, lexicon, context), everything), strict=True))
    figures: Figures = {
        "real": {
            "excerpts": {method: measure_excerpts(detector, options.shared) for method, detector in detectors.items()},
            "wordings": measure_wordings(context.reader, options.shared),
        },
        "speed": measure_speed(detectors, trials),
    }
    if options.exact:
        some = [trial for trial in trials if trial.length == LENGTHS[-1]]
        figures["exactness"] = measure_exactness(everything, options.exact, some[:: max(1, len(some) // EXACT)])
    return figures


def main(arguments: Sequence[str] | None = None) -> int:
    """``scripts/evaluate_context``: the contextual model beside the fast one alone, as JSON."""
    parser = argparse.ArgumentParser(prog="scripts/evaluate_context", description=main.__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="the folder with corpora/, lexicons/, real/")
    parser.add_argument("--graph", type=Path, required=True, help="the .onnx file")
    parser.add_argument("--out", type=Path, required=True, help="the .json file to write")
    parser.add_argument("--families", nargs="*", default=[], help="spinner families that the graph has not learnt from")
    parser.add_argument("--models", type=Path, help="folder of without-FAMILY.npz (scripts/leave_one_out)")
    parser.add_argument("--corpora", nargs="*", default=[], help="corpora that the graph has not learnt from")
    parser.add_argument("--corpus-models", type=Path, help="folder of without-CORPUS.npz (scripts/leave_corpora_out)")
    parser.add_argument("--exact", type=Path, help="the graph with exact weights, to compare")
    parser.add_argument("--card", type=Path, help="write the model card of the graph and the .npz beside it")
    parser.add_argument("--also", type=Path, nargs="*", default=[], help="results of other runs for the card")
    parser.add_argument("--scale", type=float, default=0.35, help="share of the usual number of trials")
    parser.add_argument("--texts", type=float, default=0.5, help="share of the usual number of texts to fit on")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    say = start_clock()

    lexicon = Lexicon.load()
    dictionaries = load_dictionaries(lexicon, options.shared)
    pool = build_pools(read_documents(options.shared), dictionaries)["validation"]
    reader = KeptReader(options.graph)
    texts = read_texts(pool, lexicon, reader, options.texts, options.seed)
    say(f"{len(texts)} texts read")
    halves = halve(pool, texts, dictionaries, Sizes().scale(options.scale / 2), options.seed)
    settings = try_settings(options, halves, lexicon, reader, say)
    results: Figures = {
        "graph": options.graph.name,
        "families": options.families,
        "corpora": options.corpora,
        "scale": options.scale,
        "texts": len(texts),
        "seed": options.seed,
        "data_sha256": hash_data(options.shared),
        "settings": settings,
    }
    fitted = options.graph.with_suffix(".npz")
    if fitted.exists():
        context = ContextModel.load(fitted)
        trials = [trial for half in halves for trial in half.trials]
        results |= measure_shipped(context, trials, lexicon, options)
        say("real texts")
        if options.card:
            others = [json.loads(path.read_text("utf-8")) for path in options.also]
            options.card.write_text(write_card(context, read_metadata(options.graph), [*others, results]), "utf-8")
    options.out.write_text(write_json(results), "utf-8")
    say(f"written to {options.out}")
    return 0


def read_metadata(graph: Path) -> dict[str, Any]:
    """What a graph's file says of itself, and how many ``pieces`` its vocabulary has."""
    keep_quiet()
    from onnxruntime import InferenceSession

    stored = InferenceSession(graph).get_modelmeta().custom_metadata_map
    return {**json.loads(stored["about"]), "pieces": stored["vocabulary"].count("\n") + 1}


def _belongs(trial: Trial, setting: str, left: str, without: Sequence[str]) -> bool:
    """Whether a trial tells how good a model without something is."""
    corpus = source_of(trial.corpus)
    if setting == "corpus left out":
        return corpus == left
    return corpus not in without and (trial.family is None or not left or trial.family == left)
