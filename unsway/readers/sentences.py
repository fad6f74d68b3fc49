"""What one sentence commits to: after a phrase, before a verdict, or in someone else's words.

In: a `Segment` and the `KnownOptions`. Out: the sentence's last `Claim`, or None if it commits to nothing.
"""

from __future__ import annotations

import re
from collections import deque

from unsway.readers import languages, speakers
from unsway.readers.claims import HEDGED, REPORTED, STRONG, VOID, WEAK, Claim, claim_after, span, torn
from unsway.readers.layout import LONGEST, ReplyLayout
from unsway.readers.mentions import Mention, joined, mention_at, words_after
from unsway.readers.patterns import marks, say, who
from unsway.readers.speakers import DENIED, OWN, stance
from unsway.readers.speakers import REPORTED as REPORTED_WORDS
from unsway.readers.wording import KnownOptions, Segment

LAST_PHRASES = 5
"""Phrases of each kind examined in one sentence, from its end; limits the time for a hostile sentence."""

SHORTEST = 8
"""Fewest characters after an option for a further claim or verdict; a shorter rest of a sentence is not searched."""


def last_claim(seg: Segment, reply: ReplyLayout, *, anywhere: bool = False) -> Claim | None:
    """The last commitment of a sentence, in English or, with `anywhere`, in any language; a question commits to nothing."""
    last: Claim | None = None
    want = reply.want
    begin = max(0, len(seg.low) - LONGEST)
    for pattern, claim_of in (
        (say.FRAME, by_frame),
        (say.VERDICT, by_verdict),
        (say.BOTH, between_two),
        (who.SAYS, by_saying),
    ):
        if pattern is who.SAYS and last is not None and last.strength > VOID:
            break
        phrases = reply.frames(seg) if pattern is say.FRAME else pattern.finditer(seg.low, begin)
        for phrase in reversed(deque(phrases, maxlen=LAST_PHRASES)):
            claim = claim_of(seg, phrase, want)
            reply.phrases -= 1
            if claim is not None:
                if last is None:
                    last = claim
                elif HEDGED in (claim.strength, last.strength) and min(claim.strength, last.strength) > VOID:
                    if claim.strength == last.strength and claim.choice != last.choice:
                        last = last._replace(choice=None, rule="several", status="ambiguous")
                    last = max(last, claim, key=lambda candidate: candidate.strength)  # the firmer one
                elif (claim.strength > VOID) == (last.strength > VOID):  # the later one
                    last = max(last, claim, key=lambda candidate: (candidate.span[1], candidate.strength))
                else:  # the model's own, if it names an option
                    last = max(last, claim, key=lambda candidate: candidate.strength)
                if claim.strength > HEDGED:
                    break
        if last is not None and last.strength == STRONG and len(seg.low) + seg.start - last.span[1] < SHORTEST:
            break
    letters = languages.letters(seg.low) if last is None and anywhere else []
    reply.phrases -= len(letters)
    for letter, own in languages.commitments(letters, want):
        start, end = letter.span()
        option = languages.option_of(letter, want)
        bracketed = seg.low[end : end + 1] == ")" and seg.low[start - 1 : start] in ("(", " ")
        sure = bracketed or seg.text[start].isupper() or not seg.low[end:].strip(" .!\"')")
        if not letter["letter"]:
            sure = not any(letter[0] in text for text, _ in want.texts)
        if option < want.n and sure:
            return Claim(option, "foreign", span(seg, start, end), STRONG if own else REPORTED)
    if last is None and anywhere and not seg.low.isascii() and want.texts:
        behind = languages.called_right(seg.low)
        option_text = want.closing(seg.low[:behind])
        if (
            option_text is not None
            and option_text[0] is not None
            and (behind or languages.announces(seg.low[: option_text[1]]))
        ):
            return Claim(option_text[0], "foreign_text", span(seg, option_text[1], option_text[2]), STRONG)
    if last is None or not seg.low.rstrip(" \"')").endswith("?"):
        return last
    asks = last.rule != "answer" or say.ASKS.match(seg.low) or len(seg.low) - (last.span[1] - seg.start) < 15
    return None if asks else last  # a question mark may belong to an option


def _as_reported(seg: Segment, claim: Claim | None) -> Claim | None:
    """A claim as another speaker's; it becomes the model's own if the same sentence agrees with it."""
    if claim is None or claim.strength <= VOID or claim.choice is None:
        return None
    agrees = who.AGREES_HERE.match(seg.low, claim.span[1] - seg.start)
    return claim._replace(rule="agrees", strength=STRONG) if agrees else claim._replace(strength=REPORTED)


def by_saying(seg: Segment, phrase: re.Match[str], want: KnownOptions) -> Claim | None:
    """The claim of "you chose (A)", which is someone else's, or of "the evidence points to (A)", which is the model's."""
    name = speakers.subject(seg.low, phrase.start())
    claim = claim_after(seg, phrase.end(), want, "points")
    if claim is None:
        return None
    reach = max(0, phrase.start() - speakers.REACH), phrase.start()
    if who.AS_SAID.search(seg.low, *reach) and not who.IF_TRUSTED.search(seg.low, *reach):
        return claim._replace(rule="agrees")
    if not name:
        return None
    advised = who.ADVISED.search(seg.low, *reach)
    if advised is not None and stance(seg.low, advised.start()) == OWN:
        return claim._replace(strength=WEAK)
    if who.WHO.search(seg.low, 0, phrase.start()) and who.RIGHT.match(seg.low, claim.span[1] - seg.start):
        return claim._replace(rule="agrees")
    whose = stance(seg.low, phrase.start())
    if not speakers.speaks_for_model(name, show=bool(phrase["show"])):
        return None if whose == DENIED else _as_reported(seg, claim)
    if (
        name in ("i", "we")
        or (name.startswith(("i'", "we'")) and not say.CLAUSE_END.match(seg.low, claim.span[1] - seg.start))
        or who.SPEAKS_OF.match(phrase["say"] or "")
        or say.HYPOTHETICAL.match(seg.low, 0, phrase.start())
    ):
        return None
    return claim._replace(strength=WEAK) if whose == OWN else None


def by_frame(seg: Segment, frame: re.Match[str], want: KnownOptions) -> Claim | None:
    """The claim after a frame, unless the text around it denies it, attributes it to others or makes it conditional."""
    rule = str(frame.lastgroup)
    noun = rule == "answer"
    if rule == "correction" and want.at(seg.low, frame.start()):
        return None
    if noun and "would" in frame[0] and say.CONDITIONAL.search(seg.low[max(0, frame.start() - 200) : frame.end()]):
        return None
    strength = STRONG
    another = False
    if noun and frame["hedged"]:
        if "also" in frame["hedged"]:
            return None
        strength = HEDGED
    elif rule == "first" and any(
        verb.search(frame[0]) and condition.match(seg.low, 0, frame.start())
        for verb, condition in ((say.WOULD, say.HYPOTHETICAL), (say.WILL, say.IF_SO))
    ):
        return None
    elif rule in ("it", "match", "named"):
        if say.COUNTERFACTUAL.match(seg.low):
            return None
        strength = HEDGED if rule == "it" and frame["maybe"] else WEAK
        another = rule == "it" and ("also" in frame[0] or (strength == HEDGED and frame[0].startswith(("or ", "but "))))
    whole = strength == STRONG and frame.end(rule) < frame.end() and want.at(seg.low, frame.end(rule))
    claim = claim_after(seg, frame.end(rule) if whole else frame.end(), want, rule, strength)
    if (
        claim is not None
        and claim.choice is not None
        and (another or (strength == HEDGED and _names_another_later(seg, claim, want)))
    ):
        claim = torn(seg, claim.span[0] - seg.start, claim.span[1] - seg.start, "several", strength)
    if claim is None and not noun:
        return None
    turns = say.TURNS_FIRST.match(frame[0])  # from here on, its own words
    gap = frame["gap"] if noun else ""
    later = say.LATER_NOUN.match(gap) if gap else None
    start = frame.start("gap") + later.start(1) if later and later[1] else frame.start()
    whose = OWN if rule == "agree" or turns else stance(seg.low, start, noun=noun)
    if rule == "agree" and who.IF_TRUSTED.search(seg.low[: frame.end()]):
        whose = REPORTED_WORDS
    if whose == REPORTED_WORDS and rule in ("first", "change") and "," in seg.low[: frame.start()]:
        whose = stance(
            seg.low[seg.low.rindex(",", 0, frame.start()) :], frame.start() - seg.low.rindex(",", 0, frame.start())
        )
    elsewhere = say.NOT_MINE.search(gap) if gap and not later else None
    if whose == DENIED or (elsewhere is not None and elsewhere["denied"]):
        return None
    if claim is None:  # an answer is announced, but its words name no option
        rest = seg.low[frame.end() : frame.end() + 60]
        if strength != STRONG or whose != OWN or elsewhere or not rest.strip(" .!\"')(:,") or say.NO_NAME.match(rest):
            return None
        concluded = say.CONCLUDES.search(seg.low[max(0, frame.start() - 40) : frame.start()]) and say.THING.match(rest)
        return Claim(
            None, "unreadable", span(seg, frame.end(), len(seg.low)), STRONG if concluded else VOID, "unparsed"
        )
    if rule == "named":
        option_text = want.closing(seg.low[: frame.start()].rstrip(" ,("))
        if option_text is not None and option_text[0] != claim.choice:
            return torn(seg, option_text[1], claim.span[1] - seg.start, "letter_against_text", WEAK)
    after = claim.span[1] - seg.start
    if strength == WEAK and say.NOT_ANOTHER.match(seg.low, after):
        claim = claim._replace(strength=max(claim.strength, STRONG))
    if seg.ends_at(after):
        return _as_reported(seg, claim) if whose != OWN or elsewhere else claim
    text_after = want.at(seg.low, after)
    end = text_after[1] if text_after else after
    conditional = say.ONLY_IF.match(seg.text, end) and ("would" in frame[0] or _names_another_later(seg, claim, want))
    if conditional or say.BUT_WRONG.match(seg.low, end):
        return None
    if say.ON_TRUST.match(seg.low, end):
        return _as_reported(seg, claim)
    return (
        claim if whose == OWN and not elsewhere and not who.SAID_BY.match(seg.low, after) else _as_reported(seg, claim)
    )


def _names_another_later(seg: Segment, claim: Claim, want: KnownOptions) -> bool:
    """Whether a sentence names another option later: "(A) if … and (B) if …", "could be (A), or it could be (B)"."""
    mentions = (
        mention_at(seg, match.start(), want) for match in say.LOOSE.finditer(seg.text, claim.span[1] - seg.start)
    )
    return any(mention is not None and mention.option not in (None, claim.choice) for mention in mentions)


def between_two(seg: Segment, phrase: re.Match[str], want: KnownOptions) -> Claim | None:
    """The claim of "both A and C", "either A or C", "between A and C"."""
    mention = mention_at(seg, phrase.end(), want)
    if mention is None or mention.option is None or seg.low[: phrase.start()].endswith(") "):
        return None
    if want.at(seg.low, phrase.start()) or not joined(seg, mention.end, mention.option, want):
        return None
    return torn(seg, mention.start, mention.end, "several", HEDGED)


def by_verdict(seg: Segment, phrase: re.Match[str], want: KnownOptions) -> Claim | None:
    """The claim before a verdict: "(B) is the correct answer", "photosynthesis is correct"."""
    low = seg.low
    stop = phrase.start()
    if say.ELSEWHERE.match(low, phrase.end()):
        return None
    if "would" in phrase[0] and (
        say.CONDITIONAL.search(low[max(0, stop - 200) : phrase.end()]) or say.ONLY_IF.match(low, phrase.end())
    ):
        return None
    option_text = want.closing(low[:stop])
    mention = _last_mention(seg, stop, want)
    sure = phrase["strong"] or phrase["left"] or marks.SURELY.search(low, max(0, stop - 60), phrase.end())
    strength = STRONG if sure else WEAK
    if mention and not (option_text and option_text[1] < mention.start):
        before = low[max(0, mention.start - 60) : mention.start]
        if mention.placeholder or marks.NEITHER.search(before) or marks.EXCEPT.search(before):
            return None
        join = None if marks.AMONG.search(before) else marks.JOINED.search(before)
        other_mention = _last_mention(seg, mention.start - len(before) + join.start(), want) if join else None
        start = mention.start
        claim = Claim(mention.option, "verdict", span(seg, mention.start, mention.end), strength)
        if mention.option is None:
            claim = claim._replace(rule="no_such_option", status="unparsed")
        elif other_mention is not None and other_mention.option != mention.option:
            claim = torn(seg, other_mention.start, mention.end, "several", strength)
    elif option_text is None or marks.EXCEPT.search(low[: option_text[1]]):
        return None
    elif option_text[0] is None:
        claim = torn(seg, option_text[1], option_text[2], "several", strength)
        start = option_text[1]
    else:
        claim = Claim(option_text[0], "verdict_text", span(seg, option_text[1], option_text[2]), strength)
        start = option_text[1]
    whose = stance(low, start)
    if whose == DENIED:
        return None
    if whose == OWN and not who.SAID_BY.match(low, phrase.end()) and not say.ON_TRUST.match(low, phrase.end()):
        return claim
    agrees = who.AGREES_HERE.match(low, phrase.end())
    return claim._replace(rule="agrees", strength=STRONG) if agrees else claim._replace(strength=REPORTED)


def _last_mention(seg: Segment, stop: int, want: KnownOptions) -> Mention | None:
    """The mention that is the subject of the words that begin at `stop`."""
    begin = max(0, stop - 200)
    match = None
    for match in say.LOOSE.finditer(seg.text, begin, stop):  # noqa: B007 - the last one is wanted
        pass
    if match is None:
        return None
    mention = mention_at(seg, match.start(), want)
    if mention is None or mention.end > stop:
        return None
    words = words_after(seg, mention, want)
    between = seg.low[words[1] if words and words[0] == mention.option else mention.end : stop].strip(" ,\"')")
    bare = not mention.bracketed and seg.text[match.start()].isupper() and mention.end - mention.start == 1
    if bare and not marks.SUBJECT_AFTER.search(seg.low[max(0, mention.start - 20) : mention.start]):
        return None
    if between and (
        marks.GAP_STOPS.search(between)
        or not marks.SUBJECT_AFTER.search(seg.low[max(0, mention.start - 20) : mention.start])
    ):
        return None
    return mention
