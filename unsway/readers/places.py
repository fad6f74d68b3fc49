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
    line_start = reply.line_start(seg.start)
    closed = (
        reply.text[max(reply.low, line_start - 20) : line_start]
        .rstrip(LEADS + "\n")
        .endswith((".", "!", "?", ";", ")"))
    )
    above = None if closed or reply.text[line_start : seg.start].strip(LEADS) else reply.above(line_start)
    if above is None:
        return None
    above_end = len(above.low.rstrip())
    for phrase in reply.frames(above):
        if (
            phrase.end() >= above_end
            and phrase.lastgroup in ("answer", "so")
            and stance(above.low, phrase.start(), noun=True) == OWN
        ):
            claim = claim_after(seg, begin(seg, reply.want), reply.want, "answer")
            return None if claim is not None and reply.goes_on_after(seg.start, claim.choice) else claim
    heading = by_place.HEADING.match(above.low) and (seg.start > line_start + 40 or len(seg.low) < 200)
    return claim_after(seg, begin(seg, reply.want), reply.want, "answer") if heading else None


def line(reply: ReplyLayout, seg: Segment, *, final: bool) -> Claim | None:
    """A line with only an option, unless it belongs to a list or its heading attributes it to others."""
    line_start = reply.line_start(seg.start)
    starts_line = not reply.text[line_start : seg.start].strip(LEADS)
    if not (starts_line or final):
        return None
    start = begin(seg, reply.want)
    claim = letter_line(reply, seg, start, final=final) or (text_line(reply, seg, start, line_start) if final else None)
    if claim is None:
        return None
    header = reply.header(line_start)
    if header is not None and (who.GIVES_AWAY.search(header) or claim.choice is None):
        return None
    return claim._replace(strength=WEAK) if header is not None else claim


def letter_line(reply: ReplyLayout, seg: Segment, start: int, *, final: bool) -> Claim | None:
    """A letter, with or without its option's words, that fills a line outside any list."""
    mention = mention_at(seg, start, reply.want)
    if mention is None or mention.option is None or reply.listed(seg.start, mention.option):
        return None
    words = words_after(seg, mention, reply.want)
    stop = words[1] if words else mention.end
    second_end = joined(seg, stop, mention.option, reply.want)
    if second_end:
        closed = say.CLAUSE_END.match(seg.low, second_end) and len(seg.low) - second_end < 20
        return claimed(seg, None, "several", mention.start, second_end, "ambiguous") if closed else None
    if words and not final:
        return None
    unknown = mention.bracketed and not reply.want.texts and reply.line_start(seg.start) == seg.start > reply.low
    unknown = unknown and not say.GOES_ON.match(seg.low, stop) and not say.JOIN.match(seg.low, stop)
    bare = not seg.low[stop:].strip(" .!\"')")
    if not unknown and not bare:
        return None
    if words and words[0] not in (None, mention.option):
        return claimed(seg, None, "letter_against_text", mention.start, stop, "ambiguous")
    if not words and _is_other_option(seg, start, mention, reply.want):
        return claimed(seg, None, "letter_against_text", mention.start, stop, "ambiguous")
    if marks.NUMBERED.search(reply.text, max(reply.low, seg.start - 6), seg.start):
        return None
    line_start = reply.line_start(seg.start)
    above = reply.above(line_start)
    letter_above = mention_at(above, begin(above, reply.want), reply.want) if bare and above is not None else None
    above_is_bare = (
        letter_above is not None
        and above is not None
        and above.ends_at(letter_above.end)
        and reply.header(line_start) is None
    )
    if letter_above is not None and above_is_bare and letter_above.option not in (None, mention.option):
        return claimed(seg, None, "several", mention.start, stop, "ambiguous")
    if above is not None and "\n" not in reply.text[above.start + len(above.text) : line_start - 1].strip(" \t"):
        claim = last_claim(above, reply)
        if claim is not None and claim.choice not in (None, mention.option):
            return claimed(seg, None, "several", mention.start, stop, "ambiguous")
    return claimed(seg, mention.option, "line", mention.start, mention.end, strength=STRONG if bare or final else WEAK)


def text_line(reply: ReplyLayout, seg: Segment, start: int, line_start: int) -> Claim | None:
    """The words of an option that fill the last line, if the line above does not name another option."""
    option_text = reply.want.at(seg.low, start)
    if option_text is None or option_text[0] is None:
        return None
    letter = mention_at(seg, option_text[1], reply.want)
    stop = letter.end if letter and letter.bracketed else option_text[1]
    second_end = joined(seg, option_text[1], option_text[0], reply.want)
    if second_end and not seg.low[second_end:].strip(" .!\"')"):
        return claimed(seg, None, "several", start, second_end, "ambiguous")
    above = reply.above(line_start)
    if seg.low[stop:].strip(" .!\"')") or (
        above is not None and reply.want.at(above.low, begin(above, reply.want), dash=True)
    ):
        return None
    if letter and letter.option != option_text[0]:
        return claimed(seg, None, "letter_against_text", start, stop, "ambiguous")
    return claimed(seg, option_text[0], "line_text", start, stop)


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
    start = begin(seg, reply.want)
    mention = mention_at(seg, start, reply.want)
    if mention is None or mention.option is None:
        return leading_text(reply, seg, start, sentences)
    if seg.start + mention.start in reply.objects:
        return None
    is_label = mention.bracketed and seg.text[mention.start : mention.start + 1] != "("
    if seg.low.endswith("?") and not (is_label and len(seg.low) > mention.end + 4):
        return None
    if seg.low[mention.end : mention.end + 3].replace(" ", "")[:2] in ('":', ':"', "':"):  # a key of a JSON object
        return None
    letters = [ord(match[1]) for match in marks.BRACKETED.finditer(seg.text)][:3]
    if letters == [*range(ord("A") + mention.option, ord("A") + mention.option + 3)]:  # "(A) 2 (B) 3 (C) 5": a list
        return None
    if mention.option == 0 and reply.want.n > 2 and _lists_all_options(reply, sentences[: -reply.want.n - 1 : -1]):
        return None
    words = words_after(seg, mention, reply.want)
    stop = words[1] if words else mention.end
    behind = marks.TO_TEXT.match(seg.low, stop)
    refuted = say.REFUTED.match(seg.low, stop) or (
        behind and not words and say.REFUTED_LATE.match(seg.low, behind.end())
    )
    turned_down = not is_label and (refuted or languages.turned_down(seg.low, stop))
    if turned_down or undone(seg, stop) or reply.goes_on_after(seg.start + start, mention.option):
        return None
    if words and words[0] not in (None, mention.option):
        return claimed(seg, None, "letter_against_text", mention.start, stop, "ambiguous")
    second_end = joined(seg, stop, mention.option, reply.want)
    if second_end:
        closed = say.CLAUSE_END.match(seg.low, second_end)
        return claimed(seg, None, "several", mention.start, second_end, "ambiguous") if closed else None
    if words and (mention.bracketed or marks.OPENS.match(seg.low, stop)):
        return claimed(seg, mention.option, "leading_words", mention.start, mention.end)
    is_speaker = seg.low[start : start + 2] == "a:"
    dash = seg.low[mention.end :].lstrip().startswith("- ") and len(reply.heads) < 2
    option_end = reply.want.begins(seg.low, seg.low.index("- ", mention.end) + 2) if dash else 0
    if option_end and say.REFUTED.match(seg.low, option_end):
        return None
    stop = mention.end if dash else stop  # "B - photosynthesis is how …" explains its answer
    discussed = (reply.want.texts or not is_label) and say.GOES_ON.match(seg.low, stop)
    if is_speaker or discussed or not (mention.bracketed or marks.OPENS.match(seg.low, stop)):
        return None
    if _is_other_option(seg, start, mention, reply.want):
        return claimed(seg, None, "letter_against_text", mention.start, stop, "ambiguous")
    return claimed(seg, mention.option, "leading", mention.start, mention.end)


def _lists_all_options(reply: ReplyLayout, sentences: list[tuple[int, int]]) -> bool:
    """Whether the first sentences of a reply begin with its options in order: "(A) is … (B) is …"."""
    mentions = [mention_at(segment(reply.text, *bounds), 0, reply.want) for bounds in sentences]
    in_order = [head and head.option for head in mentions] == [*range(reply.want.n)]
    return in_order and "\n" not in reply.text[sentences[0][0] : sentences[-1][0]]


def leading_text(reply: ReplyLayout, seg: Segment, start: int, sentences: list[tuple[int, int]]) -> Claim | None:
    """The words of an option at the very beginning, separated from the text after them."""
    option_text = reply.want.at(seg.low, start)
    if (
        option_text is None
        or option_text[0] is None
        or seg.low.endswith("?")
        or not marks.OPENS.match(seg.low, option_text[1])
    ):
        return None
    if len(sentences) > 1:
        next_seg = segment(reply.text, *sentences[-2])
        if (reply.want.at(next_seg.low, begin(next_seg, reply.want), dash=True) or option_text)[0] != option_text[0]:
            return None
    if marks.SUM.match(seg.low, option_text[1] - 1) or undone(seg, option_text[1]):
        return None
    denies = re.match(r"[\s,]{1,3}(?:and )?not ", seg.low[option_text[1] :])
    if (len(reply.want.named(seg.low)) > 1 and not denies) or joined(seg, option_text[1], option_text[0], reply.want):
        return None
    return claimed(seg, option_text[0], "leading_text", start, option_text[1], strength=WEAK)


def closing(reply: ReplyLayout) -> Claim | None:
    """The words of an option at the very end, as the sentence's statement or as the only option named."""
    seg = next(reply.sentences())
    option_text = reply.want.closing(seg.low)
    if option_text is None or option_text[0] is None:
        return None
    option, start, end = option_text
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
        or any(mention_at(seg, match.start(), reply.want) for match in say.LOOSE.finditer(seg.text, 0, start))
    ):
        return None
    tail = reply.tail
    if copula:
        text_before = tail.low[: seg.start + start - tail.start] if not say.TURNS.search(before) else ""
        rival_starts = (match.end() for match in re.finditer(r"\b(?:is|are|was|were) (?:(?:an?|the) )?", text_before))
        if any(
            text_before.startswith(text, position)
            for position in rival_starts
            for text, other_option in reply.want.texts
            if other_option != option
        ):
            return None
    else:
        if reply.want.named(tail.low) != {option} or by_place.DISTANT.search(tail.low):
            return None
    return claimed(seg, option, "closing_text", start, end, strength=WEAK)


def short(reply: ReplyLayout) -> Claim | None:
    """A short sentence at either end with one letter, or a last one that ends with its only letter; else a bare place."""
    first_bounds = next(sentences_from_the_end(reply.text, reply.low, min(reply.high, reply.low + 80)), None)
    last_sentences = list(islice(reply.sentences(), 3))
    for seg in (
        *last_sentences,
        *((segment(reply.text, *first_bounds),) if first_bounds and first_bounds[0] == reply.low else ()),
    ):
        match = by_place.SHORT.match(seg.low) or (
            None if by_place.NO_LABEL.search(seg.low) else by_place.LABEL.match(seg.low)
        )
        if match is None and seg in last_sentences[:1]:
            match = by_place.CONCLUDED.search(seg.low)
        if say.OR_ELSE.match(seg.low):
            return None
        unclear = match and not languages.english(seg.low) and not languages.plain(seg.low)
        if unclear or len(seg.low) > 200 or seg.low.startswith(CROSSES):
            continue
        match = match or languages.only_letter(seg.low)
        option = ord(match["letter"]) - ord("a") if match else reply.want.n
        line_start = reply.line_start(seg.start)
        above = reply.above(line_start) if match and "label" in seg.low else None
        heading = (reply.header(line_start) if match else None) or (above.low if above else "")
        start = match.start("letter") if match else 0
        numbered = marks.NUMBERED.search(reply.text, max(reply.low, seg.start - 6), seg.start)
        if (
            match is None
            or option >= reply.want.n
            or numbered
            or (seg.text[start].islower() and len(seg.low) > start + 3)
        ):
            claim = ending(seg, reply.want) if seg in last_sentences else None
            if claim is not None and claim.status == "ok":
                return claim
        elif seg.low.strip(" .!*\"'()") == match["letter"] or (
            (match["letter"] in "ai" and not mention_at(seg, start, reply.want)) or who.GIVES_AWAY.search(heading)
        ):
            continue
        elif not reply.listed(seg.start, option) and stance(seg.low, start) == OWN:
            return claimed(seg, option, "short", start, start + 1, strength=WEAK)
    opening = segment(reply.text, reply.low, min(reply.high, reply.low + 60))
    place = languages.only_place(opening.low, reply.want)
    if place is not None and place[0] < reply.want.n:
        return claimed(opening, place[0], "short", *place[1], strength=WEAK)
    return None


def marked(reply: ReplyLayout) -> Claim | None:
    """The only option called right in a list with one line per option."""
    verdicts: dict[int, tuple[bool, int]] = {}
    for position, option in reply.heads or reply.named_heads():
        end = reply.text.find("\n", position, reply.high)
        line_text = reply.text[position : reply.high if end < 0 else end].lower()
        for words, owner in reply.want.texts:
            line_text = line_text.replace(words, " ") if owner == option else line_text
        right = by_place.CALLED_RIGHT.search(line_text) is not None and not by_place.CALLED_WRONG.search(line_text)
        if option >= reply.want.n or (option in verdicts and verdicts[option][0] != right):
            return None
        verdicts[option] = (right, position)
    rights = [(option, position) for option, (right, position) in verdicts.items() if right]
    if len(verdicts) < 3 or len(rights) != 1:
        return None
    start = reply.text.upper().index(chr(ord("A") + rights[0][0]), rights[0][1]) if reply.heads else rights[0][1]
    return Claim(rights[0][0], "marked", (start, start + 1), WEAK)


def marked_in_line(reply: ReplyLayout) -> Claim | None:
    """The only option called right in one line for all of them: "A: no, B: yes, C: no"."""
    items = reply.goes_through(reply.low, reply.high)
    words = [item[2].lower() for item in items]
    wrong = [by_place.CALLED_WRONG.search(word) is not None for word in words]
    if wrong.count(False) != 1 or any(text in words for text, _ in reply.want.texts):  # such words are no verdicts
        return None
    option = wrong.index(False)
    right = by_place.CALLED_RIGHT.search(words[option])
    return Claim(option, "marked", items[option].span(1), WEAK) if right else None


def odds(reply: ReplyLayout) -> Claim | None:
    """The option with more than half of the probability, if every option has a number."""
    shares = list(by_place.ODDS.finditer(reply.text, max(reply.low, reply.high - 600), reply.high))
    if sorted(share[1] for share in shares) != [chr(ord("A") + i) for i in range(reply.want.n)] or reply.want.n < 2:
        return None
    line_start = reply.line_start(shares[0].start())
    if who.GIVES_AWAY.search(reply.text[line_start : shares[0].start()].lower() + (reply.header(line_start) or "")):
        return None
    largest = max(shares, key=lambda share: float(share[2]))
    total = sum(float(share[2]) for share in shares)
    if 2 * float(largest[2]) <= total or not (0.9 < total < 1.1 or 90 < total < 110):
        return None
    return Claim(ord(largest[1]) - ord("A"), "odds", largest.span(1), WEAK)


def _is_other_option(seg: Segment, position: int, mention: Mention, want: KnownOptions) -> bool:
    """Whether an unbracketed letter is the whole text of another option."""
    option_text = want.at(seg.low, position)
    return not mention.bracketed and option_text is not None and option_text[0] != mention.option


def _closes_itself(seg: Segment, mention: Mention) -> bool:
    """Whether a letter's closing bracket was opened for it or never: "(B)" or "B)", but not the end of "(A,B)"."""
    opened = seg.text.count("(", 0, mention.start) > seg.text.count(")", 0, mention.start)
    return not opened or seg.text[mention.start] == "("


def ending(seg: Segment, want: KnownOptions, *, plainly: bool = False) -> Claim | None:
    """The only letter of a sentence, at its end: "a clear sky is (D) blue"; unless `plainly`, also "it is forbidden, (C)"."""
    candidates = [
        mention_at(seg, match.start(), want) for match in say.LOOSE.finditer(seg.text, max(0, len(seg.low) - 400))
    ]
    mentions = [mention for mention in candidates if mention is not None and mention.option is not None]
    mentions = [mention for mention in mentions if mention.bracketed and _closes_itself(seg, mention)] or mentions
    if len({mention.option for mention in mentions}) != 1 or seg.low.endswith("?"):
        return None
    mention = mentions[-1]
    closing_text = want.closing(seg.low)
    if (plainly and not mention.bracketed) or (closing_text is not None and closing_text[0] != mention.option):
        return None
    before = seg.low[: mention.start]
    option_text = want.closing(before.rstrip(" (,\"'"))
    loosely = not plainly and (
        by_place.LEADS_TO.search(before) or (seg.text[mention.end - 1].isupper() and by_place.COPULA.search(before))
    )
    if own_words.is_theirs(before):
        return None
    if not languages.english(seg.low) and not languages.plain(seg.low):
        return None
    if not (
        loosely
        or (mention.bracketed and by_place.COPULA.search(before))
        or (option_text and option_text[0] == mention.option)
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
