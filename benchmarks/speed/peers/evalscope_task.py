"""evalscope's longbench_write as its README starts it, with a data file and a judge of our choice.

It collects responses in the order in which they come and lays them beside the prompts in the order of the
file, so most stand beside a prompt that they do not answer: its scores mean nothing, only its time counts.
"""

from __future__ import annotations

from evalscope.third_party.longbench_write import run_task
from shared import options

if __name__ == "__main__":
    given = options(__doc__)
    run_task(
        {
            "stage": ["infer", "eval_l", "eval_q"],
            "model": "m",
            "input_data_path": str(given.suite),
            "output_dir": str(given.out),
            "infer_config": {
                "openai_api_base": f"{given.model_url}/chat/completions",
                "generation_kwargs": {"max_new_tokens": 32768, "temperature": 0.5, "repetition_penalty": 1.0},
                "proc_num": given.concurrency,
            },
            "eval_config": {
                "openai_api_key": "none",
                "openai_api_base": f"{given.judge_url}/chat/completions",
                "openai_gpt_model": "m",
                "generation_kwargs": {"max_new_tokens": 1024, "temperature": 0.5, "stop": None},
                "proc_num": given.concurrency,
            },
        }
    )
