"""What the backends share that run a model's folder, or a model of the hub, on this machine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from longbench_write.backends.base import BackendSpec, ModelBackend
from longbench_write.backends.chat_model import same_model
from longbench_write.backends.model_identity import model_identity


class LoadedModel(Protocol):
    """A model that is ready to answer."""

    @property
    def record(self) -> dict[str, Any]:
        """What run.yaml says of it."""
        ...


Loaded = TypeVar("Loaded", bound=LoadedModel)


class FolderBackend(ModelBackend, Generic[Loaded]):
    """A backend whose model is loaded once and identified by its content.

    Attributes:
        placement: Engine arguments that say where a model runs and what it may do, not what it writes.
    """

    placement: ClassVar[Collection[str]] = ()
    in_process: ClassVar[bool] = True
    exclusive: ClassVar[bool] = True
    metered: ClassVar[bool] = False

    def __init__(self, spec: BackendSpec) -> None:
        super().__init__(spec)
        self._loaded: Loaded | None = None

    @classmethod
    def shares(cls, one: BackendSpec, other: BackendSpec) -> bool:
        """Return whether one engine can answer both: model, adapter, arguments and prompt format agree."""
        return same_model(one, other)

    @classmethod
    def identity(cls, spec: BackendSpec, note: Callable[[str], None]) -> dict[str, Any]:
        """Return the content of a folder, the engine's arguments, the prompt format and the card."""
        return model_identity(spec, note, placement=cls.placement)

    def about(self) -> Mapping[str, Any]:
        """Return sampling, stop ids, prompt format and engine.

        Raises:
            RuntimeError: The backend is not open.
        """
        return self._open().record

    def _open(self) -> Loaded:
        if self._loaded is None:
            raise RuntimeError("the backend is not open")
        return self._loaded
