"""The words of answers that decline, in English and Chinese, each field a pattern for one sentence."""

from __future__ import annotations

import re


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


SALUTATION = _any(
    r"dear (?!user|customer)|to (?:whom|my|our|the) [^.\n]{1,30}[:,]\s|(?:from|subject|re|q|question): "
    r"|(?!i )(?:\w+ )?notice\b|terms\b|statement (?:by|of)|we regret|(?:hi|hello),? [A-Z]\w+[,!]",
    r"(?:my )?(?:son|daughter|mom|mum|mother|dad|father|grandma|grandpa|darling|love|friends?|brother"
    r"|sister|ladies)\b *[,:]",
    r"亲爱的(?!用户|客户)|(?!尊敬的(?:用户|客户)|您好|你好|抱歉|注)[^\n，。：:（(]{1,16}[：:]\s*\n|各位"
    r"|[问致][：:]",
    r"[^\n，。：:]{0,8}(?:公告|通知|启事|须知|告示|声明)(?=\s*[\n：:])|(?:爸爸?|妈妈?|爹|娘|爷爷|奶奶|外婆"
    r"|老师|儿子|女儿|孩子)，",
    r"i(?:'m| am) (?:writing (?:to|on|in|about|because)|applying|out of (?:the )?office)\b"
    r"|(?:mr|mrs|ms|dr|prof)\b\.? ?\w+,|thank you for your (?:invitation|letter|review|manuscript|order"
    r"|submission|application)\b",
    r"[^\s，。：:？?！!]{1,3}(?:老师|经理|先生|女士|主任|医生|律师|教授|同学|书记|阿姨|叔叔|师傅)"
    r"(?:[，：:]|[您你]好)|小[\u4e00-\u9fff]，",
)
"""How letters, notices and conversations begin: what is declined in them is declined by somebody in them."""

_UNABLE_EN = (
    r"(?:can(?:no|')t|can not|could(?:n't| not)|won't|will not|wouldn't|would not|shouldn't|should not"
    r"|(?:am |'m |are |'re |be )?(?:not (?:\w+ )?(?:able|going|comfortable|willing|permitted|allowed"
    r"|prepared|designed|in a position)|unable|unwilling|uncomfortable)(?: to| with)?|(?:'d"
    r"|would) (?:\w+ )?(?:prefer|rather) not(?: to)?|don't think (?:that )?i (?:should|can)|do(?:n't"
    r"| not)(?: feel comfortable| have the ability to)?|(?:refuse|decline|have) to|avoid|never)"
)
_WRITE_EN = (
    r"(?:writ|creat|produc|provid|generat|compos|reproduc|fabricat|depict|portray|impersonat|draft|giv"
    r"|shar|offer|discuss|engag|promot|encourag|endors|condon|answer|respond|continu|develop|design|mak"
    r"|support|recommend|describ|explain|imitat|translat|argu|advis)(?:e|ing)?"
)
_HELP_EN = r"(?:help|assist|engage|continue|participate|proceed|comply|support)(?:ing)?"
_TASK_EN = (
    r"(?:request|prompt|message|input|quer(?:y|ie)|topic|content|response|output|answer|feature|material"
    r"|text|conversation|generation|warning|filter)"
)
_MEANS_EN = (
    r"(?:access|abilit(?:y|ies)|way|means|information|knowledge|opinions?|preferences?|views?|memor(?:y"
    r"|ies)|feelings|experiences?|senses|body|browsing|attachments?)"
)
_I_EN = r"\b(?:i|we)(?: |(?='))(?:\w+ ){0,2}"
_THIS_EN = r"(?:that|this|it|so)(?: (?:one|kind|sort|type|request)| for you)?(?= *(?:[,;:)—–]|$| - | of ))"
_UNABLE_ZH = (
    r"(?:无法|不能|不便|不会|不可以|没法|没办法|没有办法|难以|不宜|拒绝|不(?:太)?方便|恕不|就不|不愿|不予"
    r"|不应|不该|未能|不具备|不想|不打算|不建议|不作|不做|没有学会|还?没有?学会|写不|做不|帮不)"
)
_THE_TASK_ZH = r"(?:[这此该类]|任何|请求|内容|信息|要求|问题|帮助|指导|文本|原文|相关|[您你]的?)"

_PLAIN = (
    rf"{_I_EN}{_UNABLE_EN} (?:\w+ ){{0,3}}{_HELP_EN}(?: you)?(?: (?:with|in|on)\b| *(?:[,;:—–]|$)"
    rf"| (?:to )?(?:write|draft|create|produce))",
    rf"{_I_EN}{_UNABLE_EN} (?:\w+ ){{0,3}}(?:fulfil|fulfill|satisfy|accommodate|honou?r|complete|process"
    rf"|comply with)"
    rf" (?:\w+ )?{_TASK_EN}",
    rf"{_I_EN}{_UNABLE_EN} (?:\w+ ){{0,2}}(?:do|write|writing|create|provide|produce|draft) {_THIS_EN}",
    r"^\W*let's not\b|\b(?:thanks|thank you),? but no\b|\bmuch as i(?:'d| would)\b|\bcross(?:es|ing)? (?:a"
    r"|the|my) line\b|\b(?:appropriate|irresponsible|unethical|right|ethical|responsible|possible"
    r"|respectful) (?:of|for) me to\b",
    r"\bi(?:'ll| will|'d| would|'m| am)? ?(?:have to|must|need to|going to have to|am going to)? ?(?:\w+ly )?"
    r"(?:pass(?: on (?:this|that)|$)|bow out|say no to (?:this|that)|stop you|draw the line|refrain"
    r"|(?:decline|refuse)(?: (?:this|that|to (?:write|create|produce|help))| *(?:$|[,;:])))",
    r"\bi(?:'d| would) (?:\w+ )?(?:rather|prefer to) (?:leave|skip|steer|talk|focus|speak)\b|\b(?:come"
    r"|coming) from me\b|\bi(?:'ll| will|'d)? (?:take|have) no part\b|\bi'll take part in\b"
    r"|\bsomething i (?:avoid|won't|don't|refuse)\b",
    r"恕难(?:从命|照办)|恕不从命|碍难(?:从命|照办)|不能照办|爱莫能助|另请高明|另择题目",
    r"(?:换|更换|另选|另择)(?:一?[个种])?[^，。]{0,6}(?:话题|题目|主题|内容|问题|方向)|(?:聊|谈"
    r"|说)[点些]?(?:别的|其他)",
    rf"{_UNABLE_ZH}(?:[为给替帮按][^，。；：]{{0,8}})?(?:回答|满足|协助|提供|生成|给[到出]|撰写|创作|处理"
    rf"|完成|支持|讨论|聊)"
    rf"[^，。；：]{{0,10}}{_THE_TASK_ZH}",
    r"(?:不能|没法|不便|无法|不想|不可以|不打算|都不)写(?:这|那|此|$)|不会写[这那此]"
    r"|这[个类][^，。]{0,6}(?:不能写|写不了|不写)|选择不|就不写了|学会(?:怎么)?回答|帮不上忙",
)
DECLINES_PLAINLY = _any(*_PLAIN)
"""Declines a task, and could hardly stand for anything else."""

DECLINES = _any(
    *_PLAIN,
    rf"{_I_EN}{_UNABLE_EN} (?:\w+ ){{0,3}}{_WRITE_EN}\b|\bi (?:won't|will not) be \w+ing\b",
    rf"\bi (?:lack|have no|don't (?:\w+ )?(?:have|hold|see)|do not (?:\w+ )?(?:have"
    rf"|hold)) (?:[\w,]+ ){{0,3}}{_MEANS_EN}\b",
    r"\bi(?:'m| am|'ve been| was) (?:only|just|still|designed|programmed|trained)\b|\bi(?:'m| am|'ll be"
    r"|'ll) (?:\w+ )?(?:leav|sett|putt)ing (?:this|that|it)\b|\bi(?:'d| would) (?:\w+ )?(?:prefer"
    r"|rather) not\b|\bprefer to (?:talk|speak|focus)\b|\bnot doing (?:this|that)\b|\btoo far\b"
    r"|\bdecided not to\b|\bnot my place\b|\bisn't my place\b|\b(?:only able to|can only|only) (?:help"
    r"|assist|answer|process)\b|\bi(?:'m| am) (?:only |just )?an? (?:\w+ )?(?:text|language) model\b"
    r"|\ba no from me\b|\bi(?:'m| am) unable to \w+|\bleft (?:it|this|that|them) out of\b"
    r"|\bmakes? me (?:uneasy|uncomfortable)\b",
    rf"{_UNABLE_ZH}[^，。；：]{{0,10}}?(?:撰写|创作|生成|协助|帮(?:助|忙|[您你])|回答|满足|完成|发表|讨论"
    rf"|评价|编写|编造"
    r"|描写|代写|代笔|代为|写(?!字|作|信)|参与|展开|输出|给[到出]|继续(?:这|此|该)|处理|执行|支持|冒充"
    r"|提供|聊|获知|上网)",
    r"写不[了到出]|做不[了到]|(?:没法|不能|不会)(?:答应|这[么样]做)|我?(?:没有|并没有|不具备|并非"
    r"|只是)[^，。]{0,8}"
    r"(?:年龄|经历|情感|身体|能力|立场|观点|记忆|权限|程序|模型|上过)|看不了|听不了|^\W*(?:不行|不可以)"
    r"|忙[^，。]{0,4}(?:不能|没法|无法)帮|红线|不写为好|还是不[^，。]{0,6}为好|决定不|不敢(?:落笔|写|下笔)"
    r"|没法给|只能(?:解答|回答|协助|处理)|选择(?:不|沉默)|不支持|不会[^，。]{0,14}(?:评判|评价|触碰)"
    r"|不得不放弃|只能放弃",
)
"""Declines a task, it seems."""

BLOCKED = _any(
    rf"\b{_TASK_EN}s?(?: [\w']+){{0,5}}? (?:\w+ly )?(?:blocked|flagged|rejected|declined|denied|refused"
    rf"|filtered"
    r"|unavailable|triggered|stopped|terminated|prohibited|restricted|withheld|removed"
    r"|not (?:\w+ )?(?:available|allowed|permitted|supported)|(?:can(?:no|')t|could not|couldn't"
    r"|can not) be|violat\w+|breach\w*|outside|goes against|against|beyond)\b",
    r"\b(?:isn't|is not|aren't|not) (?:something|a thing|anything|one) (?:that )?(?:i\b|this assistant"
    r"|we\b)|\b(?:falls?|is|are|goes|lies|that's|it's) (?:\w+ )?(?:outside|beyond) (?:of )?(?:what|my"
    r"|the)\b|\boff (?:the table|limits)\b|\bout of scope\b|\bagainst (?:my|our)\b|(?:n't"
    r"|\bnot) (?:be )?(?:\w+ or )?(?:appropriate|ethical|right|respectful|responsible)\b",
    r"(?:内容|请求|输入|输出|话题|题材|功能|服务|要求|声明|作品|生成|信息|指令|回答)[^，。；]{0,10}(?:失败"
    r"|终止|中止|存在[^，。]{0,4}风险|不予|不在[^，。]{0,10}(?:范围|之内|之列)|不支持|未开放|拦截|屏蔽"
    r"|违规|违反|触发|敏感|不一致|不符|不合|受限|不可用|不适宜|不当)",
    r"恐怕不|不(?:太|大)?(?:合适|妥当|恰当|适宜)|不可取|[开要使]不得|不在[^，。；]{0,10}(?:范围|之列)"
    r"|触发[^，。]{0,6}(?:策略|机制|规则)|超出[^，。]{0,8}(?:范围|能力|权限)",
)
"""Says of a request or an answer that it is not allowed, whoever forbids it."""

ASKS = _any(
    r"\b(?:please |could you |can you |would you |kindly |you (?:might|could|can) "
    r"|if you )(?:\w+ ){0,3}(?:paste|upload|attach|share|send|provide|supply|tell me|copy|resend|specify"
    r"|clarify|include|give me)\b",
    r"\b(?:don't|do not|can't|cannot|didn't|haven't|have not) (?:\w+ )?(?:see|find|have|receive[d]?"
    r"|got) (?:\w+ ){0,3}"
    r"(?:attach\w+|files?|documents?|texts?|transcript|notes|links?|images?|access|details|information)\b",
    r"\b(?:no|without|missing) (?:\w+ )?(?:attachment|file|document|transcript|details)\b|\bonce (?:i have"
    r"|you)\b|\bbefore i (?:write|start|begin)\b|\bi(?:'d| would)? need (?:to know|more|you|the)\b",
    r"(?:请|麻烦|烦请|可以|能否|能不能)[您你]?(?:先|再|直接|重新|把[^，。]{1,10})?[^，。]{0,8}(?:粘贴"
    r"|贴过来|上传|发送|发给|发来|复制|补充|提供|告知|告诉我|说明)",
    r"(?:先|需要|得先)(?:了解|知道|确认)|[您你]若?(?:能)?提供|(?:没有|没|未|尚未|还没有?)(?:看到|收到|见到"
    r"|上传|发送|附上)|还没有?告诉我|看不到|打不开|读不到|收不到",
)
"""Asks for what the task needs, or misses it."""

ASKED = _any(
    r"\b(?:your|this|the|that|such an?) (?:\w+ )?(?:request|message|prompt|idea|question|brief|topic"
    r"|instructions?|project|premise)\b|(?<!\bif )\byou(?:'re| are|'ve| have)? (?:ask(?:ed|ing)?|requested"
    r"|describ\w+|mention\w*|want|after)\b",
    r"[您你](?:的|所|提出|提到|要求|说的|描述|想要?|给的|输入|需要)|(?:这|此"
    r"|该)[个类种样一]?[^，。]{0,3}(?:请求|要求|话题|题材|内容|文章|主题|问题|信|作品|任务)",
)
"""Speaks of what the reader asked for."""

ME = _any(r"\b(?:i|i'm|i'd|i'll|i've|me|my)\b", r"我(?!们)|本助手|在下")
"""One person speaks."""

WE = _any(
    r"\bours?\b(?! (?:\w+ )?(?:conversation|chat|discussion)s?)|\bwe(?:'re|'ve| are| will| would| cannot"
    r"| can't| do| regret)\b",
    r"本(?:店|院|馆|校|社|区|公司|司|场|园|会|报|刊|庭|品|网站|须知|规定)|我们(?:将|会|无法|不能|已|不会"
    r"|深|对|要|的|为)|[我贵]司|贵[方馆社刊院]",
)
"""An institution speaks, or a family."""

TASK = _any(
    r"\b(?:write|writing|written|ghostwrit\w+|compose|draft|text|story|stories|essay|article|content|topic"
    r"|request|prompt|poem|piece|subject|material|memoir|letter|speech|post|scene|question|instructions"
    r"|pamphlet|column|novel|fiction|review|report|diary|chapter|paragraph|summary|version|message"
    r"|information|quote|describe|reproduce|produce|generate|create)s?\b",
    r"写|文章|文字|文本|内容|话题|题材|题目|主题|请求|要求|故事|创作|小说|生成|作品|回答|问题|剧本|稿|材料"
    r"|信息|任务|指令|输入|落笔|动笔|执笔|从命|情节",
)
"""Speaks of texts and of writing."""

SERVICE = _any(
    r"\b(?:ai|language model|assistant|chatbot|training data|my training|policy|policies|guidelines|usage"
    r"|prompt|content|programm(?:ed|ing)|designed|safety|system|user|request|service|feature|capabilit\w+"
    r"|function|tool|chat|conversation|developers?|platform|ability|internet|browse|real-time"
    r"|search engine|training)s?\b",
    r"(?<![a-z])AI(?![a-z])|人工智能|语言模型|模型|助手|系统|程序|规定|准则|政策|规范|请求|知识|内容|话题"
    r"|题材|指令|输入|服务|平台|用户|功能|能力|设定|训练|数据|机器人|对话|输出|提问|咨询|联网|上网|链接|附件",
)
"""Speaks of the service that writes, and of its rules."""

OFFERS = _any(
    r"\b(?:happy|glad|delighted|pleased|gladly|happily)\b|\bi(?:'d| can| could| would|'ll)(?! not\b"
    r"|n't) (?:\w+ )?(?:write|draft|create|outline|summari[sz]e|brainstorm|help|suggest|offer|describe"
    r"|explain|compose|do|be|like|encourage)\b",
    r"\bwould you (?:like|prefer|mind)\b|\b(?:could|can|shall|may) (?:we|you|i)\b|\blet me (?:know"
    r"|suggest)\b|\blet's\b|\bhow about\b|\bwhat (?:if|else)\b|\binstead\b|\balternative|\b(?:any"
    r"|some)thing else\b",
    r"\b(?:another|other|different|revised) (?:\w+ )?(?:topic|idea|subject|one|question|brief"
    r"|projects?)s?\b|\bfeel free\b|\bplease (?:try|rephrase|revise|consult|contact|check|select)"
    r"|\bif you(?:'d|'re)? (?:like|want|need|wish|prefer|have)|\bshould you (?:wish|want|need)\b"
    r"|\bat your disposal\b|\bcome back\b|\breach out\b|\btell me\b|\bwould work\b|\bmight try\b"
    r"|\bwelcome to\b",
    r"可以[为给帮替]|我(?:也|很|非常)?(?:可以|愿意|乐意|能|来)|如果[您你]|若[您你是]|如需|如您|不妨"
    r"|换[个种成一]|咱们|要不|比如|欢迎|请(?:更换|修改|换|尝试|告诉|告知|重新|提供|检查|联系|咨询|先)|另择"
    r"|建议|倒[是可]|怎么样|好不好|好吗|行吗|可以吗",
    r"乐意|效劳|试试|愿意的话|需要的话|不如|我们(?:可以|不妨)|[帮陪][您你]|聊聊|改写|求助|随时|别的|其他",
)
"""Offers something else."""

REASONS = _any(
    r"\b(?:harm\w*|hurt\w*|danger\w*|risk\w*|illegal\w*|unlawful|laws?|legal|unsafe|safety|violen\w+"
    r"|hat(?:e|red|eful)|discriminat\w+|insult\w*|abus\w+|exploit\w*|minors?|sexual\w*|explicit|erotic"
    r"|fraud\w*|fake|false\w*|decei\w+|mislead\w*|misinform\w*|disinformation|privacy|private|personal"
    r"|consent|defam\w+|copyright\w*|protected|plagiari\w+|cheat\w*|dishonest\w*|weapons?|drugs?|attack\w*"
    r"|guesswork|invented|fabricat\w+|made up)\b",
    r"\b(?:endors\w+|neutral\w*|opinions?|preferences?|political\w*|elections?|harass\w*|ethic\w*"
    r"|unethical|inappropriate|sensitive|dignity|mock\w*|ridicul\w*|bull(?:y|ying)|stereotyp\w*"
    r"|prejudic\w*|racis\w+|sexis\w+|propaganda|terroris\w+|extremis\w+|suicid\w*|self-harm|professionals?"
    r"|academic|integrity|impersonat\w*|reputation|libel\w*|malicious|malware|hack\w*|steal\w*|crimes?"
    r"|criminal\w*|victims?|vulnerable|cruel\w*|degrad\w*|responsib\w*)\b",
    r"\b(?:damage|wound\w*|truthful\w*|respect\w*|unfair|offen[cs]\w+|disrespect\w*|divisive|rumou?rs?"
    r"|evidence|memories|experiences?|feelings|childhood|up-to-date|appropriate|rights?)\b",
    r"违法|法律|法规|犯法|伤害|危害|危险|风险|安全|隐私|侵犯|侵权|侵害|版权|著作权|歧视|仇恨|暴力|色情"
    r"|露骨|未成年|诽谤|诈骗|虚假|伪造|误导|造谣|传闻|中立|立场|观点|经历|情感|编造|煽动|辱骂|不端|作弊"
    r"|不妥|尊重|敏感|美化|虚构|冒用",
    r"尊严|人身|攻击|侮辱|嘲笑|取乐|欺骗|欺诈|骗|抄袭|剽窃|学术|诚信|代写|医生|律师|专业|热线|心理|自杀"
    r"|自伤|名誉|肖像|声誉|偏见|血腥|恐怖|极端|枪|毒|炸|黑客|入侵|漏洞|密码|破解|违规|违背|公序良俗|道德"
    r"|伦理|良知|底线|后果|宗教|民族",
    r"未经|授权|核实|证据|不实|事实|客观|公正|亲身|实时|最新|权威|原文|保护期|真人|冒充|利益|选举|投票"
    r"|权益|诬告|冒犯|不敬|不良|不适|影响|迷信|科学|童年|记忆|包容",
)
"""Gives a reason for which services decline."""

DENIES = _any(r"\b(?:i|me|my)\b.*(?:n't|\bnot|\bnever|\bno)\b", r"我[^，。]{0,10}[不没无]")
"""One person denies something."""

REPLACES = _any(
    r"\bhere(?:'s| is| are)\b[^.]{0,60}\b(?:else|instead|without|safer|milder|different|alternative)\b"
    r"|\binstead,? (?:here|i(?:'ve|'ll| have| will))\b|\bin its place\b",
    r"(?:以下|下面)[^，。]{0,12}(?:另|改|替|其他)|(?:换成|改为|改写|改成|换了|另写)了?[^，。]{0,12}[：:]",
)
"""Says that another text follows in place of the one that was asked for."""
