import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.errors import UsageError
from longbench_write.urls import EXAMPLE, check_url, public_url


@pytest.mark.parametrize(
    "url",
    [
        "http://h",
        "https://h:8000/v1/",
        "http://bob:pass@[::1]:80/v1",
        "HTTP://H/a@b",
        "http://bob:pa%2Fss%23@h/v1",
        "https://n.openai.azure.com/openai?api-version=2024-06-01",
    ],
)
def test_a_base_url_is_accepted(url):
    check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://h/v1?key=secret",
        "http://h/v1?api-version=1&key=secret",
        "http://h/v1?api-version=",
        "http://h/v1#secret",
        "http://bob:secret/x@h/v1",
        "http://bob:1/secret@h/v1",
        "http://bob:secret?x@h/v1",
        "http://bob:x#secret@h/v1",
    ],
)
def test_what_may_be_secret_is_refused_unrepeated(url):
    with pytest.raises(UsageError) as caught:
        check_url(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "h/v1", "ftp://h", "http://", "http://:80", "http://h:x", "http://[h"])
def test_anything_else_is_refused(url):
    with pytest.raises(UsageError, match=re.escape(EXAMPLE)):
        check_url(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://bob:pass@h:80/v1", "http://h:80/v1"),
        ("http://h/v1?key=secret#part", "http://h/v1"),
        ("http://h/a@b", "http://h/a@b"),
        ("bob:pass@h/v1", "h/v1"),
        ("http://a:b@c@h/v1", "http://h/v1"),
        ("http://bob:pa/ss@h/v1", "http://h/v1"),
        ("http://bob:pa?ss@h/v1", "http://h/v1"),
        ("http://bob:pa#ss@h/v1", "http://h/v1"),
        ("bob:pa#ss@h/v1", "h/v1"),
    ],
)
def test_what_may_be_secret_is_not_shown(url, shown):
    assert public_url(url) == shown


@given(st.text(max_size=40) | st.from_regex(r"https?://[^/]{0,9}@?[a-z\[\]:0-9]{0,9}/v1[?#]?.{0,5}"))
def test_any_text_is_accepted_or_refused_in_one_sentence(url):
    try:
        check_url(url)
    except UsageError as error:
        refused = str(error)
    else:
        return
    assert "\n" not in refused
