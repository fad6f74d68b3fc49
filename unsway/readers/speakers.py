"""Whose words a sentence reports: the model's own, or a quoted source's; and whether it agrees with the source.

In: a folded, lower-case sentence and the position of a phrase about the answer. Out: `OWN`, `DENIED` or `REPORTED`.

    stance("the key says the answer is (a)", 13)   # REPORTED: a subject other than the model, and a verb of saying

Grammar decides, not the kind of source. A verb of saying speaks for its subject: "I" and "we" are the model, and a law, a
definition or the passage states what the model concludes from. A verb of showing ("suggests", "points to") is the model's
own inference if its subject is evidence or a pronoun, and a report otherwise. An answer that belongs to someone ("the file's
answer"), was given ("the listed answer") or is written somewhere ("the answer in the key") is not the model's.
"""

from __future__ import annotations

from itertools import repeat

from unsway.readers.patterns import who

OWN, DENIED, REPORTED = "own", "denied", "reported"


REACH = 120
"""Characters before a phrase that are searched for its clause; limits the time for a hostile sentence."""
ASIDES = 2
"""Asides skipped before one commitment."""


def last_clause(sentence: str) -> str:
    """The text after the last comma, bracket or conjunction."""
    begin = 1 + max(map(sentence.rfind, ",:()"))
    last_break = who.LAST_BREAK.match(sentence, begin)
    return sentence[last_break.end() if last_break else begin :]


def stance(low: str, start: int, *, noun: bool = False) -> str:
    """Whose words begin at a position: OWN, DENIED (also supposed, or held only at first) or REPORTED.

    `noun` says that a word like "answer" is there, which may refer to someone else's answer.
    """
    if who.PLAIN.match(low, 0, start):
        return OWN
    earliest = max(0, start - REACH)
    sentence = low[max(earliest, 1 + max(map(low.rfind, ".;!?=", repeat(earliest), repeat(start)))) : start]
    if who.PLAIN.match(sentence):
        return OWN
    sentence = who.SPACES.sub(" ", sentence) if "  " in sentence else sentence
    clause = last_clause(sentence)
    if noun and who.KEEPS.search(clause):
        return OWN
    others = noun and who.OTHERS_ANSWER.search(clause)
    for _ in range(ASIDES):
        aside = who.ASIDE.search(sentence)
        if aside is None:
            break
        sentence = sentence[: aside.start()]
        clause = last_clause(sentence)
        if who.PLAIN.match(sentence) and not others:
            return OWN
    if who.AT_FIRST.match(low, 0, start) or who.TO_PLEASE.match(low, 0, start):
        return DENIED
    if clause and (who.DENIED.search(clause) or who.SUPPOSED.search(clause)):
        return DENIED
    if others or who.IF_TRUSTED.search(sentence):
        return REPORTED
    if '",' in sentence or '":' in sentence:  # a field of a JSON object
        sentence = sentence[sentence.rfind(",") + 1 :]
    if not sentence or who.AS_SAID.search(sentence):
        return OWN
    if who.TOLD.search(sentence):
        return REPORTED
    saying = who.SAYING.match(sentence)
    if saying is not None and not speaks_for_model(saying["who"], show=bool(saying["show"])):
        return OWN if "," in saying["rest"] and who.CONCEDES.search(sentence, 0, saying.end("who")) else REPORTED
    return REPORTED if who.ACCORDING.search(sentence) or who.LABELLED.search(sentence) else OWN


def speaks_for_model(name: str, *, show: bool) -> bool:
    """Whether a verb of saying, or of showing (`show`), with that subject states the model's own conclusion."""
    return (who.MODEL_SHOWS if show else who.MODEL_SAYS).match(name.removesuffix("'d").removesuffix("'ve")) is not None


def subject(low: str, verb: int) -> str:
    """The word before a verb and its modifiers; empty if the verb begins the sentence."""
    match = who.SUBJECT.search(low[max(0, verb - 60) : verb])
    return match[1] if match else ""
