"""Tables of Markdown."""

from __future__ import annotations


def write_head(*names: str) -> list[str]:
    """The two lines that open a table of Markdown."""
    return [write_row(*names), "|---" * len(names) + "|"]


def write_row(*cells: object) -> str:
    """A row of a table."""
    return f"| {' | '.join(map(str, cells))} |"


def show_figure(value: float | None) -> str:
    """A figure with three digits, and a dash where there is none."""
    return "–" if value is None else f"{value:.3f}"
