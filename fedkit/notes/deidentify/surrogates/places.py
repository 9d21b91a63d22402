"""Streets, towns and places of care that are nowhere, put together from words as the country's own are."""

from __future__ import annotations

import re

from fedkit.notes.deidentify.keys import ProjectKey
from fedkit.notes.deidentify.surrogates.names import parts

#: What a place of care is called, and the word for a ward, by language.
_CARE = {
    "nb": ("{} sykehus", "avdeling"),
    "nn": ("{} sjukehus", "avdeling"),
    "sv": ("{} sjukhus", "avdelning"),
    "da": ("{} Sygehus", "afdeling"),
    "fi": ("{} sairaala", "osasto"),
    "et": ("{} haigla", "osakond"),
    "en": ("{} Hospital", "ward"),
}
_BOX = re.compile(r"(\D*?)\d", re.DOTALL)


def surrogate_place(text: str, language: str, key: ProjectKey) -> str:
    """A town that is nowhere, always the same for the same name."""
    value = text.lower()
    return key.choice("place.first", value, parts(language, "first")) + key.choice(
        "place.last", value, parts(language, "place")
    )


def surrogate_address(text: str, language: str, key: ProjectKey) -> str:
    """Street and number, or a postcode with its town; digits become other digits, names other names."""
    value = text.lower()
    number = str(1 + key.number("address.number", value, 98))
    if text[:1].isdigit() or re.match(r"[A-Z]{1,3}[- ]\d", text):
        return f"0000 {surrogate_place(text, language, key)}"
    if re.match(r"(?:post)?boks|p\.?\s?boks|box|pl\s|pk\s|postkast", text, re.IGNORECASE):
        return f"{_BOX.match(text)[1] if _BOX.match(text) else ''}{number}"  # type: ignore[index]
    street = key.choice("street.first", value, parts(language, "first")) + key.choice(
        "street.last", value, parts(language, "street")
    )
    return f"{street} {number}"


def surrogate_care_unit(text: str, language: str, key: ProjectKey) -> str:
    """A hospital that is nowhere, or another number for a numbered ward."""
    hospital, ward = _CARE.get(language, _CARE["nb"])
    value = text.lower()
    if re.fullmatch(r"[^\W\d_]+\.?\s(?:nr\.?\s)?[A-ZÆØÅÄÖ]{0,3}-?\d{0,3}[A-Za-zÆØÅÄÖ]?", text) and any(
        c.isdigit() for c in text
    ):
        word = re.match(r"[^\W\d_]+\.?", text)
        return f"{word[0] if word else ward} {1 + key.number('ward', value, 98)}"
    return hospital.format(surrogate_place(text, language, key))
