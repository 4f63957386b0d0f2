"""Names that no metric may have: columns of scores.csv, exports and leaderboards that hold something else.

A metric of such a name would take the place of a prompt or a number of tokens in somebody's table. Refused
where it is declared, and so before anything is spent. A test compares the list with the tables.
"""

from __future__ import annotations

_RESPONSE = (
    "analysis compressed_share completion_tokens cut_by declined_length empty ended_at_control_token error "
    "finish_reason id judge judge_error judge_failed judge_injection_suspected language length length_rule "
    "model prompt prompt_tokens reasoning reasoning_words refused repeated_from repeated_share repetitive "
    "response response_length response_length_unicode sample seconds suite suspect truncated type writer "
    "wrong_language"
)
_RUN = (
    "backend best_rank block by complete convention derived generated generation_failed group incomplete "
    "judge_retries judge_tries judged judged_in_chapters judgements_remaining label limit_spent_on_reasoning "
    "max_tokens n not_generated not_judged note origin owed path ranked_by read_on remaining retries samples "
    "seed source start temperature title worst_rank"
)

RESERVED = frozenset(f"{_RESPONSE} {_RUN}".split())
"""In lower case; a name is compared without regard to case, as some readers of tables do."""
