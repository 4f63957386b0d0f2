"""Answers that decline the task, on texts made here; flag_texts has more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_diagnostics import chinese_prose, english_prose

from longbench_write.scoring.length_notes import END
from longbench_write.scoring.refusals import declining

REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I’m sorry, but I can’t assist with this request.",
    "Sorry, I cannot write this story.",
    "I apologize, but I am unable to generate content of that kind. Is there something else you need?",
    "Unfortunately, I cannot fulfill this request.",
    "I must respectfully decline.",
    "I won't be able to continue. I will not write that.\n",
    "I'd rather not write this one. Happy to help with something else.",
    "This is not something I'm able to help with.",
    "There's no file attached to this conversation. Can you upload the document or copy its text here?",
    "The response was blocked because it may contain prohibited material.",
    "That falls outside my abilities. I can process text only, so a recording isn't possible here.",
    "I don't write poems that praise an attack, so here is something else about hope:\n\nWe had lamps.\n"
    + "The tide went out and left the boats.\n" * 12,
    "I cannot fulfill your request. I'm just an AI, it's not within my guidelines to create such content.\n\n"
    + "Hacking is illegal, and it can harm the people whose data are stolen. " * 20
    + "If you like, I can help you with a guide to safe passwords instead.",
    "没有收到您说的材料，可能是上传失败了。请您重新发送一次，或者把正文复制到这里，我再为您撰写。",
    "内容生成失败：触发安全策略。",
    "Your request was rejected as a result of our safety system.",
    "很抱歉，我无法帮您写这篇文章。",
    "对不起，我不能提供这类内容。",
    "抱歉，作为一个人工智能助手，我无法生成这样的文本。",
    "我无法为您创作这样的故事。",
    "请恕我不能代您撰写虚假的证明文件。",
    "您的问题涉及敏感信息，请修改后再试。",
]

TOO_LONG = [
    "As an AI language model, I cannot provide a text of 20,000 words.",
    "I'm really sorry, but as an AI assistant, I'm not able to produce such a long text in one go.",
    "**I can't create an article of that length.**\n\nI could offer an outline instead.",
    "I'm unable to write a 15,000 word story in a single response. Here is a summary of the plot.",
    "作为AI语言模型，我不能撰写超过一万字的小说。",
    "由于字数限制，我只能提供文章的一部分内容。如果需要更多，请告诉我。",
    "Five hundred pages is more than I can put out in a single turn. Which chapter should come first?",
    "两万五千字的论文无法在一条消息中交付，请先选定一章，我们从那里开始。",
    "That is an enormous undertaking, some 300 pages. I can help, although not all in one piece.",
    english_prose(150) + "\n\n(Word limit reached. I'd need another message for the ending.)",
    chinese_prose(150) + "\n\n因任务较为复杂、篇幅较长，目前仅呈现开篇，其余章节待确认后补充。",
]

NOTES = [
    "[Due to space limits, the remaining chapters are omitted. Please ask me to go on if you want them.]",
    "(Since the complete text of 12,000 words cannot fit in one response, here is the opening of it.)",
    "（完整的三万字超出了单次输出的上限，以上为节选。）",
    "[Chapters 4 to 9 are left out here.]",
    "……（中间部分省略）……",
]

NEITHER = [
    "“I'm sorry, but I can't help you,” said Mara, and she closed the shutters of the bakery.",
    '"I cannot write this," the clerk whispered, pushing the paper back across the desk.',
    "I cannot remember the day the river froze, but my sister swears that it did.",
    "Dear Ms Okafor, I'm sorry that I can't attend the meeting on Friday. Kind regards, Tom",
    "Dear Tom, I can't help with the move on Saturday, I'm sorry. My back is bad again. Ask your brother.",
    "I'm sorry about the delay. Your parcel has left our depot today and will arrive on Monday.",
    "I can't help falling in love with the way that you laugh when the rain comes in.",
    "We cannot thank you enough for the warm welcome at the harbour festival.",
    "We regret that the pool cannot be used this week. Please use the one in the Mill Road instead.",
    "“我不能帮你写这封信。”老人把笔放回桌上，转身走进雨里。",
    "很抱歉，本店因装修自下周一起暂停营业，给您带来不便，敬请谅解。",
    "很抱歉，由于航班延误，我不能参加明天的会议。",
    "通知：因设备检修，本周图书馆无法提供借阅服务，敬请谅解。如有疑问请致电前台。",
    "爸，我不能继续念下去了，钱是我花的。您别怪老师。",
    "As an architect, I can tell you that light matters more than walls.",
    "Helping is hard.",
    "I'm not a doctor, and I can't give advice on your own case, but this is what is known. "
    + english_prose(150),
    "I can't promise exactly 200 words, but here is a description that comes close: " + english_prose(150),
    english_prose(150)
    + "\n\nThe report, at 400 pages, is too long for this newsletter; a summary is at the library.",
    english_prose(150) + "\n\nLet me know if you would like it longer, shorter or in a different tone.",
    chinese_prose(150) + "\n\n（未完待续）",
    chinese_prose(150) + "\n\n希望这个故事合您的心意！需要的话我还可以写续集，或者把某一段展开。",
    "I am writing to resign as treasurer. I can no longer support the policy. Please tell me what you need.",
    "I am out of the office until Monday and cannot answer messages. If your request is urgent, please ask"
    " Mr Lee. I will be happy to help when I return.",
    "Mr. Brown, I have read your request for an extension. I'm afraid I cannot grant it. If you want to"
    " appeal, please contact the office.",
    "Thank you for your manuscript. Unfortunately I cannot offer to publish your story. Please feel free to"
    " send other work.",
    "The capital of France is Paris. Let me know if you want more information about its history.",
    "张老师您好，我是三班李明的家长。那份材料我们还没有收到，麻烦您发给我，谢谢！",
    "小李，你的请求我看了，可是我没法答应。这件事违反规定。如果你愿意，我可以帮你找别的办法。",
    "<script>window.hacked = 1</script>",
    "Harmful and illegal content fills the old archive.",
    "",
    REFUSALS[0] + " " + english_prose(400),
    REFUSALS[-1] + chinese_prose(400),
    english_prose(100) + " " + REFUSALS[0],
]


@pytest.mark.parametrize("text", REFUSALS)
def test_refusals(text):
    assert declining(text) == "refused"


@pytest.mark.parametrize("text", TOO_LONG)
def test_texts_that_are_called_too_long(text):
    assert declining(text) == "declined_length"


@pytest.mark.parametrize("prose", [english_prose(3000), chinese_prose(3000)], ids=["en", "zh"])
@pytest.mark.parametrize("note", NOTES)
def test_a_note_at_either_end_of_a_long_text_or_set_apart_in_it_says_that_it_is_not_all(note, prose):
    assert declining(f"{prose}\n\n{note}") == "declined_length"
    assert declining(f"{note}\n\n{prose}") == "declined_length"
    assert declining(f"{prose}\n\n{note}\n\n{prose}") == "declined_length"
    assert declining(f"{prose}\n\n{prose} {note.strip('[]()（）')} {prose}\n\n{prose}") is None


@pytest.mark.parametrize("text", NEITHER)
def test_what_declines_nothing_that_was_asked_for(text):
    assert declining(text) is None


@given(st.text(st.sampled_from("I'm sorry can't write一次写完字抱歉“”\"「」.。 \n"), max_size=2 * END))
def test_any_text_is_read(text):
    assert declining(text) in (None, "refused", "declined_length")


@pytest.mark.parametrize(
    "piece", ["I am ", "我无法", "sorry, ", "as an ", "“", '"', "「", "I can't " * 3 + "x "]
)
def test_hostile_long_texts_end(piece):
    assert declining((piece * 200_000)[:200_000]) is None
