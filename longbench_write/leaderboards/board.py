"""The formats of a leaderboard: what each is made from, and which there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from typing import Any, overload

from longbench_write.compare.ranking import Ranking
from longbench_write.leaderboards import formats
from longbench_write.leaderboards.layout import By, Table, published_tables, ranked_tables
from longbench_write.leaderboards.published import Published
from longbench_write.leaderboards.terminal import terminal
from longbench_write.registry import Registry


class Board(Sequence[Ranking]):
    """Rankings, and what else a format may show.

    Args:
        rankings: The blocks of comparable runs, the largest first.
        by: The breakdown beside the scores.
        published: Published results, which are never ranked.
    """

    def __init__(
        self, rankings: Sequence[Ranking], by: By = "length", published: Sequence[Published] = ()
    ) -> None:
        self._rankings = rankings
        self.by = by
        self.published = published

    @overload
    def __getitem__(self, place: int) -> Ranking: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Ranking]: ...

    def __getitem__(self, place: int | slice) -> Ranking | Sequence[Ranking]:
        """Return a ranking, or some of them."""
        return self._rankings[place]

    def __len__(self) -> int:
        """Return how many rankings there are."""
        return len(self._rankings)

    def __iter__(self) -> Iterator[Ranking]:
        """Yield the rankings in order."""
        return iter(self._rankings)

    @cached_property
    def tables(self) -> list[Table]:
        """Everything as tables, laid out with the breakdown."""
        return ranked_tables(self, self.by) + published_tables(self.published)


Render = Callable[[Board], str]
"""Makes a leaderboard's text of its rankings."""


def _is_render(name: str, value: Any) -> Render:
    if not callable(value):
        raise TypeError("it is no function render(rankings) -> str")
    render: Render = value
    return render


TABLES: Registry[Render] = Registry(
    "table format",
    "longbench_write.tables",
    lambda: {
        "table": lambda board: terminal(board.tables),
        "md": lambda board: formats.markdown(board.tables),
        "csv": lambda board: formats.as_csv(board, board.published),
        "json": lambda board: formats.as_json(board, board.published),
        "latex": lambda board: formats.latex(board.tables),
        "html": lambda board: formats.html(board.tables),
    },
    _is_render,
)
"""What makes each format."""
