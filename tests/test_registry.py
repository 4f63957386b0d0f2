"""The registry: built-in names first, entry points on a miss or for a listing, broken ones named."""

import re
import subprocess
import sys

import pytest
from plugins import install

from longbench_write.errors import UsageError
from longbench_write.registry import Registry

GROUP = "longbench_write.things"
BUILT_IN = {"dumps": "json:dumps", "loads": "json:loads"}


def registry(check=None):
    return Registry("thing", GROUP, BUILT_IN, check)


@pytest.fixture
def add(tmp_path, monkeypatch):
    """Adds a package to what is installed; each test's modules have names of their own."""
    monkeypatch.syspath_prepend(tmp_path)
    return lambda package, points, **files: install(
        tmp_path, package, {GROUP: points}, {f"{name}.py": text for name, text in files.items()}
    )


def test_a_built_in_name_is_loaded_without_a_look_at_entry_points(monkeypatch):
    import json

    monkeypatch.setattr("longbench_write.registry._entry_points", lambda *_: pytest.fail("looked"))
    assert registry().get("dumps") is json.dumps
    assert registry().built_in == ["dumps", "loads"]


def test_values_can_be_given_instead_of_targets():
    things = Registry("thing", GROUP, lambda: {"seven": 7})
    assert things.get("seven") == 7
    assert things.usable() == {"seven": 7}


def test_another_package_adds_one(add):
    add("outside", {"mine": "registry_outside:thing"}, registry_outside="thing = 'from outside'")
    assert registry().get("mine") == "from outside"
    assert registry().names() == ["dumps", "loads", "mine"]
    entry = registry().listing()[-1]
    assert (entry.name, entry.package, entry.value, entry.problem) == ("mine", "outside", "from outside", "")


def test_a_package_that_is_installed_meanwhile_is_found(add, tmp_path, monkeypatch):
    assert registry().names() == ["dumps", "loads"]
    later = tmp_path / "later"
    install(later, "late", {GROUP: {"late": "registry_late:thing"}}, {"registry_late.py": "thing = 1"})
    monkeypatch.syspath_prepend(later)
    assert registry().get("late") == 1


def test_a_built_in_name_stays_built_in_and_the_outsider_is_named(add):
    import json

    add("outside", {"dumps": "registry_hidden:thing"}, registry_hidden="raise RuntimeError('imported')")
    assert registry().get("dumps") is json.dumps
    entry = registry().listing()[-1]
    assert (entry.name, entry.package, entry.value) == ("dumps", "outside", None)
    assert "outside" in entry.problem
    assert registry().usable()["dumps"] is json.dumps


def test_a_name_of_two_packages_is_refused_where_it_is_asked_for(add):
    add(
        "first", {"both": "registry_twice:thing", "other": "registry_twice:thing"}, registry_twice="thing = 1"
    )
    add("second", {"both": "registry_twice:thing"})
    with pytest.raises(UsageError) as refused:
        registry().get("both")
    assert "first and second" in str(refused.value)
    assert registry().get("other") == 1
    assert [(e.name, e.package) for e in registry().listing() if e.problem] == [("both", "first and second")]


@pytest.mark.parametrize(
    ("target", "text", "said"),
    [
        ("registry_broken_a:thing", "import no_such_module_at_all", "ModuleNotFoundError"),
        ("registry_broken_b:thing", "raise RuntimeError('on import')", "RuntimeError: on import"),
        ("registry_broken_c:thing", "raise SystemExit(3)", "SystemExit: 3"),
        ("registry_broken_d:thing", "def (", "SyntaxError"),
        ("registry_broken_e:absent", "thing = 1", "AttributeError"),
        ("no target at all", "", "Error"),
    ],
)
def test_one_that_cannot_be_loaded_is_named_with_its_package_and_error(add, target, text, said):
    module = target.partition(":")[0]
    add("broken", {"bad": target}, **{module: text})
    add("sound", {"good": "json:dumps"})
    with pytest.raises(UsageError) as refused:
        registry().get("bad")
    assert "'bad' of the package broken" in str(refused.value)
    assert said in str(refused.value)
    assert [e.name for e in registry().listing() if e.problem] == ["bad"]
    assert sorted(registry().usable()) == ["dumps", "good", "loads"]


def test_what_is_nothing_of_the_kind_is_named(add):
    def number(name, value):
        if not isinstance(value, int):
            raise TypeError(f"{name} is no number")
        return value

    add("outside", {"seven": "registry_kinds:seven", "text": "registry_kinds:text"},
        registry_kinds="seven, text = 7, 'seven'")  # fmt: skip
    assert registry(number).get("seven") == 7
    with pytest.raises(UsageError, match=re.escape("text is no number")):
        registry(number).get("text")


def test_an_unknown_name_gets_the_nearest_one(add):
    add("outside", {"sideways": "json:dumps"})
    with pytest.raises(UsageError, match="did you mean 'sideways'"):
        registry().get("sidewais")
    with pytest.raises(UsageError, match="did you mean 'dumps'"):
        registry().get("dump")


def test_help_reads_no_entry_points():
    code = (
        "import sys\n"
        "sys.argv = ['lbw-eval', '--help']\n"
        "from longbench_write.cli.app import main\n"
        "try:\n    main()\n"
        "finally:\n    print('importlib.metadata' in sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stderr.split()[-1] == "False"
