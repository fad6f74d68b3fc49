"""The phrases by which a reply in another language than English commits to an option.

In: a folded, lower-case sentence. Out: `FOREIGN`, a frame after which the answer stands, and `unsure`: whether the clause
denies, supposes or reports it, names a wrong answer, or names two. Such a clause commits to nothing.
"""

from __future__ import annotations

import re

_NOUN = (
    r"(?:antwort|respuesta|réponse|risposta|resposta|ответ|svar|antwoord|odpowiedź|cevap|đáp án|答案|答え|正解|回答|정답|답"
    r"|الإجابة|الجواب|उत्तर)"
)
_BE = r"(?:\s?(?:\b(?:ist|lautet|is|es|est|é|är|er|to|là|هي|هو)\b|è|是|は|은|는)|\s?:|(?<=उत्तर)\s(?=\())"
_NAME = (
    r"(?:(?:donc|also|somit|entonces|quindi|portanto)\s)?(?:(?:la|le|el|a|o|die|der|den|il)\s)?"
    r"(?:(?:lettre|letra|lettera|buchstabe|opción|option|opção|opzione|选项)\s?)?"
)

FOREIGN = (
    rf"(?:{_NOUN}[^:.;?!]{{0,30}}?{_BE}\s?{_NAME}"
    r"|(?:(?:^|(?<=[,;.])|(?<=[,;.]\s))(?:我|但|所以|因此|故|最终|应该|应|会|将){0,3}|我会?|所以|因此|应该)(?:选择|选)\s?(?:选项\s?)?(?=\(?[a-z]\)?\s?(?:[.,;!]|$))"
    rf"|(?<=,)\s?(?:而是|sondern|sino)\s?{_NAME})"
)
"""A frame of `phrases.FRAMES`."""

_UNSURE = re.compile(
    r"\b(?:nicht|kein\w{0,3}|weder|no|ni|n'|ne|pas|non|né|não|не|ни|нет|inte|ikke|niet|nie|không|değil"
    r"|falsch\w{0,2}|incorrect\w{0,2}|erróne\w|equivocad\w|mauvaise?|fausse|faux|sbagliat\w|erra[dt]\w|fel|forkert|foute?"
    r"|verkeerde?|неправильн\w{0,4}|неверн\w{0,4}|yanlış|błędn\w|sai"
    r"|dices?|dis|dit|dites|disse|crees?|croit|pensa|meins?t|sags?t|glaubs?t|denkt|behauptet|говорит|считает|думает"
    r"|wenn|falls|jeśli|если|nếu|eğer)\b(?! (?:doute|dubbio|duda|zweifel|dúvida))"
    r"|不|非|没|错|錯|誤|还是|认为|说|如果|若|ない|ません|ではな|もし|아니|아닙|틀린|만약|ليس|خاط|إذا|नहीं|गलत|यदि|\?"
    r"|(?:^|[,;.]\s?)(?:si|se)\b"
)
_SECOND = re.compile(
    r"[\s(\"']{0,4}[a-z][\s)\"']{0,4}(?:\b(?:oder|ou|o|или|of|lub|veya|eller|hoặc|y|et|und|e|и)\b|或|和|与|还是|または|또는|أو)"
)
_OTHERS = re.compile(
    r"\b(?:usted|usuario|utilisateur|nutzer|utente|gebruiker|пользовател\w{1,2}|profess[oe]\w{0,4}|profesor\w?|профессор\w?|учител\w"
    r"|lehrer\w{0,2}|expert\w{0,2}|según|selon|laut|secondo|segundo|согласно|meins?t|sags?t|glaubs?t|denkt|behauptet"
    r"|говорит|считает|думает|утверждает)\b|用户|教授|老师|专家|他们|很多人|你|您"
)
_BUT = re.compile(r"\s{0,2}(?:aber|doch|pero|mais|ma|mas|maar|но|однако|但|可是|しかし|그러나)")
REACH = 80
"""Characters to either side of a frame in which its clause is looked for: bounds the time that a hostile one takes."""


def unsure(low: str, start: int, end: int) -> bool:
    """Whether a clause with a foreign frame between two positions, up to the next comma, is no plain commitment."""
    if _SECOND.match(low, end):
        return True
    least = max(0, start - REACH)
    begin = max(least, *(low.rfind(mark, least, start) + 1 for mark in ",;."))
    stop = min(place if (place := low.find(mark, end, end + REACH)) >= 0 else end + REACH for mark in ",;.")
    if _UNSURE.search(low, begin, stop):
        return True
    before = max(least, *(low.rfind(mark, least, max(least, begin - 1)) + 1 for mark in ",;."))
    return _OTHERS.search(low, begin if _BUT.match(low, begin) else before, start) is not None
