"""Commitments by position: a line of its own, the start of a reply, its end, and the option that a list singles out.

In: a `ReplyLayout`. Out: a `Claim`, or None. All of them are weaker than an outright commitment.
"""

from __future__ import annotations

import re
from itertools import islice

from unsway.readers import languages, own_words
from unsway.readers.claims import STRONG, WEAK, Claim, announces, both, claim_after, claimed, undone
from unsway.readers.layout import HEAD, LEADS, ReplyLayout, begin
from unsway.readers.mentions import Mention, joined, mention_at, words_after
from unsway.readers.patterns import by_place, marks, say, who
from unsway.readers.sentences import last_claim
from unsway.readers.speakers import OWN, stance
from unsway.readers.wording import KnownOptions, Segment, segment, sentences_from_the_end

CROSSES = ("❌", "✗", "✘", "✖", "🚫")
"""Signs that mark an option as wrong."""


def answer_to_the_line_above(reply: ReplyLayout, seg: Segment) -> Claim | None:
    """The option at the start of a line, if the line above ends with a phrase that announces an answer."""
    line = reply.line_start(seg.start)
    closed = reply.text[max(reply.low, line - 20) : line].rstrip(LEADS + "\n").endswith((".", "!", "?", ";", ")"))
    above = None if closed or reply.text[line : seg.start].strip(LEADS) else reply.above(line)
    if above is None:
        return None
    done = len(above.low.rstrip())
    for found in reply.frames(above):
        if (
            found.end() >= done
            and found.lastgroup in ("answer", "so")
            and stance(above.low, found.start(), noun=True) == OWN
        ):
            claim = claim_after(seg, begin(seg, reply.want), reply.want, "answer")
            return None if claim is not None and reply.goes_on_after(seg.start, claim.choice) else claim
    heading = by_place.HEADING.match(above.low) and (seg.start > line + 40 or len(seg.low) < 200)
    return claim_after(seg, begin(seg, reply.want), reply.want, "answer") if heading else None


def line(reply: ReplyLayout, seg: Segment, *, final: bool) -> Claim | None:
    """A line with only an option, unless it belongs to a list or its heading attributes it to others."""
    line = reply.line_start(seg.start)
    starts = not reply.text[line : seg.start].strip(LEADS)
    if not (starts or final):
        return None
    at = begin(seg, reply.want)
    found = letter_line(reply, seg, at, final=final) or (text_line(reply, seg, at, line) if final else None)
    if found is None:
        return None
    header = reply.header(line)
    if header is not None and (who.GIVES_AWAY.search(header) or found.choice is None):
        return None
    return found._replace(strength=WEAK) if header is not None else found


def letter_line(reply: ReplyLayout, seg: Segment, at: int, *, final: bool) -> Claim | None:
    """A letter, with or without its option's words, that fills a line outside any list."""
    mention = mention_at(seg, at, reply.want)
    if mention is None or mention.option is None or reply.listed(seg.start, mention.option):
        return None
    words = words_after(seg, mention, reply.want)
    stop = words[1] if words else mention.end
    second = joined(seg, stop, mention.option, reply.want)
    if second:
        closed = say.CLAUSE_END.match(seg.low, second) and len(seg.low) - second < 20
        return claimed(seg, None, "several", mention.start, second, "ambiguous") if closed else None
    if words and not final:
        return None
    unknown = mention.bracketed and not reply.want.texts and reply.line_start(seg.start) == seg.start > reply.low
    unknown = unknown and not say.GOES_ON.match(seg.low, stop) and not say.JOIN.match(seg.low, stop)
    bare = not seg.low[stop:].strip(" .!\"')")
    if not unknown and not bare:
        return None
    if words and words[0] not in (None, mention.option):
        return claimed(seg, None, "letter_against_text", mention.start, stop, "ambiguous")
    if not words and _named_otherwise(seg, at, mention, reply.want):
        return claimed(seg, None, "letter_against_text", mention.start, stop, "ambiguous")
    if marks.NUMBERED.search(reply.text, max(reply.low, seg.start - 6), seg.start):
        return None
    line = reply.line_start(seg.start)
    above = reply.above(line)
    other = mention_at(above, begin(above, reply.want), reply.want) if bare and above is not None else None
    bare_too = other is not None and above is not None and above.ends_at(other.end) and reply.header(line) is None
    if other is not None and bare_too and other.option not in (None, mention.option):
        return claimed(seg, None, "several", mention.start, stop, "ambiguous")
    if above is not None and "\n" not in reply.text[above.start + len(above.text) : line - 1].strip(" \t"):
        claim = last_claim(above, reply)
        if claim is not None and claim.choice not in (None, mention.option):
            return claimed(seg, None, "several", mention.start, stop, "ambiguous")
    return claimed(seg, mention.option, "line", mention.start, mention.end, strength=STRONG if bare or final else WEAK)


def text_line(reply: ReplyLayout, seg: Segment, at: int, line: int) -> Claim | None:
    """The words of an option that fill the last line, if the line above does not name another option."""
    named = reply.want.at(seg.low, at)
    if named is None or named[0] is None:
        return None
    letter = mention_at(seg, named[1], reply.want)
    stop = letter.end if letter and letter.bracketed else named[1]
    second = joined(seg, named[1], named[0], reply.want)
    if second and not seg.low[second:].strip(" .!\"')"):
        return claimed(seg, None, "several", at, second, "ambiguous")
    above = reply.above(line)
    if seg.low[stop:].strip(" .!\"')") or (
        above is not None and reply.want.at(above.low, begin(above, reply.want), dash=True)
    ):
        return None
    if letter and letter.option != named[0]:
        return claimed(seg, None, "letter_against_text", at, stop, "ambiguous")
    return claimed(seg, named[0], "line_text", at, stop)


def edge(reply: ReplyLayout) -> Claim | None:
    """The start of the reply, unless it is a mere letter and the end names another option; else the end."""
    first, last = leading(reply), closing(reply)
    if first is None or last is None or first.rule == "leading_words":
        return first or last
    return both(last, first)


def leading(reply: ReplyLayout) -> Claim | None:
    """An option at the very beginning, followed by its reasons."""
    sentences = list(sentences_from_the_end(reply.text, reply.low, min(reply.high, reply.low + HEAD)))
    seg = segment(reply.text, *sentences[-1])
    at = begin(seg, reply.want)
    mention = mention_at(seg, at, reply.want)
    if mention is None or mention.option is None:
        return leading_text(reply, seg, at, sentences)
    if seg.start + mention.start in reply.objects:
        return None
    label = mention.bracketed and seg.text[mention.start : mention.start + 1] != "("
    if seg.low.endswith("?") and not (label and len(seg.low) > mention.end + 4):
        return None
    if seg.low[mention.end : mention.end + 3].replace(" ", "")[:2] in ('":', ':"', "':"):  # a key of a JSON object
        return None
    letters = [ord(found[1]) for found in marks.BRACKETED.finditer(seg.text)][:3]
    if letters == [*range(ord("A") + mention.option, ord("A") + mention.option + 3)]:  # "(A) 2 (B) 3 (C) 5": a list
        return None
    if mention.option == 0 and reply.want.n > 2 and _all_in_one_line(reply, sentences[: -reply.want.n - 1 : -1]):
        return None
    words = words_after(seg, mention, reply.want)
    stop = words[1] if words else mention.end
    behind = marks.TO_TEXT.match(seg.low, stop)
    refuted = say.REFUTED.match(seg.low, stop) or (
        behind and not words and say.REFUTED_LATE.match(seg.low, behind.end())
    )
    turned_down = not label and (refuted or languages.turned_down(seg.low, stop))
    if turned_down or undone(seg, stop) or reply.goes_on_after(seg.start + at, mention.option):
        return None
    if words and words[0] not in (None, mention.option):
        return claimed(seg, None, "letter_against_text", mention.start, stop, "ambiguous")
    second = joined(seg, stop, mention.option, reply.want)
    if second:
        closed = say.CLAUSE_END.match(seg.low, second)
        return claimed(seg, None, "several", mention.start, second, "ambiguous") if closed else None
    if words and (mention.bracketed or marks.OPENS.match(seg.low, stop)):
        return claimed(seg, mention.option, "leading_words", mention.start, mention.end)
    speaker = seg.low[at : at + 2] == "a:"
    dash = seg.low[mention.end :].lstrip().startswith("- ") and len(reply.heads) < 2
    told = reply.want.begins(seg.low, seg.low.index("- ", mention.end) + 2) if dash else 0
    if told and say.REFUTED.match(seg.low, told):
        return None
    stop = mention.end if dash else stop  # "B - photosynthesis is how …" explains its answer
    discussed = (reply.want.texts or not label) and say.GOES_ON.match(seg.low, stop)
    if speaker or discussed or not (mention.bracketed or marks.OPENS.match(seg.low, stop)):
        return None
    if _named_otherwise(seg, at, mention, reply.want):
        return claimed(seg, None, "letter_against_text", mention.start, stop, "ambiguous")
    return claimed(seg, mention.option, "leading", mention.start, mention.end)


def _all_in_one_line(reply: ReplyLayout, first: list[tuple[int, int]]) -> bool:
    """Whether the first sentences of a reply begin with its options in order: "(A) is … (B) is …"."""
    heads = [mention_at(segment(reply.text, *place), 0, reply.want) for place in first]
    in_order = [head and head.option for head in heads] == [*range(reply.want.n)]
    return in_order and "\n" not in reply.text[first[0][0] : first[-1][0]]


def leading_text(reply: ReplyLayout, seg: Segment, at: int, sentences: list[tuple[int, int]]) -> Claim | None:
    """The words of an option at the very beginning, separated from the text after them."""
    named = reply.want.at(seg.low, at)
    if named is None or named[0] is None or seg.low.endswith("?") or not marks.OPENS.match(seg.low, named[1]):
        return None
    if len(sentences) > 1:
        second = segment(reply.text, *sentences[-2])
        if (reply.want.at(second.low, begin(second, reply.want), dash=True) or named)[0] != named[0]:
            return None
    if marks.SUM.match(seg.low, named[1] - 1) or undone(seg, named[1]):
        return None
    denies = re.match(r"[\s,]{1,3}(?:and )?not ", seg.low[named[1] :])
    if (len(reply.want.named(seg.low)) > 1 and not denies) or joined(seg, named[1], named[0], reply.want):
        return None
    return claimed(seg, named[0], "leading_text", at, named[1], strength=WEAK)


def closing(reply: ReplyLayout) -> Claim | None:
    """The words of an option at the very end, as the sentence's statement or as the only option named."""
    seg = next(reply.sentences())
    named = reply.want.closing(seg.low)
    if named is None or named[0] is None:
        return None
    option, start, end = named
    before = seg.low[:start]
    copula = by_place.COPULA.search(before) or seg.low.rstrip(" .!").endswith(" it is")
    clause = before[1 + before.rfind(",") :] if copula else before
    if not copula and by_place.YOURS.search(before):
        return None
    if own_words.is_theirs(before) or by_place.DISTANT.search(clause) or seg.low.rstrip().endswith("?"):
        return None
    if (
        announces(seg)
        or say.COUNTERFACTUAL.match(seg.low)
        or not own_words.is_own(seg, start, (max(seg.low.rfind(mark, 0, start) for mark in ",;") + 1, end))
        or any(mention_at(seg, found.start(), reply.want) for found in say.LOOSE.finditer(seg.text, 0, start))
    ):
        return None
    whole = reply.tail
    if copula:
        said = whole.low[: seg.start + start - whole.start] if not say.TURNS.search(before) else ""
        rivals = (found.end() for found in re.finditer(r"\b(?:is|are|was|were) (?:(?:an?|the) )?", said))
        if any(said.startswith(text, place) for place in rivals for text, other in reply.want.texts if other != option):
            return None
    else:
        if reply.want.named(whole.low) != {option} or by_place.DISTANT.search(whole.low):
            return None
    return claimed(seg, option, "closing_text", start, end, strength=WEAK)


def short(reply: ReplyLayout) -> Claim | None:
    """A short sentence at either end with one letter, or a last one that ends with its only letter; else a bare place."""
    first = next(sentences_from_the_end(reply.text, reply.low, min(reply.high, reply.low + 80)), None)
    last = list(islice(reply.sentences(), 3))
    for seg in (*last, *((segment(reply.text, *first),) if first and first[0] == reply.low else ())):
        found = by_place.SHORT.match(seg.low) or (
            None if by_place.NO_LABEL.search(seg.low) else by_place.LABEL.match(seg.low)
        )
        if found is None and seg in last[:1]:
            found = by_place.CONCLUDED.search(seg.low)
        if say.OR_ELSE.match(seg.low):
            return None
        odd = found and not languages.english(seg.low) and not languages.plain(seg.low)
        if odd or len(seg.low) > 200 or seg.low.startswith(CROSSES):
            continue
        found = found or languages.only_letter(seg.low)
        option = ord(found["letter"]) - ord("a") if found else reply.want.n
        line = reply.line_start(seg.start)
        above = reply.above(line) if found and "label" in seg.low else None
        heading = (reply.header(line) if found else None) or (above.low if above else "")
        start = found.start("letter") if found else 0
        numbered = marks.NUMBERED.search(reply.text, max(reply.low, seg.start - 6), seg.start)
        if (
            found is None
            or option >= reply.want.n
            or numbered
            or (seg.text[start].islower() and len(seg.low) > start + 3)
        ):
            claim = ending(seg, reply.want) if seg in last else None
            if claim is not None and claim.status == "ok":
                return claim
        elif seg.low.strip(" .!*\"'()") == found["letter"] or (
            (found["letter"] in "ai" and not mention_at(seg, start, reply.want)) or who.GIVES_AWAY.search(heading)
        ):
            continue
        elif not reply.listed(seg.start, option) and stance(seg.low, start) == OWN:
            return claimed(seg, option, "short", start, start + 1, strength=WEAK)
    whole = segment(reply.text, reply.low, min(reply.high, reply.low + 60))
    other = languages.only_place(whole.low, reply.want)
    if other is not None and other[0] < reply.want.n:
        return claimed(whole, other[0], "short", *other[1], strength=WEAK)
    return None


def marked(reply: ReplyLayout) -> Claim | None:
    """The only option called right in a list with one line per option."""
    marks: dict[int, tuple[bool, int]] = {}
    for place, option in reply.heads or reply.named_heads():
        end = reply.text.find("\n", place, reply.high)
        line = reply.text[place : reply.high if end < 0 else end].lower()
        for words, named in reply.want.texts:
            line = line.replace(words, " ") if named == option else line
        right = by_place.CALLED_RIGHT.search(line) is not None and not by_place.CALLED_WRONG.search(line)
        if option >= reply.want.n or (option in marks and marks[option][0] != right):
            return None
        marks[option] = (right, place)
    rights = [(option, place) for option, (right, place) in marks.items() if right]
    if len(marks) < 3 or len(rights) != 1:
        return None
    start = reply.text.upper().index(chr(ord("A") + rights[0][0]), rights[0][1]) if reply.heads else rights[0][1]
    return Claim(rights[0][0], "marked", (start, start + 1), WEAK)


def marked_in_line(reply: ReplyLayout) -> Claim | None:
    """The only option called right in one line for all of them: "A: no, B: yes, C: no"."""
    each = reply.goes_through(reply.low, reply.high)
    words = [found[2].lower() for found in each]
    wrong = [by_place.CALLED_WRONG.search(word) is not None for word in words]
    if wrong.count(False) != 1 or any(text in words for text, _ in reply.want.texts):  # such words are no verdicts
        return None
    only = wrong.index(False)
    right = by_place.CALLED_RIGHT.search(words[only])
    return Claim(only, "marked", each[only].span(1), WEAK) if right else None


def odds(reply: ReplyLayout) -> Claim | None:
    """The option with more than half of the probability, if every option has a number."""
    odds = list(by_place.ODDS.finditer(reply.text, max(reply.low, reply.high - 600), reply.high))
    if sorted(found[1] for found in odds) != [chr(ord("A") + i) for i in range(reply.want.n)] or reply.want.n < 2:
        return None
    line = reply.line_start(odds[0].start())
    if who.GIVES_AWAY.search(reply.text[line : odds[0].start()].lower() + (reply.header(line) or "")):
        return None
    most = max(odds, key=lambda found: float(found[2]))
    whole = sum(float(found[2]) for found in odds)
    if 2 * float(most[2]) <= whole or not (0.9 < whole < 1.1 or 90 < whole < 110):
        return None
    return Claim(ord(most[1]) - ord("A"), "odds", most.span(1), WEAK)


def _named_otherwise(seg: Segment, at: int, mention: Mention, want: KnownOptions) -> bool:
    """Whether an unbracketed letter is the whole text of another option."""
    named = want.at(seg.low, at)
    return not mention.bracketed and named is not None and named[0] != mention.option


def _closes_itself(seg: Segment, mention: Mention) -> bool:
    """Whether a letter's closing bracket was opened for it or never: "(B)" or "B)", but not the end of "(A,B)"."""
    opened = seg.text.count("(", 0, mention.start) > seg.text.count(")", 0, mention.start)
    return not opened or seg.text[mention.start] == "("


def ending(seg: Segment, want: KnownOptions, *, plainly: bool = False) -> Claim | None:
    """The only letter of a sentence, at its end: "a clear sky is (D) blue"; unless `plainly`, also "it is forbidden, (C)"."""
    found = [mention_at(seg, place.start(), want) for place in say.LOOSE.finditer(seg.text, max(0, len(seg.low) - 400))]
    mentions = [mention for mention in found if mention is not None and mention.option is not None]
    mentions = [mention for mention in mentions if mention.bracketed and _closes_itself(seg, mention)] or mentions
    if len({mention.option for mention in mentions}) != 1 or seg.low.endswith("?"):
        return None
    mention = mentions[-1]
    whole = want.closing(seg.low)
    if (plainly and not mention.bracketed) or (whole is not None and whole[0] != mention.option):
        return None
    before = seg.low[: mention.start]
    named = want.closing(before.rstrip(" (,\"'"))
    loosely = not plainly and (
        by_place.LEADS_TO.search(before) or (seg.text[mention.end - 1].isupper() and by_place.COPULA.search(before))
    )
    if own_words.is_theirs(before):
        return None
    if not languages.english(seg.low) and not languages.plain(seg.low):
        return None
    if not (
        loosely or (mention.bracketed and by_place.COPULA.search(before)) or (named and named[0] == mention.option)
    ):
        return None
    words = words_after(seg, mention, want)
    stop = words[1] if words else mention.end
    if not by_place.ENDS.match(seg.low, stop) or not (
        mention.bracketed or seg.low[mention.start - 1 : mention.start] in " (\"'"
    ):
        return None
    if by_place.UNDECIDED.search(before[-80:]) or stance(seg.low, mention.start) != OWN or announces(seg):
        return None
    if words and words[0] not in (None, mention.option):
        return claimed(seg, None, "letter_against_text", mention.start, stop, "ambiguous")
    return claimed(seg, mention.option, "closing", mention.start, mention.end, strength=WEAK)
