"""Other programs' words: names of fields and of the two sides, stop reasons, and answers that mean unknown.

In: a name or value from a file. Out: ours. Names and words are compared without case, spaces, underscores and hyphens. The
words come from Inspect, lm-evaluation-harness, HELM, lighteval, OpenCompass, mcq-bias, the batch files of OpenAI, Anthropic
and Google, vLLM, Ollama, and exported tables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from unsway.sources.files.golds import MISSING
from unsway.sources.files.layouts import GENERAL, family
from unsway.types import Side, Stop


def plain(word: str) -> str:
    """A word without differences in spelling: case, spaces, underscores, hyphens, dots."""
    return re.sub(r"[\s_.-]+", "", word).casefold()


NAMES: Mapping[str, tuple[str, ...]] = {
    "question_id": (
        *("questionid", "qid", "questionhash", "originalquestionhash", "exampleid", "customid", "docid", "itemid"),
        *("problemid", "instanceid", "sampleid", "uid", "taskhash", "requestid", "key", "idx", "index", "id"),
    ),
    "model": ("model", "modelname", "modelid", "modelnameorpath", "llm", "engine", "checkpoint", "deployment"),
    "arm": (
        *(
            "arm",
            "side",
            "variant",
            "condition",
            "isbiased",
            "biased",
            "hascue",
            "iscued",
            "hinted",
            "ishinted",
            "withhint",
        ),
        *("perturbed", "isperturbed", "treated"),
    ),
    "options": ("options", "choices", "answerchoices", "answeroptions", "endings", "outputmapping"),
    "n_options": ("noptions", "nchoices", "numoptions", "numchoices", "numberofoptions"),
    "target": (
        *(
            "biasedoption",
            "biasedanswer",
            "biasedans",
            "biastarget",
            "biasoption",
            "biasanswer",
            "cuedoption",
            "cuedanswer",
        ),
        *(
            "cueoption",
            "cueanswer",
            "cuetarget",
            "hintedoption",
            "hintedanswer",
            "hintanswer",
            "hintoption",
            "hinttarget",
        ),
        *("suggestedoption", "suggestedanswer", "suggestion", "targetoption", "targetanswer", "target"),
    ),
    "gold": (
        *("gold", "goldindex", "goldidx", "goldanswer", "goldlabel", "groundtruth", "correctanswer", "correctoption"),
        *(
            "correctindex",
            "correctletter",
            "answerkey",
            "answeridx",
            "answerindex",
            "correct",
            "label",
            "answer",
            "target",
        ),
    ),
    "bias": (
        *("bias", "biastype", "biasname", "biaskind", "cuetype", "cuename", "hinttype", "hintname", "perturbation"),
        *("perturbationtype", "attack", "interventionname"),
    ),
    "reply": (
        *("reply", "response", "completion", "rawresponse", "modelresponse", "modeloutput", "rawoutput", "outputtext"),
        *("generatedtext", "generation", "generated", "output", "responsetext", "resps", "predictions", "prediction"),
    ),
    "reasoning": (
        *("reasoning", "reasoningcontent", "reasoningtext", "thinking", "thinkingcontent", "thoughts", "thought"),
        *("chainofthought", "reasoningsummary"),
    ),
    "source": ("source", "sourcedataset", "originaldataset", "dataset", "datasetname", "taskname", "benchmark", "task"),
    "sample": ("sample", "epoch", "repeat", "repeatidx", "sampleidx", "sampleindex", "trial", "attempt", "replicate"),
    "prompt": ("prompt", "fullprompt", "messages", "originprompt", "formattedprompt", "input", "query"),
    "stop": ("stop", "finishreason", "stopreason", "donereason", "terminationreason"),
    "elicit": ("elicit", "elicitation", "promptstyle"),
    "reasoning_tokens": ("reasoningtokens",),
    "reported_model": ("reportedmodel",),
    "asked_on": ("askedon",),
    "thought_kind": ("thoughtkind",),
}
"""The possible names of each field, the clearest first. `target` is the cued option, unless another field names that."""

_SIDES: Mapping[Side, str] = {
    "clean": (
        "clean unbiased control baseline base plain neutral original unperturbed unmodified reference nocue nohint nobias "
        "withoutcue withouthint withoutbias uncued unhinted zeroshotunbiased false no 0"
    ),
    "biased": (
        "biased bias cued treatment treated perturbed withcue withhint withbias hinted hint cue adversarial attacked "
        "manipulated experimental suggested sycophantic true yes 1"
    ),
}
SIDES: Mapping[str, Side] = {word: side for side, words in _SIDES.items() for word in words.split()}
"""The names of the two sides of a pair."""
_STOPS: Mapping[Stop, str] = {
    "end": (
        "end stop eos eostoken endofsequence endofsequencetoken endofturn endturn stopsequence stopstring stopword complete "
        "completed finish finished done endoftext endofstring natural success succeeded"
    ),
    "length": (
        "length maxtokens maxtoken maxlength maxoutputtokens maxnewtokens maxcompletiontokens modellength tokenlimit "
        "maxtokensreached lengthcapped truncated modelcontextwindowexceeded contextlength contextlengthexceeded "
        "contextwindow maxcontextlength outputlimit"
    ),
    "filter": (
        "contentfilter contentfiltered filter filtered filters safety refusal recitation blocklist prohibitedcontent spii "
        "blocked moderation moderated guardrailintervened guardrails errortoxic sensitive imagesafety policyviolation"
    ),
}
STOPS: Mapping[str, Stop] = {word: stop for stop, words in _STOPS.items() for word in words.split()}
"""The stop reasons of providers and servers; any other word is unknown."""


def stop_of(value: object) -> Stop:
    """Why a reply ended; an unknown or missing word gives unknown."""
    word = plain(str(value).rpartition(".")[2]) if isinstance(value, str) else ""  # FinishReason.STOP
    return STOPS.get(word.removeprefix("finishreason"), "unknown")


def side_of(value: object) -> Side | None:
    """The side that a word or truth value stands for; None if it stands for neither."""
    return SIDES.get(plain(str(value))) if isinstance(value, str | bool | int) else None


def is_not_known(value: object) -> bool:
    """Whether a value says that the right option is unknown."""
    if isinstance(value, float) and value != value:
        return True
    return value is None or value == -1 or (isinstance(value, str) and value.strip().casefold() in MISSING)


def rename_fields(row: Mapping[str, object]) -> dict[str, object]:
    """The fields of a row with our names; if several names for one field are present, the clearest one is used."""
    original_names: dict[str, str] = {}
    for name in row:
        original_names.setdefault(plain(name), name)
    fields: dict[str, object] = {}
    used_names: set[str] = set()
    for field, names in NAMES.items():
        for name in names:
            if name in original_names and name not in used_names:
                used_names.add(name)
                fields[field] = row[original_names[name]]
                break
    if fields.get("options") is None and fields.get("n_options") is None:  # a column for each option
        specs = (spec for spec in GENERAL.options if spec[-1] in "@#" and "+" not in spec)
        columns = next((columns for spec in specs if (columns := family(spec, original_names))), ())
        cells = [row[name] for name in columns]
        while cells and (cells[-1] is None or cells[-1] == ""):
            cells.pop()
        if len(cells) > 1:
            fields["options"] = cells
    return fields
