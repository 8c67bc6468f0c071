"""unspun: finds articles that a machine rewrote by swapping words for synonyms.

>>> from unspun import Detector
>>> verdict = Detector.load().score(text, references=[other_report])   # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from unspun.article import Article, Passage, Relation, Span, Unreadable, Verdict

if TYPE_CHECKING:
    from unspun.detector import Detector

__version__ = "0.1.0"
__all__ = ["Article", "Detector", "Passage", "Relation", "Span", "Unreadable", "Verdict", "__version__"]


def __getattr__(name: str) -> Any:
    # Loading the detector costs two tenths of a second (numpy): only those who ask for it pay.
    if name == "Detector":
        from unspun.detector import Detector

        return Detector
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
