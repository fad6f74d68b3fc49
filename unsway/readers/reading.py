"""Which commitment of a reply counts: the last explicit one, or what beats or replaces it.

In: a `ReplyLayout`: the reply with the options it may name. Out: a `Reading`.
"""

from __future__ import annotations

from unsway.readers import fields, languages, naming, places
from unsway.readers.claims import HEDGED, REPORTED, STRONG, VOID, WEAK, Claim, both, claimed
from unsway.readers.layout import ReplyLayout, begin
from unsway.readers.mentions import mention_at
from unsway.readers.patterns import by_place, marks, say, who
from unsway.readers.sentences import SHORTEST, last_claim
from unsway.readers.structure import Field, data_in
from unsway.readers.wording import KnownOptions, Segment, fold, segment
from unsway.types import Reading

FOREIGN = 10
"""Sentences at the end that are searched for other languages, whose patterns are slow."""


def answer(reply: ReplyLayout) -> Reading:
    """The answer a reply commits to. If it contains data, the outermost field for an answer decides."""
    data = data_in(reply.text, reply.low, reply.high)
    if data is None:
        return read_as_text(reply)
    own_fields = fields.own_fields(data)
    other_fields = [*set(data.fields).difference(own_fields)]
    levels = fields.answers_by_level(own_fields)
    answer_fields = [field for level in levels for field in level]
    is_text = data.form == "xml" and not other_fields and len({field.holder for field in answer_fields}) < 2
    if is_text or (data.form == "yaml" and not answer_fields):
        return read_as_text(reply)
    for level in levels:
        fields_by_text = {reply.text[field.start : field.end]: field for field in level}
        choices = {field: read_as_text(fields.alone(reply, field)).choice for field in fields_by_text.values()}
        answers = [field for field, choice in choices.items() if choice is not None]
        final_answers = [field for field in answers if any(by_place.FINAL_KEY.search(key) for key in field.keys)]
        answers = final_answers if final_answers and len({choices[field] for field in answers}) > 1 else answers
        if len({choices[field] for field in answers}) > 1:
            return several_unless_resolved(reply, data.end, answers[-1])
        if answers and fields.calls_itself_wrong(reply, data, answers[-1]):
            return Reading(None, "unparsed", "taken_back", (answers[-1].value, answers[-1].end))
        if answers:
            return read_as_text(fields.showing(reply, data, answers[-1:], [*answer_fields, *other_fields]))
        if any(fields.says_none(reply, field) for field in level):
            answer_fields = level
            break
    view = fields.showing(reply, data, answer_fields, other_fields)
    return read_as_text(view) if view.text[view.low : view.high].strip() else Reading(None, "unparsed", "reported")


def several_unless_resolved(reply: ReplyLayout, end: int, last: Field) -> Reading:
    """Several options, one in each sibling field, unless the text after the data commits to one."""
    rest = ReplyLayout(reply.text, min(end, reply.high), reply.high, reply.want)
    later = read_as_text(rest) if reply.text[rest.low : rest.high].strip("`\n ") else None
    if later is not None and later.choice is not None:
        return later
    return Reading(None, "ambiguous", "several", (last.value, last.end))


def read_as_text(reply: ReplyLayout) -> Reading:
    """The last commitment; else the start of the reply; else its end; else the reason why there is none."""
    whole = segment(reply.text, reply.low, reply.high) if reply.high - reply.low < 200 else None
    option_text = reply.want.at(whole.low, 0) if whole else None
    if (
        whole
        and option_text
        and option_text[0] is not None
        and option_text[1] > 2
        and not whole.low[option_text[1] :].strip(" .!\"'")
    ):
        return Reading(option_text[0], "ok", "line_text", (reply.low, reply.low + option_text[1]))
    claim = last_commitment(reply)
    if claim is not None and claim.rule == "unreadable":
        claim = fields.field(reply) or naming.numbered(reply) or claim
    if claim is None or claim.strength == REPORTED:
        if say.FAILED.match(reply.text[: reply.high], reply.low):
            return Reading(None, "unparsed", "nothing")
        fallback = (
            fields.field(reply)
            or places.edge(reply)
            or places.short(reply)
            or places.marked(reply)
            or places.marked_in_line(reply)
            or places.odds(reply)
        )
        fallback = fallback or naming.numbered(reply) or naming.singled_out(reply) or naming.stated(reply)
        claim = claim if fallback is None or reply.is_theirs(fallback.span[0]) else fallback
    elif claim.rule == "line" and claim.strength == WEAK:
        claim = places.leading(reply) or claim
    if claim is not None and claim.strength > VOID:
        goes_on = reply.high - claim.span[1] > SHORTEST
        denial = say.CALLS_WRONG.match(next(reply.sentences()).low) if goes_on else None
        undone = denial is not None and claim.choice == ord(denial["letter"]) - ord("a")
        if claim.strength == HEDGED and claim.choice is not None:
            undone = undone or marks.GOES_BACK.search(reply.text, claim.span[1], reply.high) is not None
        return Reading(None, "unparsed", "taken_back", claim.span) if undone else claim.answer()
    edges = fold(
        f"{reply.text[reply.low : reply.low + 400]}\n{reply.text[max(reply.low, reply.high - 400) : reply.high]}"
    )
    if say.REFUSAL.search(edges.lower()):
        return Reading(None, "refused", "refusal")
    if claim is None:
        return Reading(None, "unparsed", "nothing")
    return claim.answer() if claim.strength == VOID else Reading(None, "unparsed", "reported", claim.span)


def last_commitment(reply: ReplyLayout) -> Claim | None:
    """The last explicit commitment; else a line with only an option; else a weak or hedged commitment.

    A weaker commitment after the last explicit one, or a bare letter at the end of the reply, must agree with it.
    """
    weak: Claim | None = None
    hedged: Claim | None = None
    void: Claim | None = None
    line: Claim | None = None
    sentence_after: Segment | None = None
    several, unable, later_sentences = False, False, list[Segment]()
    for i, seg in enumerate(reply.sentences()):
        if reply.phrases <= 0:
            break
        final = i == 0
        claim = last_claim(seg, reply, anywhere=i < FOREIGN)
        if claim is not None and (
            (reply.in_list(seg) if claim.rule.startswith(("so", "label")) else reply.begins_list(seg.end, claim.choice))
            or claim.span[0] in reply.objects
            or (claim.rule == "correction" and reply.goes_through(seg.start, seg.end))
        ):
            claim = None
        if claim is None:
            claim = places.answer_to_the_line_above(reply, seg)
        line_claim = None if claim else places.line(reply, seg, final=final)
        claim = claim or (places.ending(seg, reply.want, plainly=True) if final and line_claim is None else None)
        if i < FOREIGN and (claim is None or claim.rule == "foreign") and not (weak or line or line_claim):
            correction = corrected(reply, seg)
            if correction is not None and (claim is None or claim.span[0] < correction[0]):
                return correction[1]
        undone = afterthought(sentence_after, claim or line_claim, reply.want, first=seg.start <= reply.low)
        sentence_after = seg if claim is None and line_claim is None else None
        if undone is not None:
            return line or weak or hedged or undone
        if line_claim is not None:
            if line_claim.strength == STRONG and line_claim.status != "ok":
                return line_claim
            several = several or (line is not None and line.choice != line_claim.choice)
            line = line or both(weak, line_claim)
        elif claim is None:
            unable = unable or say.UNABLE.search(seg.low) is not None
            later_sentences.append(seg)
            if line is None and (say.TAKEN_BACK.search(seg.low) or say.NONE_FITS.search(seg.low)):
                return weak or hedged or claimed(seg, None, "taken_back", 0, len(seg.low), "unparsed")
        if claim is None:
            continue
        if claim.strength > VOID and reply.is_theirs(seg.start):
            claim = claim._replace(strength=REPORTED)
        if claim.strength == REPORTED and any(
            who.AGREES_NEXT.match(sentence.low) or languages.agrees(sentence.low) for sentence in later_sentences
        ):
            claim = claim._replace(rule="agrees", strength=STRONG)
        later_sentences.clear()
        if unable and claim.strength in (WEAK, HEDGED):
            return claimed(seg, None, "undecided", 0, len(seg.low), "unparsed")
        if claim.strength <= VOID:
            void = void if void is not None and void.strength >= claim.strength else claim
        elif claim.strength == HEDGED:
            hedged = both(hedged, claim)
        elif claim.strength == WEAK and not say.CORRECTS.match(seg.low):
            weak = both(weak, claim if weak else in_two_cases(reply, seg, claim))
        else:
            ends_reply = line is not None and line.span[1] > reply.high - 4 and not several and line.strength == STRONG
            return both(line if ends_reply else weak, in_two_cases(reply, seg, beside(reply, seg, claim)))
    if line is not None and several and not (line.strength == STRONG and line.span[1] > reply.high - 4):
        line = None
    if unable and line is None and void is None:
        return Claim(None, "undecided", (reply.low, reply.high), VOID, "unparsed")
    return line or weak or hedged or void


def in_two_cases(reply: ReplyLayout, seg: Segment, claim: Claim) -> Claim:
    """The commitment; several, if another case has another option ("If …, A; otherwise B", "Under …, A. Under …, B")."""
    last = marks.OTHER_CASE.match(seg.text, max(0, len(seg.text) - 400))
    turn = seg.start + last.start("case") if last else reply.low
    first = marks.ONE_CASE.search(segment(reply.text, max(reply.low, turn - 200), turn).text) if last else None
    if last and first and last[3] != first[2] and (last[2] or first[1] or "").lower() == (first[1] or "").lower():
        return claim._replace(choice=None, rule="several", status="ambiguous")
    turn = 1 + max(seg.low.rfind(mark, 0, max(0, claim.span[0] - seg.start)) for mark in (";", ". "))
    case = marks.CASE.match(seg.low, turn)
    above = reply.before(seg.start + turn) if case else None
    case_above = marks.CASE.match(above.low) if above else None
    if case is None or above is None or case_above is None or case_above[1] != case[1]:
        return claim
    earlier = last_claim(above, reply, anywhere=True)
    if earlier is None or earlier.strength != STRONG or earlier.choice in (None, claim.choice):
        return claim
    return claim._replace(choice=None, rule="several", status="ambiguous")


def beside(reply: ReplyLayout, seg: Segment, claim: Claim) -> Claim:
    """The boxed or labelled letter; several, if another one directly precedes it without a word of change in between."""
    if claim.rule != "boxed" and not marks.LABELLED.match(seg.low):
        return claim
    before = segment(reply.text, max(reply.low, claim.span[0] - 160), claim.span[0])
    neighbour = marks.BESIDE.search(f"{before.low} ")
    option = ord(neighbour[neighbour.lastindex or 1]) - ord("a") if neighbour is not None else claim.choice
    if claim.choice is None or option is None or option == claim.choice or option >= reply.want.n:
        return claim
    return claim._replace(choice=None, rule="several", status="ambiguous")


def corrected(reply: ReplyLayout, seg: Segment) -> tuple[int, Claim] | None:
    """The position after which another language's sentence corrects the text before it, and the only letter after that.

    A "no" that answers the reply's own question corrects nothing.
    """
    end = languages.corrects(seg.low)
    after_question = reply.text[max(reply.low, seg.start - 4) : seg.start].rstrip().endswith(("?", "？", "؟"))
    start = begin(seg, reply.want)
    # "- Rome: no, …" corrects nothing
    in_list = end is not None and ((start and end > start + 3) or reply.in_list(seg))
    if end is None or after_question or in_list or reply.want.at(seg.low, 0):
        return None
    rest = segment(reply.text, seg.start + end, reply.high)
    letter = languages.sole_letter(rest.text, rest.low)
    words = marks.BEFORE_LETTER.search(rest.low, 0, letter.start()) if letter else None
    denied = words is not None and marks.REJECTS.fullmatch(words[1])
    if letter is None or denied or languages.option_of(letter, reply.want) >= reply.want.n:
        return rest.start, claimed(seg, None, "taken_back", 0, end, "unparsed")
    return rest.start, claimed(rest, languages.option_of(letter, reply.want), "correction", *letter.span())


def afterthought(after: Segment | None, claim: Claim | None, want: KnownOptions, *, first: bool) -> Claim | None:
    """The claim of the sentence after a claim, or after the reply's first sentence, if it takes back or adds an option."""
    if after is None:
        return None
    if (claim is not None or first) and say.AFTERTHOUGHT.match(after.low):
        return claimed(after, None, "taken_back", 0, len(after.low), "unparsed")
    join = say.OR_ELSE.match(after.low)
    mention = mention_at(after, join.end(), want) if join and claim is not None and claim.choice is not None else None
    if mention is None or claim is None or mention.option in (None, claim.choice):
        return None
    return claimed(after, None, "several", mention.start, mention.end, "ambiguous")
