"""The phrases that make an answer of a letter by its place: short sentences, labels, headings, endings, marked lists.

Patterns as those of `phrases`: on folded text in lower case (`ODDS` on the text itself), every repeat bounded.
"""

from __future__ import annotations

import re

from unsway.readers import languages
from unsway.readers.speakers import SOURCE

HEADING = re.compile(
    r"[\s\"'#>•-]{0,9}(?:(?:my|the|final|correct|best|short)\s){0,3}(?:answers?|choice|verdict|conclusion|antwort"
    r"|respuesta|réponse|risposta"
    r"|resposta|ответ|jawaban|vastaus|cevap|đáp án|odpowiedź|答案|正解|答え|回答|정답|답|الإجابة|الجواب|उत्तर)[\s:\"']{0,4}$"
)
"""A heading that an answer follows on its own line."""

_BRIEF = (
    r"(?:definitely|probably|prob|def|imo|surely|most likely|likely|maybe|perhaps|possibly|clearly|obviously|certainly"
    r"|undoubtedly|absolutely|easy|okay|ok"
    r"|yes|yep|yeah|sure|hmm|well|so|then|gotta be|must be|has to be|got to be|has got to be|it's|that's|it is"
    r"|that is|that'd be|it'd be"
    r"|would be|final|my|our|the|choice|pick|letter|option|answer|vote|for|with|going|go|i|we|i'm|i'd|say|think"
    r"|guess|believe|pretty"
    r"|fairly|quite|certain|confident|simply|just|correct|right|best|this|one|is|be|to|mine|me|here|done|finally"
    r"|thus|hence|therefore)"
)

COURTESY = re.compile(
    r"[\s\"']{0,4}(?:i hope (?:this|that)|hope (?:this|that)|let me know|feel free|is there anything|(?:enjoy"
    r"|good luck)\b|if you (?:have|want|need"
    r"|would like)|please let me know|do you want|would you like|ich hoffe,? (?:das|dies|ich konnte|dass (?:das"
    r"|dies))|bei (?:rück)?fragen|viel (?:erfolg|glück)"
    r"|espero que (?:esto|te|les?|ayude|isso|ajude|tenha)|si (?:tienes"
    r"|necesitas|quieres)|j'espère (?:que (?:cela|ça)|avoir)|n'hésitez|bonne chance|buona fortuna|spero (?:ti|vi|di"
    r"|che (?:ti|vi|questo))|boa sorte|veel succes|если (?:появ"
    r"|у вас|есть)\w{0,5}"
    r"|удачи|powodzenia)\b"
)
"""A sentence of good manners at the end of a reply."""

SHORT = re.compile(
    rf"[^\w(]{{0,6}}(?:{_BRIEF}[\s,:!.-]{{1,3}}){{0,6}}[\"'(]{{0,2}}(?P<letter>[a-z])[)\"']{{0,2}}"
    rf"(?:[\s,.!-]{{1,3}}(?:{_BRIEF}|it|of course|all the way|wins|fits|please|as well|though|works|no doubt"
    rf"|hands down|by far)){{0,5}}[^\w?]{{0,6}}$"
)
"""A sentence that is an answer with a word or two of how sure it is: "Definitely B!", "B it is."."""

LABEL = re.compile(
    r"[^\w(]{0,6}[^\W\d]{1,24}(?:[\s'’]{1,2}[^\W\d]{1,24}){0,3}\s?[:=]{1,2}\s{0,3}[\"'(]{0,2}(?P<letter>[a-z])[)\"']{0,2}[\s.!]{0,3}$"
)
"""A line that is a few words, a colon and a letter."""

NO_LABEL = re.compile(
    r"\b(?:not|never|no|wrong|incorrect|false|eliminat\w{1,4}|ruled|exclud\w{1,3}|reject\w{0,3}|second|least|worst"
    r"|runner|next|other|either|step"
    r"|group|type|grade|vitamin|section|figure|part|plan|point|class|case|team|row|column|hepatitis|you|your|they"
    r"|their|hint\w{0,2}|suggest\w{0,4}"
    r"|said|says|choices?|options|ground|truth|gold|expected|official|given|listed|possible|rated|voted"
    rf"|(?!(?:assistant|ai|response|solutions?|turn|gpt|(?<![\w']\s)label(?=\s?[:=]))\b){SOURCE})\b"
)
"""Words that make such a line something else."""

COPULA = re.compile(
    r"(?:\b(?:is|are|was|were|be|being|equals?|leaves|leaving|called|named|termed|as|means|becomes|gives|gets?|it's"
    r"|that's|refers to|est|sont|es|son|ist"
    r"|sind|lautet|é|è|это|adalah|là|jest)|(?<!=)=|[:是为為即は은는]|属于|屬於)"
    r"[\s\"'(]{0,4}(?:(?:indeed|simply|just|an?|the|exactly|therefore|thus|only|d(?:er|ie|as|en)|eine?|el|l[ae]|une?|il)[\s\"'(]{1,4}){0,3}$"
)
"""What stands before the words with which a reply ends, when they are its answer."""

THEIRS = re.compile(
    r"\b(?:key|hint|tag|note|suggestion|user|majority|consensus|vote|rubric|metadata|grader)(?:'s)? (?:is|was)[\s\"'(:]{0,4}$"
    r"|\b(?!(?:it|that|here|what)')\w{2,20}'s (?:\w{1,12} )?(?:label|answer|choice|pick|option) (?:is|was)[\s\"'(:]{0,4}$"
)
"""A source that is said to be a letter: "the key is A"."""

LEADS_TO = re.compile(
    r"(?:[,;:]|(?<!=)=|\s-|\b(?:but|so|thus|hence|therefore))\s{0,4}(?:(?:so|thus|hence|therefore|namely|i\.e\.|that is"
    r"|which is|it's|it is)[\s,]{1,3}){0,2}"
    r"(?:(?:option|choice|answer|letter|la|le|el|die|der|das|il|o)\s)?[\s\"'(]{0,4}$"
)
"""What stands right before a letter that ends a sentence as its answer."""

ENDS = re.compile(
    r"[\s\"')]{0,4}(?::\s|[.!]{0,3}[\s\"')]{0,3}$|,?\s(?:as|because|since|for|given|which)\b|,\s(?:so|and)\b)"
)
"""What may follow it."""

UNDECIDED = re.compile(
    r"\b(?:not|never|cannot|if|whether|or|could|might|may|either|neither|nor|unless|except|wrong|incorrect"
    r"|eliminate\w?|excludes?|unlike|than"
    r"|between|versus|vs|from|without|consider\w{0,3}|start\w{0,3}|begin\w{0,4}|look\w{0,3}|try|test\w{0,3}|first"
    r"|next|e\.g|hint|thought|possib\w{1,7})\b|n't\b"
)
"""Words before such a letter that make it no answer."""

CONCLUDED = re.compile(
    r"(?:^|[.,;:]\s|\s(?=only\s))[\s\"']{0,3}(?:so|therefore|thus|hence|consequently|(?P<only>only|and only|so only"
    r"|leaving only))[\s,]{1,4}(?:only\s)?(?:option |choice )?"
    r"[\"'(]{0,2}(?P<letter>[a-z])[)\"']{0,2}\s(?(only)(?!(?:is|are|was|seems|can|does|do|could|has|would"
    r"|must) (?:not|out|wrong|incorrect|eliminated|ruled|unlikely"
    r"|never|false|be (?:wrong|ruled|eliminated|excluded))|isn't|can't|doesn't|and\b|or\b|fails|contradicts|lacks"
    r"|violates|ignores|misses|conflicts)\w+"
    r"|(?:is (?:the|what|an?|where|how|who|true|right)|fits|matches|works|describes|satisfies|explains|gives|meets"
    r"|holds|makes sense)\b)"
    r"(?!.{0,200}\b(?:not|n't|but|wrong|incorrect|however|worst|false)\b)"
)
"""A last sentence that concludes with a letter as its subject: "So (C) describes it.", "Only (A) lowers it."."""

CALLED_RIGHT = re.compile(
    r"(?<!not )\b(?:correcta?|correct|right|yes|true|sí|oui|sim|ja|да|верно|richtig|fits|matches|fine|works|valid"
    r"|possible|holds)\b|[✓✔✅☑]|正确|正確|正しい"
)

CALLED_WRONG = re.compile(
    r"\b(?:incorrect\w?|wrong|no|non|nein|não|нет|неверно|falsch|not|false|out|impossible|ruled|eliminated|excluded"
    r"|never|unlikely|cannot|but|only if|partly|partially|if)\b|n't|[✗✘❌✖]|不|错|錯|誤"
)
"""What a line says of its option."""

ODDS = re.compile(
    r"(?<![A-Za-z])[\"'*(]{0,3}([A-Z])[\"'*)]{0,3}\s{0,3}(?:[:=|-]{1,2}\s{0,3})?(\d{1,3}(?:\.\d{1,6})?"
    r"|\.\d{1,6})(?![\d.]{0,8}\s?[a-zA-Z/])"
)
"""An option and its probability."""

DISTANT = re.compile(
    r"\b(?:not|never|no|neither|nor|except|unlike|rather|instead|incorrect|wrong|false|mistak\w*|confus\w*|might"
    r"|may|could|perhaps|maybe|either|possib\w*|options?|choices?|alternatives?|another|examples?|such as|including"
    r"|unless|if|whether|nothing|without|unrelated|lack\w*|absence|prevent\w*|stop\w*|questions?|asks?|asking"
    r"|consider\w*|compar\w*|versus|vs|different|opposite|eliminat\w*|first|next|some|many|there is|one of|let's"
    r"|let us|let me|identify|step|n'est pas|ne sont pas|nicht|no es|no son|non è|não é)\b|n't\b|\?|(?<!\w)не\s|不是|并非"
)
"""Words that make the naming of an option something other than an answer."""

ONLY = re.compile(
    r"(?:(?:只有|仅有|唯有)[\s\"'(]{0,3}"
    r"|\b(?:nur|только|лишь|seule?|solo|apenas|only|it'?s|it is|it was|c'est|ce sont|es ist|è|é)[\s\"'(]{1,3}"
    r"(?:(?:an?|the|d(?:er|ie|as)|el|l[aeo]s?|les|un[ae]?|il)\s)?)$"
)
"""What makes the words behind it the answer, however much follows them."""
AMONG = re.compile(
    r"[\s\"')]{0,3}(?:,?\s?\b(?:and|or|und|oder|et|ou|y|o|e|и|или|en|of|i|lub|ve|veya|dan|atau|và)\b|[/&+^]|-(?!\s))"
)
"""Another beside it."""
CONCLUDES = re.compile(
    r"\b(?:so|therefore|thus|hence|consequently|only|must be|leaves|is left|most (?:likely|probable|plausible))\b|"
    + languages.CONCLUSIONS
)
"""A conclusion."""

THEIR_CODE = re.compile(
    r"\b(?:grad(?:er|es?|ing)|autograder|check(?:er|s|ing)?|verif\w{2,4}|reward\w{0,2}|scor(?:er|es?|ing)|harness"
    r"|eval\w{0,8}|tests?"
    r"|keys?|rubric|files?|metadata|users?|you|your|hints?|hidden|comments?|tags?|leak\w{0,2}|not|wrong|incorrect)\b"
)
"""What the line above a block of code says where the block is another's."""
