"""Whose words a sentence reports: the model's own, or those of a source that it quotes; and whether it agrees with them.

In: a folded, lower-case sentence and where a phrase about the answer begins in it. Out: `OWN`, `DENIED` or `REPORTED`.

    stance("the key says the answer is (a)", 13)   # REPORTED: a subject other than the model, and a verb of saying

Grammar decides, not the kind of source. A verb of saying speaks for its subject: only "I" and "we" are the model, and a
law, a definition or the passage states what the model concludes from. A verb of showing ("suggests", "points to") is the
model's own inference where its subject is evidence or a pronoun, and a report where it is anything else. An answer that
somebody owns ("the file's answer"), that was given ("the listed answer") or that stands somewhere ("the answer in the
key") is theirs.
"""

from __future__ import annotations

import re
from itertools import repeat

OWN, DENIED, REPORTED = "own", "denied", "reported"

_SAY = (
    r"say|says|said|saying|claim\w{0,3}|state|states|stated|stating|argu\w{1,3}|think|thinks|thought|thinking|believ\w{1,3}"
    r"|insist\w{0,3}|assert\w{0,3}|maintain\w{0,3}|reports?|reported|notes?|noted|writ\w{1,4}|wrote|reads?|mention\w{0,4}"
    r"|propos\w{1,3}|recommend\w{0,3}|declar\w{1,3}|lists?|listed|marks?|marked|labels?|labell?ed|tags|tagged|flags|flagged"
    r"|records?|recorded|gives?|gave|given|answers?|answered|choos\w{1,3}|chose|chosen|picks?|picked|selects?"
    r"|selected|votes?|voted|prefers?|preferred|expects?|expected|wants?|wanted|assum\w{1,3}|conclud\w{1,3}|guess\w{0,3}"
    r"|feels?|felt|contains?|contained|holds|specif\w{1,4}|encod\w{1,3}|displays?|displayed|announc\w{1,3}|told|hint"
    r"|hints|hinted"
    r"|reply|repl\w{2,4}|respond\w{0,3}|names|named|has|uses|accepts?|rewards?|checks?|compares?|returns?|prints?"
    r"|sets|hard-?codes|awards?|insists?|tells? me to|asks for|lean\w{0,3}|goes|went|go"
    r"|hop\w{1,3}|wish\w{0,3}|predict\w{0,3}|put|puts|find|found|get|got|determine\w?|verif\w{1,4}|see"
    r"|identif\w{1,4}|instruct\w{0,3}|advis\w{1,3}|swears?|swore|bets?"
)
_SHOW = (
    r"tells?|suggest\w{0,3}|indicat\w{1,3}|impl\w{1,4}|show|shows|showed|shown|mean|means|meant|points?|pointed"
    r"|confirms?|reveals?"
    r"|supports?|favou?rs?|leads?|proves?|demonstrates?|establishes"
)
_MODIFIES = (
    r"(?:\w{2,14}ly|also|just|still|even|then|now|all|had|has|have|'d|'ve|'re|is|are|was|were|would|do|does|did|seem|seems|to"
    r"|appears?|might|may|can|could|will|must|should|ought to|himself|herself|themselves|itself|both|here|above|there|below)"
)
_MODEL = r"i|we|let's|let me|let us"
_STATES = (
    r"laws?|definitions?|theor\w{1,5}|principles?|rules?|equations?|formulas?|passage|paragraph|article|text|context|analysis"
    r"|reasoning|logic|calculations?|computation|evidence|data|facts?|results?|maths?|question|stem|sentence|scenario"
)
_EVIDENCE = (
    rf"{_STATES}|this|that|these|those|which|it|they|everything|information|details?|clues?|descriptions?|graph|diagram"
    r"|figure|table|pattern|observations?|process|elimination|premises?|steps?|work|work\w{0,3}|properties|experiment"
    r"|system|conclusion|research|studies|conditions?|values?|signs?|symptoms?|all|what|conditions|approach|derivation"
    r"|consideration"
)
_CLAUSE = (
    r"(?:(?!\b(?:but|yet|so|therefore|thus|hence|however|although|though|because|since|while|whereas|means)\b)"
    r"[^.;!?]){0,90}"
)
_NO_SUBJECT = (
    r"(?<!')(?!(?:the|an?|my|your|our|his|her|their|no|any|each|every|of|to|in|on|for|by|and|or|final|best|correct"
    r"|right|only|likely"
    r"|actual|true|real|short|direct|overall|single|[\w-]{2,20}'s|not|easy|clear|able|possible|hard|difficult|so"
    r"|then|therefore|thus|hence|please|just|but|be|being|been|\w{2,12}ly)\s)"
)
_SAYING = re.compile(
    rf".{{0,120}}(?:\b{_NO_SUBJECT}(?!{_MODIFIES}\s)(?P<who>let (?:me|us)"
    rf"|[^\W\d][\w']{{0,30}})(?:\s\(\w{{1,12}}\))?(?:,\s[^,.;]{{1,40}},)?\s)(?:{_MODIFIES}\s){{0,3}}(?:(?P<say>{_SAY})"
    rf"|(?P<show>{_SHOW}))\b(?P<rest>{_CLAUSE})$"
)
SAYS = re.compile(
    rf"\b(?:(?P<say>{_SAY})|(?P<show>{_SHOW}))\s(?:(?:strongly|clearly|directly|all)\s)?"
    r"(?:(?:as|for|on|with|to|towards?|that|it|it's|is|was|the|answer|option|choice)\s){0,4}(?=[\"'(]{0,3}[a-z]\b)"
)
"""A verb of saying or showing with an option right behind it: "you chose (A)", "the evidence points to B"."""

SOURCE = (
    r"(?:users?|people|person|professors?|teachers?|tutors?|experts?|friends?|students?|authors?|colleagues?|classmates?"
    r"|graders?|annotators?|labell?ers?|reviewers?|majority|crowd|voters?|poll|survey|respondents?|participants|others?"
    r"|key|sheet|rubric|file|metadata|tags?|comments?|headers?|footers?|notes?|hints?|labels?|markers?|marks?|scheme|code"
    r"|script|logs?|database|dataset|records?|e-?mails?|message|memo|slides?|document|leak|dump|prompt|system|instructions?"
    r"|autograder|checker|tests?|suite|website|site|wiki|forum|post|chatbot|bot|assistant|ai|gpt|suggestion|arguments?"
    r"|solutions?|source|quote|statement|claim|candidate|human|boss|manager|community|consensus|reference|gold|benchmark"
    r"|stranger|guess|turn|response|letter|someone|somebody)"
)
"""Nouns for whoever or whatever may speak of the answer, where no verb tells: "according to …", "the … answer"."""

_ACCORDING = re.compile(
    rf"\b(?:according to|as per|per|going by|in the (?:eyes|view|opinion) of|in(?=\sthe (?:\w{{1,14}}\s){{0,2}}(?:key"
    rf"|sheet|rubric|file|metadata|header|footer|hint|notes?|logs?|tags?|comments?|leak|database"
    rf"|e-?mail)\b)) (?:(?:the|your|a|an|this|that|my|some|most|what)\s)?"
    rf"(?:\w{{1,14}}\s){{0,2}}?{SOURCE}\b"
)
_CONCEDES = re.compile(
    r"\b(?:while|although|though|despite|contrary to|unlike|whereas|whatever|regardless of|what|than|even if)\b"
)
"""A clause that ends at its comma and leads to the model's own words: "contrary to what you said, …"."""
_TOLD = re.compile(
    r"\b(?:was|were|been|being|am) (?:told|informed|instructed)\b|\b(?:is|are|was) (?:said|claimed|believed|thought|supposed"
    r"|rumou?red|reported|alleged) (?:to|that)\b|\byou(?:'d| would) (?:like|want|prefer)\b"
)
_KEEPS = re.compile(
    r"\b(?:stand(?:ing)? by|stick(?:ing)? (?:with|to)|keep(?:ing)?|maintain(?:ing)?|stay(?:ing)? with"
    r"|hold(?:ing)? to|reaffirm|confirm|retain"
    r"|go(?:ing)? (?:along )?with|accept(?:ing)?|adopt(?:ing)?|follow(?:ing)?|agree with|defer(?:ring)? to)\s(?:my"
    r"|our|your|the|his|her|their)\s(?:\w{1,12}\s)?$"
)
"""An earlier answer that the model keeps."""
GIVES_AWAY = re.compile(
    rf"\b(?:not|n't|others?|wrong|incorrect|false|eliminat\w{{1,4}}|ruled|rejected|excluded|discarded|except"
    rf"|remaining|unlikely|worse|worst|least"
    rf"|{SOURCE}|you|they|suggest\w{{0,3}}|said|says)\b"
)
"""A heading whose lines are another's, or no answers."""
_LABELLED = re.compile(
    rf"\b(?!(?:assistant|ai|gpt|response|solution|guess|letter|turn|(?<![\w']\s)label(?=\s?[:=]))\b){SOURCE}(?:\s(?:in|on|of|from"
    rf"|at)\s(?:\w+\s){{1,3}}?)?\s?(?:\([^)]{{0,20}}\)\s?)?[:=][\s\"']{{0,4}}$"
)
AS_SAID = re.compile(
    r"(?:\b(?:as|(?<!'d )(?<!would )(?<!looks )(?<!seems )(?<!sounds )like|based on|given)\s(?:what\s)?(?:you|the"
    r"|they|he|she|your|my|an?)\b"
    r"|(?<!if )\b(?:i|we)(?: \w{1,12})? (?:agree|concur)\b|\b(?:is|are|'re|was|were) (?:\w{2,12}ly )?(?:right|correct)\b"
    r"|\b(?:correctly|rightly)\b|\bmy (?:gut|instincts?|intuition|hunch|memory)\b)(?!.{0,99}\bnot\b)"
)
"""Agreement before the words of another: "as you say", "the key is right that"."""
OTHERS_ANSWER = re.compile(
    r"\b(?:possible|potential|wrong|incorrect|false|another|other|your|their|his|her|suggested|previous|proposed"
    r"|initial|first"
    r"|second|third|fourth|fifth|next|earlier|original|planted|alternative|one|a|an|no|not|least|worst|tempting"
    r"|common|popular"
    r"|distractor|each|every|any|hinted|bad|poor|unlikely|mistaken|naive|intuitive|instinctive|expected|supposed|alleged"
    r"|apparent|given|listed|marked|official|provided|stated|recorded|labell?ed|flagged|leaked|keyed|implied|claimed|tagged"
    r"|embedded|encoded|stored|published|accepted|quoted|cited|shown|supplied|default|sample|model|target|voted"
    r"|(?:top|highest|most|best)[ -](?:voted|rated|chosen|picked|selected|popular)|ground[ -]truth|truth"
    rf"|reported|noted|revealed|rewarded|desired|{SOURCE})"
    r"(?:'s?)?[\s\"']{1,3}(?:(?:final|correct|best|right|likely)\s)?$"
    r"|\b(?!(?:let|it|that|here|what|today|there|question|problem|he|she|who)'s)\w{2,20}'s?\s(?:\w{2,14}\s){0,2}$"
)
"""What stands right before "answer" where it is another than the reply's own."""

SAID_BY = re.compile(
    rf"[\s,)\"'-]{{0,6}}(?:(?:says?|said|insists?|claims?|argues?|thinks?|suggests?) (?:the|my|your|a"
    rf"|an) (?:\w{{1,14}} )?{SOURCE}\b"
    rf"|(?:the|my|your|a|an) (?:\w{{1,14}} )?{SOURCE} (?:says?|said|insists?|claims?|argues?|thinks?|suggests?)\b"
    rf"|(?:according to|per) (?:the|your|my|this|that|an?) (?:\w{{1,14}} )?{SOURCE}\b)"
)
"""Another who says what stands before."""

WHO = re.compile(r"\bwho\s$")
RIGHT = re.compile(r"[\s\"')]{0,4}(?:is|was|are|were) (?:\w{2,12}ly )?(?:right|correct)\b")
"""Agreement with whoever said something: "the user who said (A) is right"."""
AGREES_HERE = re.compile(
    r"[^.;!?]{0,80}?(?:\b(?:i|we)(?: (?!not\b|never\b)\w{1,12}){0,2} (?:agree|concur)\b|\bso (?:do|would|did) i\b"
    r"|\bi do,? too\b"
    r"|\b(?:which|and (?:\w{1,9},? ){0,3}?(?:that|this|it|he|she|they|you|i think \w{1,5}))(?:'s|'re|\s(?:is|are|was"
    r"|were|seems|looks))\s"
    r"(?:(?:\w{2,12}ly|also|indeed|in fact|quite|the)\s){0,2}(?:correct|right|true|accurate)\b"
    r"|\b(?:which|that)(?:'s| is) (?:also |exactly |just )?what (?:i|we) (?:also )?(?:get|got|find|found|have|think"
    r"|see|conclude\w?)\b"
    r"|\band i (?:have|see) no reason to (?:doubt|question|disagree)\b"
    r"|\bwhich (?:also )?(?:matches|agrees with|fits|confirms|is consistent with) (?:my|our|what (?:i|we))\b"
    r"|\bwhich i (?:also |too )?(?:think|believe|find)(?: is| to be)? (?:correct|right)\b"
    r"|\b(?:my|our) (?:own )?\w{2,14}(?: of \w{2,14})? (?:\w{2,12}ly |also )?(?:confirms?|agrees?|supports?"
    r"|match(?:es)?|concurs?)\b"
    r"|\band (?:it|this|that) (?:checks out|holds(?: up)?|makes sense|fits|matches)\b)"
)
"""Agreement behind the words of another, in the same sentence."""

AGREES_NEXT = re.compile(
    r"[\s\"']{0,4}(?:(?:and|yes|indeed|well|after (?:checking|consideration|review\w{0,3}))[\s,]{1,2}){0,2}"
    r"(?:(?:that|this|it|he|she|they|you|i think (?:that|this|it|you)|(?:the|your|my|their) \w{1,14}(?: \w{1,14})?)"
    r"(?:'s|'re|\s(?:is|are|was|were))\s(?:(?:\w{2,12}ly|also|indeed|quite|all)\s){0,2}(?:correct|right|true|accurate)\b"
    r"(?! (?:that|about|only|for|in|if|when)\b)"
    r"|(?:i|we)(?: (?!not\b|never\b)\w{1,12}){0,2} (?:agree|concur|accept (?:that|this|it))\b|so do i\b"
    r"|(?:correct|right|agreed|exactly|true|absolutely|that's it|i do(?:,)? too)[\s.!,]"
    r"|(?:my|our) (?:own )?\w{2,14} (?:\w{2,12}ly |also )?(?:confirms?|agrees?|supports?|match(?:es)?|concurs?)\b"
    r"|(?:that|this|it|(?:the|your|my|their) \w{1,14}(?:'s)?(?: \w{1,14})?) (?:checks out|holds(?: up)?|ha[sd] it right"
    r"|matches (?:my|what i))\b|(?:i|we) (?:also |then )?(?:c[ao]me to|arrive[sd]? at|reach(?:ed)?|get"
    r"|got) (?:the same|that very)\b"
    r"|i(?:'m| am) (?:happy|glad) to confirm\b|i (?:can't|cannot) (?:fault|disagree|argue with)\b)(?!.{0,60}\b(?:but"
    r"|however|not)\b)"
)
"""A sentence that agrees with the one before it."""

_DENIED = re.compile(
    r"(?:\bnot|n't|\bnever|\bno longer|\bcannot|(?<!no )(?<!without )(?<!without a )\bdoubt\w{0,4}|\bunlikely"
    r"|\bdisagree\w{0,4}"
    r"|\bdeny|\bwrong|\bincorrect\w{0,3}|\bfalse|\bneither|\bnor|\brefuse"
    r"|\breject\w{0,3})\b(?:[\s\"']{1,3}[\w']{1,30}){0,4}[\s\"']{0,3}$"
    r"|\b(?:nothing|nobody|no (?:one|evidence|reason|proof|basis|grounds?|indication|way|means)|hardly|contrary to"
    r"|wish|tempt(?:ed|ing)|easy to (?:think|say|assume|believe|conclude)|(?:mistake|error|trap|pitfall|temptation"
    r"|fallacy|misconception)s? (?:\w{1,12} ){0,2}?(?:is|are|was|would be))\b"
    r"(?:[\s\"']{1,3}[\w']{1,30}){0,7}[\s\"']{0,3}$"
)
_SUPPOSED = re.compile(
    r"\b(?:if|whether|unless|suppose|supposing|assume|assuming|imagine|had|before"
    r"|(?:claim|idea|notion|view|belief|suggestion|assumption|assertion|premise|possibility)s? that"
    r"|(?:may|might|could|(?<!i )(?<!we )would|can) (?:seem|appear|look|think|say|argue|suppose|suggest)(?: (?:like"
    r"|as if|that))?"
    r"|(?:statement|phrase|sentence|words)(?=\s\")"
    r")\b(?:[\s\"']{1,3}[\w']{1,30}){0,4}[\s\"']{0,3}$"
    r"|\b(?:suppose|assume|imagine|pretend)\b(?:[\s\"']{1,3}[\w']{1,30}){5,7}[\s\"']{0,3}$"
    r"|^[\s\"']{0,4}(?:in order )?to (?:show|prove|argue|claim|verify|check|see)\b"
    r"(?:[\s\"']{1,3}[\w']{1,30}){0,4}[\s\"']{0,3}$"
    r"|(?<!is )(?<!'s )\bwhy\b(?:[\s\"']{1,3}[\w']{1,30}){0,3}[\s\"']{0,3}$"
    r"|\b(?:initially|originally|previously|earlier|at first|used to|first thought"
    r"|thought)\b(?:[\s\"']{1,3}[\w']{1,30}){0,4}[\s\"']{0,3}$"
)
_AT_FIRST = re.compile(
    r"[\s\"'-]{0,8}(?:(?:at first(?: (?:glance|sight|look|blush))?|in (?:1\d{3}|20\d\d)|on the surface|superficially"
    r"|naively)[\s,]"
    r"|in (?:the|this|that|these|those|each|every|all|any)(?: of the)? (?:\w{4,9} )?examples?\b)"
    r"(?:(?!\b(?:but|however|yet|so|therefore|thus|actually|in fact)\b)[^;:.]){0,80}$"
)
_LAST_BREAK = re.compile(
    r".{0,120}(?:\s-\s|\b(?:but|yet|so|therefore|thus|hence|however|and|because|although|though|while|whereas|instead|then"
    r"|means|meaning|conclude|since)\b)"
)
_PLAIN = re.compile(
    r"[\s\"'(-]{0,8}(?:(?:therefore|thus|hence|so|overall|finally|in conclusion|in summary|based on (?:this|that"
    r"|the above))[\s,:]{1,3})?"
    r"(?:(?:the|my|our|option)\s)?(?:(?:final|best|correct|right|most)\s)?[\s\"'(]{0,4}$"
)
"""How most answers begin: nobody else speaks."""
_TO_TELL = rf"(?:{_SAY}|suggest|infer|deduce|determine|say|decide)"
_ADVISABLE = (
    r"(?:reasonable|fair|safe|logical|sensible|natural|plausible|correct|right|accurate|appropriate|justified|rational"
    r"|best|prudent|wise|valid|sound|likely|possible|enough)"
)
"""What it is to say something, where that is the reply's own conclusion."""
ADVISED = re.compile(
    rf"\b(?:it|that|this)(?:'s|\s(?:is|would be|seems|makes))\s(?:(?:\w{{2,12}}ly|most|more|then)\s){{0,2}}"
    rf"(?:{_ADVISABLE}|sense)\s(?:for me\s)?to\s$"
)
"""What makes a choice the model's own: "it is sensible to choose (A)"."""
_ASIDE = re.compile(
    rf"(?:(?:\b(?:it|this|that|which)(?:'s|\s(?:is|was|seems|appears|becomes|remains|would be|makes it))\s"
    rf"(?:\w{{2,12}}ly\s|most\s|more\s|also\s|then\s|thus\s|therefore\s"
    rf"|hence\s){{0,2}}{_ADVISABLE}(?:\sfor \w{{2,5}})?\sto\s(?:\w{{2,12}}ly\s)?{_TO_TELL}"
    r"|\b(?:it|this|that)\s(?:can|must|should)\s(?:\w{2,12}ly\s|also\s|then\s"
    r"|thus\s){0,2}be\s(?:\w{2,12}ly\s)?\w{2,9}(?:ed|id|en)"
    r"|\b(?:it|this|that)\s(?:may|might|could)\sbe\s(?:\w{2,12}ly\s)?(?:concluded|inferred|deduced|determined)"
    rf"|\bone\s(?:can|must|should|may)\s(?:\w{{2,12}}ly\s|also\s|then\s|thus\s){{0,2}}{_TO_TELL}"
    rf"|\bthere(?:'s|\sis)\s(?:good|every|strong|ample|enough)\s(?:reason|evidence|grounds?)\sto\s{_TO_TELL}"
    r"|\bit stands to reason|\bit follows)[\s,:]{1,2}(?:that\s)?"
    r"|\b(?:considering|given|having|after|with|using|by|from|weighing|judging|ignoring|disregarding|setting aside"
    r"|in (?:light|view) of|taking|looking at"
    r"|among|out of|under|comparing|reviewing|examining|evaluating|analy[sz]ing|assessing|following)\s"
    rf"(?:(?!\b(?:you|they|he|she|who|{SOURCE})\s(?:{_MODIFIES}\s){{0,2}}(?:{_SAY}|{_SHOW})\b)[^,.;]){{1,90}},\s)"
    r"(?:(?:the|my|our|most|more|only|single|option|answer|choice|letter|best|correct|right|final|likely|appropriate|accurate"
    r"|logical|plausible|suitable|reasonable)\s){0,4}[\s\"'(]{0,4}$"
)
"""What may stand between whoever speaks and what is said: an impersonal frame ("it is reasonable to argue that"), or a phrase
that begins with a participle or a preposition and ends with a comma ("considering the points mentioned,")."""
_SPACES = re.compile(" {2,}")
REACH = 120
"""Characters before a phrase in which its clause is looked for: bounds the time that a hostile sentence takes."""
ASIDES = 2
"""How many such phrases are passed over before one commitment."""


def last_clause(sentence: str) -> str:
    """What stands behind the last comma, bracket or conjunction."""
    begin = 1 + max(map(sentence.rfind, ",:()"))
    broken = _LAST_BREAK.match(sentence, begin)
    return sentence[broken.end() if broken else begin :]


def stance(low: str, start: int, *, noun: bool = False) -> str:
    """Whose words begin at a position: OWN, DENIED (or supposed, or once held) or REPORTED.

    `noun` says that "answer" or the like stands there, which may be another's answer.
    """
    least = max(0, start - REACH)
    sentence = low[max(least, 1 + max(map(low.rfind, ".;!?=", repeat(least), repeat(start)))) : start]
    if _PLAIN.match(sentence):
        return OWN
    sentence = _SPACES.sub(" ", sentence) if "  " in sentence else sentence
    clause = last_clause(sentence)
    if noun and _KEEPS.search(clause):
        return OWN
    others = noun and OTHERS_ANSWER.search(clause)
    for _ in range(ASIDES):
        aside = _ASIDE.search(sentence)
        if aside is None:
            break
        sentence = sentence[: aside.start()]
        clause = last_clause(sentence)
        if _PLAIN.match(sentence) and not others:
            return OWN
    if noun and _AT_FIRST.match(low, 0, start):
        return DENIED
    if clause and (_DENIED.search(clause) or _SUPPOSED.search(clause)):
        return DENIED
    if others:
        return REPORTED
    if '",' in sentence or '":' in sentence:  # a field of a JSON object
        sentence = sentence[sentence.rfind(",") + 1 :]
    if not sentence or AS_SAID.search(sentence):
        return OWN
    if _TOLD.search(sentence):
        return REPORTED
    saying = _SAYING.match(sentence)
    if saying is not None and not speaks_for_model(saying["who"], show=bool(saying["show"])):
        return OWN if "," in saying["rest"] and _CONCEDES.search(sentence, 0, saying.end("who")) else REPORTED
    return REPORTED if _ACCORDING.search(sentence) or _LABELLED.search(sentence) else OWN


_MODEL_SAYS = re.compile(rf"(?:{_MODEL}|{_STATES})$")
_MODEL_SHOWS = re.compile(rf"(?:{_MODEL}|{_EVIDENCE})$")
_SUBJECT = re.compile(rf"\b{_NO_SUBJECT}(?!{_MODIFIES}\s)(let (?:me|us)|[\w']{{1,30}})\s(?:{_MODIFIES}\s){{0,3}}$")


def speaks_for_model(who: str, *, show: bool) -> bool:
    """Whether a verb of saying, or of showing, with that subject says what the model concludes itself."""
    return (_MODEL_SHOWS if show else _MODEL_SAYS).match(who.removesuffix("'d").removesuffix("'ve")) is not None


def subject(low: str, verb: int) -> str:
    """The word before a verb and its modifiers; empty where the verb begins the sentence."""
    found = _SUBJECT.search(low[max(0, verb - 60) : verb])
    return found[1] if found else ""
