from hypothesis import given
from hypothesis import strategies as st

from longbench_write.judging.chapters import placed, split


@given(st.text(alphabet="ab。.\n ", max_size=200), st.sampled_from([2, 4, 8, 64]))
def test_the_parts_are_the_text(text, parts):
    found = split(text, parts)
    assert "".join(found) == text
    assert len(found) <= parts
    assert all(found)


def test_parts_end_with_paragraphs_where_they_can_and_with_sentences_otherwise():
    paragraphs = "One. Two.\n\n" * 40
    assert all(part.endswith("\n\n") for part in split(paragraphs, 4))
    sentences = "他走了很远的路。" * 60
    assert all(part.endswith("。") for part in split(sentences, 4))
    assert [len(part) for part in split("x" * 100, 4)] == [25, 25, 25, 25]


def test_parts_are_of_about_the_same_length():
    lengths = [len(part) for part in split("Some words in a sentence. " * 400, 8)]
    assert max(lengths) < 1.6 * min(lengths)


def test_a_part_says_its_place():
    assert "part 2 of 3" in placed("text", 2, 3)
