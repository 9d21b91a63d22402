"""What calls of builtins, NumPy, PyTorch and methods make of what they are given, as far as it matters for what is carried."""

from __future__ import annotations

from collections.abc import Sequence

from fedkit.governance.findings.flow.carried import (
    ANSWERS,
    CODES,
    NOTHING,
    OBJECTS,
    TEXTS,
    Carried,
    data,
    element,
    extreme,
    over_notes,
    summed,
    tested,
)

SUMS = frozenset(
    {
        *("sum", "mean", "average", "std", "var", "nansum", "nanmean", "nanstd", "bincount", "histogram", "count_nonzero"),
        *(
            "median",
            "fmean",
            "quantile",
            "quantiles",
            "percentile",
            "stdev",
            "pstdev",
            "variance",
            "pvariance",
            "norm",
            "numel",
            "fsum",
            "trace",
            "unique_counts",
        ),
        *("cross_entropy", "mse_loss", "nll_loss", "l1_loss", "ctc_loss", "binary_cross_entropy", "kl_div"),
        *("binary_cross_entropy_with_logits", "corrcoef", "cov", "histogram2d", "crosstab"),
    }
)
EXTREMES = frozenset(
    {
        *("max", "min", "amax", "amin", "nanmax", "nanmin", "any", "all", "argmax", "argmin", "ptp"),
        *("nlargest", "nsmallest", "topk", "mode"),
    }
)
SIZES = frozenset({"zeros", "ones", "empty", "eye", "zeros_like", "ones_like", "empty_like", "manual_seed", "seed"})
PRODUCTS = frozenset({"dot", "matmul", "einsum", "tensordot", "inner", "vdot", "mm", "bmm", "lstsq", "solve", "polyfit"})

#: Letters to numbers. The second row gives bytes.
ENCODERS = frozenset(
    {
        *("ord", "hash", "frombuffer", "from_bytes", "fromstring", "to_bytes", "packbits", "unpackbits", "crc32", "adler32"),
        *("encode", "bytes", "bytearray", "tobytes", "hexdigest", "digest"),
    }
)
_TOKENIZERS = frozenset({"tokenizer", "encode_plus", "batch_encode_plus", "convert_tokens_to_ids", "encode_batch"})
_ANSWERS = frozenset(
    {
        *("startswith", "endswith", "isdigit", "isalpha", "isupper", "islower", "isalnum", "istitle", "isspace", "isnumeric"),
        *("isdisjoint", "issubset", "issuperset"),
    }
)
_PLACES = frozenset({"index", "find", "rfind", "rindex", "get", "bisect", "bisect_left", "bisect_right", "searchsorted"})
_PATTERNS = frozenset("search match fullmatch findall finditer sub subn split".split())  # noqa: SIM905
_COPIES = frozenset(
    {"join", "format", "format_map", "copy", "tolist", "item", "astype", "numpy", "group", "groups", "groupdict"}
)

#: Libraries whose functions are followed through: what goes in comes out.
_OPEN = (
    "numpy.",
    "torch.",
    "math.",
    "statistics.",
    "itertools.",
    "collections.",
    "functools.",
    "re.",
    "json.",
    "copy.",
    "heapq.",
)

#: Parts of fedkit that count, train or score: what comes out is theirs to keep safe, and covered by the environment digest.
_CLOSED = ("fedkit.ner.", "fedkit.federation.", "fedkit.notes.counting.tally")


def result(name: str, full: str | None, receiver: Carried | None, given: Sequence[Carried], several: bool = False) -> Carried:
    """What a call gives back.

    name: the last part of what is called.   full: its dotted name if it starts at an import.   receiver: of a method; None for
    a function.   several: whether more than one value was given (`max(a, b)` is not `max(values)`).
    """
    whole = frozenset[str]().union(*given)
    both = whole | (receiver or NOTHING)
    if not data(both):
        return NOTHING
    if full and full.startswith(_CLOSED):
        return frozenset({"model"})
    if name in SIZES:
        return NOTHING
    if name == "len":
        return summed(whole) | ({"length"} if over_notes(whole) else NOTHING)
    if name == "range":
        return frozenset({"index"}) if "length" in whole else whole
    if name in ("Counter", "value_counts"):
        return summed(whole) | ({"keys"} if whole & TEXTS else NOTHING)
    if name in SUMS:
        return summed(both)
    if name in EXTREMES:
        if several and name in ("max", "min") and receiver is None:
            return both
        return extreme(tested(both) if name in ("any", "all") else both)
    if name in PRODUCTS:
        return summed(both) if "each" in both and not both & CODES else both
    if name in ENCODERS and both & (TEXTS | CODES):
        return frozenset({"code"}) | (both & {"single", "each"})
    if name in _TOKENIZERS:
        return frozenset({"code"}) | (both & {"single", "each"}) if both & TEXTS else both
    if name in ("int", "float", "bool"):
        return _number(name, given)
    if name == "next":
        return element(whole) | ({"single"} if whole & {"notes", "each", "set"} else NOTHING)
    if full and full.startswith("random."):
        return element(whole) | {"single"} if name in ("choice", "sample", "choices") else whole
    if receiver is not None:
        return _method(name, receiver, whole, full)
    return both


def _number(name: str, given: Sequence[Carried]) -> Carried:
    first = given[0] if given else NOTHING
    if name == "bool":
        return tested(first)
    if first & TEXTS and not first & (ANSWERS | CODES):
        kind = {"code"} if len(given) > 1 else {"value"}
        return (first - TEXTS) | kind
    return first


def _method(name: str, receiver: Carried, given: Carried, full: str | None) -> Carried:
    both = receiver | given
    if name in _ANSWERS:
        return tested(both)
    if name == "count":
        return summed(both) | (both & {"single"})
    if name in _PLACES:
        if receiver & TEXTS:
            return tested(both)
        return (receiver | {"code"} | (given & {"single", "each"})) if given & TEXTS else both - OBJECTS
    if name in ("view", "astype") and receiver & TEXTS:
        return frozenset({"code"}) | (receiver - TEXTS)
    if data(receiver) or name in _PATTERNS or name in _COPIES or (full and full.startswith(_OPEN)):
        if name == "pop" and receiver & {"notes", "each"}:
            return element(receiver) | {"single"}
        if name in ("items", "values", "keys"):
            return receiver
        return both
    return frozenset({"model"}) | (both & {"single", "extreme", "chance"})
