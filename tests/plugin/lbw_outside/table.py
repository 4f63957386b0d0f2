"""A leaderboard's format: a line a run."""


def render(rankings):
    runs = [standing.entry for ranking in rankings for standing in ranking.standings]
    return "".join(f"outside {entry.summary.model} {entry.summary.S_bar:.2f}\n" for entry in runs)
