"""Whether two runs may be compared at all, and what a reader must be told when they are."""

from __future__ import annotations

from dataclasses import dataclass

from longbench_write.compare.figures import signed
from longbench_write.compare.lacking import differing_prompts, missing_of_all
from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.same_prompts import changed_words, same_prompts
from longbench_write.compare.scores import RunScores
from longbench_write.compare.serving import added_words, suspect_words, tokens_added
from longbench_write.errors import LbwError, UsageError, shorten
from longbench_write.metrics.catalogue import HEADLINES
from longbench_write.scoring.summary import RunInfo
from longbench_write.serving.messages import ceiling_lines, serving_lines, suspect_lines
from longbench_write.suites.cards import card_of_file

OF_A_RUN = ("seed", "date")
"""Settings in which runs may differ that are pooled."""


@dataclass(frozen=True)
class Terms:
    """On what terms two runs are compared.

    Attributes:
        judged: Whether what rests on judgements is compared.
        notes: What a reader must know, a sentence each.
    """

    judged: bool
    notes: list[str]


def terms(a: RunScores, b: RunScores, *, allow_different_judges: bool = False) -> Terms:
    """Return on what terms these runs are compared, A being the reference.

    Args:
        a: The reference.
        b: The new run.
        allow_different_judges: Compare what different judges said, with a warning.

    Raises:
        UsageError: They differ in suite, judge or convention.
        LbwError: They have no prompt in common.
    """
    notes = []
    if a.info and b.info:
        _refuse_other_suite(a, b)
        if a.convention != b.convention:
            raise UsageError(
                f"S̄ is formed differently ({a.convention} in {a.source}, {b.convention} in {b.source}): "
                "compare runs of one convention"
            )
        notes += _judges(a.info, b.info, a.is_judged and b.is_judged, allow_different_judges)
        notes += _settings(a, b)
        notes += _asked_differently(a, b)
        notes += _longer_prompts(a, b)
    else:
        silent = " and ".join(str(scores.source) for scores in (a, b) if scores.info is None)
        notes.append(
            f"{silent} does not say which suite and judge it is about: that they are the same is unchecked"
        )
    notes += _unpaired(a, b) if a.summary or b.summary else _prompts(a, b)
    for scores, name in ((a, "A"), (b, "B")):
        notes += [f"{name}: {told}" for told in _served(scores)]
        if not scores.is_judged and (a.is_judged or b.is_judged):
            notes.append(f"{name} ({scores.source}) has no judge's scores: S_l alone is compared")
    notes += [*_unknown_ceilings(a, b), *_origin(a, b)]
    return Terms(a.is_judged and b.is_judged, notes)


def _served(scores: RunScores) -> list[str]:
    """Return what must be said of a run's servers: who answered, and what became of the answers."""
    told = [*serving_lines(scores.serving), *ceiling_lines(scores.ceilings or (), None)]
    if scores.summary:
        told += suspect_lines(scores.summary.suspects, scores.summary.S_l)
    if suspects := suspect_words(scores):
        told.append(f"suspects, which count as they stand: {suspects}")
    return told


def _origin(a: RunScores, b: RunScores) -> list[str]:
    """Return what must be said of a baseline file: what it lacks, and how far its chain has moved."""
    if a.origin is None:
        return []
    notes = []
    if a.origin.incomplete:
        short, owed = missing_of_all(a, needs_judge=a.is_judged)
        notes.append(f"the baseline was made with --incomplete: {short} of {owed} responses have no score")
    if a.origin.parent is not None and not b.summary:
        means = {str(each): each.mean(b) for each in map(MetricInRange, (*HEADLINES, *b.metrics))}
        changes = [
            f"{name} {signed(mean - then)}"
            for name, then in a.origin.first_figures.items()
            if (mean := means.get(name)) is not None
        ]
        first = f"{a.origin.first_made[:10]}, digest {a.origin.first[:12]}"
        notes.append(f"since the first baseline of the chain ({first}): {', '.join(changes) or 'unknown'}")
    return notes


def _unknown_ceilings(a: RunScores, b: RunScores) -> list[str]:
    """Return what must be said where one run has a ceiling, and the other may have had it too."""
    if not (a.ceilings or b.ceilings):
        return []
    return [
        f"{name} ({scores.source}) was made by a version that did not look for ceilings: whether its answers "
        "were cut is unknown, and nothing is said of it"
        for scores, name in ((a, "A"), (b, "B"))
        if scores.ceilings is None
    ]


def _refuse_other_suite(a: RunScores, b: RunScores) -> None:
    if not (a.info and b.info) or a.info.suite_sha256 == b.info.suite_sha256 or same_prompts(a, b):
        return
    names, others = (
        f"{info.suite} {info.suite_version}, sha256 {info.suite_sha256[:8]}" for info in (a.info, b.info)
    )
    advice = _way_out(a.info, b.info)
    if a.info.suite == b.info.suite and (changed := changed_words(a, b)):
        advice += f"; --common compares those that have not changed ({changed})"
    raise UsageError(f"the suites differ ({names}; {others}): compare runs of the same prompts{advice}")


def _way_out(a: RunInfo, b: RunInfo) -> str:
    """Return what helps where two runs are of different suites, A being the reference."""
    if a.suite != b.suite:
        return "; for one model on two suites there is `lbw-eval contamination`"
    card = card_of_file(a.suite_sha256)
    if card is None or card.name != a.suite:
        return ""
    return f": `--suite {card.full_name}` runs {b.model} on those of the first"


def _judges(a: RunInfo, b: RunInfo, judged: bool, allowed: bool) -> list[str]:
    if not judged or is_one_judge(a, b):
        notes = [f"judge {a.judge}: {a.judge_note}"] if judged and a.judge_note else []
        return notes + (_judged_elsewhere(a, b) if judged else [])
    if not allowed:
        raise UsageError(
            f"the judges differ ({_judge(a)}; {_judge(b)}): S_q of one says nothing beside S_q of the other; "
            "judge both alike with `lbw-eval judge`, or insist with --allow-different-judges"
        )
    return [
        f"WARNING: the judges differ ({_judge(a)}; {_judge(b)}): differences in S_q, S̄ and the dimensions "
        "may be the judges', not the models'"
    ]


def is_one_judge(a: RunInfo, b: RunInfo) -> bool:
    """Return whether two judges are one: by their hashes; by their labels where neither has one."""
    if a.judge_sha256 is None and b.judge_sha256 is None:
        return a.judge == b.judge
    return a.judge_sha256 == b.judge_sha256


def _judged_elsewhere(a: RunInfo, b: RunInfo) -> list[str]:
    """Return what must be said where a judge of one configuration was not one model both times."""
    hashes = {a.judge_backend_sha256, b.judge_backend_sha256}
    if None in hashes or len(hashes) == 1:
        return []
    return [
        f"WARNING: judge {a.judge} was served differently (another model under its name, other weights, or "
        "another kind of backend): differences in S_q, S̄ and the dimensions may be the judge's"
    ]


def _judge(info: RunInfo) -> str:
    known = f"sha256 {info.judge_sha256[:8]}" if info.judge_sha256 else "of which no hash is known"
    return f"{shorten(info.judge or '', 80)}, {known}"


def _settings(one: RunScores, other: RunScores) -> list[str]:
    """Return what must be said where two runs were not asked for alike; several pooled have no one seed."""
    if one.info is None or other.info is None:
        return []
    a, b = one.info, other.info
    left_out = OF_A_RUN if max(one.runs, other.runs) > 1 else ()
    changed = [
        f"{name} {a.settings.get(name)} → {b.settings.get(name)}"
        for name in dict.fromkeys([*a.settings, *b.settings])
        if a.settings.get(name) != b.settings.get(name) and name not in left_out
    ]
    if a.writer != b.writer:
        changed.append(f"writer {a.writer} → {b.writer}")
    if a.samples * other.runs != b.samples * one.runs:
        changed.append(f"samples {a.samples} → {b.samples}")
    return [f"the settings differ: {', '.join(changed)}"] if changed else []


def _asked_differently(a: RunScores, b: RunScores) -> list[str]:
    """Return what must be said where prompts of one id were not one prompt to both models.

    The hash is of token ids in process and of messages over an API: across backends it says nothing.
    """
    if not (a.info and b.info) or a.info.settings.get("backend") != b.info.settings.get("backend"):
        return []
    common = a.prompt_hashes.keys() & b.prompt_hashes.keys()
    other = [prompt for prompt in common if a.prompt_hashes[prompt] != b.prompt_hashes[prompt]]
    if not other:
        return []
    return [
        f"{len(other)} of {len(common)} prompts were not asked alike, such as {shorten(min(other), 40)}: the "
        "messages, the chat template or the tokenizer differ (prompt_sha256)"
    ]


def _longer_prompts(a: RunScores, b: RunScores) -> list[str]:
    """Return what must be said where a server put as many tokens to each prompt, in one run alone."""
    added = tokens_added(a, b)
    if added is None:
        return []
    return [f"the two were asked differently: {added_words(added)}"]


def _unpaired(a: RunScores, b: RunScores) -> list[str]:
    if a.info and b.info and a.info.prompts["sha256"] != b.info.prompts["sha256"]:
        raise LbwError(
            f"{a.source} and {b.source} are about different prompts ({a.info.prompts['n']} and "
            f"{b.info.prompts['n']}) and one holds no scores by prompt: "
            "make a baseline with `lbw-eval baseline`"
        )
    plain = " and ".join(str(scores.source) for scores in (a, b) if scores.summary)
    return [
        f"{plain} holds no scores by prompt: the runs are compared without pairs, by intervals wider than "
        "need be; `lbw-eval baseline` makes a file that can be paired"
    ]


def _prompts(a: RunScores, b: RunScores) -> list[str]:
    common = a.lengths.keys() & b.lengths.keys()
    if not common:
        raise LbwError(
            f"{a.source} and {b.source} have no scored prompt in common: there is nothing to compare"
        )
    for prompt in sorted(common):
        if a.lengths[prompt] != b.lengths[prompt]:
            raise UsageError(
                f"prompt {prompt} requires {a.lengths[prompt]} words in {a.source} and {b.lengths[prompt]} "
                f"in {b.source}: these are different suites"
            )
    return differing_prompts(a, b, len(common))
