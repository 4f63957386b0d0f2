"""Every class of error of vLLM's client becomes a reason; needs vLLM, but no model."""

import importlib.util
import inspect

import pytest

from longbench_write.backends.vllm.faults import engine_errors
from longbench_write.errors import BackendError

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.skipif(importlib.util.find_spec("vllm") is None, reason="vLLM is not installed"),
    pytest.mark.filterwarnings("ignore"),
]


def classes():
    from vllm import exceptions
    from vllm.v1.engine import exceptions as of_engine

    found = {**vars(exceptions), **vars(of_engine)}.values()
    return [each for each in found if inspect.isclass(each) and issubclass(each, Exception)]


def made(kind, words=()):
    """An error of this class, with a word for each argument that it needs."""
    try:
        return kind(*words)
    except TypeError:
        return made(kind, [*words, "word"])


def kind_of(error):
    with pytest.raises(BackendError) as caught, engine_errors():
        raise error
    return caught.value.kind


def test_each_has_its_kind():
    kinds = {each.__name__: kind_of(made(each)) for each in classes()}
    assert kinds["EngineDeadError"] == "engine_dead"
    assert kinds["VLLMValidationError"] == kinds["LoRAAdapterNotFoundError"] == "bad_request"
    assert kinds["QueueOverflowError"] == kinds["RetryableRequestError"] == "server_error"
    assert set(kinds.values()) == {"engine_dead", "bad_request", "server_error"}


def test_a_fault_of_our_own_stays_one():
    with pytest.raises(KeyError), engine_errors():
        raise KeyError("x")
