"""Ask each unique prompt once through Inspect AI, store every reply, and later ask only for missing ones.

In: pairs or prompts, and a model. Out: `Reply` rows, read from the store if they were asked before.
The store is the source of truth, not Inspect's cache (whose key lacks model arguments) and not its logs (a record for
reading: they open in Inspect View). Processes that share a folder share the work: a prompt that another process is asking is
left to it, and its reply is waited for.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Unpack

from unsway import layout
from unsway.disk import write_error
from unsway.errors import BudgetReached, ModelError, StoreError, expect, expect_each, number_of
from unsway.models.patience import plain
from unsway.models.session import ANSWERS_AS, LOCAL, Session
from unsway.planning.history import record_run
from unsway.progress import track
from unsway.sampling.calls import CallFailed, Calls
from unsway.sampling.claims import claims
from unsway.sampling.conversation import choices, converse, doubted, opening
from unsway.sampling.disk_reservation import disk_reservation
from unsway.sampling.evaluating import evaluate
from unsway.sampling.heartbeat import heartbeat
from unsway.sampling.options import Sampling, SamplingOptions, check_settings, opened
from unsway.sampling.remote import RemoteStore, store_at
from unsway.seeds import seed_int
from unsway.store import ReplyStore, dumps
from unsway.types import Pair, Prompt, Reply
from unsway.types.address import Address
from unsway.types.kinds import checked

if TYPE_CHECKING:
    from inspect_ai.model import ChatMessage, ModelOutput
    from inspect_ai.solver import Generate, Solver, TaskState

    from unsway.models.session import ModelLike

AT_A_TIME = 2000
"""Replies per Inspect eval, which holds all its samples in memory; starting an eval takes 0.03 s."""
ASKED = "a prompt is expected: ask(prompts, model)"
"""The message of `ask` for a wrong argument."""
LOOK_AGAIN = 0.5
"""Seconds between two checks of what another process is asking."""

_log = logging.getLogger(__name__)


def run(
    pairs: Iterable[Pair],
    model: ModelLike,
    sampling: Sampling = Sampling(),  # noqa: B008  # frozen
    *,
    read: bool = True,
    model_args: Mapping[str, Any] | None = None,
    **options: Unpack[SamplingOptions],
) -> tuple[Reply, ...]:
    """Ask a model both sides of every pair and return its replies; arguments and errors as for `ask`.

    A clean prompt shared by several pairs is asked once.
    """
    all_pairs = tuple(pairs)
    prompts = [prompt for pair in all_pairs for prompt in (pair.clean, pair.biased)]
    return ask(prompts, model, sampling, pairs=all_pairs, read=read, model_args=model_args, **options)


@checked
def ask(
    prompts: Iterable[Prompt],
    model: ModelLike,
    sampling: Sampling = Sampling(),  # noqa: B008  # frozen
    *,
    pairs: Iterable[Pair] = (),
    read: bool = True,
    model_args: Mapping[str, Any] | None = None,
    **options: Unpack[SamplingOptions],
) -> tuple[Reply, ...]:
    """Ask a model each unique prompt; prompts that already have a reply in the folder are not asked again.

    Args:
        prompts: The prompts; equal texts are the same prompt.
        model: See `unsway.models.session.subject`.
        sampling: How to decode, how many samples, where replies are stored, and what they may cost.
        pairs: The pairs of the prompts; Inspect's log then says what was measured.
        read: Whether to return the replies; False only stores them in the folder.
        model_args: Arguments of the model's provider, such as `{"engine": "torch"}` or `{"base_url": …}`.
        options: Fields of `sampling` as keywords, such as `folder="runs/x"`.

    Returns:
        The replies in the order of the unique prompts, and for each prompt in the order of the samples.

    Raises:
        ModelError: Some prompt got no reply. All replies received are stored, so a second call asks only the rest.
        BudgetReached: The next prompt could exceed the budget; all replies received are stored.
        BadInput: There is a budget but no known price for the model; or the model accepts no effort or thinking budget.
        StoreError: The disk is full or not writable; all replies received are stored.
    """
    expect(sampling, Sampling, "a Sampling is expected: ask(prompts, model, Sampling(samples=5))")
    sampling = replace(sampling, **options)
    with opened(model, sampling, model_args) as (session, sampling, folder):
        subject = session.subject
        check_settings(sampling.settings, subject.name)
        if sampling.budget is not None:
            sampling.budget.price(subject.name)
        store = store_at(folder)
        unique = {prompt.id: prompt for prompt in expect_each(prompts, Prompt, ASKED)}
        by_address = {
            Address(prompt_id, subject.name, subject.weights, sampling.settings, sample): prompt
            for prompt_id, prompt in unique.items()
            for sample in range(sampling.samples)
        }
        pending = {address: by_address[address] for address in store.missing(by_address)}
        if pending:
            with ExitStack() as stack:
                asker = Asker(session, sampling, store, pending, len(by_address) - len(pending), stack)
                asker.pairs = expect_each(pairs, Pair, "pairs are expected (pairs=), as unsway.pairs(…) builds them")
                asker.ask_all()
        return tuple(store.gather(by_address)) if read else ()


class Asker:
    """Asks for missing replies, stores each as it arrives, and shares the work with other processes."""

    def __init__(
        self,
        session: Session,
        sampling: Sampling,
        store: ReplyStore,
        pending: Mapping[Address, Prompt],
        n_kept: int,
        stack: ExitStack,
    ) -> None:
        """Prepare to ask for the pending replies; the stack closes everything opened here.

        Raises:
            StoreError: The disk has no space for the replies in flight.
        """
        folder = store.path.parent
        name = session.subject.name
        label = sampling.label or name
        total = n_kept + len(pending)
        self.session, self.sampling, self.store, self.pending = session, sampling, store, pending
        self.logs = folder / layout.LOGS
        self.advance = stack.enter_context(track(f"Asking {label}", total, done=n_kept))
        self.advance = stack.enter_context(heartbeat(folder, label, total, n_kept, self.advance))
        self.claims = stack.enter_context(claims(store.path, pending))
        if sampling.budget is not None:
            sampling.budget.count(store, store.path)
            store.on_arrival = sampling.budget.add
        self.record = stack.enter_context(record_run(folder, name))
        answers_as = session.subject.args.get(ANSWERS_AS)
        self.calls = None if name.startswith(LOCAL) else Calls(folder, name, session.patience(), answers_as)
        """The state of a hosted model's endpoint; None for a local model."""
        if name.startswith("hf/"):
            # Inspect's provider samples by default, and transformers cannot sample at temperature 0
            session.model().api.do_sample = sampling.settings.temperature > 0  # type: ignore[attr-defined]
        in_flight = AT_A_TIME if sampling.batch else session.at_once() or session.model().api.max_connections()
        turns = 1 + max(prompt.n_model_turns for prompt in pending.values())
        self.reservation = stack.enter_context(disk_reservation(folder, in_flight, sampling.settings, turns))
        self.elsewhere: set[Address] = set()
        """Addresses that another process was asking when this one reached them."""
        self.pairs: tuple[Pair, ...] = ()
        """The pairs of the prompts, if there are any."""
        self.errors: list[str] = []
        """Errors, in the provider's words."""
        self.disk_errors: list[StoreError] = []
        """Disk errors; after the first, nothing more is asked."""

    @cached_property
    def doubted(self) -> dict[str, Pair]:
        """Pairs whose conversation ends at a wrong first answer, by the id of the biased prompt."""
        return doubted(self.pairs)

    def ask_all(self) -> None:
        """Ask until all pending replies are in the store.

        Raises:
            ModelError, BudgetReached, StoreError: Some reply is missing; the message has the first error.
        """
        addresses = list(self.pending)
        for start in range(0, len(addresses), AT_A_TIME):
            part = [address for address in addresses[start : start + AT_A_TIME] if address not in self.store]
            n_received = self._evaluate(part) if part else 0
            if self.disk_errors or (part and not n_received and self.errors):
                break
        while not self.disk_errors:
            remaining = [address for address in addresses if address in self.elsewhere and not self._arrives(address)]
            self.elsewhere.clear()
            if not remaining or (not self._evaluate(remaining) and self.errors):
                break
        n, n_missing = len(addresses), sum(address not in self.store for address in addresses)
        if not n_missing:
            return
        name = self.session.subject.name
        budget = self.sampling.budget
        calls = self.calls
        if self.disk_errors:
            raise StoreError(f"{name}: {n_missing} of {number_of(n, 'prompt')} were not asked. {self.disk_errors[0]}")
        if budget is not None and budget.refused and not self.errors:
            limit, spent, n_unknown = budget.totals()
            unknown = f" (and what {n_unknown:,} of its replies or trainings cost is not known)" if n_unknown else ""
            spending = f"${spent:.4f} is spent{unknown}"
            problem = (
                f"stopped before the limit of ${limit:g}: {spending}, and {n_missing} more prompts could exceed it"
            )
            if spent > limit:  # by other processes meanwhile, or before this limit was set
                problem = f"over the limit of ${limit:g}: {spending}, so {n_missing} more prompts were not asked"
            raise BudgetReached(
                f"{name}: {problem}. Everything so far is kept: run the same again with a higher limit to ask the rest."
            )
        failure = calls.given_up if calls else None
        first_error = plain(str(failure) if failure else next(iter(self.errors), "no error was recorded"))
        failures = f"Failures: {calls.summary()}. " if calls and calls.counts else ""
        reply_count = f"{number_of(n - n_missing, 'reply')} received {'is' if n - n_missing == 1 else 'are'}"
        raise ModelError(
            f"{name}: {n_missing} of {number_of(n, 'prompt')} got no reply. First error: {first_error} {failures}"
            f"The {reply_count} kept: run the same again to ask only the rest."
        )

    def _arrives(self, address: Address) -> bool:
        """Wait while another process is asking this; returns whether its reply arrived (False if it gave up)."""
        while not self.claims.take(address):
            time.sleep(LOOK_AGAIN)
        self.claims.release(address)
        self.store.refresh()
        arrived = address in self.store
        if arrived:
            self.advance(1)
        return arrived

    def _evaluate(self, addresses: Sequence[Address]) -> int:
        """Ask for some replies in one Inspect eval; returns how many of them are then in the store."""
        from inspect_ai.solver import solver

        from unsway.sampling.records import SCORER, task_of, without_reply

        by_id = {f"{address.prompt_id}/{address.sample}": address for address in addresses}

        @solver(name="unsway_walk")
        def walk_turns() -> Solver:
            """Ask for a sample's reply, unless another process asks or has asked, or the disk is full."""

            async def solve(state: TaskState, generate: Generate) -> TaskState:
                address = by_id[str(state.sample_id)]
                if self.disk_errors:
                    return state
                if not self.claims.take(address):
                    self.elsewhere.add(address)
                    state.metadata["elsewhere"] = True
                    return state
                try:
                    self.store.refresh()
                    if address not in self.store:
                        await self._ask_within_budget(address, state)
                except Exception as error:
                    self.errors.append(getattr(error, "message", repr(error)))
                    state.scores = {SCORER: without_reply(repr(error))} if task.scorer else None
                    raise
                finally:
                    self.claims.release(address)
                return state

            return solve

        log_samples = self.sampling.log_samples
        task = task_of(
            {key: (address, self.pending[address]) for key, address in by_id.items()},
            self.pairs if log_samples else (),
            walk_turns(),
        )
        in_flight = self.session.at_once()
        try:
            log = evaluate(
                task,
                stopped=self.store.is_stopping if isinstance(self.store, RemoteStore) else None,
                model=self.session.model(),
                log_dir=str(self.logs),
                log_realtime=False,
                log_buffer=AT_A_TIME,  # if the disk refused the log midway, the calls in flight would be cancelled
                log_samples=log_samples,
                score=log_samples and bool(self.pairs),
                score_display=False,
                fail_on_error=False,
                max_connections=in_flight,
                max_samples=in_flight,
                batch=self.sampling.batch or None,
            )
        except OSError as error:  # a disk error: errors of calls belong to the samples
            raise write_error(self.logs, error) from error
        n_received = sum(address in self.store for address in addresses)
        if log.error and n_received == len(addresses):
            _log.warning("%s: every reply is kept, but Inspect's log is not whole: %s", self.logs, log.error.message)
        self.errors.extend([log.error.message] if log.error else [])
        return n_received

    async def _ask_within_budget(self, address: Address, state: TaskState) -> None:
        """Ask for one reply and store it, unless it could exceed the budget."""
        from inspect_ai.model import ChatMessageAssistant, GenerateConfig, get_model

        prompt = self.pending[address]
        budget = self.sampling.budget
        reply = None
        reserved = None
        if budget is not None:
            reserved = await budget.reserve(address.model, prompt, self.sampling.settings)
            if reserved is None:
                return

        settings = self.sampling.settings

        async def generate(messages: list[ChatMessage], turn: int) -> ModelOutput:
            """The model's output; a sampled output has its own seed, which depends only on the request."""
            config = GenerateConfig(
                temperature=settings.temperature,
                max_tokens=settings.max_tokens,
                reasoning_effort=settings.effort,
                reasoning_tokens=settings.thinking_budget,
            )
            if settings.temperature > 0:
                config.top_p = settings.top_p
                config.seed = seed_int(settings.seed, "sample", address.prompt_id, address.sample, turn) % 2**31
            config.extra_body = choices(prompt, turn, address.model, settings)
            opening_text = opening(prompt, turn, settings)
            state.messages = messages = (
                [*messages, ChatMessageAssistant(content=opening_text)] if opening_text else messages
            )
            if self.calls is None:
                state.output = await get_model().generate(messages, config=config)
            else:
                config.attempt_timeout = None if self.sampling.batch else self.calls.patience.answer
                state.output = await self.calls.generate(get_model(), messages, config, address.prompt_id)
            return state.output

        try:
            opening_text = opening(prompt, prompt.n_model_turns, settings)
            reply = await converse(prompt, address, generate, opening_text, self.doubted.get(address.prompt_id))
            state.store.set("reply", dumps(reply))
            state.messages.append(state.output.message)
            try:  # not in a thread: writing a row takes a fifth of a thread's overhead
                self.store.add(reply)
            except StoreError as error:
                self.disk_errors.append(error)
                self.reservation.release()  # the replies in flight are stored in the reserved space
                self.store.add(reply)
            self.record(reply)
            self.advance(1)
        except CallFailed as error:  # Inspect would render a traceback, which takes minutes for 2,000 prompts
            self.errors.append(str(error))
            state.metadata["failed"] = str(error)
        except StoreError as error:
            self.disk_errors.append(error)
            state.metadata["failed"] = str(error)
        finally:
            if budget is not None and reserved is not None:
                budget.settle(reserved, reply)
