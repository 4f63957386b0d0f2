import errno
import hashlib
import json
import os
import resource
from contextlib import ExitStack, closing, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import failed, predicted

from longbench_write.errors import RunFolderError, RunFolderLostError
from longbench_write.files.json_object import read_object
from longbench_write.files.jsonl import LineError, json_text, read_jsonl
from longbench_write.files.record_file import RecordFile
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


GOOD = json.dumps(predicted("a").to_json()).encode() + b"\n"


@pytest.mark.parametrize(
    "tail", [b"\0" * 4096, b'{"id": "b\0\0\0"}\n', b"\0\n\0\0\n\0", b'{"id": "b\0\0\n{"half']
)
def test_null_bytes_of_a_power_cut_at_the_end_are_a_torn_tail(path, tail, opened):
    path.write_bytes(GOOD + tail)
    assert [record.id for record in records(path)] == ["a"]
    file = opened(path)
    assert path.read_bytes() == GOOD
    file.append(predicted("b"))
    assert [record.id for record in records(path)] == ["a", "b"]


def test_null_bytes_before_a_whole_record_are_named(path, opened):
    path.write_bytes(GOOD + b"\0\0\0\n" + GOOD.replace(b'"a"', b'"b"'))
    with pytest.raises(RunFolderError, match=r"records\.jsonl:2\b"):
        opened(path)


def test_another_writer_is_noticed_before_lines_interleave(path, opened):
    first, second = opened(path), opened(path)
    first.append(predicted("a"))
    with pytest.raises(RunFolderLostError):
        second.append(predicted("b"))
    first.append(predicted("c"))
    assert [record.id for record in records(path)] == ["a", "c"]


def test_a_file_that_was_changed_is_not_sorted_but_left_as_it_is(path, opened):
    """Grown by another's record, with two lines in each other's place, or replaced by a copy."""
    file = opened(path)
    for name in "cab":
        file.append(predicted(name))
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    for content in (whole + GOOD, b"".join(reversed(lines))):
        path.write_bytes(content)
        with pytest.raises(RunFolderLostError):
            file.sort(lambda key: key)
        assert path.read_bytes() == content
    file = opened(path)
    path.unlink()
    path.write_bytes(whole)
    with pytest.raises(RunFolderLostError):
        file.sort(lambda key: key)
    assert [entry.name for entry in path.parent.iterdir()] == ["records.jsonl"]


@pytest.mark.parametrize("kind", ["link", "link to a torn line", "pipe", "folder", "device"])
def test_what_is_no_regular_file_is_refused(path, tmp_path, kind, opened):
    victim = tmp_path / "victim"
    content = b"mine" if "torn" in kind else b""
    victim.write_bytes(content)
    if kind.startswith("link"):
        path.symlink_to(victim)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    with pytest.raises(RunFolderError, match=r"records\.jsonl"):
        opened(path)
    assert victim.read_bytes() == content
    assert not kind.startswith("link") or path.is_symlink()


def test_too_many_open_files_are_told_as_that_and_records_are_kept(path, opened):
    file = opened(path)
    file.append(predicted("a"))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    descriptors = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
    try:
        with suppress(OSError):
            while True:
                descriptors.append(os.open(os.devnull, os.O_RDONLY))
        file.append(predicted("b"))
        assert file.get(("b", 0)).id == "b"
        with pytest.raises(RunFolderError, match="ulimit -n"):
            opened(path)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert file.get(("b", 0)).id == "b"
    assert [record.id for record in records(path)] == ["a", "b"]


def test_a_disk_that_fails_to_sync_is_the_next_records_fault(path, opened, monkeypatch):
    file = opened(path)
    file.append(predicted("a"))

    def fails(descriptor):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fails)
        file.sync()
    with pytest.raises(RunFolderError, match="Input/output error"):
        file.append(predicted("b"))
