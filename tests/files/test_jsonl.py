import hashlib
import json
from contextlib import ExitStack, closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import failed, predicted

from longbench_write.errors import RunFolderError
from longbench_write.files.jsonl import LineError, RecordFile, json_text, read_jsonl, read_object
from longbench_write.records import Prediction


def records(path):
    return RecordFile(path, Prediction.from_json, lambda record: record.key)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "records.jsonl"


@pytest.fixture
def opened():
    """Opens record files, and closes them after the test."""
    with ExitStack() as stack:

        def open_file(path, keep=lambda record: True):
            file = records(path)
            file.open(keep=keep)
            stack.callback(file.close)
            return file

        yield open_file


def test_what_is_appended_is_there_at_once_and_found_by_its_key(path, opened):
    file = opened(path)
    file.append(predicted("a"))
    file.append(predicted("b", response="two\nlines\u2028and more"))
    assert [record.id for record in records(path)] == ["a", "b"]
    assert file.get(("b", 0)).response == "two\nlines\u2028and more"
    assert ("a", 0) in file
    assert ("a", 1) not in file


@given(content=st.binary(max_size=50) | st.sampled_from([b"{}", b'{"a": [1]}', b"[]", b"\xff{}"]))
def test_a_file_is_one_json_object_or_a_value_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("object") / "object.json"
    path.write_bytes(content)
    try:
        assert read_object(path) == json.loads(content)
    except ValueError:
        assert content not in (b"{}", b'{"a": [1]}')


@pytest.mark.parametrize("text", ['{"a": NaN}', '{"a": Infinity}', "[" * 100_000, '{"a": 1', "null"])
def test_what_is_no_object_of_json_is_refused(tmp_path, text):
    path = tmp_path / "object.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"."):
        read_object(path)


@given(text=st.text(st.characters(exclude_categories=()), max_size=50))
def test_any_text_comes_back(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("records") / "records.jsonl"
    with closing(records(path)) as file:
        file.open(keep=lambda record: True)
        file.append(predicted(response=text))
    path.read_bytes().decode("utf-8")
    assert next(iter(records(path))).response == text


@pytest.mark.parametrize("cut", [1, 2, 50])
def test_a_torn_last_line_was_never_written(path, cut, opened):
    file = opened(path)
    file.append(predicted("a"))
    file.append(predicted("b"))
    file.close()
    path.write_bytes(path.read_bytes()[:-cut])
    file = opened(path)
    assert file.identities() == [("a", 0)]
    file.append(predicted("b"))
    assert [record.id for record in records(path)] == ["a", "b"]


def test_a_file_torn_in_its_first_line_is_empty(path, opened):
    path.write_bytes(b'{"prompt": "Wri')
    assert opened(path).identities() == []
    assert path.read_bytes() == b""


@pytest.mark.parametrize("line", ["{]", "[]", "7", "null", '{"prompt": 1}', "\0\0", "[" * 100_000])
def test_an_unreadable_line_is_named(path, line, opened):
    good = json.dumps(predicted("a").to_json())
    path.write_text(f"{good}\n{line}\n{good}\n", encoding="utf-8")
    with pytest.raises(RunFolderError, match=r"records\.jsonl:2\b"):
        opened(path)


def test_a_repeated_record_is_named(path):
    good = json.dumps(predicted("a").to_json())
    path.write_text(f"{good}\n{good}\n", encoding="utf-8")
    with pytest.raises(RunFolderError, match=r"records\.jsonl:2\b.*\ba\b"):
        list(records(path))


def test_what_is_not_kept_is_taken_out_once(path, opened):
    file = opened(path)
    for record in (predicted("a"), failed("b", final=False), failed("c"), predicted("d")):
        file.append(record)
    file.close()
    file = opened(path, keep=lambda record: record.error is None or record.error.final)
    assert file.identities() == [("a", 0), ("c", 0), ("d", 0)]
    assert file.get(("d", 0)) == predicted("d")
    assert [record.id for record in records(path)] == ["a", "c", "d"]
    assert [entry.name for entry in path.parent.iterdir()] == ["records.jsonl"]


def test_sorting_puts_the_file_in_order(path, opened):
    file = opened(path)
    for name in "cab":
        file.append(predicted(name))
    file.sort(lambda key: key)
    assert [record.id for record in records(path)] == ["a", "b", "c"]
    assert file.get(("c", 0)).id == "c"


def test_a_full_disk_is_one_sentence_and_takes_back_the_part_of_a_line(path, monkeypatch, opened):
    file = opened(path)
    file.append(predicted("a"))
    real = file._file

    class Full:
        """The real file on a disk with 30 bytes left."""

        left = 30

        def fileno(self):
            return real.fileno()

        def truncate(self, size):
            return real.truncate(size)

        def write(self, data):
            if not self.left:
                raise OSError(28, "No space left on device")
            part, self.left = data[: self.left], 0
            return real.write(part)

    full = pytest.raises(RunFolderError, match=r"records\.jsonl.*No space left on device")
    with monkeypatch.context() as patch, full:
        patch.setattr(file, "_file", Full())
        file.append(predicted("b"))
    assert [record.id for record in records(path)] == ["a"]
    assert path.read_bytes().endswith(b"\n")


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.lists(st.dictionaries(st.text(), VALUES, max_size=3)), st.booleans())
def test_every_object_is_read_back_with_its_place(tmp_path_factory, objects, marked):
    path = tmp_path_factory.mktemp("jsonl") / "f.jsonl"
    mark = b"\xef\xbb\xbf" if marked else b""
    content = mark + "".join(f"{json_text(each)}\n\n" for each in objects).encode()
    path.write_bytes(content)
    digest = hashlib.sha256()
    lines = list(read_jsonl(path, digest=digest))
    assert [line.value for line in lines] == objects
    assert [line.number for line in lines] == list(range(1, 2 * len(objects), 2))
    for line in lines:
        found = content[line.offset :].split(b"\n")[0].removeprefix(b"\xef\xbb\xbf")
        assert json.loads(found) == line.value
    assert digest.hexdigest() == hashlib.sha256(content).hexdigest()


BROKEN = [
    *(b"{]", b"[]", b"7", b"null", b"\0", b"{} {}", b'{"a": "\xff"}', b'{"a": NaN}'),
    *(b"[" * 100_000, b"9" * 5000),
]


@pytest.mark.parametrize("line", BROKEN, ids=lambda line: repr(line[:9]))
def test_a_line_that_is_no_object_is_numbered(path, line):
    path.write_bytes(b"{}\n\n" + line + b"\n{}\n")
    with pytest.raises(LineError) as caught:
        list(read_jsonl(path))
    assert caught.value.number == 3
    assert caught.value.fault


@given(st.binary(max_size=60) | st.text('{}[]:,"1aN \n').map(str.encode))
def test_any_bytes_are_objects_or_a_numbered_line(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("jsonl") / "f.jsonl"
    path.write_bytes(content)
    number = 0
    try:
        for line in read_jsonl(path):
            assert isinstance(line.value, dict)
    except LineError as error:
        number = error.number
    assert 0 <= number <= content.count(b"\n") + 1


def test_what_is_lenient_is_asked_for(path):
    path.write_bytes(b'{"a": NaN}\n{"b": 1}')
    assert [list(line.value) for line in read_jsonl(path, nan=True)] == [["a"], ["b"]]
    assert [list(line.value) for line in read_jsonl(path, nan=True, torn=False)] == [["a"]]
    with pytest.raises(LineError) as caught:
        list(read_jsonl(path, nan=True, longest=10))
    assert caught.value.number == 1
