"""A backend that needs no server: it writes a word over and over, and judges everything alike."""

import hashlib
import json

from longbench_write.backends.base import Completion, ModelBackend, Usage

CRITERIA = ("Relevance", "Accuracy", "Coherence", "Clarity", "Breadth and Depth", "Reading Experience")


class EchoBackend(ModelBackend):
    """Answers `words:N` with N words, the last one the prompt's own, and any other model as a judge."""

    options = frozenset({"engine_arg"})

    @classmethod
    def configure(cls, spec, note):
        note(f"echo is asked as {spec.model}")
        return spec

    @classmethod
    def identity(cls, spec, note):
        return {"weights": "echo-1", "engine": dict(spec.engine_args)}

    async def __aenter__(self):
        return self

    async def __aexit__(self, kind, error, trace):
        return None

    async def complete(self, messages, sampling):
        self.meter.pieces += 1
        if self.spec.model.startswith("words:"):
            digest = hashlib.sha256(messages[-1]["content"].encode()).digest()
            own = "".join(chr(ord("a") + byte % 26) for byte in digest[:8])
            text = " ".join(
                [self.spec.engine_args.get("word", "echo")] * (int(self.spec.model[6:]) - 1) + [own]
            )
        else:
            text = json.dumps({"Analysis": "From outside.", **dict.fromkeys(CRITERIA, 4)})
        return Completion(
            text, "", "stop", Usage(len(messages[-1]["content"].split()), len(text.split())), 0.0
        )
