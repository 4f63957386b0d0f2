"""Plans as models write them: read, or known to be none; and the labels that they leave in texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.writers.outline import Section, even_plan, read_plan, strip_label

LINE = "Paragraph 3 - Main Point: The dams of the north. - Word Count: 400 words"
SECTION = Section(3, LINE, 400)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("Paragraph 1 - Main Point: Open with rivers. - Word Count: 400 words", 400),
        ("**Paragraph 1** - Main Point: Open with rivers. - **Word Count:** 1,200 words", 1200),
        ("- Paragraph 2: The 3 sources (about 1k words)", 1000),
        ("* Paragraph 2 – sources – word count ~ 1.5k", 1500),
        ("3. Main Point: Dams – Word Count: 400-500", 450),
        ("4) Dams, 400 to 600 words", 500),
        ("Step 5 | Main Point: 200 words of a treaty, lost in 1999 | Word Count: 300", 300),
        ("### Section 6 — the end — Length: approximately 250 words", 250),
        ("第1段 - 要点：河流 - 字数：约500字", 500),
        ("第八段 - 要点：河流 - 字数：五百字左右", 500),
        ("**第十二段** – 要点：水坝 – 字数：１０００字", 1000),
        ("段落9：河流（400至600字）", 500),
        ("第３段－要点：源头－字数：1千字", 1000),
        ("第二部分：两千三百字", 2300),
        ("Paragraph 7 - Main Point: a very long step - Word Count: 30000 words", 30000),
    ],
)
def test_a_step_has_a_number_and_a_word_count(line, words):
    assert read_plan(f"Here is the plan:\n\n{line}\n---\nDone.") == [Section(1, line, words)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I cannot help with that.",
        "The text will have about 2,000 words.",
        "Paragraph 1 - Main Point: rivers",
        "Paragraph 1 - Main Point: rivers - Word Count: many words",
        "Paragraph 1 - Main Point: rivers - Word Count: 0 words",
        '[\n{"paragraph": 1, "main_point": "rivers", "word_count": 400}\n]',
        "Paragraph 1 " + "and " * 2000 + "Word Count: 400 words",
        "Absatz 1 - Kernaussage: Flüsse - Wörter: 400",
    ],
)
def test_what_has_no_step_is_no_plan(text):
    assert read_plan(text) == []


def test_a_plan_is_read_between_what_stands_around_it_and_a_repeated_line_counts_once():
    lines = [f"Paragraph {n} - Main Point: part {n} - Word Count: {n}00 words" for n in range(1, 5)]
    text = "\r\n".join(["Sure! 1,000 words in all:", "", *lines, "", lines[0], "Total: 1000 words"])
    assert [(section.number, section.words) for section in read_plan(text)] == [
        (1, 100),
        (2, 200),
        (3, 300),
        (4, 400),
    ]


@given(
    st.text(max_size=300)
    | st.from_regex(r"(Paragraph|第)? ?[0-9一二百]{1,3}段?[ -:：]{1,3}.{0,20}[字w]", fullmatch=False)
)
def test_any_text_is_a_plan_or_none_and_labels_never_empty_a_text(text):
    assert all(0 < section.words < 10**9 and section.line in text for section in read_plan(text))
    assert bool(strip_label(text, SECTION)) == bool(text.strip())
    assert text.strip().endswith(strip_label(text, SECTION))


@pytest.mark.parametrize(
    "text",
    [
        "Once.",
        "Paragraph 3: Once.",
        "paragraph 3 - Once.",
        "**Paragraph 3**\n\nOnce.",
        "### Paragraph 3:\nOnce.",
        f"{LINE}\n\nOnce.",
        f"**{LINE}**\nOnce.",
        "## The Dams of the North\nOnce.",
        "# Paragraph 3: The dams of the north\n\nOnce.",
        "第3段：Once.",
        "【第三段】\nOnce.",
    ],
)
def test_labels_and_repeated_headings_are_taken_away(text):
    assert strip_label(text, SECTION) == "Once."


@pytest.mark.parametrize(
    "text",
    [
        "Paragraph 3 of the treaty says so.",
        "Paragraph 4: another's label.",
        "3. March was cold.",
        "The dams of the north",
        "The dams of the south\nOnce.",
        "Paragraph 3",
    ],
)
def test_what_is_text_stays(text):
    assert strip_label(text, SECTION) == text


@given(
    st.integers(1, 30000),
    st.integers(1, 300),
    st.integers(301, 2000),
    st.integers(1, 60),
    st.sampled_from(["en", "zh"]),
)
def test_an_even_plan_has_the_length_in_few_equal_sections_that_can_be_read(
    length, least, most, sections, language
):
    plan = even_plan(length, language, least=least, most=most, sections=sections)
    counts = [section.words for section in plan]
    assert sum(counts) == length
    assert max(counts) - min(counts) <= 1
    assert len(counts) <= sections
    assert min(counts) >= min(least, length)
    assert max(counts) <= most or len(counts) in (sections, length // least)
    assert read_plan("\n".join(section.line for section in plan)) == plan
