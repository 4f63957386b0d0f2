"""The language of answers, on texts made here; flag_texts has more."""

import pytest
from test_diagnostics import chinese_prose, english_prose

from longbench_write.scoring.languages import is_wrong_language, language_asked

CODE_MIXED = (
    "我们用 PyTorch 和 Hugging Face 的 transformers 训练模型，再用 vLLM 做 continuous batching 的推理服务。"
    * 5
)
FRENCH = (
    "Le vieux port était calme quand ils arrivèrent, et personne ne savait pourquoi les bateaux attendaient. "
    "On disait que le gardien du phare avait perdu sa lampe, et que la mer attendait avec tout le monde. "
)
GERMAN = (
    "Der alte Hafen war still, als sie ankamen, und niemand wusste, warum die Boote am Kai blieben. "
    "Man sagte, der Wärter habe seine Lampe verloren, und das Meer warte mit allen anderen. "
)


@pytest.mark.parametrize(
    ("text", "language", "wrong"),
    [
        ("", "en", False),
        (english_prose(100), "en", False),
        (english_prose(100), "zh", True),
        (chinese_prose(100), "zh", False),
        (chinese_prose(100), "en", True),
        (CODE_MIXED, "zh", False),
        (english_prose(100) + "The poem reads 床前明月光，疑是地上霜。", "en", False),
        ("きょうは とても いい てんき です。みんなで こうえんに いきました。", "zh", True),
        ("Сегодня мы идём в парк, потому что погода хорошая.", "en", True),
        ("12345 67,890 !!! 😀", "zh", False),
        (english_prose(100), "ja", False),
        (chinese_prose(100), "fr", False),
        ("Das hörte Émile früher über Österreich: çok güzel, naïve façades.", "zh", True),
        ("Один two три", "en", True),
        ("Один two drei", "en", False),
        ("中文 two words", "zh", False),
        ("中 two words", "zh", True),
        (FRENCH, "en", True),
        (GERMAN * 20, "en", True),
        (english_prose(200) + "\n\n" + GERMAN, "en", False),
        (english_prose(60) + f" He wrote: “{FRENCH}” " + english_prose(60), "en", False),
        (f"“{FRENCH}”", "en", True),
        (english_prose(40) + "\n```\n" + "变量 = 函数(值)\n" * 60 + "```", "en", False),
        ("国土交通省は十日、橋の緊急点検結果を公表した。補修が必要な橋は全体の一割に当たる。", "zh", True),
    ],
)
def test_wrong_language(text, language, wrong):
    assert is_wrong_language(text, language) is wrong


@pytest.mark.parametrize(
    ("prompt", "language"),
    [
        ("请用英文写一篇关于茶的文章，300词。", "en"),
        ("以“The Old Harbour”为题，写一篇300词的英语作文", "en"),
        ("把下面的内容改写成英文科普", "en"),
        ("写一个剧本（10000字中文）", "zh"),
        ("Turn these notes into a news story in standard and decent Chinese, 800 words.", "zh"),
        ("Write a 500-word essay in Chinese about tea.", "zh"),
        ("Write me a letter in formal German.", "other"),
        ("Write a bilingual brochure in English and Chinese.", None),
        ("Write an essay on how politeness works in Chinese and English.", None),
        ("Write a story that is set in Chinese Turkestan.", None),
        ("Write a sonnet about a harbour.", None),
        ("写一篇关于大学英语阅读教学的文献综述", None),
        ("写一篇文章，谈谈怎样用英语交流", None),
        ("", None),
    ],
)
def test_the_language_that_a_prompt_asks_for(prompt, language):
    assert language_asked(prompt) == language


@pytest.mark.parametrize(
    "piece", ["“", '"', "«", "»", "„", "*", "_", "`", "```", "$", "> ", "「", "write ", "用英语", "字"]
)
def test_hostile_long_texts_end(piece):
    text = (piece * 200_000)[:200_000]
    is_wrong_language(text, "en")
    is_wrong_language(text, "zh")
    language_asked(text)
