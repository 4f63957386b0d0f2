"""The page as people meet it: in a real browser, from a file."""

from __future__ import annotations

import shutil
from dataclasses import replace
from itertools import product
from urllib.parse import urlencode

import pytest
from report_runs import HOSTILE, entries, put_run, written
from samples import failed, judged

from longbench_write.metrics.quality import DIMENSIONS
from longbench_write.reports import write_report

pytestmark = [pytest.mark.browser, pytest.mark.slow]

LOOP = " ".join(map("".join, product("abcdefghij", repeat=3))) + "\n" + "And so the town slept again. " * 400
LONG = "Ships sail. " * 4500 + "The end."
CHAPTERS = [
    {"words": 3000, "scores": dict.fromkeys(DIMENSIONS, 2), "analysis": "A weak start."},
    {"words": 1000, "scores": dict.fromkeys(DIMENSIONS, 3), "analysis": "A better end."},
]
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}
DESKTOP = {"width": 1300, "height": 900, "deviceScaleFactor": 1, "mobile": False}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Two runs of one suite, one of them hostile, and a third on another suite."""
    folder = tmp_path_factory.mktemp("report")
    prompts = {
        "p-1": {"prompt": "Describe a river.", "length": 100, "type": "Popular Science"},
        "p-2": {"prompt": "写一条河。", "length": 600, "type": "News Report", "language": "zh"},
        "p-3": {"prompt": f"Hostile {HOSTILE}", "length": 9000, "type": f"Type {HOSTILE}"},
        "p-4": {"prompt": "Tell of a town.", "length": 300, "type": "News Report"},
    }
    put_run(
        folder / "good-run",
        [
            written(
                "p-1",
                response="Calm water. " * 50,
                reasoning="Let me think.",
                reasoning_words=3,
                **prompts["p-1"],
            ),
            written("p-2", response="河水很长。" * 3, **prompts["p-2"]),
            written("p-3", response=LONG, **prompts["p-3"]),
            written("p-4", response=LOOP, finish_reason="length", **prompts["p-4"]),
        ],
        [
            judged("p-1", scores=(5, 5, 5, 5, 5, 5), analysis="Very good."),
            judged("p-1", scores=(3, 3, 3, 3, 3, 3), analysis="Not so good.", repeat=1),
            judged("p-2", scores=None, raw="I give it four stars."),
            judged("p-3", scores=(2, 2, 2, 2, 2, 2), chapters=CHAPTERS),
        ],
        model="good/model",
    )
    put_run(
        folder / "bad-run",
        [
            written("p-1", response=f"Bad {HOSTILE}\ud800", **prompts["p-1"]),
            replace(failed("p-2"), **prompts["p-2"]),
            written("p-3", response="Short.", **prompts["p-3"]),
        ],
        [judged("p-1", scores=(1, 2, 3, 4, 5, 1), analysis=f"Said {HOSTILE}", raw=f"Raw {HOSTILE}")],
        model=f"bad {HOSTILE}",
        owed=4,
    )
    put_run(folder / "other", [written("q-1", response="Other words.")], model="good/model", suite="other")
    target = folder / "report.html"
    with target.open("wb") as file:
        write_report(entries(folder), file)
    return target


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    chromium, chromedriver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not chromedriver:
        pytest.skip(
            "there is no chromium with its chromedriver: install the packages chromium and chromium-driver"
        )
    from selenium.webdriver import Chrome, ChromeOptions
    from selenium.webdriver.chrome.service import Service

    options = ChromeOptions()
    options.binary_location = chromium
    for switch in (
        "headless",
        "no-sandbox",
        "disable-gpu",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        f"user-data-dir={tmp_path_factory.mktemp('profile')}",
    ):
        options.add_argument(f"--{switch}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service(chromedriver))
    yield driver
    driver.quit()


class Page:
    """What a person does with the page, and sees."""

    def __init__(self, driver, report):
        self.driver = driver
        self.url = report.as_uri()

    def open(self, **address):
        self.driver.get("about:blank")
        self.driver.get(f"{self.url}#{urlencode(address)}" if address else self.url)

    def js(self, script, *arguments):
        return self.driver.execute_script(f"return {script}", *arguments)

    def all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def one(self, selector):
        return self.driver.find_element("css selector", selector)

    def text(self, selector):
        return self.js("document.querySelector(arguments[0]).textContent.toWellFormed()", selector)

    def texts_of(self, selector):
        found = (
            "[...document.querySelectorAll(arguments[0])].map((found) => found.textContent.toWellFormed())"
        )
        return self.js(found, selector)

    def ids(self):
        return self.js("[...document.querySelectorAll('.samples .id')].map((found) => found.textContent)")

    def choose(self, control, text):
        from selenium.webdriver.support.select import Select

        Select(self.one(f"#f-{control}")).select_by_visible_text(text)

    def unfold(self, place=0):
        self.all(".samples .unfold")[place].click()
        self.settle()

    def settle(self):
        """Wait until all that was unfolded is there."""
        self.wait(lambda: not self.all("[aria-busy=true]"))

    def wait(self, condition):
        from selenium.webdriver.support.wait import WebDriverWait

        WebDriverWait(self.driver, 20, poll_frequency=0.02).until(lambda _: condition())

    def press(self, *keys):
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(*keys).perform()

    def focused(self):
        """The row that has the focus: the text of its button's id."""
        return self.js(
            "document.activeElement.querySelector('.id')?.textContent ?? document.activeElement.id"
        )

    def screen(self, metrics):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def media(self, kind="", scheme="light"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": kind, "features": features})


@pytest.fixture
def page(driver, report):
    page = Page(driver, report)
    page.screen(DESKTOP)
    page.media()
    driver.get_log("browser")
    page.open()
    yield page
    assert driver.get_log("browser") == []
    assert page.js("window.hacked ?? null") is None


def test_it_opens_with_leaderboards_plots_and_all_samples(page):
    assert page.text("#count") == "7 samples"
    assert [title.text for title in page.all("#leaderboard h3")] == [
        "s · 4 prompts · judge j",
        "other · 1 prompt · no judge",
    ]
    pictures = page.all("#plots img")
    assert pictures
    assert all(
        page.js("arguments[0].complete && arguments[0].naturalWidth > 0", picture) for picture in pictures
    )
    assert all(picture.get_attribute("alt") for picture in pictures)
    fetched = page.js("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert all(name.startswith("data:") for name in fetched)


@pytest.mark.parametrize(
    ("control", "choice", "left"),
    [
        ("run", "good/model · s", ["p-1", "p-2", "p-3", "p-4"]),
        ("range", "[500,2000)", ["p-2", "p-2"]),
        ("language", "zh", ["p-2", "p-2"]),
        ("type", "News Report", ["p-2", "p-2", "p-4"]),
        ("flag", "truncated", ["p-4"]),
        ("flag", "some flag", ["p-1", "p-3", "p-3", "p-4"]),
        ("state", "no response", ["p-2"]),
        ("state", "judge failed", ["p-2"]),
        ("state", "not judged", ["p-3", "p-4"]),
    ],
)
def test_filters(page, control, choice, left):
    page.choose(control, choice)
    assert page.ids() == left
    assert page.text("#count").startswith(f"{len(left)} ")
    page.one("button[type=reset]").click()
    assert page.text("#count") == "7 samples"


def test_filters_by_score_and_by_words_of_the_prompt(page):
    page.choose("score", "S_q, 0 to 100")
    page.one("#f-low").send_keys("30")
    page.one("#f-high").send_keys("60")
    assert page.ids() == ["p-1", "p-3"]
    assert page.text(".samples .row [data-title=Run]").startswith("bad")
    page.one("button[type=reset]").click()
    page.choose("score", "Relevance, 1 to 5")
    page.one("#f-high").send_keys("1")
    assert page.ids() == ["p-1"]
    page.one("button[type=reset]").click()
    page.one("#f-text").send_keys("a TOWN")
    assert page.ids() == ["p-4"]
    page.one("#f-text").clear()
    page.one("#f-text").send_keys("p-2")
    assert page.ids() == ["p-2", "p-2"]
    page.one("#f-text").send_keys("9")
    assert page.text("#list") == "No sample passes these filters."


def test_sorts_by_a_column_and_back(page):
    page.choose("run", "good/model · s")
    page.one("[data-sort=written]").click()
    assert page.ids() == ["p-2", "p-1", "p-4", "p-3"]
    assert page.one("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    page.one("[data-sort=written]").click()
    assert page.ids() == ["p-3", "p-4", "p-1", "p-2"]
    assert page.js("document.activeElement.dataset.sort") == "written"
    page.choose("sort", "S_q ↑")
    assert page.ids() == ["p-3", "p-1", "p-2", "p-4"]


def test_another_suite_has_its_own_samples(page):
    page.choose("suite", "other")
    assert page.ids() == ["q-1"]
    page.unfold()
    assert page.text(".response") == "Other words."
    assert "Nobody judged this run." in page.text(".panel")


def test_a_sample_unfolds_with_all_that_is_known_of_it(page):
    page.unfold()
    button = page.one(".samples .unfold")
    assert button.get_attribute("aria-expanded") == "true"
    assert page.one(f"#{button.get_attribute('aria-controls')}").is_displayed()
    assert page.text(".prompt .text") == "Describe a river."
    assert "Calm water. Calm water." in page.text(".response")
    numbers = dict(zip(page.texts_of(".facts dt"), page.texts_of(".facts dd"), strict=True))
    assert numbers["Required"] == "100 words"
    assert numbers["Written"] == "100 (1.00 ×)"
    assert numbers["S_q"] == "75.0"
    assert numbers["Reasoning"] == "3 words"
    assert numbers["temperature"] == "0.5"
    assert "Let me think." in page.text(".panel .main details")
    assert page.texts_of(".judgement h4") == ["Judge j · 1 of 2", "Judge j · 2 of 2"]
    assert page.texts_of(".analysis") == ["Very good.", "Not so good."]
    assert page.texts_of(".judgement:first-of-type .marks li")[:1] == [f"{DIMENSIONS[0]}5"]
    button.click()
    assert button.get_attribute("aria-expanded") == "false"
    assert not page.all(".detail")


def test_what_failed_is_shown_with_its_reason(page):
    page.choose("type", "News Report")
    for place in range(3):
        page.unfold(place)
    judge_failed, no_response, not_judged = page.texts_of(".panel")
    assert "No score after 1 try: invalid reply: no JSON object" in judge_failed
    assert "I give it four stars." in judge_failed
    assert "There is none: context length: no room" in no_response
    assert "Not judged yet." in not_judged
    assert "truncated" in not_judged


def test_the_loop_is_marked_where_it_begins(page):
    page.one("#f-text").send_keys("p-4")
    page.unfold()
    before = page.js("document.querySelector('.loop').previousSibling.data")
    after = page.js("document.querySelector('.loop').nextSibling.data")
    assert before + after == LOOP
    assert abs(len(before) - LOOP.index("And so the town")) < 100
    assert page.text(".loop").startswith("repetition begins here, at ")
    page.one(".main button").click()
    top, bottom = page.js(
        "['.response', '.loop'].map((part) => document.querySelector(part).getBoundingClientRect().top)"
    )
    assert 0 < bottom - top < 700


def test_a_long_text_is_whole(page):
    page.one("#f-text").send_keys("p-3")
    page.unfold()
    parts = page.js("[...document.querySelector('.response').childNodes].map((part) => part.data ?? '')")
    assert "".join(parts) == LONG


def test_quality_along_the_text_where_chapters_were_judged(page):
    page.open(run="good-run", id="p-3")
    page.settle()
    assert page.texts_of(".judgement .marks:not(ol) b") == ["2.25"] * 6
    assert page.texts_of("ol.marks summary") == ["3,000 words", "1,000 words"]
    assert page.texts_of("ol.marks b") == ["2", "3"]
    assert page.texts_of("ol.marks .analysis") == ["A weak start.", "A better end."]


def test_two_runs_side_by_side(page):
    page.choose("run", "good/model · s")
    other = next(option.text for option in page.all("#f-with option") if option.text.startswith("bad"))
    page.choose("with", other)
    assert page.ids() == ["p-1", "p-2", "p-3", "p-4"]
    differences = page.texts_of(
        ".row:first-child td[data-title='S_l B−A'], .row:first-child td[data-title='S_q B−A']"
    )
    assert differences == ["−100.0", "−33.3"]
    page.choose("sort", "difference in S_q ↑")
    assert page.ids()[0] == "p-1"
    page.unfold()
    left, right = page.texts_of(".pair .response")
    assert left.startswith("Calm water.")
    assert right.startswith("Bad ")
    assert len(page.all(".prompt")) == 1
    page.unfold(page.ids().index("p-4"))
    assert "This run has no such sample." in page.texts_of(".pair")[-1]


def test_addresses_lead_to_samples_and_follow_what_is_unfolded(page):
    page.open(run="good/model", id="p-2", sample=0)
    page.settle()
    assert page.focused() == "p-2"
    assert page.text(".response").startswith("河水很长。")
    page.open(run="bad-run", id="p-1", **{"with": "good-run"})
    page.settle()
    assert [text[:3] for text in page.texts_of(".pair .response")] == ["Bad", "Cal"]
    page.unfold(2)
    address = page.js("location.href")
    page.driver.get("about:blank")
    page.driver.get(address)
    page.settle()
    assert page.texts_of(".pair .response")[0] == "Short."
    assert page.focused() == "p-3"
    page.open(run="good/model · s")
    assert page.ids() == ["p-1", "p-2", "p-3", "p-4"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ({"run": "nobody"}, "There is no run nobody in this report."),
        ({"run": "good-run", "id": "p-9"}, "good-run has no sample 0 of p-9."),
        ({"run": "good-run", "id": "p-1", "with": "other"}, "other is no other run of the same suite"),
    ],
)
def test_addresses_that_lead_nowhere_say_so(page, address, said):
    page.open(**address)
    assert page.text("[role=alert]").startswith(said)
    assert page.text("#count") == "7 samples"


def test_a_hash_in_the_page_opens_the_sample(page):
    page.one("#f-text").send_keys("p-4")
    page.js("location.hash = arguments[0]", urlencode({"run": "good-run", "id": "p-1"}))
    page.wait(lambda: page.all(".detail"))
    page.settle()
    assert "Calm water." in page.text(".response")


def test_beside_another_run_from_an_unfolded_sample(page):
    from selenium.webdriver.support.select import Select

    page.unfold()
    Select(page.one(".beside select")).select_by_index(1)
    page.settle()
    assert len(page.all(".pair .panel")) == 2


def test_hostile_texts_stay_texts(page):
    page.open(run="bad-run", id="p-1")
    page.settle()
    assert page.text(".response") == f"Bad {HOSTILE}\ufffd"
    assert (
        page.js("document.querySelector('.response').textContent.charCodeAt(arguments[0])", len(HOSTILE) + 4)
        == 0xD800
    )
    assert page.text(".analysis") == f"Said {HOSTILE}"
    assert page.text(".raw") == f"Raw {HOSTILE}"
    page.open(run="bad-run", id="p-3")
    page.settle()
    assert page.text(".prompt .text") == f"Hostile {HOSTILE}"
    assert f"Type {HOSTILE}" in page.js(
        "[...document.querySelectorAll('#f-type option')].map((found) => found.textContent)"
    )
    assert (
        page.js(
            "document.querySelectorAll('main img:not([src^=\"data:image/svg+xml\"]), main script').length"
        )
        == 0
    )
    assert page.js("[...document.scripts].filter((found) => !found.type).length") == 1


def test_by_keyboard(page):
    from selenium.webdriver.common.keys import Keys

    page.press("/")
    assert page.focused() == "f-text"
    page.press("p-", Keys.ENTER)
    assert page.focused() == "p-1"
    assert not page.all(".detail")
    assert page.js("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.press("j", "j", Keys.ARROW_DOWN)
    assert page.focused() == "p-2"
    page.press("k", Keys.ARROW_UP)
    page.press(Keys.ENTER)
    page.settle()
    assert page.js("document.activeElement.getAttribute('aria-expanded')") == "true"
    page.press(Keys.TAB)
    assert page.js("document.activeElement.closest('.detail') !== null")
    page.press(Keys.ESCAPE)
    assert not page.all(".detail")
    assert page.js("document.activeElement.className") == "unfold"
    page.press("?")
    assert page.one("#help").is_displayed()
    page.press("j", Keys.ESCAPE)
    assert not page.one("#help").is_displayed()


def test_every_control_has_a_name(page):
    page.unfold()
    for control in page.all("button, select, input, a, [tabindex='0']"):
        if control.is_displayed():
            assert control.accessible_name, control.get_attribute("outerHTML")
    assert [len(page.all(landmark)) for landmark in ("header.top", "nav", "main", "h1")] == [1, 1, 1, 1]


def test_on_a_phone_nothing_is_wider_than_the_screen(page):
    page.screen(PHONE)
    for address in (
        {},
        {"run": "good-run", "id": "p-3"},
        {"run": "bad-run", "id": "p-1", "with": "good-run"},
    ):
        page.open(**address)
        page.settle()
        assert page.js("document.documentElement.scrollWidth") <= 390
    assert not page.one("#f-type").is_displayed()
    page.one("#filters summary").click()
    assert page.one("#f-type").is_displayed()


def test_dark_where_that_is_wanted_and_light_on_paper(page):
    def ground():
        return page.js("getComputedStyle(document.body).backgroundColor")

    light = ground()
    page.media(scheme="dark")
    assert ground() != light
    page.media("print", "dark")
    assert ground() == "rgb(255, 255, 255)"
    assert not page.one("#filters").is_displayed()
    assert page.one(".samples").is_displayed()


def test_a_browser_that_cannot_unpack_is_told(page):
    source = {"source": "delete window.DecompressionStream"}
    added = page.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", source)
    try:
        page.open()
        page.unfold()
    finally:
        page.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
    assert "it has no DecompressionStream" in page.text(".main .warning")
    assert "75.0" in page.text(".aside")


def test_a_page_that_was_cut_off_says_so(page, report, tmp_path):
    cut = tmp_path / "cut.html"
    cut.write_bytes(report.read_bytes().split(b'<script type="text/plain"')[0])
    page.url = cut.as_uri()
    page.open()
    page.unfold()
    assert "it was not copied whole" in page.text(".main .warning")
