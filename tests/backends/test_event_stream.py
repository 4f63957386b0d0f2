"""Events come out as they went in, however the bytes are cut."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.backends.openai.event_stream import EventStream

VALUES = st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none(), max_size=3), max_size=6)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])
OTHER_LINES = st.sampled_from(["", ": a comment", "event: message", "id: 7", "retry: 5", "dat", "data-x: 1"])


def fed(data, cuts=()):
    """All that a stream gives when its bytes come in these pieces."""
    stream, found, last = EventStream(), [], 0
    for cut in [*sorted(cut % (len(data) + 1) for cut in cuts), len(data)]:
        found += [*stream.feed(data[last:cut])]
        last = cut
    return found


@given(VALUES, st.data(), ENDS, st.lists(st.integers(min_value=0)))
def test_every_event_comes_out_however_the_bytes_are_cut(values, data, end, cuts):
    text = ""
    for value in values:
        text += data.draw(OTHER_LINES) + end
        text += f"data:{data.draw(st.sampled_from(['', ' ']))}{json.dumps(value, ensure_ascii=False)}{end}"
        text += data.draw(OTHER_LINES.filter(bool)) + end + end
    assert fed((text + "event: last" + end).encode(), cuts) == values


@given(st.binary(), st.lists(st.integers(min_value=0)))
def test_any_bytes_give_values_or_a_value_error(data, cuts):
    with contextlib.suppress(ValueError):
        assert isinstance(fed(data, cuts), list)


def test_data_over_several_lines_is_one_value():
    assert fed(b'data: {"a":\ndata: 1}\n\n') == [{"a": 1}]


def test_an_event_without_its_blank_line_has_not_ended():
    stream = EventStream()
    assert stream.feed(b'data: {"a": 1}\n') == []
    assert stream.feed(b"\n") == [{"a": 1}]


def test_nothing_counts_behind_the_end():
    stream = EventStream()
    assert stream.feed(b'data: 1\n\ndata: [DONE]\n\ndata: {"a": 2}\n\n') == [1]
    assert stream.ended
    assert stream.feed(b"data: 3\n\n") == []


@pytest.mark.parametrize("texts", [("[1", "2]"), ('{"a": 1', '"b": 2}'), ("1, 2",), ("1", "{")])
def test_events_are_not_taken_together_where_each_is_no_json(texts):
    with pytest.raises(ValueError, match=r"Expecting|Extra data"):
        fed("".join(f"data: {text}\n\n" for text in texts).encode())


@pytest.mark.parametrize("mark", ["\ufeff", ""])
def test_a_byte_order_mark_is_no_part_of_the_first_line(mark):
    assert fed(f"{mark}data: 1\n\n".encode(), [1, 2, 4]) == [1]


@pytest.mark.parametrize("heartbeat", ["data:", "data: ", "data:\ndata:", ": ping", "event: ping\ndata:"])
def test_an_event_without_data_is_none(heartbeat):
    assert fed(f"data: 1\n\n{heartbeat}\n\ndata: 2\n\n".encode()) == [1, 2]


@pytest.mark.parametrize(
    ("data", "error"), [('{"code": 5}', {"code": 5}), ("out of memory", "out of memory"), ('"x"', "x")]
)
def test_an_error_event_is_an_error_and_the_next_event_is_not(data, error):
    assert fed(f"event: error\ndata: {data}\n\ndata: 2\n\n".encode()) == [{"error": error}, 2]


def test_what_came_before_a_broken_event_is_given():
    found = []
    with pytest.raises(ValueError, match="Expecting"):
        found.extend(EventStream().feed(b"data: 1\n\ndata: 2\n\ndata: {no\n\ndata: 3\n\n"))
    assert found == [1, 2]
