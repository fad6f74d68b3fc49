"""The order of options: it depends only on the question, and shuffles options unless their meaning depends on their order.

In: a stem and its options. Out: the original index of each option shown.

* Plain options are shuffled, because some sets always list the right one first.
* "All of the above", "none of these" and the like go last, unless plain options followed them.
* Options that mention positions or one another's letters ("the first two", "options 1 and 3", "both A and B", "alle oben
  genannten") keep their written order.
"""

from __future__ import annotations

import re
from functools import lru_cache

from unsway.seeds import rng

LONGEST_REFERENCE = 100
"""Longest option that can refer to others, in characters; in a longer text such words mean something else."""
_LAST = re.compile(
    r"\W*(all|none|any|both|neither|either)"
    r"( of (the |these |those )?(above|these|those|choices|options)|( of)?( the)? above)\b",
    re.I,
)
"""Options that refer to all others, in English."""
_ONE = r"\(?[A-H]\)?"
_WORD_AND = (
    "and|or|nor|und|oder|noch|als auch|et|ou|ni|y|o|e|en|of|i|og|och|eller|oraz|dan|atau|ve|veya|và|hoặc|и|или|και"
)
_AND = rf"(?:\s*[,&，、]\s*|\s+(?:{_WORD_AND})\s+|\s*(?:和|与|與|跟|及|或|と|와|과)\s*)"
_LETTERS = re.compile(rf"(?<![A-Za-z0-9]){_ONE}{_AND}{_ONE}(?![A-Za-z0-9])")
"""Options that refer to others by letter: "Both A and B", "A, B and D only"."""
_BOTH = "both|neither|either|only|just|all|beide|sowohl|weder|nur|les deux|ambos|ambas|solo|seulement"
_NUMBERS = re.compile(
    rf"\W*(?:{_BOTH})?\W*\(?[1-9]\)?(?:(?:\s*[,&]\s*|\s+(?:{_WORD_AND})\s+)\(?[1-9]\)?)*(?:\s+(?:only|nur|solo))?\W*",
    re.I,
)
"""Options that consist of numbers: "1 and 3", "only 2". They refer to others if most of the others are words."""
_THINGS = (
    r"(?i:options?|answers?|choices?|alternatives?|responses?|optionen|antwort(?:en)?|réponses?|propositions?|opci[oó]n(?:es)?|"
    r"respuestas?|alternativas?|op[cç][aã]o|op[cç][oõ]es|opzion[ei]|rispost[ae]|opties?|antwoord(?:en)?|вариант\w*|ответ\w*)"
)
_NTH = "1st|2nd|3rd|4th|first|second|third|fourth|last|previous|preceding|former|latter"
_QUANTITY = "all|none|any|both|neither|either|two|three|one|some|each|most|more than one"
_ABOVE = "above|below|preceding|previous|foregoing|former|aforementioned|following"
_END = r"(?=\W*$|\s+(?:are|is|apply|only|together|above|options?|answers?|choices?)\b|\s*[,;:(])"
_ENGLISH = (
    rf"\b(?:{_NTH}) (?:two|three|four|[2-5]){_END}",  # the first two
    rf"\b(?:{_NTH})(?: (?:and|or|nor) (?:the )?(?:{_NTH}))+(?: options?| answers?| choices?| ones?)?\W*$",
    rf"^\W*(?:only|just|both|neither|either) the (?:{_NTH})(?: ones?)?\W*$|^\W*the (?:{_NTH})(?: one)? only\W*$",
    rf"\b(?:{_NTH}) (?:options?|answers?|choices?){_END}|^\W*(?:only )?the (?:former|latter)\W*$",
    rf"\b(?:{_QUANTITY})(?: of)? (?:the )?(?:{_ABOVE}){_END}",
    r"\b(?:the|as|options?|answers?|choices?|listed|mentioned|stated|given|described) (?:above|below)\W*$",
    r"\b(?:above|below)[ -](?:mentioned|listed|named|options?|answers?|choices?)\b|\bboth (?:options|answers|choices)\b",
)
_OTHERS = {
    "German": r"\b(?:oben|vorher|zuvor|vorstehend|unten) ?(?:genannt|stehend|aufgef|angegeben|erwähn)\w*|\bobenstehend\w*|"
    r"\b(?:von|die|das|alles?) oben\b|\b(?:der|die|beide|alle) (?:obigen?|vorigen)\b|"
    r"\b(?:die|den) (?:ersten|letzten) (?:beiden|zwei|drei)\b|"
    r"\b(?:beiden?|zwei|drei) (?:ersten|letzten|oberen|vorigen)\b|"
    r"\b(?:nur|beide|weder) (?:das|die|der) (?:erste|zweite|dritte|letzte)\w?\b",
    "French": r"\bci-dess(?:us|ous)\b|\bprécédent\w*\W*$|\bles (?:deux|trois) (?:premi|derni)\w+",
    "Spanish": r"\b(?:l[oa]s|el|la|lo) anterior(?:es)?\b|\bde arriba\b|\bl[oa]s (?:dos|tres) (?:primer|últim)\w+|"
    r"\bl[oa]s primer[oa]s (?:dos|tres)\b",
    "Portuguese": r"\bd?[ao]s anteriores\b|\b(?:d?[ao]s|alternativas|opções) acima\b|"
    r"\b[ao]s (?:duas|dois|três) (?:primeir|últim)\w+",
    "Italian": r"\bprecedenti\W*$|\b(?:prime|primi|ultime|ultimi) (?:due|tre)\b|"
    r"\b(?:due|tre) (?:prim|ultim)[ei]\b|\b(?:di|qui) sopra\b",
    "Dutch": r"\b(?:boven|onder)(?:staande|genoemde)n?\b|\bhierboven\b|\bde (?:(?:eerste|laatste) (?:twee|drie)|"
    r"(?:twee|drie) (?:eerste|laatste))\b",
    "Nordic": r"\bovenst[åa]ende\b|\bovennevnte\b|\bovannämnda\b|\bde (?:første|första) (?:to|två)\b|"
    r"\byllä ?(?:mainit|olev)\w*",
    "Polish, Czech": r"\bpowyższ\w+|\bwymienionych\b|\bvýše uveden\w*",
    "Russian": r"перечисленн\w*\W*$|указанн\w*\W*$|привед[её]нн\w*\W*$|названн\w*\W*$|\bперв(?:ые|ый|ых) (?:два|две|двух)\b",
    "Turkish, Hungarian": r"\byukarıdaki\w*|\bfenti\w*",
    "Indonesian, Vietnamese": r"\bdi atas\b|\b(?:đáp án|phương án|các ý)\b.{0,12}\btrên\b",
    "Chinese": r"(?:選項|选项|答案)\s*[(（]?[A-H1-9]|以上|上述|上面|前两|前兩|前三|后两|後兩|前者|后者|後者",
    "Japanese, Korean": r"(?:選択肢|보기)\s*[(（]?[A-H1-9]|上記|前述|最初の[二三2-3]|上の|위의|앞의",
    "Arabic, Hebrew": r"مما سبق|ما سبق|ما ذكر|أعلاه|לעיל|הנ\"ל",
    "Hindi, Thai, Greek": r"उपरोक्त|उपर्युक्त|ข้างต้น|παραπάνω",
}
_BY_LETTER = (
    rf"\b{_THINGS}\s*\(?(?:[A-H]|\d|[IVX]{{1,4}})\)?(?!\w|\s*:)",  # option 1
    rf"^\W*(?i:{_BOTH}|not|all except|all but|everything but)\s+\(?[B-H]\)?\W*$",  # only B
    r"\b(?i:same as|opposite of|contrary of|different from)\s+\(?[A-H]\)?\W*$",  # same as A
    r"^\W*[B-H]\W*\s(?i:only|alone|nur|solo|seulement|alleine?)\W*$",  # B only
)
_PLACES = tuple(map(re.compile, (*_BY_LETTER, *(f"(?i:{pattern})" for pattern in (*_ENGLISH, *_OTHERS.values())))))
"""Options that refer to others by position, in the languages of question sets."""
_ASCII = tuple(pattern for pattern in _PLACES if re.search("[a-z]{3}", pattern.pattern.removeprefix("(?i:")))
"""The patterns that can match a text of only ASCII; combining them would be slower than trying one by one."""


def order_of_options(stem: str, options: tuple[str, ...]) -> tuple[int, ...]:
    """The original index of each option shown. Plain options are shown in the same order however they arrive."""
    if refer_to_places(options):
        return tuple(range(len(options)))
    last = [index for index, option in enumerate(options) if _LAST.match(option)]
    first = [index for index in range(len(options)) if index not in last]
    first.sort(key=lambda index: options[index])
    rng(0, "options", stem, sorted(options)).shuffle(first)
    return (*first, *last)


def refer_to_places(options: tuple[str, ...]) -> bool:
    """Whether some options refer to others by letter or position, so that another order would change their meaning."""
    last = [index for index, option in enumerate(options) if _LAST.match(option)]
    plain = [index for index in range(len(options)) if index not in last]
    if any(index > plain[0] and index < plain[-1] for index in last if plain and "above" in options[index].lower()):
        return True  # "above" would not fit options that follow
    short = [options[index] for index in plain if len(options[index]) <= LONGEST_REFERENCE]
    numbers = [option for option in short if _NUMBERS.fullmatch(option)]
    several = any(re.search(rf"[1-9]\)?\s*(?:&|\s(?:{_WORD_AND})\s)", option, re.I) for option in numbers)
    if several and len(plain) - len(numbers) > 1:
        return True
    return any(names_others(option) for option in short if " " in option or not option.isascii())


@lru_cache(maxsize=4096)  # options of many questions ("Tuesday", "the red box") are a third of all work on them
def names_others(option: str) -> bool:
    """Whether an option by itself names others, by letter or position, in one of the languages."""
    places = _ASCII if option.isascii() else _PLACES
    return bool(_LETTERS.search(option)) or any(pattern.search(option) for pattern in places)
