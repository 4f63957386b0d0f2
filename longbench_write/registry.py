"""What can be chosen by name: the built-in ones, and those that other packages add through entry points.

A package adds one by declaring an entry point of its registry's group in its pyproject.toml:

    [project.entry-points."longbench_write.backends"]
    mine = "my_package.backend:MyBackend"
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from longbench_write.errors import UsageError, shorten, unknown_name

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RegistryEntry(Generic[T]):
    """One line of a registry's listing.

    Attributes:
        name: What it is asked for by.
        package: The distribution that adds it; None for a built-in one.
        value: What the name stands for; None where it cannot be used.
        problem: Why it cannot be used, in one sentence; "" where it can.
    """

    name: str
    package: str | None
    value: T | None
    problem: str = ""


class Registry(Generic[T]):
    """Things of one kind by name, each imported when it is first asked for.

    A built-in name always stands for the built-in one. The entry points of other packages are read only where
    a name is not built in, or for a listing, because finding them takes a while.

    Attributes:
        what: What one of them is called in messages.
        group: The group of entry points through which other packages add theirs.
    """

    def __init__(
        self,
        what: str,
        group: str,
        built_in: Mapping[str, str] | Callable[[], Mapping[str, T]],
        check: Callable[[str, Any], T] | None = None,
    ) -> None:
        """Declare a registry; nothing is imported.

        Args:
            what: What one of them is called in messages.
            group: The group of entry points.
            built_in: Each built-in name with its target, "module:attribute"; or a function that gives the
                values themselves.
            check: Given a name and what another package's entry point stands for; returns what is to be used,
                or raises where it is nothing of this kind.
        """
        self.what = what
        self.group = group
        self._built_in = built_in
        self._check = check

    @property
    def built_in(self) -> list[str]:
        """The built-in names, in the order in which they were declared."""
        return list(self._built_in() if callable(self._built_in) else self._built_in)

    def names(self) -> list[str]:
        """List all names, those of other packages last and sorted, without loading any."""
        return list(dict.fromkeys([*self.built_in, *sorted(self._added())]))

    def get(self, name: str) -> T:
        """Load what a name stands for.

        Raises:
            UsageError: There is nothing of that name (the nearest is named), two packages add one, or it
                cannot be loaded.
        """
        if name in self.built_in:
            return self._load_built_in(name)
        points = self._added().get(name)
        if not points:
            raise unknown_name(self.what, name, self.names())
        entry = self._entry(name, points)
        if entry.value is None:
            raise UsageError(entry.problem)
        return entry.value

    def listing(self) -> list[RegistryEntry[T]]:
        """List every entry, loading each, those included that cannot be used."""
        known = self.built_in
        entries = [RegistryEntry(name, None, self._load_built_in(name)) for name in known]
        for name, points in sorted(self._added().items()):
            if name not in known:
                entries.append(self._entry(name, points))
                continue
            hidden = f"{self.what} {name!r} of {_packages(points)} is not used: that name is built in"
            entries.append(RegistryEntry(name, _packages(points), None, hidden))
        return entries

    def usable(self) -> dict[str, T]:
        """Return all that can be used, by name."""
        return {entry.name: entry.value for entry in self.listing() if entry.value is not None}

    def _load_built_in(self, name: str) -> T:
        if callable(self._built_in):
            return self._built_in()[name]
        module, _, attribute = self._built_in[name].partition(":")
        return cast("T", getattr(import_module(module), attribute))

    def _added(self) -> dict[str, list[EntryPoint]]:
        found: dict[str, list[EntryPoint]] = {}
        for point in _entry_points(self.group, tuple(sys.path)):
            found.setdefault(point.name, []).append(point)
        return found

    def _entry(self, name: str, points: list[EntryPoint]) -> RegistryEntry[T]:
        packages = _packages(points)
        if len(points) > 1:
            told = f"{self.what} {name!r} is added by {packages}: uninstall all of them but one"
            return RegistryEntry(name, packages, None, told)
        try:
            value = points[0].load()
            return RegistryEntry(name, packages, self._check(name, value) if self._check else value)
        except (Exception, SystemExit) as error:  # whatever a package of others does when it is imported
            reason = shorten(f"{type(error).__name__}: {error}")
            told = f"{self.what} {name!r} of the package {packages} cannot be loaded: {reason}"
            return RegistryEntry(name, packages, None, told)


@lru_cache
def _entry_points(group: str, _path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """Find the entry points of a group in what is installed, for a state of `sys.path`."""
    from importlib.metadata import entry_points

    return tuple(entry_points(group=group))


def _packages(points: list[EntryPoint]) -> str:
    """Return the names of the distributions that have these entry points."""
    names = sorted({str(point.dist.name if point.dist else "a package without a name") for point in points})
    return " and ".join(names)
