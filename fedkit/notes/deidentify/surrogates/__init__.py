"""What stands in the place of an identifier: from ranges that the registers keep for tests, from a project's key, in the
same form."""

from fedkit.notes.deidentify.surrogates.contacts import surrogate_email, surrogate_phone
from fedkit.notes.deidentify.surrogates.names import surrogate_name
from fedkit.notes.deidentify.surrogates.numbers import surrogate_id
from fedkit.notes.deidentify.surrogates.places import surrogate_address, surrogate_care_unit, surrogate_place

__all__ = [
    "surrogate_address",
    "surrogate_care_unit",
    "surrogate_email",
    "surrogate_id",
    "surrogate_name",
    "surrogate_phone",
    "surrogate_place",
]
