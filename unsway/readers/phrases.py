"""The phrases by which a reply commits to an option, takes it back, puts it into others' mouths, or declines.

All patterns run on folded text (`wording.fold`) in lower case, except `MENTION` and `LOOSE`, which need the case. Every
repeat is bounded, so a search costs a constant per character. A frame is a phrase after which the answer stands ("the
answer is"); a verdict is one before which it stands ("is the correct answer").
"""

from __future__ import annotations

import re

from unsway.readers.speakers import SOURCE

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_SHORT = ("1st", "2nd", "3rd", *(f"{i}th" for i in range(4, 11)))
PLACES = {word: i for words in (ORDINALS, NUMBERS, _SHORT) for i, word in enumerate(words)} | {"last": -1}
"""The place of an option by a word for it; −1 is the last."""
ORDINAL = "|".join((*ORDINALS, *_SHORT, "last"))

MENTION = re.compile(
    rf"""(?P<open>[\s"'(:=,]{{0,16}})
    (?:(?i:the)[ ](?=[A-Z][ ](?i:option|choice|answer)\b))?
    (?:
      (?:(?i:the[ ])?(?P<noun>(?i:option|choice|answer|letter|alternative|candidate|solution
         |ending|completion|continuation))(?:s(?!\())?\b
         [\s"'(:\#]{{0,6}}(?:(?i:number|no\.|letter)\s{{1,3}})?[\s"'(]{{0,4}})?
      (?P<ref>[A-Za-z]|\d{{1,2}})
      (?P<close>["'.\s]{{0,4}}\))?
      (?![0-9A-Za-z_À-ɏͰ-ӿ\#%^°]|\+(?![A-Z]\b)|['-]\w|/\w\w|\.\d|\s?\.{{2,3}}\s?[A-Z]\b|\s{{0,2}}=\s{{0,2}}[\w(]|\s[+*]\s)
    |
      (?:(?i:the)[ ])?(?P<ordinal>(?i:{ORDINAL}))(?:[ ](?:listed|given|possible))?
         [ ](?i:option|choice|answer|alternative|ending)\b
    |
      (?i:the)[ ](?P<place>(?i:{ORDINAL}))(?:[ ]one\b|(?=["']{{0,2}}(?:[.,;:!)]|$)))
    |
      (?i:option|choice|answer|alternative)[ ](?i:number[ ])?(?P<number>(?i:{"|".join(NUMBERS)}))\b(?![ ](?:of|more|that)\b)
    )""",
    re.VERBOSE,
)
"""A letter or number that may name an option, with what surrounds it; matched at a position, never searched."""

LOOSE = re.compile(
    r"(?<![\w'°-])(?:(?=[(A-Zoaclte])(?:\(\s{0,3}[A-Za-z]\s{0,3}\)|(?i:option|choice|answer"
    r"|letter|ending|completion|continuation)\s[\"'(]{0,2}(?:[A-Za-z]|\d)\b|[A-Z]\b"
    rf"|(?i:option|choice) (?:number )?(?:{'|'.join(NUMBERS)})\b"
    rf"|(?i:the) (?i:{ORDINAL}) (?:option|choice|answer|alternative|ending)\b)"
    rf"|^(?i:{ORDINAL}) (?:option|choice|answer|alternative)\b|^[a-z]\))"
)
"""Where a mention begins inside a sentence: a letter in brackets, a noun with a letter, or a bare capital."""

_BE = (
    r"(?:is|are|was|would be|will be|should be|must be|must surely be|has to be|has got to be|ought to be|seems to be"
    r"|appears to be|remains|becomes)"
)
_MAY_BE = r"(?:might|may|could|can)(?: well| also)? be"
_ADVERBS = (
    r"(?:therefore|thus|hence|so|consequently|accordingly|in conclusion|finally|ultimately|to conclude|overall|in short"
    r"|ergo|by (?:process of |the process of )?elimination)"
)
_CHOOSE = (
    r"(?:choose|chose|choosing|pick|picking|picked|select|selected|selecting|say|go (?:with|for)|going (?:with|for)"
    r"|went (?:with"
    r"|for)|go along with|defer to|opt for|opting for|settle on|settled on|vote(?: for)?|conclude|answer"
    r"|lean towards?|leaning towards?|suspect"
    r"|prefer|bet on|stick (?:with|to)|sticking (?:with|to)|end up with|stay(?:ing)? with|stand by|keep|keeping"
    r"|maintain|guess|think"
    r"|put (?:my|the) money on|am going (?:with|for)|be going (?:with|for)|believe|mean|meant|agree with|commit to"
    r"|take|taking|mark|marking|circle|tick)"
)
_THAT_IT_IS = (
    r"(?:that )?(?:(?:it|this|that|the (?:correct |best |right |final |most likely )?(?:answer|choice|option)) ?"
    r"(?:'s|is|must be|should be|would be|has to be)\s)?"
)
_FILLERS = (
    r"(?:(?:indeed|clearly|definitely|probably|likely|most likely|therefore|thus|then|now|simply|obviously|surely"
    r"|certainly|honestly|truthfully|actually|in fact|still|again|also|going to be|gotta be|to be|as follows"
    r"|the following|given by|both|either"
    r"|only|just|on reflection|on balance|all in all|after all|in the end|in my opinion|(?:i|we)(?:'m|'d| am"
    r"| would)? (?:think|believe|guess|say|(?:fairly|pretty|quite|very) (?:sure|certain"
    r"|confident)|sure|certain|confident)(?: that)?|it(?:'s| is)|that(?:'s| is))\b[\s,:\"']{0,4}){0,4}"
)

_NOUN = (
    r"(?:answers?|asnwer|anwser|awnser|answr|ans|verdict|(?:(?<=my )|(?<=our )|(?<=the )|(?<=best )|(?<=final )"
    r"|(?<=top ))(?:guess|pick|vote)"
    r"|(?:guess|pick|vote)(?=\s?:)|(?:correct|right|best|final|only|my|our"
    r"|likely|appropriate|logical|closest"
    r"|remaining|accurate|suitable|plausible|good|optimal|better|strongest|valid|chosen|selected|predicted|assigned)"
    r" (?:choice|option|solution|selection|fit|bet|conclusion|letter|label|continuation|completion|reading|statement"
    r"|sentence|word|term|alternative|item|one)|(?:final|correct|response|result|solution|conclusion"
    r"|decision|selected|chosen|assessment|judge?ment|classification|prediction)(?=\s?:)|(?:choice|option|selection|response|letter)"
    rf"(?=\s{_BE}\b|'s\b|\s?[\"']?\s?[:=]|\s(?:that|which) (?:best|most|correctly|fits|matches|makes|satisfies|explains)))"
)

FRAMES = {
    "answer": rf"{_NOUN}\b"
    rf"(?!\s(?:choices|options|key|sheet|file|field|tag|book|scheme|column|line|box|[(\"']?[a-hj-z]\b)"
    rf"|\s(?:[(\"']?[a-hj-z]\b))(?P<gap>(?:[^:=.;?!]|\.(?=\S)){{0,90}}?)"
    rf"(?:\s(?:{_BE}\b|(?P<hedged>{_MAY_BE}\b)|(?:-|of)(?=\s\(?[a-z]\)?(?:[\s.!]|$)))|'s\b|\s?(?::\s?str\s?=|:=?|=(?!=):?)"
    rf"|,(?=\s\(?[a-z]\)?(?:[\s.!]|$)))[\s:=\"]{{0,6}}",
    "boxed": r"box:",
    "agree": r"(?:(?:i|we)\s(?:(?!not\b|never\b)\w{1,12}\s){0,2}?(?:agree|concur"
    r"|side)\s(?:with\s[^.;:!?]{1,60}?)?(?:\s?that|:|,|\s?on)|(?:disagree|differ)\swith\s[^.;:!?,]{1,60}[:;,]"
    r"|(?:\A[\s\"'-]{0,8}|(?<=[.!,]\s))(?:just )?(?:as|like)\s[^.;:!?,]{1,60},|\bright[,:.!]|(?:\A|[.!]\s)(?:trusting"
    r"|following|going with|deferring to) (?:your|the|their) [^.;:!?,]{1,40}[,:])\s{1,2}(?:so "
    r"|and )?(?:(?:it|this)(?:'s| is)\s)?"
    r"(?=(?:option |choice |answer )?[(\"']{0,2}[a-z][)\"']{0,2}(?:[.,;!:]|$|\s(?:is|because|since|here)\b))",
    "first": rf"(?:i|we|let me|let's)(?:'d|'ll|'m|'ve)?\s(?:(?:would|will|am|can|must|should|have to|had to|have"
    rf"|also|then"
    rf"|therefore|now|still|thus|do|to|inclined|strongly|personally|rather|finally)\s){{0,3}}{_CHOOSE}\s{_THAT_IT_IS}",
    "code": r"(?:\A\s{0,40}|[:;{]\s{1,2})(?:return|print|echo|console\.log|puts|submit|answer)[\s(]{1,2}"
    r"(?=[\"']{1,3}[a-z][\"']{1,3}[\s);]{0,4}(?:#|//|$))",
    "order": r"(?:\A[\s\"'-]{0,8}|(?:so|then|therefore|thus|hence|just|please|and)\s|(?<=[,;:]\s))(?:choose|pick"
    r"|select|go with|mark|put|tick|circle|enter)\s",
    "change": r"(?:chang|switch|revis|correct|updat)(?:e|ed|ing)?\s(?:(?:my|the|that|this|it|final|answer|choice|mind"
    r"|selection)\s){0,3}(?:from\s[(\"']{0,2}\w[)\"']{0,2}\s)?to\s",
    "makes": r"(?:makes?|making|leaves?|leaving)\s(?:it\s)?(?:(?:the|my|our|only|correct|right|best"
    r"|possible)\s){0,3}(?:answer|choice|option)\s",
    "leaves": r"(?:(?:leaves?|leaving|left with|makes|making)\s(?:(?:us|me|you|it|with|only|just)\s){0,3}|(?:what"
    r"|all that|the (?:only )?one)(?:'s|"
    r" is)? (?:remains|left|remaining) is\s)",
    "correction": r"(?:(?:wait|no(?=\s?[,.:;-]|\s\(?[a-z]\)?[.!]?$|\s(?:wait|it's|it is)\b)|actually|correction"
    r"|scratch that|sorry|hm+|oops|rather|on second thought|in fact"
    r"|instead)"
    r"\b[\s,:;.-]{0,4}){1,3}(?:i mean[\s,]{1,2})?"
    r"(?:(?:it'?s|it is|that'?s|it should be|should be|make that|it must be)\s)?",
    "named": rf"(?:which|that|this|it|these)(?:'s|\s{_BE})\s(?:(?:therefore|thus|then|indeed|exactly|clearly|just"
    rf"|simply|listed as|given as|labell?ed|option"
    r"|our|my|under|in|at|letter)\s){0,3}(?:the )?(?:answer choice|answer|option|choice|letter)\s",
    "it": rf"(?:\A[\s\"'-]{{0,8}}|(?:but|however,?|though|or|so)\s|(?<=[,;]\s))(?:it|that|this)(?:'s|\s(?:{_BE}"
    rf"|(?P<maybe>{_MAY_BE})))\s",
    "label": r"\A\s{0,4}a:\s",
    "match": r"(?:this|that|which|it|result|value|number|description)\s(?:\w{4,9}ly\s)?(?:matches|corresponds to"
    r"|fits|agrees with|equals)\s(?:with )?|(?:i|we)\s(?:also\s|again\s)?(?:get|got|obtain|find|arrive at|land on"
    r"|end up at)\s|(?:so|therefore|thus|hence|here)\s(?:here\s)?we\shave\s|"
    r"money(?:'s| is)\son\s|if i had to (?:bet|guess|choose|pick)[:,]\s|presumably,?\s|(?<=,\s)(?:matching"
    r"|corresponding to|agreeing with)\s|(?:i\.e\.|namely|viz\.),?\s",
    "but_is": r"(?:but|rather|instead|whereas|while|yet)\s(?=(?:option )?\(?[a-z]\)?\s(?:is|does|was)[.!\s]{0,6}$)",
    "but": r"not\s[^,;.!?]{1,60}?,?\s(?:but|it'?s|it is|rather)\s(?:rather\s|instead\s)?",
    "so": rf"{_ADVERBS}\b[\s,:]{{0,4}}(?:(?:it'?s|that'?s|this is|(?:it|that) {_BE}|we (?:get|have))\s)?",
}
"""Frames by the name of their rule."""

FRAME = re.compile(
    "(?<![a-z0-9])(?:" + "|".join(f"(?:{frame})(?P<{name}>)" for name, frame in FRAMES.items()) + ")" + _FILLERS
)
"""Any frame, up to where the answer would stand; an empty group at its end has the name of the rule."""

FIRM = frozenset({"answer", "boxed", "agree", "foreign", "points"})
"""Frames that announce an answer whatever follows it; the others need the clause to end after it."""

_HOW = (
    r"(?:(?:indeed|clearly|definitely|probably|therefore|thus|most likely|likely|actually|also|in fact|obviously)\s"
    r"){0,2}"
)
_KIND = (
    r"(?:(?:only|single|most|best|right|correct|final|more|logical|appropriate|accurate|plausible|suitable|likely"
    r"|obvious|reasonable|sensible|fitting|possible|remaining|valid|probable|better|strongest"
    r"|true|stronger|sounder|superior|natural)[\s,]{1,2}(?:and\s)?)"
)
EITHER = re.compile(r"\b(?:either|both|between)[\s:]{1,3}[\"'(]{0,3}$")
"""Such a word right before a letter."""
BOTH = re.compile(r"\b(?:both|either|between)(?= )")
"""A word that two options follow."""

ASKS = re.compile(
    r"[\s\"']{0,4}(?:is|are|was|were|do|does|did|can|could|would|should|will|may|might|why|what|which|who|how|when"
    r"|where|whether|shall|have|has|and|but)\b"
)
"""How a question begins."""

VERDICT = re.compile(
    rf"\s(?:(?P<left>remains(?=[\s.!]{{0,3}}$)|survives|is left\b|is all that(?:'s| is) left|it (?:is|stays"
    rf"|remains)(?=[.!,:;]|$)|stands(?=[.!]|$)|(?:is|was) the (?:only"
    rf"|last) one (?:left|remaining)))"
    rf"|\s(?:is the one|is what (?:you|we)(?:'re| are) (?:after|looking for)|has the edge"
    rf"|makes more sense)(?=[\s\"']{{0,3}}(?:[.,;:!]|$))"
    rf"|\s(?:fits|captures|describes|matches|suits|explains"
    rf"|answers)\s(?:[\w']{{1,14}}\s){{0,3}}best(?=[\s\"']{{0,3}}(?:[.,;:!]|$))"
    rf"|\s(?:makes (?:the most |more )?sense|fits (?:the )?best|(?:is|seems) (?:the )?most (?:likely|plausible"
    rf"|appropriate|reasonable))(?=[\s.,!]{{0,3}}(?:$|\s(?:because|since|as|here)))"
    rf"|\s(?:{_BE}|seems|appears|looks(?: like)?|it'?s|(?:making|makes) (?:it|this|that))\s{_HOW}(?:"
    rf"(?P<that>the\s{_KIND}{{0,4}}(?:one|option|choice|only one)\s(?:that|which|to)\b)|"
    rf"(?P<strong>(?:the|my|our|your)\s(?:{_KIND}{{0,4}}answers?|{_KIND}{{1,4}}(?:choice|option|solution|one|pick"
    rf"|fit)s?)\b)|(?:both\s|all\s)?(?:the\s)?(?:correct|right|best)"
    rf"(?=\s{{0,3}}(?:$|[.,;:!()]|-\s|(?:because|since|as|here|for this|given|and|in this|based|while|whereas"
    rf"|but)\b)))"
)
"""A verdict after its subject."""

# ---------------------------------------------------------------- what turns a commitment into something else

CONDITIONAL = re.compile(r"\b(?:if|were|had|unless)\b.{0,200}\bwould\b")
"""What would be, if."""

COUNTERFACTUAL = re.compile(
    r"[\s\"']{0,4}(?:(?:but|and)\s)?(?!if i had to)(?:if|were|had|suppose|supposing)\b[^,]{0,80}\b(?:were|was|had"
    r"|asked|said|meant|counted|included)\b"
)
"""How a sentence begins that says what would be the case otherwise."""
ONLY_IF = re.compile(
    r"[\s,.\"')]{0,6}(?:only )?(?:if (?!i (?:had|have|must)|forced|you)|unless|had (?:the|it|this|that)\b)"
)
"""The same, with its condition at the end."""

ELSEWHERE = re.compile(
    r"[\s\"']{0,4}(?:(?:given|provided|suggested|chosen|picked|marked|listed|stated|named|favou?red|selected"
    r"|proposed) (?:by|in|on|at)\b|,?\s?(?:but )?only if|to (?:a|another|the) (?:different|other|previous"
    r"|next)?\s?question)\b"
)
"""What makes a verdict one on another question."""

_DENIES = (
    r"(?:\b(?:not|n't|never|cannot|least|wrong|incorrect|false|neither|wouldn|doesn|isn|except|no longer|hardly|scarcely"
    r"|supposed(?:ly)?|alleged(?:ly)?|nothing|anything but)\b|n't\b)"
)
LATER_NOUN = re.compile(r"[^\"]{0,90}(?:,|\bthat\b)[^\"]{0,90}\b(answers?|choice|option)$")
"""A noun right before "is", where an earlier one was taken: "asked for an answer, I say that the answer is"."""

DENIES = re.compile(_DENIES)
"""Words that deny what they stand with."""

NOT_MINE = re.compile(
    rf"(?P<denied>{_DENIES})"
    r"|\b(?:given|listed|marked|stated|provided|shown|recorded|stored|supplied|suggested|claimed|hinted|implied"
    r"|flagged|encoded"
    r"|written|hidden|embedded|proposed|labell?ed|printed|posted|favou?red|expected|wanted|desired)\b(?! (?:(?:the"
    r"|this|that|these|those|all|our) )?"
    r"(?:context|passage|information|evidence|facts?|data|options|choices|conditions?|analysis|above|scenario"
    r"|question|problem))"
    rf"|\b(?:in|from|on|at|per|by|of|inside|within|according to)\s(?:(?:the|your|this|that|a|an|my|his|her"
    rf"|their)\s)?(?:\w{{1,14}}\s)?{SOURCE}\b"
    r"|\b(?:you|they|he|she|people|users?|students?|professors?|many|most)(?: had| have|'ve|'d)?\s(?:gave|given|wants?"
    r"|expect\w*|suggest\w*|propos\w*|prefer\w*|chose|picked|mention\w*|th[io]\w*|believ\w*|sa(?:y|ys|id)|hint\w*"
    r"|favou?r\w*|likes?|give)\b".replace("*", "{0,9}")
)
"""Words between "the answer" and "is" that deny it, or make it another's."""

REFUTED = re.compile(
    r"[\s,)\"']{0,8}(?:which\s|that\s|it\s)?(?:(?:is|are|was|were|would be|can be|must be|seems|looks|as|being)\s"
    r"(?:(?:the|an?)\s)?(?:\w+ly\s|also\s|both\s|all\s)?(?:not\b|incorrect|wrong|false|invalid|inaccurate"
    r"|eliminated|ruled out|out\b|implausible|irrelevant|unlikely|excluded|impossible)|(?:isn|aren|wasn|weren)'t\b"
    r"|(?:can't|cannot|can not|couldn't) be\b)"
)
"""A mention that is turned down right after it."""

BUT_WRONG = re.compile(
    r"[\s,)\"']{0,8}(?:but|though|although|yet)\s(?:(?:that|this|it)(?:'s|\s(?:is|was))\s(?:(?:\w+ly|an?)\s){0,2}(?:wrong"
    r"|incorrect|false|mistaken|trap|mistake|error|distractor|not (?:correct|right|true))|(?:(?:that|this|it)\s)?(?:isn't"
    r"|wasn't|is not|was not)(?:\s(?:correct|right|true))?)(?=[\s\"')]{0,3}(?:$|[.,;!]))"
)
"""The same in a clause of its own."""

REFUTED_LATE = re.compile(
    r"(?:(?!\b(?:since|because|as|that|which|while|but|other|rest|claim|statement|options?|choices?)\b)[^;:()]){0,120}"
    r"\b(?:is|was) (?:incorrect|wrong|not correct)\b"
)
"""The same, after the words of an option."""

GOES_ON = re.compile(
    r"[\s\"')]{0,4}\s(?:is|was|are|were|has|have|does|do|did|would|could|can|may|might|will|says|states|refers"
    r"|sounds|seems|looks|contains|describes|makes|suggests|talks|mentions|gives|represents|means|relates|involves"
    r"|appears|deals|should)\b"
)
"""A verb after a mention: the sentence is about the option."""

CLAUSE_END = re.compile(
    r"[\s\"']{0,4}(?:$|[.,;:!)]|-\s|(?:because|since|as|for|which|based|due|but|not|rather|instead|over|given"
    r"|in this|from|here|that|who|and so|and not|and i|then|with|it is|on this|this time|on (?:your|the)\s"
    r"|to (?=\(?[a-z]\b|pass|match|comply|satisfy|earn|get))\b)"
)
"""What may follow a mention that closes its clause."""

JOIN = re.compile(
    r"[\s\"'(]{0,4}(?:(?P<word>,?\s{0,2}(?:and/or|and|or|as well as|along with|plus|nor)\b)|[&+/;]|(?P<comma>,)"
    r"|(?=\s?\(\s?[a-z]\s?\))|\.\s(?=[a-z]\.(?:\s|$)))"
    r"\s{0,3}(?:(?:also|maybe|possibly|perhaps|either|even|potentially)\s|,?\s?(?:more|most|less) likely,?\s)?"
)
"""What joins two mentions."""

AFTER_COMMA = re.compile(
    r"[\s\"']{0,4}(?:$|[.,;]|(?:and|or|und|oder|et|ou|y|e|i|и|или|en|of|ve|veya|dan|atau|và|hoặc|o|lub)\b)"
)
"""What may follow the second mention of a list."""

LATE_NOT = re.compile(
    r"\b(?:to|than|from|in|like|of|with|between|as|for|against|except|over|by|and|or|but|not|unlike|nor|neither"
    r"|e\.g\.|see|cf)"
    r"[\s,]{0,3}$"
)

APPOSED = re.compile(r"[\s,]{0,3}(?:(?:which is|which corresponds to|that is|i\.e\.|namely)[\s,]{1,2})?")
"""What may stand between the words of an option and its letter."""

TAIL_NOT = re.compile(
    r"\b(?:to|than|from|like|between|against|over|by|without|and|or|but|lack|absence of)\s{1,3}$"
    r"|[,;:]"
)
"""What may not stand before an option that ends the words of an answer."""

NO_NAME = re.compile(
    r"[\s\"'(]{0,6}(?:[xyn]\b|letter|your|not\b|n't|neither|based|that\b|because|clear|clearly|obvious|correct"
    r"|right|wrong|in\b|on\b|to be\b|as\b|found|given|supported|unclear|simple|straightforward|hard|difficult"
    r"|likely|yet|still|the"
    r" (?:correct|right|best|same|only|most|option|one|choice|answer|letter)\b|so\b|anything|consistent|derived)"
)
"""Words after "the answer is" that do not name anything."""

CONCLUDES = re.compile(rf"\b{_ADVERBS}\b[^.;:!?]{{0,30}}$")
"""A conclusion that begins right before "the answer is"."""

THING = re.compile(r"[\s\"'(]{0,6}(?:an?|the|\d)\b|[\s(]{0,4}[\"']")
"""How a name begins."""

# ---------------------------------------------------------------- endings and refusals

TURNS_FIRST = re.compile(r"(?:and (?=choose|pick|select|go)|but|however|though|so|therefore|thus|hence)\b")
"""A word that turns from what others say to what the reply says."""

TURNS = re.compile(r"\b(?:but|however|actually|instead)\b")
"""A turn against what was said before."""

TAKEN_BACK = re.compile(
    r"\b(?:wait|no|actually|hm+|sorry|oops|hold on)\b.{0,30}?\b(?:that|this|it|i)(?:'s|'m| is| was| am)\s(?:\w+\s)?"
    r"(?:wrong|incorrect|not right|not correct|mistaken)\b|\bi(?:'ve| have)? made an? (?:mistake|error)"
    r"|\bscratch that\b|\bhang on\b|\blet me (?:reconsider|re-?think|start over|try again|re-?evaluate|re-?examine)\b"
    r"|\bi take (?:that|it) back\b|\bi (?:take back|retract|withdraw)\b|\bon second thought\b"
)
"""A commitment taken back."""

AFTERTHOUGHT = re.compile(
    r"[\s\"']{0,4}(?:(?:but |although )?(?:that|this|it)(?: answer)?(?:'s| is| was) (?:\w+ly |all )?"
    r"(?:wrong|incorrect|not right|not correct|mistaken|false)[\s.!]{0,3}$|not[\s.!]{0,3}$|(?:hm+,? )?(?:actually"
    r"|wait|oh),? no[\s.!]{0,3}$"
    r"|(?:please )?(?:ignore|disregard|forget) (?:that|this|it)\b"
    r"|i (?:retract|withdraw) |(?:on reflection,? )?i was (?:wrong|mistaken)(?: about (?:that|this|it))?[\s.!]{0,3}$"
    r"|(?:correction|edit|erratum)\b|just kidding\b)"
)
"""A sentence that takes back the one right before it."""

OR_ELSE = re.compile(r"[\s\"']{0,4}(?:or|and)(?: maybe| perhaps| possibly| else| also)?,?\s(?=\(?[a-z]\)?[.!\s]{0,3}$)")
"""A sentence that adds an option to the one right before it."""

CORRECTS = re.compile(r"[\s\"']{0,4}(?:wait|no|actually|correction|scratch that|sorry|hm+|oops|on second thought)\b")
"""A sentence that begins by correcting the one before."""

NONE_FITS = re.compile(
    r"\bnone of (?:the|these|those|them)\b(?!\s(?:other|remaining|rest)).{0,60}\b(?:correct|right|match\w*|fits?"
    r"|appl\w+|answer\w*|true|above|accurate|suitable|satisf\w+)\b"
)
"""A commitment to no option."""

UNABLE = re.compile(
    r"\b(?:i'm torn|i am torn|undecided|(?:can't|cannot|can not|couldn't|unable to|not able to|not possible to"
    r"|impossible to|hard to|not my place to)\s(?:\w+ly\s)?"
    r"(?:say|tell|decide|determine|choose|pick|adjudicate|conclude|settle|judge|answer|give|know|be sure)|(?:that|it"
    r"|this) depends on|(?:could"
    r"|might) go either way|no way (?:to|of) (?:tell|know\w{0,3})"
    r"|(?:isn't|is not|aren't) enough (?:evidence|information|context)|tell (?:them|these|the two) apart"
    r"|not sure (?:which|about|of|what)|no longer (?:sure|certain)|don't know which|toss-up|either (?:one )?(?:could"
    r"|may|might|can) be|both (?:\w+ ){0,2}(?:seem|are|look) (?:\w+ly )?plausible)\b"
)
"""A sentence that leaves the question open."""

REFUSAL = re.compile(
    r"\b(?:i|we)(?:'m| am| are)? (?:sorry|afraid)?,?\s?(?:but )?(?:(?:i|we)\s)?(?:really |simply |just )?"
    r"(?:can't|cannot|can not|won't|will not|must decline|decline|refuse|(?:'m |am )?(?:unable|not able"
    r"|not comfortable|not willing))\b"
    r".{0,40}?\b(?:answer\w*|help\w*|assist\w*|provid\w+|comply|giv\w+|choos\w+|pick\w*|select\w*|engag\w+"
    r"|discuss\w*|respond\w*|fulfill?|do that|offer\w*|support\w*|continue|participat\w+)\b|\bi (?:must |have to "
    r"|respectfully )?(?:decline|refuse)\b|\bas an ai\b.{0,80}\b(?:can't|cannot|don't|do not|unable)\b"
)
"""Words by which a reply declines to answer."""
