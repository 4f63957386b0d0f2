"""The words of answers that decline, in English and Chinese, each a pattern for one sentence."""

from __future__ import annotations

import re


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


SALUTATION = _any(
    r"dear (?!user|customer)|to (?:whom|my|our|the) [^.\n]{1,30}[:,]\s|(?:from|subject|re|q): "
    r"|(?:\w+ )?notice\b|terms of|statement (?:by|of)|we regret",
    r"(?:my )?(?:son|daughter|mom|mum|mother|dad|father|grandma|grandpa|darling|love|friends?|brother|sister"
    r"|ladies)\b *[,:]",
    r"亲爱的(?!用户|客户)|(?!尊敬的(?:用户|客户)|您好|你好|抱歉|注)[^\n，。：:]{1,16}[：:]\s*\n|各位"
    r"|[问致][：:]",
    r"[^\n，。：:]{0,8}(?:公告|通知|启事|须知|告示)|(?:爸爸?|妈妈?|爹|娘|爷爷|奶奶|外婆|老师|儿子|女儿"
    r"|孩子)，",
)
"""How letters, notices and conversations begin: what is declined in them is declined by somebody in them."""

_UNABLE_EN = (
    r"(?:can(?:no|')t|can not|could(?:n't| not)|won't|will not|wouldn't|would not|shouldn't|should not"
    r"|(?:am |'m |are |'re |be )?(?:not (?:\w+ )?(?:able|going|comfortable|willing|permitted|allowed"
    r"|prepared|designed"
    r"|in a position)|unable|unwilling|uncomfortable)(?: to| with)?"
    r"|(?:'d|would) (?:\w+ )?(?:prefer|rather) not(?: to)?|don't think (?:that )?i (?:should|can)|do(?:n't"
    r"| not)"
    r"(?: feel comfortable| have the ability to)?|(?:refuse|decline) to)"
)
_WRITE_EN = (
    r"(?:writ|creat|produc|provid|generat|compos|reproduc|fabricat|depict|portray|impersonat)(?:e|ing)"
    r"|(?:draft|complet|discuss|shar|answer|respond)(?:e|ing)?(?: to)? (?:one|you|your|this|that|these|those"
    r"|such|any"
    r"|content|the)"
)
_TASK_EN = r"(?:request|prompt|message|input|query|topic|content)"
_RULES_EN = (
    r"(?:guidelines|polic(?:y|ies)|principles|programming|terms of (?:use|service)|rules|safety standards)"
)
_I_EN = r"\b(?:i|we)(?: |(?='))(?:\w+ ){0,2}"
_THIS_EN = r"(?:that|this|it|so)(?: (?:one|kind|sort|type|request)| for you)?(?= *(?:[,;:)—–]|$| - | of ))"
_PLAIN_EN = (
    rf"{_I_EN}{_UNABLE_EN} (?:\w+ ){{0,3}}(?:help|assist|engage|continue|participate|proceed)(?: you)?"
    rf"(?: (?:with|in|on)\b| *(?:[,;:—–]|$)| (?:to )?(?:write|draft|create|produce))",
    rf"{_I_EN}{_UNABLE_EN} (?:\w+ ){{0,3}}(?:(?:fulfil|fulfill|satisfy|accommodate|honou?r|complete|process"
    rf"|comply with)"
    rf" (?:\w+ )?{_TASK_EN}|comply\b)",
    rf"{_I_EN}{_UNABLE_EN} (?:\w+ ){{0,2}}(?:do|write|writing|create|provide|produce|draft) {_THIS_EN}",
    rf"\b{_TASK_EN}s? (?:\w+ ){{0,4}}(?:declined|rejected|blocked|denied|refused|flagged|filtered)\b",
    r"\b(?:\w+ly )?(?:inappropriate|irresponsible|unethical|not (?:right|appropriate|ethical|responsible"
    r"|possible)"
    r"|(?:wouldn't|isn't) be (?:right|appropriate)) (?:of|for) me to\b",
    rf"\b(?:violat\w+|against|breach\w*|conflicts? with|not (?:permitted|allowed) (?:by|under))"
    rf" (?:\w+ ){{0,3}}{_RULES_EN}",
    r"\b(?:isn't|is not|not) something (?:that )?i(?:'m| am|'ll| will| can)|\boutside (?:of )?what i(?:'m"
    r"| am| can)",
    r"\bi(?:'ll| will|'d| would|'m| am)? ?(?:have to|must|need to|going to have to|am going to)? ?(?:\w+ly )?"
    r"(?:pass(?: on (?:this|that)|$)|say no to (?:this|that)|decline (?:this|that|to (?:write|create|produce"
    r"|help)))",
    r"\bi (?:must|have to|need to|'ll have to) (?:\w+ly )?(?:decline|refuse) *(?:$|[,;:])",
    r"\bpolicy violation\b|^\W*(?:nope|no|sorry)\W+(?:but )?(?:i )?(?:can't|cannot|won't) (?:do|write"
    r"|help)\b",
    r"恕难(?:从命|照办)|恕不从命|碍难(?:从命|照办)|不能照办",
    r"(?:请)?(?:换|更换|另选|另择)(?:一)?[个种]?(?:其他|别的)?(?:话题|题目|主题|内容|问题)",
    r"(?:不符合|违反|违背|有违|触犯)[^，。；：]{0,12}(?:规定|准则|政策|法律|法规|规范|原则)",
    r"被[^，。]{0,6}(?:拦截|屏蔽|过滤)|不予(?:展示|显示|回答|生成)|(?:修改|更换)后(?:再|重)|重新输入"
    r"|涉及?[^，。]{0,4}敏感"
    r"|超出[^，。]{0,4}能力",
    r"(?:无法|不能|不便|不会|没法|没办法|没有办法|拒绝|恕不|不予"
    r"|暂时无法)(?:[为给替帮按][^，。；：]{0,8})?(?:回答|满足|协助|提供|生成|给[到出]"
    r"|撰写|创作|处理|完成|支持)[^，。；：]{0,10}(?:[这此该类]|任何|请求|内容|信息|要求|问题|帮助|指导|文本"
    r"|[您你]的)",
    r"(?:不能|不会|没法|不便|无法|不想|不可以|不打算)写(?:这|那|此|$)|(?:聊|谈|说)[点些]?(?:别的|其他)"
    r"|选择不写|就不写了|学会回答",
)
DECLINES_PLAINLY = _any(*_PLAIN_EN)
"""Declines a task, and could hardly stand for anything else."""

DECLINES = _any(
    *_PLAIN_EN,
    rf"{_I_EN}{_UNABLE_EN} (?:\w+ ){{0,3}}(?:{_WRITE_EN})\b",
    rf"{_I_EN}(?:\w+ly )?(?:(?:decline|refuse)(?: to (?:write|create|produce|provide|help|assist|engage|do)\b"
    rf"| (?:this|that|your)\b|\W*$)|won't be able)",
    r"\bi(?:'d| would) (?:\w+ )?(?:prefer|rather) not\b|\bprefer to (?:talk|speak|focus)\b|\bwe (?:don't"
    r"|do not) allow\b",
    r"\bcan(?:no|')t be (?:written|created|generated|produced|fulfilled)\b",
    r"(?:无法|不能|不便|不会|不可以|不可|没法|没办法|没有办法|难以|不宜|拒绝|不(?:太)?方便|恕不|就不|不愿"
    r"|不予|不应|不该|未能)"
    r"[^，。；：]{0,10}?(?:撰写|创作|生成|协助|帮(?:助|忙|[您你])|回答|满足[您你]|完成(?:这|此|该|[您你])"
    r"|发表|讨论|编写|编造"
    r"|描写|代写|代笔|写(?!字|作|信)|参与|展开|输出|给[到出]|继续(?:这|此|该)|处理(?:这|此|该|[您你])|执行"
    r"|支持(?:这|此|该|您|你)"
    r"|冒充|提供[^，。；：]{0,6}(?:这|此|该|相关|内容|信息|帮助|原文|方法|文本|指导))",
    r"(?:写|帮|做)不[了到上]|写不出|(?:没法|不能|不会)答应",
)
"""Declines a task, it seems."""

NEGATES = _any(
    r"\b(?:can(?:no|')t|can not|won't|will not|wouldn't|would not|shouldn't|should not|couldn't|do(?:es)?n't"
    r"|do(?:es)? not|am not|i'm not|isn't|is not|aren't|are not|never|not able|unable|no way|nothing)\b",
    r"\b(?:prefer|rather) (?:not|to (?:skip|leave|steer|talk|keep))\b|\b(?:decline|refuse|withheld|denied"
    r"|rejected|blocked|restricted|prohibited|forbidden|unavailable|unsuitable)\b|\bsit (?:this"
    r"|that)?\w* ?out\b",
    r"\b(?:answer|it)(?:'s| is) (?:a )?no\b|\bsay no\b|\bno can do\b|^\W*(?:oof|nope|no)\b|\b(?:draw"
    r"|drawing) the line\b|\boff (?:the table|limits)\b|\bout of bounds\b",
    r"\b(?:stay(?:ing)?|keep(?:ing)?|steer(?:ing)?|back(?:ing)?) (?:away|out|clear|off)\b|\b(?:leave|leaving"
    r"|set|setting|put|putting) (?:this|that|it)(?: one)? (?:alone|aside|out|down)\b|\bstop here\b|\bpass\b"
    r"|\bagainst\b|\bviolat|\bhave no part\b",
    r"\bbeyond (?:what|my)|\boutside (?:of )?(?:what|my)|\bi lack\b|\bhave no\b|\bdisappoint you\b|\b(?:try"
    r"|tried|talk about|choose) something (?:else|different)\b",
    r"不能|无法|不会|不便|不宜|不可|不行|不愿|不想|不予|不提供|不支持|不适合|不合适|不妥|不方便|恕|难以|拒绝"
    r"|没法|没有?办法|做不|办不到|帮不|写不|爱莫能助|回避|跳过|到此为止|违反|违背|不符|禁止|限制|敏感|拦截"
    r"|屏蔽|谢绝|婉拒|不参与|不作|不做|不写|不接|不碰|不敢|不好|不建议|不予|暂不|没有权限|换[个种]",
    r"\bnot (?:something|mine|for me|going to|possible|available|appropriate|okay|right)\b|\b(?:sidestep"
    r"|refrain|abstain|reluctant|hesitat\w+|uncomfortable|uneasy)\b|\b(?:won't|can't) be\b|\bnone of\b"
    r"|\bwithout me\b",
    r"不可取|不应|不该|不太|不忍|不是我|没有(?:资格|能力|权限|立场|身体|记忆|亲身)|未能|无权|没资格|无能为力"
    r"|力不[能所从]|超出|不得|另请高明|打住|搁笔|不打算|不准备|不希望|不赞成|不鼓励|不涉及|无从|不用我"
    r"|不同意|并不|没办法|不出来|不下去|不适宜|不允许|不成",
    r"\bshall not\b|\bi refuse\b|\b(?:leave|left|leaving) out\b|\bnobody\b|^\W*no(?:$|\W)|\bcan only\b"
    r"|\bstumped\b|\bavoid\b|\bdeserves? better\b|\bpure (?:invention|guesswork|fiction)\b",
    r"无可奉告|免了|超纲|答不上|妄议|难住|为难|三思|^\W*[不否]$|不得不|只能是|等于胡|不负责|谈不上|没有(?:一"
    r"|任何|性别|昨|真实)|哪里写|怎么能|岂能|岂敢|何必|免谈",
)
"""Denies or forbids something, whoever does."""

FIRST_PERSON = _any(r"\b(?:i|i'm|i'd|i'll|i've|we|this assistant)\b", r"我|本助手|在下")
"""The writer speaks."""

TASK = _any(
    r"\b(?:write|writing|written|ghostwrit\w+|compose|draft|text|story|stories|essay|article|content|topic"
    r"|request|prompt|poem|piece|subject|material|memoir|letter|speech|post|scene|question|instructions"
    r"|pamphlet|column|novel|fiction|review|report|diary|chapter|paragraph|summary|version|message"
    r"|information|quote|describe|reproduce|produce|generate|create)s?\b",
    r"写|文章|文字|文本|内容|话题|题材|题目|主题|请求|要求|故事|创作|小说|生成|作品|回答|问题|剧本|稿|材料"
    r"|信息|描|任务|指令|输入|落笔|动笔|执笔|从命|忙|情节",
)
"""Speaks of texts and of writing."""

SERVICE = _any(
    r"\b(?:ai|language model|assistant|chatbot|training data|my training|policy|policies|guidelines|usage"
    r"|prompt|content|programmed|designed|safety|system|user|request)s?\b",
    r"(?<![a-z])AI(?![a-z])|人工智能|语言模型|模型|助手|系统|程序|规定|准则|政策|规范|请求|知识|内容|话题"
    r"|题材|指令|输入",
    r"\b(?:service|feature|capabilit\w+|function|tool|chat|conversation|developers?|platform|ability)\b",
    r"服务|平台|用户|功能|能力|设定|训练|数据|机器人|对话|输出|提问|咨询",
)
"""Speaks of the service that writes, and of its rules."""

OFFERS_OTHER = _any(
    r"\b(?:happy|glad|delighted|pleased) to (?:\w+ ){0,2}(?:help|write|draft|brainstorm|create|discuss"
    r"|work)\b",
    r"\bi(?: can| could|'d|'ll| would| will) (?:\w+ )?(?:write|draft|create|outline|summari[sz]e|brainstorm"
    r"|help you)\b",
    r"\bi(?: can| could) (?:(?!not\b)\w+ )?(?:offer|do)\b|\bwould you like (?:me|a|an|to)\b"
    r"|\blet me know (?:if|which"
    r"|what)\b",
    r"我(?:也|很|们)?(?:可以|愿意|乐意|来帮)[^，。]{0,12}(?:写|提供|介绍|整理|起草|动笔|概述|创作|讨论|探讨"
    r"|帮助)",
    r"\b(?:what|something) (?:that )?i(?:'m| am| can| could)\b|\bi (?:can|could|would)\b(?!')|\bi'd be\b"
    r"|\bi'll (?:gladly|happily)\b|\bask (?:me )?(?:for|about)\b|\bhow about\b|\binstead\b|\balternative"
    r"|\b(?:any|some)thing else\b|\bother (?:topic|idea|subject)s?\b|\bgladly\b|\bhappy to\b|\bglad to\b"
    r"|\blet me know\b|\bfeel free\b|\btry (?:again|another)\b|\bplease (?:try|rephrase|revise|consult"
    r"|contact)|\bif you(?:'d|'re)? (?:like|want|need|wish|prefer)|\bshould you (?:wish|want|need)\b"
    r"|\bwould you (?:like|prefer|mind)\b|\bat your disposal\b|\bcome back\b|\breach out\b",
    r"可以[为给帮替]|我(?:也|很)?(?:可以|愿意|乐意|能)|如果[您你]|若[您你是]|如需|[您你]若|不妨|换[个种成]"
    r"|咱们|要不|比如|欢迎|请(?:更换|修改|换|尝试|告诉|告知|重新|提供)|另择|建议|倒是|怎么样|好不好|好吗"
    r"|告诉[您你]|乐意|效劳|试试",
    r"\b(?:we could|we can|could we|how would|what if|a (?:different|milder|safer|fictional)|rather|i'm in"
    r"|any other)\b",
    r"愿意的话|需要的话|不如|倒可以|可为|我来|[帮陪][您你]|聊聊|改写|改为|请联系|请咨询|求助|参考|提问|随时",
    r"\bcould you\b|\bshow me\b|\btell me\b|\bpaste\b|\bpick another\b|\blet's\b|\bi'll be here\b"
    r"|\bi'd like to\b|\bwould work\b|\bseek another\b",
    r"可以吗|愿意(?:跟|和|听|陪)|说说|另请|去图书馆|乐意|别的(?:手法|写法|题目)|[想要]悬疑|换一[个下]|写一个",
)
"""Offers something else."""

REASONS = _any(
    r"\b(?:harm\w*|hurt\w*|danger\w*|risk\w*|illegal|unlawful|law|laws|unsafe|violen\w+|hat(?:e|red|eful)"
    r"|contempt|discriminat\w+|insult\w*|slurs?|abus\w+|exploit\w*|minors?|sexual\w*|explicit|erotic"
    r"|fraud\w*|forg\w+|fake|false|decei\w+|mislead\w*|misinformation|hoax|privacy|private|personal|consent"
    r"|defam\w+|copyright\w*|plagiari\w+|cheat\w*|dishonest\w*|weapons?|drugs?|attack\w*|unproven|guesswork"
    r"|invent(?:ed|ion)?|made up|endors\w+|neutral\w*|opinions?|preferences?|political\w*|harass\w*|crisis"
    r"|ethic\w*|inappropriate|sensitive)\b",
    r"违法|法律|法规|犯法|伤害|危害|危险|风险|安全|隐私|侵犯|侵权|版权|歧视|仇恨|暴力|色情|未成年|诽谤|诈骗"
    r"|虚假|伪造|误导|造谣|传闻|中立|立场|观点|经历|情感|编造|煽动|辱骂|不端|作弊|不妥|有辱|尊重|关乎|敏感"
    r"|制毒|美化",
    r"\b(?:dignity|mock\w*|ridicul\w*|bull(?:y|ying)|stereotyp\w*|prejudic\w*|racis\w+|sexis\w+|propaganda"
    r"|terroris\w+|extremis\w+|suicid\w*|self-harm|hotline|lawyer|professionals?|therapist|homework|academic"
    r"|integrity|impersonat\w*|reputation|libel\w*|slander\w*|verif\w*|real-time|up-to-date|browse|internet"
    r"|hack\w*|malware|passwords?|steal\w*|counterfeit\w*|felony|crimes?|criminal\w*|prison|victims?"
    r"|vulnerable|cruel\w*|degrad\w*|humiliat\w*|graphic|pornogra\w*|responsib\w*)\b",
    r"尊严|人身|攻击|侮辱|嘲笑|欺骗|欺诈|骗|抄袭|剽窃|学术|诚信|独立完成|代写|医生|律师|专业|就医|热线|拨打"
    r"|心理|自杀|自伤|名誉|肖像|声誉|偏见|血腥|恐怖|极端|枪|毒|炸|黑客|入侵|漏洞|密码|破解|违规|违背"
    r"|公序良俗|道德|伦理|良知|底线|后果|宗教|民族|未经|授权|核实|证据|不实|事实|客观|公正|个人看法|亲身"
    r"|实时|最新|查证|原文|保护期|真实人物|真人|冒充|利益",
    r"\b(?:damage|ruin\w*|concerned for|safety|safely|burglary|firearms?|treason|ongoing|unproven"
    r"|real actress|truthful\w*|honest\w*|kinder|respect|unfair|offen[cs]\w+|disrespect\w*|sensitive"
    r"|divisive|rumou?rs?)\b",
    r"害了|害人|难过|别这么做|劝[您你]|枪支|虐待|造谣|胡编|投票|拉票|权益|公开出去|不好笑|老老实实|诬告|作者"
    r"|难听|冒犯|不敬|敬重|内幕|预测|编的|骗[您你]",
)
"""Gives a reason for which services decline."""

REGRETS = _any(
    r"\b(?:sorry|apolog\w+|unfortunately|regret\w*|afraid|thank you for|thanks for|i understand|i appreciate"
    r"|with respect|flattered)\b",
    r"抱歉|对不起|不好意思|遗憾|感谢|谢谢|理解|谅解|见谅|海涵",
)
"""Regrets, or thanks."""

NARRATES = _any(
    r"\b(?:he|she|his|her|him|they|them|their|was|were|had|said|came|went|asked|told|took|looked|saw|knew)\b",
    r"他|她|说[：:，]|了[，。]|着[，。]?|走|坐|看见",
)
"""Tells of others."""

_TEXT_EN = (
    r"(?:text|essay|stor(?:y|ies)|novels?|novella|articles?|books?|reports?|manuscript|versions?|pieces?"
    r"|works?"
    r"|documents?|screenplay|script|plays?|guides?|content|length|draft|memoir|histor(?:y|ies)|papers?"
    r"|thesis|speech"
    r"|manual|textbook|dissertation|course|answer|response|thing|requests?)"
)
_NUMBER_ZH = r"(?:[0-9][0-9,，]*|[几数]?[一二两三四五六七八九十百千万]+)[ 多余来]?[万千]?个?[字词]"
WHOLE = _any(
    rf"\b(?:full|entire|complete|whole|finished) (?:[\w,-]+ ){{0,3}}?{_TEXT_EN}\b",
    r"[0-9][0-9,]*k?(?: |-)(?:\w+ )?words?\b|thousand(?: |-)words?\b|\bto the [0-9][0-9,]+\b",
    r"\b(?:this|that|such|so|requested) (?:an? )?(?:long|lengthy|length|size|scope|many words)\b",
    r"\b(?:its|the (?:requested|required|asked)) length\b|\binstead of the [0-9]|\bmore chapters\b",
    rf"完整|全文|全篇|全书|全部内容|整篇|整部|整本|{_NUMBER_ZH}|[这此]么长|如此长|这样长|长[篇文]|要的篇幅",
)
"""The whole text that was asked for, or its length."""

LENGTH = _any(r"\bwords?\b|\blong\b|\blength\b|\bat once\b|\bin one\b|\bsingle\b", r"[字词长]|一次|单次|篇幅")
"""Length, in a sentence that declines."""

_MAKE_EN = r"(?:write|produce|generate|deliver|provide|create|complete|fit|cover|give)"
_REPLY_EN = r"(?:response|reply|message|answer|turn|output|session)"
REPLY_LIMIT = _any(
    rf"\b(?:in|within|into|of|with) (?:a|one|the|this|my|each) (?:single |one )?{_REPLY_EN}\b",
    rf"\bkeep (?:this|the|my) {_REPLY_EN}\b|\bmaximum length\b|\bpartial (?:draft|version|text)\b",
    r"\b(?:length|space|token|word|output|size|character|response|reply)s? (?:\w+ )?"
    r"(?:limit\w*|constraint\w*|restriction\w*|available to me|cap)\b"
    r"|\b(?:limit\w*|constraints?) (?:\w+ ){0,4}(?:output|reply|response)\b",
    r"(?:篇幅|字数|长度|输出|回复|回答)[^，。]{0,6}(?:限制|所限|上限|超|原因)|(?:限于|受)[^，。]{0,8}(?:篇幅"
    r"|长度|字数)",
    r"(?:单次|一次性?)[^，。]{0,12}(?:回复|回答|输出|生成)|篇幅[^，。]{0,4}[过太较][长大]|未完待续|输出长度",
)
"""Limits of one reply."""

LIMIT = _any(
    REPLY_LIMIT.pattern,
    r"\b(?:run|ran|running) out of (?:room|space)\b|\b(?:top|max)(?:s|es)? out\b|\b(?:chat|one) window\b"
    r"|\b(?:cut|cuts|getting cut)"
    r" (?:down|off|short)\b|\bstop (?:here|for now|at this point)\b|\binstead of the [0-9]"
    r"|\bbecause of its length\b",
    r"截断|输出长度|一次性|多轮",
    r"\b(?:too|quite|rather|very) (?:long|large|lengthy)\b|(?:n't|\bnot) (?:feasible|practical|realistic)\b"
    r"|\bcontinues like this\b|\blonger than (?:i|what i|one|a single|my)\b|\bexceed\w*"
    r"|\b(?:beyond|over|more than) (?:what i|my|the (?:limits?|scope))\b",
    r"\b(?:can(?:not|'t)|won't|will not|doesn't|does not|wouldn't) (?:\w+ )?fit\b|\bwould follow\b",
    rf"\b{_MAKE_EN}\b[^.]{{0,60}}\b(?:at once|at a time|in one go)\b|\blimited in how\b|\bin this format\b",
    r"限于|受限|[太过]长|篇幅[^，。]{0,6}[过太较很][长大]|上限|超出|超过|(?:单次|一次性?|一口气"
    r"|一下子)[^，。]{0,12}(?:写|完成|呈现"
    r"|给出"
    r"|容纳)|[写放容]不[完下]",
    r"(?:写|完成|生成)[^，。]{0,12}(?:不可能|不现实|不太现实|有困难)|(?:不可能|不太现实"
    r"|不现实)[^，。]{0,4}(?:一次|写)",
)
"""Why the whole text is not there."""

OFFER = _any(
    r"\b(?:skeleton|table of contents|single (?:act|chapter|scene)|only the|written out|in stages"
    r"|more chapters)\b"
    r"|\bfirst (?:quarter|half|third|lesson|draft|few|two|three|one)\b|\bkept this to\b|\btell me when\b",
    r"骨架|目录|一[章节段步]一[章节段步]|只(?:能)?写|接着写|写到|回复[^，。]{0,4}(?:继续|获取)|压缩|多轮"
    r"|小传|第一课",
    r"\b(?:outline|condensed|abridged|abbreviated|excerpt|synopsis|overview|prologue|omitted|step by step"
    r"|on request)\b"
    r"|\b(?:short(?:ened|er)?|brief|sample) (?:version|text|piece|sketch|summary)|\bsummary of\b",
    r"\b(?:opening|first|initial|beginning|remaining|next|following|rest|other) (?:\w+ )?(?:part|section"
    r"|chapter"
    r"|scene|act|portion|instal?lment|of the|page)s?\b|\bpart (?:one|1|i)\b|\b(?:opening|beginning"
    r"|start) of\b",
    r"\blet me know\b|\b(?:to be )?continued? (?:in|with|from|the)\b|\b(?:can|will|to|please|'ll) continue\b"
    r"|\b(?:in|into) (?:\w+ )?"
    r"(?:parts|stages|sections|chapters|pieces)\b|\bexpand\b|\blengthen\b|\bif you(?:'d| would)? (?:like"
    r"|want|wish)\b",
    r"\b(?:section|chapter|part|scene|piece) by\b|\bbreak (?:it|this)\b|\bwould you like\b|\bask me to\b",
    r"大纲|提纲|梗概|框架|概要|摘要|精简|简略|简要|简版|缩[写略减]|压缩|浓缩|节选|选段|片段|开头|开篇|开场"
    r"|[首前第][一两三]?[章节幕部]",
    r"部分|先(?:为|给|提供|写|列|定|从|呈|把)|继续|续写|后续|接下来|其余|余下|剩下|分成?(?:[多几数]"
    r"|若干)?[次步章段批]"
    r"|逐[章段步]"
    r"|告诉我|告知|展开|仅[列展提写]|短一些|较短",
)
"""What there is in its place."""

ADDRESS = _any(
    r"\b(?:i|my|me|you|your|we)\b|\bhere(?:'s| is| are)\b|\bbelow\b|\babove\b|\bnote\b|\brequest",
    r"[您你我咱]|以下|以上|下面|上面|这里|此处|此呈现|本次|如下|注[：:]",
)
"""Somebody speaks to the reader."""
