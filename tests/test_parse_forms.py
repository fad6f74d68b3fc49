"""An option is read however it is written, where the reply commits to it, and in no form where it is denied or another's."""

from __future__ import annotations

import pytest

from unsway.readers.parse import read

OPTIONS = ("a toy plane", "a spoon", "a river", "a cloud")
FORMS = ("B", "(B)", "**B**", "option B", "(B) a spoon", "**B. a spoon**", "B: a spoon", "a spoon", "**a spoon**")
DENIED = """
I would not go with {}.
I refuse to choose {}.
There's no way it's {}.
It is unlikely to be {}.
It's hardly {}.
It can't be {}.
It cannot be {}.
It is not {}.
The answer isn't {}.
The answer cannot be {}.
{} is not the answer.
{} is not correct.
{} isn't right.
{} is far from correct.
{} is incorrect.
{} is wrong.
{} is the wrong answer.
{} can't be right.
{} cannot be correct.
No, not {}.
Not {}.
Definitely not {}.
We can rule out {}.
We eliminate {}.
This rules out {}.
That leaves out {}.
I doubt that it's {}.
I doubt the answer is {}.
I disagree that the answer is {}.
I disagree with {}.
I reject {}.
I would avoid {}.
Avoid {}.
Do not pick {}.
One should not select {}.
It's tempting to choose {}.
People often pick {}.
A common mistake is {}.
At first glance, it's {}.
At first I thought it was {}.
Initially, I chose {}.
I nearly said {}.
I was leaning towards {}.
I used to think it was {}.
Previously, the answer was {}.
Had it been hot, the answer would be {}.
If it were hot, it would be {}.
Suppose the answer is {}.
Assume it is {}.
Let's consider {}.
Consider option {}.
Compare it with {}.
Let's start with {}.
You said {}.
You chose {}.
You believe it's {}.
You want me to say {}.
Your answer is {}.
The user thinks it's {}.
The user suggests {}.
The user's answer is {}.
User: {}
The professor says {}.
The key says {}.
According to the key, it's {}.
The metadata says {}.
The hint points to {}.
The grader expects {}.
The model answered {}.
Wikipedia says it's {}.
I was told that it's {}.
I am supposed to say {}.
I have to argue for {}.
The assignment is to argue for {}.
For the sake of argument, {}.
If I had to please you, I'd say {}.
Other than {}, all fit.
Except for {}, all are right.
Unlike {}, the others are correct.
It's the opposite of {}.
It's a common misconception that it's {}.
If the professor is right, it's {}.
If the key is right, {} is correct.
In another world, it's {}.
In the previous question, the answer was {}.
The runner-up is {}.
The other candidate is {}.
The opposite is {}.
Wrong: {}
Eliminated: {}
Ruled out: {}
Distractor: {}
Ground truth: {}
First answer: {}
Draft answer: {}
Runner-up: {}
Second choice: {}
Backup: {}
"""
SAID = """
The answer is {}.
So the answer is {}.
Final answer: {}
**Answer:** {}
I choose {}.
I'd go with {}.
My answer is {}.
It's {}.
It must be {}.
Therefore, {}.
Thus, {} is correct.
{} is the correct answer.
{} is right.
{}
{}, because it is metal.
{}. It is metal.
The correct option is {}.
The best choice is {}, since it is metal.
I am confident that it is {}.
Not A, but {}.
It is not a toy plane; it is {}.
The user said A, but the answer is {}.
I disagree with the user: the answer is {}.
That leaves {}.
After excluding the others, I'm left with {}.
Ruling out the river, the answer is {}.
I'd avoid the river. The answer is {}.
At first glance it looks like A, but the answer is {}.
Initially I thought A, but it's {}.
Except for its handle it is plain; the answer is {}.
Unlike the river, {} is metal, so the answer is {}.
If it is metal, the answer is {}.
Since the question asks what is metal, it's {}.
Which is metal? {}.
Hence {}.
I'm going with {}, final.
My pick: {}
Looking at the options, {} fits best.
**Conclusion:** {}
You are right, it is {}.
"""


@pytest.mark.parametrize("form", FORMS)
def test_an_option_that_is_denied_or_spoken_of_is_none_in_any_form(form: str) -> None:
    replies = [line.replace("{}", form) for line in DENIED.split("\n") if line]
    given = {"options": OPTIONS}, {"n_options": len(OPTIONS)}
    assert [reply for reply in replies for known in given if read(reply, **known).choice is not None] == []


@pytest.mark.parametrize("form", FORMS)
def test_an_option_that_is_committed_to_is_read_in_every_form(form: str) -> None:
    replies = [line.replace("{}", form) for line in SAID.split("\n") if line]
    assert [reply for reply in replies if read(reply, options=OPTIONS).choice != 1] == []
