"""The evaluation as a task of inspect_ai: the model is asked, then the one in the role of grader."""

from __future__ import annotations

import inspect_ai
from inspect_ai import Task, task
from inspect_ai.dataset import FieldSpec, json_dataset
from inspect_ai.model import get_model
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer, stderr
from inspect_ai.solver import TaskState, generate
from shared import judge_prompt, options, scores


@task
def long_writing(suite: str) -> Task:
    fields = FieldSpec(input="prompt", metadata=["type", "length", "language"])
    return Task(dataset=json_dataset(suite, fields), solver=generate(), scorer=rubric())


@scorer(metrics={"*": [mean(), stderr()]})
def rubric() -> Scorer:
    async def score(state: TaskState, target: Target) -> Score:
        response = state.output.completion
        grade = await get_model(role="grader").generate(judge_prompt(state.input_text, response))
        return Score(
            value=scores(state.metadata["length"], response, grade.completion),
            answer=response,
            explanation=grade.completion,
        )

    return score


if __name__ == "__main__":
    given = options(__doc__)
    grader = get_model("openai-api/judge/m", base_url=given.judge_url, api_key="none")
    [log] = inspect_ai.eval(
        long_writing(str(given.suite)),
        model=get_model("openai-api/model/m", base_url=given.model_url, api_key="none"),
        model_roles={"grader": grader},
        temperature=0.5,
        max_tokens=32768,
        max_connections=given.concurrency,
        max_samples=2 * given.concurrency,
        log_dir=str(given.out),
        display="none",
    )
    if log.status != "success" or log.results is None:
        raise SystemExit(f"{log.status}: {log.error}")
    for each in log.results.scores:
        print(f"{each.name}: {each.metrics['mean'].value:.2f}")
