"""A leaderboard's format: a line a run."""


def render(rankings):
    runs = [ranked.entry for ranking in rankings for ranked in ranking.runs]
    return "".join(f"outside {entry.summary.model} {entry.summary.S_bar:.2f}\n" for entry in runs)
