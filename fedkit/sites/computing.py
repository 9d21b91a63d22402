"""From an admitted call to its receipt: the confined worker or the warehouse, the output contract, the site's signature."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fedkit.federation.compression import check_alone, codec_for, restored, sent
from fedkit.federation.parameters import decode, encode
from fedkit.governance.decision import NOTHING, Receipt, digest_of_numbers
from fedkit.governance.kinds import KINDS
from fedkit.governance.policies import AllOf, Context, LevelMayRun, SignedApproval
from fedkit.governance.releasing import leaving
from fedkit.governance.request import CodeRequest
from fedkit.sites.parts import SiteParts
from fedkit.sites.residuals import Residuals
from fedkit.sites.summing import Summing
from fedkit.sites.under_way import Key, Underway
from fedkit.sites.warehouse.answering import Answering, Tables

#: What the rules are asked about, as things stand now: (request, call, user).
ContextOf = Callable[[CodeRequest, Key, str], Context]


class Computing:
    """The computing of one site. rules, approval: of the site; context: see `ContextOf`."""

    def __init__(
        self,
        parts: SiteParts,
        rules: AllOf,
        approval: SignedApproval,
        context: ContextOf,
        summing: Summing,
        answering: Answering,
    ) -> None:
        self.parts, self.rules, self.approval, self.context = parts, rules, approval, context
        self.summing, self.answering = summing, answering
        self.residuals = Residuals(parts.store.database)
        self.site = parts.config.name

    def receipt(self, request: CodeRequest, mine: Underway, keep: Callable[[str], None]) -> Receipt:
        """Answer the question, or run the code confined; hold the result against the contract, and sign what may leave.

        keep: gets what the code prints.   Raises OutputRefused, ExecutionFailed, and whatever ended the call from outside.
        """
        if KINDS[request.kind].questions:
            return self._answered(request, mine)
        (_, entry, round, inputs), user = mine.key, mine.user
        weights = None if inputs == NOTHING else decode(self.parts.channel.get(user, inputs))
        result = self.parts.pool.run(
            source=request.source,
            entry=entry,
            store=self.parts.notes.path,
            view="private",
            weights=weights,
            settings={**request.settings, "round": round, "site": self.site},
            key=request.digest,
            keep=keep,
            turn=mine.call,
        )
        context = self._still_counts(request, mine)
        numbers, tables = leaving(self.rules, context, result.tensors, result.numbers, result.tables)
        tensors = result.tensors
        codec = codec_for(request.settings) if tensors and KINDS[request.kind].weights else None
        if request.secure_sum is not None and entry == request.secure_sum.entry:
            check_alone(codec)
            tensors = self.summing.mask(request, round, weights or {}, tensors, numbers)
        elif codec is not None:
            kept = self.residuals.before(request.digest, entry, round)
            tensors, left = sent(codec, weights or {}, tensors, kept)
            # What the researcher makes of the message must be within the contract too.
            context.contract.check(restored(codec, weights or {}, tensors), numbers, tables)
            self.residuals.keep(request.digest, entry, round, left)
        return self._signed(mine, tensors, numbers, tables)

    def _answered(self, request: CodeRequest, mine: Underway) -> Receipt:
        def release(tensors: Mapping[str, Any], tables: Mapping[str, Sequence[Mapping[str, Any]]]) -> Tables:
            return leaving(self.rules, self._still_counts(request, mine), tensors, {}, tables)[1]

        answer = self.answering.answer(request, mine, release)
        self._still_counts(request, mine)  # what is remembered, too, leaves only now
        return self._signed(mine, answer.tensors, {}, answer.tables)

    def _still_counts(self, request: CodeRequest, mine: Underway) -> Context:
        """The approval and the account must still count: both can be withdrawn while something runs, and then nothing of it
        leaves. Returns what the rules are asked about."""
        context = self.context(request, mine.key, mine.user)
        mine.call.check()
        LevelMayRun().admits(context)
        self.approval.admits(context)
        return context

    def _signed(self, mine: Underway, tensors: Mapping[str, Any], numbers: dict[str, float], tables: Tables) -> Receipt:
        """The receipt of a run, once what may leave lies where its user can get it."""
        (digest, entry, round, inputs), user = mine.key, mine.user
        outputs = NOTHING
        if tensors or tables:
            outputs = self.parts.channel.put(self.site, encode(tensors, tables))
            self.parts.channel.grant(outputs, user)
        salt = secrets.token_hex(32)
        said = digest_of_numbers(numbers, salt)
        receipt = Receipt(digest, self.site, entry, round, inputs, outputs, numbers, said, salt=salt)
        return self.parts.keys.sign_receipt(self.parts.key_name, receipt, self.parts.config.ledger)
