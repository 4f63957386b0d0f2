"""A run folder on a share that takes seconds for a write: signals are heard, and each answer is kept."""

from __future__ import annotations

import asyncio
import shutil
import signal
import subprocess
import threading

import pytest
from crash_tests import Trial, slow_share

from longbench_write import evaluate_async
from longbench_write.files.record_file import RecordFile

ANSWERS = 8


def test_a_run_that_is_cancelled_during_a_write_keeps_every_answer_that_came(tmp_path, monkeypatch):
    begun, let, write = threading.Event(), threading.Event(), RecordFile.write

    def slow(self, records):
        begun.set()
        assert let.wait(60)
        write(self, records)

    monkeypatch.setattr(RecordFile, "write", slow)
    with Trial(tmp_path, lengths=[100] * ANSWERS) as trial:

        async def work():
            run = asyncio.ensure_future(
                evaluate_async(
                    model="m",
                    suite=trial.words[3],
                    base_url=[trial.model.base_url],
                    out=trial.out,
                    concurrency=ANSWERS,
                )
            )
            await asyncio.to_thread(begun.wait, 60)
            await asyncio.to_thread(trial.model.wait_for, lambda: trial.model.answered == ANSWERS)
            run.cancel()
            await asyncio.sleep(0)
            let.set()
            await asyncio.wait({run})
            assert run.cancelled()

        asyncio.run(work())
        assert len((trial.run / "predictions.jsonl").read_text().splitlines()) == ANSWERS


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("strace") is None, reason="strace makes writes slow")
def test_sigterm_on_a_share_of_two_seconds_a_write_keeps_all_32_answers(tmp_path):
    options = ["--concurrency", "32", "--limit", "32"]
    with Trial(tmp_path, lengths=range(100, 140), options=options) as trial:
        trial.finish()
        run = trial.run
        shutil.rmtree(run)
        asked = len(trial.model.requests)
        command = slow_share(run, seconds=2)
        with subprocess.Popen([*command, *trial.words], stderr=subprocess.PIPE, text=True) as child:
            assert trial.model.wait_for(lambda: trial.model.answered == asked + 32)
            child.send_signal(signal.SIGTERM)
            _, said = child.communicate(timeout=30)
        assert child.returncode == 130, said
        assert len((run / "predictions.jsonl").read_text().splitlines()) == 32
