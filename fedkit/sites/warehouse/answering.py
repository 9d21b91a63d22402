"""From a question to what may leave: the site's own tables, its disclosure rules, noise where it is paid for, its memory.

1. What left before in answer to the same question leaves again as it left.
2. The site renders its own SQL from the question and runs it on its own tables.
3. Noise is added where the question asks for it, before anything is hidden: a refusal must not depend on one person.
4. The question's contract and the site's rules take out what may not leave; sums for a pool get masks instead.

No code of a researcher's runs here, and no text that a person typed: a question is data, checked against the schema again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from fedkit.digests import digest
from fedkit.errors import RequestError, SiteError
from fedkit.federation.parameters import decode, decode_tables, encode
from fedkit.governance.kinds import KINDS
from fedkit.governance.noise import gaussian
from fedkit.governance.policies import PolicySettings
from fedkit.governance.request import CodeRequest
from fedkit.sites.parts import SiteParts
from fedkit.sites.summing import Summing
from fedkit.sites.under_way import Key, Underway
from fedkit.sites.warehouse.engine import Engine
from fedkit.sites.warehouse.questions import Questions
from fedkit.sites.warehouse.released import Released, Whose
from fedkit.warehouse import disclosure, memory
from fedkit.warehouse.disclosure import PRESETS, STRICTEST, protect
from fedkit.warehouse.memory import Memory
from fedkit.warehouse.noise import noisy, pooled, share
from fedkit.warehouse.question import ANSWER, Asked, Question
from fedkit.warehouse.scope import check_scope
from fedkit.warehouse.statistics.base import Statistic
from fedkit.warehouse.statistics.frames import Columns

Tables = dict[str, list[dict[str, Any]]]

#: Holds a result against the question's contract and the site's rules: (tensors, tables) → the tables that may leave.
Release = Callable[[Mapping[str, Any], Mapping[str, Sequence[Mapping[str, Any]]]], Tables]


@dataclass(frozen=True)
class Answer:
    """What leaves a site in answer to a question."""

    tensors: Mapping[str, np.ndarray] = field(default_factory=dict)
    tables: Tables = field(default_factory=dict)


class Answering:
    """Answers of one site. settings: the rules that it has chosen; answers under others are not remembered."""

    def __init__(self, parts: SiteParts, summing: Summing, settings: PolicySettings) -> None:
        self.parts, self.summing = parts, summing
        self.questions = Questions(parts.store.database)
        self.released = Released(parts.store.database)
        chosen = STRICTEST if settings.disclosure == STRICTEST.name else PRESETS[settings.disclosure]
        self.preset = chosen.at_least(settings.threshold, settings.rounding)
        self._rules = digest(settings.to_json())

    def asked(self, request: CodeRequest, key: Key) -> Asked | None:
        """The question that a call is about; None for requests that ask none, and for a call that names none that is here."""
        return self.questions.find(key[0], key[3]) if KINDS[request.kind].questions else None

    def price(self, request: CodeRequest, key: Key, user: str) -> float:
        """What an answer takes of the budget (rho): nothing where this person had it under this permit."""
        question = self.asked(request, key)
        return 0.0 if question is None or self.remembers(request, question, user) else question.cost()

    def remembers(self, request: CodeRequest, question: Asked, user: str) -> bool:
        """Whether this person had the answer under this permit, or as a part of an exact one: it is given again at no cost."""
        if question.protection.mode == "pooled":
            return False
        had = self.released.has(self._whose(request, user), self._name(question))
        return had or self._covering(request, question, user) is not None

    def check(self, request: CodeRequest, key: Key, user: str) -> None:
        """The rules about the question itself, asked again with every call. Raises a Refused or RequestError."""
        question = self.questions.of(key)
        self.questions.check_number(key)
        self.check_fits(request, question)
        if not self.remembers(request, question, user):  # what was given once may be given again
            disclosure.check(question, self.preset)
            if not self.parts.store.attempts(*key):  # a call that failed goes on; it is no second one after itself
                self.check_history(request, question, user)

    def check_fits(self, request: CodeRequest, question: Asked) -> None:
        """Whether a question fits the schema, and what its request covers. Raises RequestError, AccessRefused."""
        question.check()
        check_scope(question, request.settings)
        if question.protection.mode == "pooled" and request.secure_sum is None:
            raise RequestError(
                "this data request adds nothing up under masks",
                expected='a question in mode "rules" or "noise"',
                got="one in mode pooled",
                help="open a data request with pooled=True: its stewards then sign which sites are added up",
            )

    def check_history(self, request: CodeRequest, question: Asked, user: str) -> None:
        """Whether a question may follow those that this person had answers to. Raises LimitReached, OutputRefused."""
        if question.protection.mode != "rules":
            return
        # Those that were admitted count, not those that were answered: of two at one moment, one sees the other.
        if isinstance(question, Statistic):
            question.after(self.questions.charged(request.dataset, user))
        self._memory(request, user).check(question, self.preset.difference)

    def answer(self, request: CodeRequest, mine: Underway, release: Release) -> Answer:
        """The answer to the question of a call that was admitted and charged. Raises OutputRefused, ExecutionFailed, SiteError.

        release: see `Release`; it is asked for every answer that was not remembered.
        """
        question = self.questions.of(mine.key)
        whose, name = self._whose(request, mine.user), self._name(question)
        if question.protection.mode == "pooled":
            return Answer(self._masked(request, question, mine))
        data = self.released.data(whose.dataset, name)
        if data is None and (covering := self._covering(request, question, mine.user)) is not None:
            assert isinstance(question, Question)
            data = encode({}, {ANSWER: memory.taken(decode_tables(covering)[ANSWER], question)})
        if data is None:
            tensors, tables = self._figures(question, mine)
            data = encode(tensors, release(tensors, tables))
        data = self.released.add(mine.key, whose, name, question, data, self.parts.clock())
        return Answer(decode(data), decode_tables(data))

    def engine(self) -> Engine:
        """The site's warehouse. Raises SiteError if it has none yet."""
        if self.parts.warehouse is None:
            raise SiteError(
                f"{self.parts.config.name} has no warehouse yet",
                expected="tables that were built from the site's notes",
                got="none",
                help="ask the site's admin to build it: fedkit warehouse build",
            )
        return self.parts.warehouse

    # -- helpers
    def _figures(self, question: Asked, mine: Underway) -> tuple[Mapping[str, np.ndarray], Mapping[str, Any]]:
        """(tensors, tables) before the rules of what leaves: with noise where the question asks for it."""
        if isinstance(question, Question):
            rows = self.engine().rows(question, mine.call)
            if question.protection.mode == "noise":
                rows = noisy(question, rows)
            return {}, {ANSWER: protect(question, rows, self.preset).rows}
        if isinstance(question, Statistic):
            answer = question.answer(self._frames(question, mine), self.preset.limits())
            return answer.tensors, answer.tables
        raise _no_such_kind(question)

    def _frames(self, question: Statistic, mine: Underway) -> dict[str, Columns]:
        return {name: self.engine().frame(frame, mine.call) for name, frame in question.frames().items()}

    def _masked(self, request: CodeRequest, question: Asked, mine: Underway) -> dict[str, np.ndarray]:
        """The site's figures with its share of the noise, under its masks. The same call draws the same share, since a number
        of a sum is masked once; it is not remembered, as each sum has masks of its own."""
        number, fewest = mine.key[2], self.summing.fewest(request)
        draws = self.summing.draws(request, number, question.digest)
        if isinstance(question, Question):
            values = pooled(question, self.engine().rows(question, mine.call), fewest=fewest, below=draws)
        elif isinstance(question, Statistic):
            sums = question.sums(self._frames(question, mine))
            spread = share(question.sensitivity(), Fraction(question.protection.rho), fewest, len(sums))
            values = sums + np.array([gaussian(spread, draws) for _ in sums], dtype=np.int64)
        else:
            raise _no_such_kind(question)
        return self.summing.mask_whole(request, number, values)

    def _whose(self, request: CodeRequest, user: str) -> Whose:
        return Whose(request.dataset, user, request.permit.digest)

    def _name(self, question: Asked) -> str:
        """Under which an answer is remembered: the same for questions with the same meaning, under the same rules."""
        return digest([memory.name(question), self._rules])

    def _memory(self, request: CodeRequest, user: str) -> Memory:
        return Memory(self.questions.charged(request.dataset, user), self.parts.config.name)

    def _covering(self, request: CodeRequest, question: Asked, user: str) -> bytes | None:
        """The exact answer that this person had and that holds the one to this question, if there is one."""
        if question.protection.mode != "rules" or not isinstance(question, Question):
            return None
        had = self.released.questions(request.dataset, user)
        alike = (earlier for earlier in had if isinstance(earlier, Question) and earlier.view == question.view)
        earlier = next((earlier for earlier in alike if memory.covers(earlier, question)), None)
        return None if earlier is None else self.released.data(request.dataset, self._name(earlier))


def _no_such_kind(question: Asked) -> RequestError:
    return RequestError("this site answers no such kind of question", expected="counts or statistics", got=question.kind)
