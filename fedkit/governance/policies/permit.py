"""For what purpose, on which data, by whose leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import ClassVar

from fedkit.errors import AccessRefused
from fedkit.governance.policies.base import Context, Policy
from fedkit.governance.request import PURPOSES


@dataclass(frozen=True)
class ValidPermit(Policy):
    """The data permit is for this site, these data, this person and this purpose, and has not expired.

    datasets:   of this site.
    purposes:   in words, that this site admits; None admits what the permit says.
    categories: kinds of purpose (`fedkit.governance.request.PURPOSES`) that this site admits.
    """

    aspect: ClassVar[str] = "who"

    datasets: tuple[str, ...]
    purposes: frozenset[str] | None = None
    categories: tuple[str, ...] = PURPOSES

    def submits(self, context: Context) -> None:
        self.admits(context)

    def admits(self, context: Context) -> None:
        request, permit = context.request, context.request.permit
        if permit.sites and context.site not in permit.sites:
            raise AccessRefused(
                "the permit is for another site",
                expected=f"a permit that covers {context.site}",
                got="a permit for other sites only",
                help="ask the authority to extend the permit to this site, or leave this site out of the study",
            )
        if request.dataset not in permit.datasets or request.dataset not in self.datasets:
            raise AccessRefused(
                "the permit does not cover this data",
                expected=" or ".join(self.datasets),
                got="another data set",
                help="ask the authority to extend the permit",
            )
        if permit.users and context.researcher.lower() not in {user.lower() for user in permit.users}:
            raise AccessRefused(
                "the permit is somebody else's",
                expected="a permit that names who asks",
                got="a permit for others",
                help="ask the authority to add you to the permit",
            )
        self._purpose(context)
        last_day = _last_day(permit.expires)
        if datetime.fromtimestamp(context.now, UTC).date() > last_day:
            raise AccessRefused(
                "the data permit has expired",
                expected="a permit that is valid today",
                got=f"valid until {last_day}",
                help="have it extended and submit the request with the new one",
            )

    def _purpose(self, context: Context) -> None:
        request, permit = context.request, context.request.permit
        if permit.category not in self.categories:
            raise AccessRefused(
                "the site does not admit this kind of purpose",
                expected=" or ".join(self.categories),
                got=permit.category,
                help="ask the site which purposes it admits",
            )
        if self.purposes is not None and permit.purpose not in self.purposes:
            raise AccessRefused(
                "the site does not admit this purpose",
                expected=" or ".join(sorted(self.purposes)),
                got="another purpose",
                help="ask the site which purposes it admits",
            )
        if request.purpose != permit.purpose:
            raise AccessRefused(
                "the request's purpose is not the permit's",
                expected="the purpose that the permit was given for",
                got="another purpose",
                help="ask for a permit for this purpose",
            )

    def explain(self) -> str:
        purposes = "its own purpose" if self.purposes is None else f"one of the purposes {', '.join(sorted(self.purposes))}"
        kinds = "any kind" if set(self.categories) == set(PURPOSES) else f"the kind {' or '.join(self.categories)}"
        return (
            f"A data permit covers this site, {' or '.join(self.datasets)} and the person who asks, for {purposes}, which is "
            f"of {kinds}, and has not expired."
        )


def _last_day(expires: object) -> date:
    try:
        return datetime.strptime(str(expires), "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        raise AccessRefused(
            "the permit names no day on which it ends",
            expected="a date such as 2027-01-31",
            got="something else",
            help="have the authority give the permit a last day",
        ) from None
