"""Files of questions as people have them: each gives the questions that were meant, or a sentence that says what to do."""

from __future__ import annotations

import gzip
import json
import logging
from pathlib import Path
from typing import NamedTuple

import pytest

from unsway import sources
from unsway.errors import BadInput, BadRow
from unsway.sources.files import QuestionFile
from unsway.sources.files.layouts import LAYOUTS, find, plain

Q1, Q2 = "Which planet has rings?", "Which metal is liquid at room temperature?"
O1, O2 = ["Venus", "Saturn", "Mars"], ["tin", "zinc", "mercury"]
ok = {Q1: "Saturn", Q2: "mercury"}


class Case(NamedTuple):
    """A file, how it is loaded, and what must come of it."""

    name: str
    file: str
    content: str | bytes
    wanted: dict[str, str | None] | tuple[str, ...]
    """The text of the right option by stem; or words of the sentence that refuses the file."""
    options: dict[str, set[str]] | None
    order: dict[str, tuple[str, ...]] | None
    log: str | None
    how: dict[str, object]


def lines(*rows: object) -> str:
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)


def refused(*words: str) -> tuple[str, ...]:
    return words


CASES: list[Case] = []


def v(name, file, content, wanted, opts=None, order=None, log=None, **how):  # type: ignore[no-untyped-def]
    CASES.append(Case(name, file, content, wanted, opts, order, log, how))


v(
    "mmlu-pro",
    "mp.jsonl",
    lines(
        {
            "question_id": 1,
            "question": Q1,
            "options": O1,
            "answer": "B",
            "answer_index": 1,
            "cot_content": "",
            "category": "x",
            "src": "y",
        },
        {
            "question_id": 2,
            "question": Q2,
            "options": O2,
            "answer": "C",
            "answer_index": 2,
            "cot_content": "",
            "category": "x",
            "src": "y",
        },
    ),
    ok,
    log="not used",
)
v(
    "arc numeric labels",
    "arc.jsonl",
    lines(
        {"id": "a", "question": Q1, "choices": {"text": O1, "label": ["1", "2", "3"]}, "answerKey": "2"},
        {"id": "b", "question": Q2, "choices": {"text": O2, "label": ["A", "B", "C"]}, "answerKey": "C"},
    ),
    ok,
)
v(
    "arc authors",
    "arca.jsonl",
    lines(
        {
            "id": "a",
            "question": {
                "stem": Q1,
                "choices": [{"text": t, "label": label} for t, label in zip(O1, "ABC", strict=True)],
            },
            "answerKey": "B",
        },
        {
            "id": "b",
            "question": {
                "stem": Q2,
                "choices": [{"text": t, "label": label} for t, label in zip(O2, "ABC", strict=True)],
            },
            "answerKey": "C",
        },
    ),
    ok,
)
v(
    "csqa no gold",
    "cs.jsonl",
    lines(
        {
            "id": "a",
            "question": Q1,
            "question_concept": "x",
            "choices": {"text": O1, "label": list("ABC")},
            "answerKey": "",
        }
    ),
    {Q1: None},
)
v(
    "piqa",
    "piqa.jsonl",
    lines({"goal": "open a jar", "sol1": "twist the lid", "sol2": "eat the lid", "label": 0}),
    {"open a jar": "twist the lid"},
)
v(
    "winogrande",
    "wg.jsonl",
    lines(
        {
            "sentence": "The cup fell off the shelf because the _ was tilted.",
            "option1": "cup",
            "option2": "shelf",
            "answer": "2",
        },
        {"sentence": "Ann thanked Bea because _ helped.", "option1": "Ann", "option2": "Bea", "answer": "2"},
    ),
    {"The cup fell off the shelf because the _ was tilted.": "shelf", "Ann thanked Bea because _ helped.": "Bea"},
)
v(
    "winogrande only 1",
    "wg.jsonl",
    lines(
        {"sentence": "The _ fell.", "option1": "cup", "option2": "shelf", "answer": "1"},
        {"sentence": "The _ broke.", "option1": "jug", "option2": "wall", "answer": "1"},
    ),
    {"The _ fell.": "cup", "The _ broke.": "jug"},
)
v(
    "siqa",
    "siqa.jsonl",
    lines(
        {
            "context": "Kai gave Lou a gift.",
            "question": "How does Lou feel?",
            "answerA": "angry",
            "answerB": "pleased",
            "answerC": "cold",
            "label": "2",
        }
    ),
    {"Kai gave Lou a gift.\n\nHow does Lou feel?": "pleased"},
)
v(
    "copa",
    "copa.jsonl",
    lines(
        {
            "premise": "The lamp went dark.",
            "choice1": "The bulb burnt out.",
            "choice2": "It was bought.",
            "question": "cause",
            "idx": 0,
            "label": 0,
        }
    ),
    {"The lamp went dark.\n\nWhat was the cause of this?": "The bulb burnt out."},
)
v(
    "swag",
    "swag.csv",
    "video-id,fold-ind,startphrase,sent1,sent2,gold-source,ending0,ending1,ending2,ending3,label\nv1,2,"
    "A man sits. He,A man sits.,He,gold,eats a chair,stands up,flies,melts,1\n",
    {"A man sits. He": "stands up"},
)
v(
    "belebele",
    "bel.jsonl",
    lines(
        {
            "link": "u",
            "question_number": 1,
            "flores_passage": "Rain fell all day.",
            "question": "What fell?",
            "mc_answer1": "snow",
            "mc_answer2": "rain",
            "mc_answer3": "hail",
            "mc_answer4": "dust",
            "correct_answer_num": "2",
            "dialect": "eng",
            "ds": "x",
        }
    ),
    {"Rain fell all day.\n\nWhat fell?": "rain"},
)
v(
    "global mmlu",
    "gm.csv",
    "sample_id,subject,question,option_a,option_b,option_c,option_d,answer\n1,x," + Q1 + ",Venus,Saturn,Mars,Io,B\n",
    {Q1: "Saturn"},
)
v(
    "medmcqa 0",
    "mm.jsonl",
    lines(
        {
            "id": "1",
            "question": Q1,
            "opa": "Venus",
            "opb": "Saturn",
            "opc": "Mars",
            "opd": "Io",
            "cop": 1,
            "exp": "x",
            "choice_type": "single",
        },
        {"id": "2", "question": Q2, "opa": "tin", "opb": "zinc", "opc": "lead", "opd": "mercury", "cop": 3},
        {
            "id": "3",
            "question": "Which is a nut?",
            "opa": "hazel",
            "opb": "zinc",
            "opc": "lead",
            "opd": "mercury",
            "cop": 0,
        },
    ),
    ok | {"Which is a nut?": "hazel"},
)
v(
    "medmcqa 1-based",
    "mm.jsonl",
    lines(
        {"id": "1", "question": Q1, "opa": "Venus", "opb": "Saturn", "opc": "Mars", "opd": "Io", "cop": 2},
        {"id": "2", "question": Q2, "opa": "tin", "opb": "zinc", "opc": "lead", "opd": "mercury", "cop": 4},
    ),
    ok,
    log="counting from 1",
)
v(
    "pubmedqa hub",
    "pm.jsonl",
    lines(
        {
            "pubid": 1,
            "question": "Does tea help?",
            "context": {"contexts": ["One.", "Two."], "labels": ["A", "B"], "meshes": []},
            "long_answer": "..",
            "final_decision": "maybe",
        },
        {
            "pubid": 2,
            "question": "Does rest help?",
            "context": {"contexts": ["Three."], "labels": [], "meshes": []},
            "long_answer": "..",
            "final_decision": "yes",
        },
    ),
    {"One.\nTwo.\n\nDoes tea help?": "Maybe", "Three.\n\nDoes rest help?": "Yes"},
)
v(
    "pubmedqa authors",
    "pm.json",
    json.dumps(
        {
            "111": {
                "QUESTION": "Does tea help?",
                "CONTEXTS": ["One.", "Two."],
                "final_decision": "no",
                "LONG_ANSWER": "",
            },
            "222": {
                "QUESTION": "Does rest help?",
                "CONTEXTS": ["Three."],
                "final_decision": "maybe",
                "LONG_ANSWER": "",
            },
        }
    ),
    {"One.\nTwo.\n\nDoes tea help?": "No", "Three.\n\nDoes rest help?": "Maybe"},
)
v(
    "boolq",
    "bq.jsonl",
    lines(
        {"question": "is the sky blue", "passage": "Skies are blue.", "answer": True},
        {"question": "is grass red", "passage": "Grass is green.", "answer": False},
    ),
    {"Skies are blue.\n\nis the sky blue": "Yes", "Grass is green.\n\nis grass red": "No"},
)
v(
    "sciq",
    "sciq.json",
    json.dumps(
        [
            {
                "question": Q1,
                "distractor1": "Venus",
                "distractor2": "Mars",
                "distractor3": "Io",
                "correct_answer": "Saturn",
                "support": "Saturn has rings.",
            }
        ]
    ),
    {"Saturn has rings.\n\n" + Q1: "Saturn"},
)
v(
    "gpqa csv",
    "gpqa.csv",
    "Record ID,Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,Incorrect Answer 3,Explanation,Subdomain\nr1,"
    + Q1
    + ",Saturn,Venus,Mars,Io,because,Astro\n",
    {Q1: "Saturn"},
    log="not used",
)
v(
    "truthfulqa mc1",
    "tq.json",
    json.dumps(
        [
            {
                "question": Q1,
                "mc1_targets": {"Saturn": 1, "Venus": 0, "Mars": 0},
                "mc2_targets": {"Saturn": 1, "Venus": 0},
            }
        ]
    ),
    {Q1: "Saturn"},
)
v(
    "truthfulqa hub",
    "tq.jsonl",
    lines(
        {
            "question": Q1,
            "mc1_targets": {"choices": O1, "labels": [0, 1, 0]},
            "mc2_targets": {"choices": O1, "labels": [0, 1, 0]},
        }
    ),
    {Q1: "Saturn"},
)
v(
    "truthfulqa csv",
    "TruthfulQA.csv",
    "Type,Category,Question,Best Answer,Correct Answers,Incorrect Answers,Source\nA,B,"
    + Q1
    + ",Saturn,Saturn; It is Saturn,Venus; Mars; Io,u\n",
    {Q1: "Saturn"},
    opts={Q1: {"Saturn", "Venus", "Mars", "Io"}},
)
v(
    "aqua",
    "aqua.jsonl",
    lines(
        {
            "question": "What is 20+1?",
            "options": ["A)21", "B)21.5", "C)22", "D)22.5", "E)23"],
            "rationale": "r",
            "correct": "A",
        }
    ),
    {"What is 20+1?": "21"},
    opts={"What is 20+1?": {"21", "21.5", "22", "22.5", "23"}},
)
v(
    "mathqa",
    "mathqa.json",
    json.dumps(
        [
            {
                "Problem": "What is 30 + 8?",
                "Rationale": "r",
                "options": "a ) 38 , b ) 27.675 , c ) 30 , d ) data inadequate , e ) none of these",
                "correct": "a",
                "annotated_formula": "",
                "linear_formula": "",
                "category": "g",
            }
        ]
    ),
    {"What is 30 + 8?": "38"},
    opts={"What is 30 + 8?": {"38", "27.675", "30", "data inadequate", "none of these"}},
)
v(
    "bbq",
    "bbq.jsonl",
    lines(
        {
            "example_id": 0,
            "question_index": "1",
            "question_polarity": "neg",
            "context_condition": "ambig",
            "category": "Age",
            "answer_info": {},
            "additional_metadata": {},
            "context": "Two men met.",
            "question": "Who was old?",
            "ans0": "The first",
            "ans1": "Not known",
            "ans2": "The second",
            "label": 1,
        }
    ),
    {"Two men met.\n\nWho was old?": "Not known"},
)
v(
    "race hub",
    "race.jsonl",
    lines(
        {
            "example_id": "high1.txt",
            "article": "Sue ran.",
            "question": "Who ran?",
            "options": ["Sue", "Tim"],
            "answer": "A",
        }
    ),
    {"Sue ran.\n\nWho ran?": "Sue"},
)
v(
    "race authors",
    "1.txt",
    json.dumps(
        {
            "answers": ["A", "B"],
            "options": [["Sue", "Tim"], ["far", "near"]],
            "questions": ["Who ran?", "How far?"],
            "article": "Sue ran near.",
            "id": "high1.txt",
        }
    ),
    {"Sue ran near.\n\nWho ran?": "Sue", "Sue ran near.\n\nHow far?": "near"},
)
v(
    "quality",
    "q.dev",
    lines(
        {
            "article_id": "1",
            "article": "A long story.",
            "title": "t",
            "questions": [
                {
                    "question": "Who?",
                    "question_unique_id": "1_1",
                    "options": ["a man", "a dog", "a cat", "an ox"],
                    "gold_label": 2,
                    "writer_label": 2,
                    "difficult": 0,
                }
            ],
        }
    ),
    {"A long story.\n\nWho?": "a dog"},
)
v(
    "agieval",
    "ag.jsonl",
    lines(
        {"passage": None, "question": Q1, "options": ["(A)Venus", "(B)Saturn", "(C)Mars"], "label": "B", "other": None}
    ),
    {Q1: "Saturn"},
    opts={Q1: {"Venus", "Saturn", "Mars"}},
)
v("ceval test", "ce.csv", "id,question,A,B,C,D,answer,explanation\n0," + Q1 + ",Venus,Saturn,Mars,Io,,\n", {Q1: None})
v("cmmlu pandas", "cm.csv", ",Question,A,B,C,D,Answer\n0," + Q1 + ",Venus,Saturn,Mars,Io,B\n", {Q1: "Saturn"})
v(
    "cmmlu seaeval",
    "cs.jsonl",
    lines(
        {
            "id": "t1",
            "question": "土星有什么?",
            "category": "x",
            "choices": ["(A) 水", "(B) 环", "(C) 火"],
            "answer": "(B) 环",
        }
    ),
    {"土星有什么?": "环"},
)
v(
    "inspect chat",
    "in.jsonl",
    lines({"input": [{"role": "user", "content": Q1}], "choices": O1, "target": "B", "metadata": {"x": 1}}),
    {Q1: "Saturn"},
)
v(
    "bbh",
    "bbh.json",
    json.dumps(
        {
            "canary": "c",
            "examples": [
                {"input": "Which is red?\nOptions:\n(A) blood\n(B) snow", "target": "(A)"},
                {"input": "Which is cold?\nOptions:\n(A) fire\n(B) ice", "target": "(B)"},
            ],
        }
    ),
    {"Which is red?": "blood", "Which is cold?": "ice"},
)
v(
    "deepeval golden",
    "de.json",
    json.dumps([{"input": "Which is red?\nA. blood\nB. snow\nC. milk\n\nAnswer:", "expected_output": "A"}]),
    {"Which is red?": "blood"},
)
v(
    "lm-eval samples",
    "samples.jsonl",
    lines(
        {
            "doc_id": 0,
            "doc": {"question": Q1, "choices": [*O1, "Io"], "answer": 0, "subject": "s"},
            "target": "0",
            "arguments": {},
            "resps": [["x"]],
            "filtered_resps": ["x"],
            "acc": 1.0,
        },
        {
            "doc_id": 1,
            "doc": {"question": Q2, "choices": [*O2, "iron"], "answer": 2, "subject": "s"},
            "target": "2",
            "arguments": {},
            "resps": [["x"]],
            "filtered_resps": ["x"],
            "acc": 0.0,
        },
    ),
    {Q1: "Venus", Q2: "mercury"},
)
v(
    "helm",
    "helm.json",
    json.dumps(
        [
            {
                "input": {"text": Q1},
                "references": [
                    {"output": {"text": "Venus"}, "tags": []},
                    {"output": {"text": "Saturn"}, "tags": ["correct"]},
                ],
                "split": "test",
                "id": "id1",
            }
        ]
    ),
    {Q1: "Saturn"},
)
v(
    "hf rows api",
    "rows.json",
    json.dumps(
        {
            "features": [],
            "rows": [
                {"row_idx": 0, "row": {"question": Q1, "choices": O1, "answer": 1}, "truncated_cells": []},
                {"row_idx": 1, "row": {"question": Q2, "choices": O2, "answer": 0}, "truncated_cells": []},
            ],
            "num_rows_total": 2,
        }
    ),
    {Q1: "Saturn", Q2: "tin"},
)
v(
    "headqa",
    "hq.json",
    json.dumps(
        [
            {
                "qid": "1",
                "qtext": Q1,
                "ra": 2,
                "answers": [{"aid": 1, "atext": "Venus"}, {"aid": 2, "atext": "Saturn"}, {"aid": 3, "atext": "Mars"}],
                "image": "",
            }
        ]
    ),
    {Q1: "Saturn"},
)
v(
    "reclor",
    "rc.json",
    json.dumps(
        [
            {
                "context": "All rings shine.",
                "question": "Which follows?",
                "answers": ["x", "y", "z"],
                "label": 0,
                "id_string": "t_0",
            },
            {
                "context": "No rings shine.",
                "question": "Which follows?",
                "answers": ["p", "q", "r"],
                "label": 1,
                "id_string": "t_1",
            },
        ]
    ),
    {"All rings shine.\n\nWhich follows?": "x", "No rings shine.\n\nWhich follows?": "q"},
)
v(
    "musr",
    "musr.csv",
    "narrative,question,choices,answer_index,answer_choice\nA crime.,Who did it?,\"['Mack', 'Ana']\",1,Ana\n",
    {"A crime.\n\nWho did it?": "Ana"},
)
v(
    "bigbench",
    "task.json",
    json.dumps({"name": "x", "examples": [{"input": Q1, "target_scores": {"Venus": 0, "Saturn": 1}}]}),
    {Q1: "Saturn"},
)
v(
    "opentdb",
    "tdb.json",
    json.dumps(
        {
            "response_code": 0,
            "results": [
                {
                    "category": "x",
                    "type": "multiple",
                    "difficulty": "easy",
                    "question": Q1,
                    "correct_answer": "Saturn",
                    "incorrect_answers": ["Venus", "Mars"],
                }
            ],
        }
    ),
    {Q1: "Saturn"},
)
v(
    "numpy repr csv",
    "np.csv",
    "question,choices,answer\n"
    + Q1
    + ",\"['Venus' 'Saturn'\n 'Mars']\",1\n"
    + Q2
    + ",\"['tin' 'zinc' 'mercury']\",0\n",
    {Q1: "Saturn", Q2: "tin"},
    opts={Q1: set(O1)},
)
v(
    "arc pandas csv",
    "arcp.csv",
    "id,question,choices,answerKey\na,"
    + Q1
    + ",\"{'text': array(['Venus', 'Saturn', 'Mars'], dtype=object), 'label': array(['A', 'B', 'C'], dtype=object)}\",B\n",
    {Q1: "Saturn"},
)
v(
    "german semicolon columns",
    "p.csv",
    "Frage;A;B;C;Lösung\n" + Q1 + ";Venus;Saturn;Mars;B\n",
    {Q1: "Saturn"},
    columns="question=Frage,options=A..C,answer=Lösung",
)
v(
    "german without columns",
    "p.csv",
    "Frage;A;B;C;Lösung\n" + Q1 + ";Venus;Saturn;Mars;B\n",
    refused("--columns question=Frage,options=A..C,answer=Lösung"),
)
v(
    "columns typo",
    "p.csv",
    "Frage;A;B;C;Lösung\n" + Q1 + ";Venus;Saturn;Mars;B\n",
    refused("Did you mean 'Frage'"),
    columns="question=Fragen,options=A..C,answer=Lösung",
)
v(
    "columns numbers headerless",
    "h.csv",
    Q1 + ",Venus,Saturn,Mars,B\n" + Q2 + ",tin,zinc,mercury,C\n",
    ok,
    columns="question=1,options=2..4,answer=5",
)
v(
    "headerless tsv",
    "h.tsv",
    Q1 + "\tVenus\tSaturn\tMars\tB\n" + Q2 + "\ttin\tzinc\tmercury\tC\n",
    refused("header", "--columns question=1,options=2..4,answer=5"),
)
v(
    "1-based declared",
    "b.jsonl",
    lines({"question": Q1, "options": O1, "answer": 2}, {"question": Q2, "options": O2, "answer": 2}),
    {Q1: "Saturn", Q2: "zinc"},
    columns="answer=answer:1-based",
)
v(
    "1-based ambiguous",
    "b.jsonl",
    lines({"question": Q1, "options": O1, "answer": 2}, {"question": Q2, "options": O2, "answer": 2}),
    refused("count from 0", "count from 1", "1-based"),
)
v(
    "contradiction",
    "b.jsonl",
    lines({"question": Q1, "options": O1, "answer": 0}, {"question": Q2, "options": O2, "answer": 3}),
    refused("count from 0", "from 1"),
)
v(
    "number texts str",
    "t.jsonl",
    lines({"question": "2+2?", "options": ["2", "3", "4", "5"], "answer": "3"}),
    refused("text", "counted from"),
)
v(
    "number texts all out of range",
    "t.jsonl",
    lines(
        {"question": "20+2?", "options": ["21", "22", "23"], "answer": 22},
        {"question": "30+2?", "options": ["31", "32", "33"], "answer": "33"},
    ),
    {"20+2?": "22", "30+2?": "33"},
)
v(
    "nan gold jsonl",
    "n.jsonl",
    '{"question": "'
    + Q1
    + '", "options": ["Venus","Saturn"], "answer": NaN}\n{"question": "'
    + Q2
    + '", "options": ["tin","mercury"], "answer": 1.0}\n{"question": "Up?", "options": ["y","n"], "answer": 0.0}',
    {Q1: None, Q2: "mercury", "Up?": "y"},
)
v("letter dot text lower", "g.jsonl", lines({"question": Q1, "options": O1, "answer": "b) saturn"}), {Q1: "Saturn"})
v(
    "letter text conflict",
    "g.jsonl",
    lines({"question": Q1, "options": O1, "answer": "A. Saturn"}),
    refused("A is not the letter"),
)
v("option_b gold", "g.csv", "question,option_a,option_b,answer\n" + Q1 + ",Venus,Saturn,option_b\n", {Q1: "Saturn"})
v("multi gold", "g.jsonl", lines({"question": Q1, "options": O1, "answer": "A,C"}), refused("2 right options"))
v(
    "options key/value list",
    "o.jsonl",
    lines(
        {"question": Q1, "options": [{"key": "A", "value": "Venus"}, {"key": "B", "value": "Saturn"}], "answer": "B"}
    ),
    {Q1: "Saturn"},
)
v(
    "is_correct list",
    "o.jsonl",
    lines(
        {"question": Q1, "options": [{"text": "Venus", "is_correct": False}, {"text": "Saturn", "is_correct": True}]}
    ),
    {Q1: "Saturn"},
)
v(
    "null-padded dict",
    "o.jsonl",
    lines(
        {
            "question": Q1,
            "options": {"A": "Venus", "B": "Saturn", "C": None, "D": None},
            "answer_idx": "B",
            "answer": "Saturn",
        }
    ),
    {Q1: "Saturn"},
)
v(
    "float options",
    "o.jsonl",
    lines({"question": "half?", "options": [0.25, 0.5, 0.75], "answer": "B"}),
    {"half?": "0.5"},
)
v("utf16 excel", "e.csv", ("Question\tA\tB\tAnswer\n" + Q1 + "\tVenus\tSaturn\tB\n").encode("utf-16"), {Q1: "Saturn"})
v("cp1252", "e.csv", "Question;A;B;Answer\nWas ist süß?;Zucker;Salz;A\n".encode("cp1252"), refused("UTF-8"))
v("csv in jsonl", "e.jsonl", "question,A,B,answer\n" + Q1 + ",Venus,Saturn,B\n", {Q1: "Saturn"})
v(
    "inspect log json",
    "log.json",
    json.dumps({"version": 2, "status": "success", "eval": {}, "plan": {}, "samples": []}),
    refused("Inspect", "unsway import"),
)
v("xlsx", "s.xlsx", b"PK\x03\x04xxxx", refused("CSV"))
v("txt of prose", "notes.txt", "Hello there\nthis is prose\n", refused("not JSON"))
v(
    "prefixed with dots lower",
    "x.jsonl",
    lines({"question": Q1, "options": ["a. Venus", "b. Saturn", "c. Mars"], "answer": "b"}),
    {Q1: "Saturn"},
    opts={Q1: set(O1)},
)
v(
    "prefixed numbers",
    "x.jsonl",
    lines({"question": Q1, "options": ["1. Venus", "2. Saturn", "3. Mars"], "answer": "2. Saturn"}),
    {Q1: "2. Saturn"},
    order={Q1: ("1. Venus", "2. Saturn", "3. Mars")},
)
v(
    "fullwidth",
    "x.jsonl",
    lines({"question": Q1, "options": ["A．Venus", "B．Saturn", "C．Mars"], "answer": "Ｂ"}),
    {Q1: "Saturn"},
    opts={Q1: set(O1)},
)
v(
    "bare letters options",
    "x.jsonl",
    lines({"question": Q1 + "\nA. Venus\nB. Saturn\nC. Mars", "choices": ["A", "B", "C"], "answer": "B"}),
    {Q1: "Saturn"},
    opts={Q1: set(O1)},
)
v(
    "bare letters no list",
    "x.jsonl",
    lines({"question": "See the picture.", "choices": ["A", "B", "C"], "answer": "B"}),
    {"See the picture.": "B"},
    order={"See the picture.": ("A", "B", "C")},
)
v(
    "initials",
    "x.jsonl",
    lines({"question": "Who?", "options": ["B. Russell", "A. Turing", "K. Gödel"], "answer": "A. Turing"}),
    {"Who?": "A. Turing"},
)
v(
    "spanish above",
    "x.jsonl",
    lines({"question": "¿Qué?", "options": ["oro", "plata", "Todas las anteriores", "cobre"], "answer": "C"}),
    {"¿Qué?": "Todas las anteriores"},
    order={"¿Qué?": ("oro", "plata", "Todas las anteriores", "cobre")},
)
v(
    "skip bad many",
    "s.jsonl",
    lines(
        {"question": Q1, "options": O1, "answer": "B"},
        {"question": "x?", "options": ["a", "a"], "answer": "A"},
        {"question": "y?", "options": ["a"], "answer": "A"},
        {"question": Q2, "options": O2, "answer": "mercury"},
        {"question": "z?", "options": ["a", "b"], "answer": "F"},
    )
    + "\n{broken\n",
    ok,
    skip_bad=True,
    log="4 rows skipped",
)
v("gz csv", "g.csv.gz", gzip.compress(("question,A,B,answer\n" + Q1 + ",Venus,Saturn,B\n").encode()), {Q1: "Saturn"})
v(
    "quoted header semis",
    "q.csv",
    '"question";"A";"B";"answer"\n"Is 1,5 > 1,2?";"yes, it is";"no";"A"\n',
    {"Is 1,5 > 1,2?": "yes, it is"},
)
v("title row blank first", "q.csv", "\n\nquestion,A,B,answer\n" + Q1 + ",Venus,Saturn,B\n", {Q1: "Saturn"})
v(
    "sycophancy-eval",
    "sy.jsonl",
    lines(
        {
            "prompt": [{"type": "human", "content": "x"}],
            "base": {"question": Q1, "correct_letter": "B", "answers": "(A) Venus\n(B) Saturn", "dataset": "d"},
            "metadata": {},
        }
    ),
    {Q1: "Saturn"},
)
v(
    "model-written",
    "mw.jsonl",
    lines(
        {
            "question": "I am Ada. Which is better?\n\nChoices:\n(A) tea\n(B) coffee",
            "answer_matching_behavior": " (A)",
            "answer_not_matching_behavior": " (B)",
        }
    ),
    refused("answer"),
)
v(
    "model-written none",
    "mw.jsonl",
    lines(
        {
            "question": "I am Ada. Which is better?\n\nChoices:\n(A) tea\n(B) coffee",
            "answer_matching_behavior": " (A)",
            "answer_not_matching_behavior": " (B)",
        }
    ),
    {"I am Ada. Which is better?": None},
    columns="answer=none",
)
v(
    "option dict CMB",
    "c.json",
    json.dumps(
        [
            {
                "exam_type": "x",
                "question": Q1,
                "answer": "B",
                "question_type": "单项选择题",
                "option": {"A": "Venus", "B": "Saturn", "C": ""},
            }
        ]
    ),
    {Q1: "Saturn"},
)
v(
    "arabicmmlu",
    "ar.csv",
    "ID,Question,Context,Option 1,Option 2,Option 3,Option 4,Option 5,Answer Key\n1,"
    + Q1
    + ",,Venus,Saturn,Mars,Io,,B\n",
    {Q1: "Saturn"},
)
v(
    "kobest",
    "ko.jsonl",
    lines(
        {
            "premise": "비가 왔다.",
            "question": "결과",
            "alternative_1": "땅이 젖었다.",
            "alternative_2": "해가 떴다.",
            "label": 0,
        }
    ),
    {"비가 왔다.\n\n결과": "땅이 젖었다."},
)
v(
    "storycloze",
    "sc.csv",
    "InputStoryid,InputSentence1,InputSentence2,InputSentence3,InputSentence4,RandomFifthSentenceQuiz1,"
    "RandomFifthSentenceQuiz2,AnswerRightEnding\nx,A.,B.,C.,D.,Good end.,Bad end.,1\n",
    {"A. B. C. D.": "Good end."},
)
v(
    "unused named",
    "u.jsonl",
    lines({"question": Q1, "options": O1, "answer": "B", "hint": "rings", "topic": "space"}),
    {Q1: "Saturn"},
    log="not used: hint, topic",
)
v(
    "passage named",
    "u.jsonl",
    lines({"question": Q1, "options": O1, "answer": "B", "hint": "Look up."}),
    {"Look up.\n\n" + Q1: "Saturn"},
    columns="passage=hint",
)
v(
    "passage none",
    "u.jsonl",
    lines({"question": Q1, "options": O1, "answer": "B", "context": "Look up."}),
    {Q1: "Saturn"},
    columns="passage=none",
)


@pytest.mark.parametrize("case", CASES, ids=[case.name.replace(" ", "-") for case in CASES])
def test_a_file_gives_what_was_meant_or_says_what_to_do(
    tmp_path: Path, case: Case, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / case.file
    path.write_bytes(case.content if isinstance(case.content, bytes) else case.content.encode())
    if isinstance(case.wanted, tuple):
        with pytest.raises(BadInput) as error:
            sources.load(path, **case.how)  # type: ignore[arg-type]
        assert all(word in str(error.value) for word in case.wanted), str(error.value)
        return
    with caplog.at_level(logging.WARNING):
        found = sources.load(str(path), **case.how)  # type: ignore[arg-type]
    assert {q.stem: None if q.gold is None else q.options[q.gold] for q in found} == case.wanted
    for q in found:
        assert case.options is None or set(q.options) == case.options.get(q.stem, set(q.options))
        assert case.order is None or q.options == case.order.get(q.stem, q.options)
    assert (case.log or "") in caplog.text


# ---------------------------------------------------------------- what only a whole file says, and how to say the rest

MANY = [{"question": f"Which {n}?", "options": ["p", "q", "r"], "answer": 1 + n % 2} for n in range(6)]


def test_numbers_that_count_from_either_are_asked_about_with_both_readings(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(lines(*MANY))
    with pytest.raises(BadRow) as error:
        sources.load(path)
    for words in (
        "option B ('q') where numbers count from 0",
        "option A ('p') where they count from 1",
        "None of the 6",
    ):
        assert words in str(error.value)
    golds = {}
    for way in ("0-based", "1-based"):
        assert f"--columns answer=answer:{way}" in str(error.value)
        loaded = sources.load(path, columns=f"answer=answer:{way}")
        golds[way] = {q.stem: q.options[q.gold or 0] for q in loaded}
    assert golds["0-based"]["Which 0?"] == "q" and golds["1-based"]["Which 0?"] == "p"


@pytest.mark.parametrize(("last", "expected"), [({"answer": 0}, "q"), ({"answer": 3}, "p"), ({"answer": "3"}, "p")])
def test_one_row_with_the_first_or_the_last_option_decides(
    tmp_path: Path, last: dict[str, object], expected: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(lines(*MANY, {"question": "Last?", "options": ["p", "q", "r"]} | last))
    golds = {q.stem: q.options[q.gold or 0] for q in sources.load(path)}
    assert golds["Which 0?"] == expected
    assert ("counting from 1: line 7 names 3" in caplog.text) == (expected == "p")


def test_a_letter_next_to_a_number_decides_and_must_agree(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    both = [row | {"answer_letter": "QABC"[row["answer"]]} for row in MANY]  # type: ignore[index]
    path.write_text(lines(*both))
    assert {q.stem: q.options[q.gold or 0] for q in sources.load(path)}["Which 0?"] == "p"
    path.write_text(lines(*both[:-1], both[-1] | {"answer_letter": "C"}))
    with pytest.raises(
        BadRow,
        match="line 6, field 'answer': names another option than the rest of the row: answer = 2 and answer_letter = 'C'",
    ):
        sources.load(path)


def test_one_number_alone_counts_from_0_and_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(lines(MANY[0], {"question": "Other?", "options": ["x", "y"], "answer": "A"}))
    golds = {q.stem: q.options[q.gold or 0] for q in sources.load(path)}
    assert golds == {"Which 0?": "q", "Other?": "x"}
    assert "if it counts from 1, and option A ('p') is meant, say --columns answer=answer:1-based" in caplog.text


def test_a_number_that_is_a_text_is_refused_until_it_is_said_which_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(lines({"question": "5 + 2?", "options": [6, 7, 1, 0], "answer": 1}))
    with pytest.raises(BadRow, match=r"1 is the text of option C, and counted from 0 it is option B \('7'\)"):
        sources.load(path)
    for way, right in (("text", "1"), ("0-based", "7"), ("1-based", "6")):
        (found,) = sources.load(path, columns=f"answer=answer:{way}")
        assert found.options[found.gold or 0] == right


def test_bad_rows_are_counted_by_reason_with_an_example(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "mine.jsonl"
    good = [{"question": f"Is {n} even?", "options": ["yes", "no"], "answer": "A"} for n in range(3)]
    twins = [{"question": f"Twin {n}?", "options": ["a", f"b{n}", "a"], "answer": "B"} for n in range(2)]
    path.write_text(lines(*good, *twins, {"question": "One?", "options": ["a"], "answer": "A"}))
    with pytest.raises(BadRow, match="line 4, field 'options': option 0 and option 2 both read 'a'"):
        sources.load(path)
    assert len(sources.load(path, skip_bad=True)) == 3
    assert "3 rows skipped (2 × options: option … and option … both read" in caplog.text
    assert "(first: line 4)" in caplog.text and "(first: line 6)" in caplog.text


def test_what_is_said_of_a_file_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(lines(*({"question": f"{n}?", "options": O1, "answer": "A", "mood": n} for n in range(9))))
    for _ in range(3):
        sources.load(path)
    assert caplog.text.count("not used: mood") == 1


def test_columns_are_taken_as_a_dictionary_too_and_kept_in_json(tmp_path: Path) -> None:
    path = tmp_path / "exam.csv"
    path.write_text("Pregunta;R1;R2;Correcta\n¿Cuál?;sí;no;R2\n", encoding="utf-8")
    given = {"question": "Pregunta", "options": ["R1", "R2"], "answer": "Correcta"}
    (found,) = sources.load(path, columns=given)
    assert found.options[found.gold or 0] == "no"
    file = sources.resolve(path, given, skip_bad=True)
    assert file == QuestionFile(path, "question=Pregunta,options=R1+R2,answer=Correcta", skip_bad=True)
    assert sources.SOURCE.read(json.loads(json.dumps(sources.SOURCE.write(file)))) == file
    assert sources.SOURCE.write(sources.resolve(path)) == str(path)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("quest=A", "has 'quest=A'"),
        ("question", "has 'question'"),
        ("question=A,stem=B", "names the stem twice"),
        ("answer=", "has 'answer'"),
    ],
)
def test_columns_that_cannot_be_read_say_how_they_are_written(given: str, said: str) -> None:
    with pytest.raises(BadInput, match="ROLE=COLUMN") as error:
        QuestionFile(Path("mine.csv"), given)
    assert said in str(error.value)


def test_a_file_that_is_there_is_never_a_source_that_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("exam", "exam.dat", "exam.txt", "mein fragebogen.questions"):
        Path(name).write_text(lines({"question": Q1, "options": O1, "answer": "B"}))
        assert len(sources.load(name)) == 1
    for name in ("absent.csv", "./absent", str(tmp_path / "absent")):
        with pytest.raises(BadInput) as error:
            sources.load(name)
        assert "no source" not in str(error.value)


def test_numbers_as_names_of_questions_are_told_apart_by_their_file(tmp_path: Path) -> None:
    ids = set()
    for name in ("one.jsonl", "two.jsonl"):
        (tmp_path / name).write_text(lines({"id": 0, "question": f"{name}?", "options": O1, "answer": "B"}))
        ids |= {q.id for q in sources.load(tmp_path / name)}
    assert ids == {"one/0", "two/0"}


# ---------------------------------------------------------------- options that speak of places

PLACES = (
    *(
        "Die ersten zwei",
        "Beide oben genannten",
        "Toutes les propositions ci-dessus",
        "Las dos primeras",
        "Acima: as opções acima",
    ),
    *(
        "Le prime due",
        "Alle bovenstaande antwoorden",
        "Все вышеперечисленные",
        "以上都不是",
        "B和C",
        "上記のすべて",
        "위의 모든 것",
    ),
    *(
        "The last three",
        "Answers 2 and 4",
        "Either B or D",
        "C only",
        "The first and the last",
        "All except B",
        "2 and 3",
    ),
    *(
        "Two of the above",
        "The previous two options",
        "the answers above",
        "Option D",
        "A & C",
        "None of the preceding",
    ),
)


@pytest.mark.parametrize("option", PLACES)
def test_options_that_speak_of_places_keep_theirs(option: str) -> None:
    options = ("oak", "elm", "ash", option)
    assert all(sources.order_of_options(str(n), options) == (0, 1, 2, 3) for n in range(12))


@pytest.mark.parametrize(
    "option",
    [
        *(
            "The first two weeks",
            "the former Yugoslavia",
            "above sea level",
            "Vitamin B",
            "the last emperor",
            "1 and a half",
        ),
        *(
            "Grade A beef",
            "anterior lobe",
            "the option price",
            "The following day",
            "answering a letter",
            "Hepatitis B or worse",
        ),
    ],
)
def test_options_that_only_sound_so_are_shuffled(option: str) -> None:
    orders = {sources.order_of_options(str(n), ("oak", "elm", "ash", option)) for n in range(60)}
    assert len(orders) > 10


def test_options_of_a_declared_source_obey_too() -> None:
    from unsway.sources import Split, source
    from unsway.types import Question

    @source("lettered_toy", revision="1", license="CC0", splits=(Split("test", 3),), summary="toy")
    def rows(split: str):  # type: ignore[no-untyped-def]
        yield Question("Which tree?", ("a) oak", "b) iron", "c) salt"), 0, "", split)
        yield Question("Which metal?", ("iron", "zinc", "Nur A und B", "salt"), 2, "", split)
        yield Question("Which letter?", ("A", "B", "C"), 1, "", split)

    found = {q.stem: q for q in sources.load("lettered_toy")}
    assert set(found["Which tree?"].options) == {"oak", "iron", "salt"}
    assert found["Which tree?"].options[found["Which tree?"].gold or 0] == "oak"
    assert found["Which metal?"].options == ("iron", "zinc", "Nur A und B", "salt")
    assert found["Which letter?"].options == ("A", "B", "C")


# ---------------------------------------------------------------- the table of layouts, and the command line


def test_every_name_of_the_table_is_plain_and_every_layout_is_found() -> None:
    for layout in LAYOUTS:
        for name in (*layout.needs, *layout.question, *layout.passage, *layout.options, *layout.answer, *layout.also):
            assert all(part == plain(part) or part[-1] == "#" for part in name.split("+")), name
    assert find(["Question", "Option_A", "Option_B", "Correct Answer"]).options == ("Option_A", "Option_B")
    assert find(["goal", "sol1", "sol2", "label"]).counts_from == 0


def test_the_command_line_takes_columns_and_all_of_a_file(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from unsway.cli.main import main

    path = tmp_path / "prüfung.csv"
    rows = "".join(f"Was ist {n}?;eins;zwei;drei;B\n" for n in range(130))
    path.write_text(f"Frage;A;B;C;Lösung\n{rows};;;;\nLeer?;x;x;;A\n", encoding="utf-8")
    asked = ["plan", "openai/gpt-4o-mini", "--questions", str(path), "--json"]
    refusal = CliRunner().invoke(main, asked)
    assert refusal.exit_code and "--columns question=Frage,options=A..C,answer=Lösung" in refusal.output
    columns = ["--columns", "question=Frage,options=A..C,answer=Lösung"]
    assert "line 133" in CliRunner().invoke(main, [*asked, *columns]).output
    for more, n in (([], 130), (["-n", "20"], 20)):
        done = CliRunner().invoke(main, [*asked, *columns, "--skip-bad", *more])
        assert done.exit_code == 0, done.output
        body = json.loads(done.stdout)
        assert body["biases"][0]["n_questions"] == n, body["biases"][0]
