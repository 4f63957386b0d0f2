"""YAML from anybody: no objects are built, and no few lines become gigabytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import yaml

MOST_NODES = 200_000
"""Keys, values and lists that a document may have once its aliases are written out."""

_CANNOT_BE_BUILT = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)
"""What PyYAML's constructors raise for values such as 2001-99-99, `!!bool maybe` or `!!int ''`."""


def load_yaml(text: str) -> Any:
    """Read one YAML document, with plain types alone.

    Raises:
        yaml.YAMLError: It is none, builds objects, is nested too deeply, or is too large.
    """
    import yaml

    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}) > MOST_NODES:
            raise yaml.YAMLError(f"it has more than {MOST_NODES} values once its aliases are written out")
        return loader.construct_document(node)
    except RecursionError:
        raise yaml.YAMLError("it is nested too deeply") from None
    except _CANNOT_BE_BUILT as error:
        raise yaml.YAMLError(f"a value cannot be read: {error}") from None
    finally:
        loader.dispose()


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Nodes with aliases written out; a node that holds itself has no end."""
    import yaml

    if id(node) in known:
        return known[id(node)]
    if not isinstance(node, yaml.CollectionNode):
        return 1
    known[id(node)] = MOST_NODES
    parts = (
        node.value if isinstance(node, yaml.SequenceNode) else [part for pair in node.value for part in pair]
    )
    known[id(node)] = min(MOST_NODES + 1, 1 + sum(_size(part, known) for part in parts))
    return known[id(node)]
