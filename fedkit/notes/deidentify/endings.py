"""What the languages hang on a word: genitives, cases, clitics; and words without them."""

from __future__ import annotations

from functools import lru_cache

GENITIVE = {"nb": ("s", "'s"), "nn": ("s",), "sv": ("s", ":s"), "da": ("s", "'s"), "en": ("s", "'s")}


_FINNISH = (
    "issa issä ista istä illa illä ille lla llä lle lta ltä ssa ssä sta stä ksi hun hin"
    " han hon hen hyn än an en in on un yn ta tä na nä a ä n iin"
)
_ESTONIAN = "lle sse le lt st ks ga ni na ta l s t d"
CASES = {"fi": tuple(_FINNISH.split()), "et": tuple(_ESTONIAN.split())}


#: What Finnish and Estonian hang on any word: "too", "not even", a question, whose it is.
CLITICS = {
    "fi": ("kin", "kaan", "kään", "han", "hän", "ko", "kö", "pa", "pä", "nsa", "nsä", "mme", "nne", "ni", "si"),
    "et": ("gi", "ki"),
}


#: Endings of names in -nen: Virtasen, Virtaselle.
_OF_NEN = ("sen", "sella", "selle", "selta", "sta", "sesta", "seen")


@lru_cache(maxsize=20_000)
def stems(lower: str, language: str) -> tuple[str, ...]:
    """The word, and what is left without a genitive or case ending."""
    found = [lower]
    for ending in (*GENITIVE.get(language, ("s",)), *CASES.get(language, ())):
        if lower.endswith(ending) and len(lower) - len(ending) > 2:
            found.append(lower[: -len(ending)])
    if language == "fi":
        found += [lower[: -len(ending)] + "nen" for ending in _OF_NEN if lower.endswith(ending)]
    return tuple(found)


def listed(lower: str, language: str, names: frozenset[str]) -> bool:
    return any(stem in names for stem in stems(lower, language)) or (
        "-" in lower and any(listed(p, language, names) for p in lower.split("-") if len(p) > 2)
    )
