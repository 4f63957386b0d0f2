"""Output files of commands: a folder that is not there is named, not made."""

import os

import pytest

from longbench_write.errors import UsageError
from longbench_write.files.output import append_file, make_folder, output_file, write_file


@pytest.mark.parametrize("where", ["no/such/f", "file/f", "loop/f", "n" * 300 + "/f", "a\0b/f"])
def test_a_file_whose_folder_cannot_be_used_is_refused_and_nothing_is_made(tmp_path, where):
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    path = tmp_path / where
    with pytest.raises((UsageError, ValueError)) as caught:
        write_file(path, "x")
    assert str(path.parent) in str(caught.value) or "\0" in where
    with pytest.raises((UsageError, ValueError)), output_file(path):
        pass
    assert sorted(os.listdir(tmp_path)) == ["file", "loop"]


def test_a_folder_is_made_where_it_is_what_was_asked_for(tmp_path):
    make_folder(tmp_path / "a" / "b")
    make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    with pytest.raises(UsageError):
        make_folder(tmp_path / "c" / "d", parents=False)
    assert not (tmp_path / "c").exists()


def test_what_cannot_be_appended_to_is_named(tmp_path):
    append_file(tmp_path / "f", "a")
    append_file(tmp_path / "f", "b")
    assert (tmp_path / "f").read_text() == "ab"
    with pytest.raises(UsageError):
        append_file(tmp_path, "x")
