"""Evaluation: how well a released model does on the notes of each site."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fedkit.digests import digest_bytes
from fedkit.errors import RequestError
from fedkit.governance.output_contract import OutputContract
from fedkit.ner.metrics import Counts, to_numbers
from fedkit.templates.base import Data, Template
from fedkit.templates.parameters import Parameter

SOURCE = '''"""Evaluation of a model that is there already: how many spans of each label it finds, wrongly finds and misses.

The weights are those whose digest stands in the settings, and no others. Out of a site come three counts for each label. No
text, no span, no note and no weights leave.
"""

from fedkit.ner import tasks


def evaluate(notes, weights, settings):
    """Count the spans that the approved weights find in the notes of the split named in the settings."""
    return tasks.score_given(notes, weights, settings)
'''

SPLITS = ("test", "dev", "train")


class EvaluationTemplate(Template):
    """`parameters={"model": "runs/first/model"}`: a released folder, or any in Hugging Face layout."""

    name, kind = "evaluation", "evaluation"
    title = "Score a released model on the sites' notes"
    what = (
        "Gives each site the weights of a model and counts, label by label, the spans it finds, wrongly finds and misses. Three"
        " counts for each label leave. The weights are named by digest and the code refuses others."
    )
    parameters = (
        Parameter("model", "data", "folder of the model", None),
        Parameter("split", "choice", "on which notes", "test", SPLITS),
        Parameter("base", "choice", "hub name of the checkpoint that the sites have; of a Hugging Face model only", ""),
    )
    source = SOURCE

    def settings(self, parameters: Mapping[str, Any], data: Data | None = None) -> dict[str, Any]:
        if isinstance(parameters.get("model"), Mapping):  # as it stands in settings
            return _as_stated(parameters)
        chosen = super().settings({**parameters, "model": str(parameters.get("model") or "") or None}, data)
        config, labels, weights = read_model(Path(chosen["model"]))
        if config.get("kind") == "huggingface":  # the name in its own configuration is a folder on this machine
            if not chosen["base"]:
                raise RequestError(
                    "the sites have to know the checkpoint that this model was made from",
                    expected='base="name on the hub"',
                    got="none",
                    help="ask the sites which checkpoints they have; nothing is fetched at a site",
                )
            config = {**config, "name": chosen["base"]}
        return {"model": config, "labels": labels, "split": chosen["split"], "weights": digest_bytes(weights)}

    def contracts(self, settings: Mapping[str, Any]) -> dict[str, OutputContract]:
        counts = to_numbers({label: Counts() for label in settings["labels"]}, settings["split"])
        return {"evaluate": OutputContract(numbers=dict.fromkeys(counts, (0.0, 1e7)))}

    def inputs(self, parameters: Mapping[str, Any]) -> bytes | None:
        return read_model(Path(parameters["model"]))[2]

    def explain(self, settings: Mapping[str, Any]) -> str:
        return (
            f"Scores the model with weights {settings['weights'][:12]} for {', '.join(settings['labels'])} on the"
            f" {settings['split']} notes. Counts leave, no weights."
        )


def read_model(folder: Path) -> tuple[dict[str, Any], list[str], bytes]:
    """Architecture (for `fedkit.ner.models.build`), labels in class order, and the weights in their wire form.

    The digest of the bytes is the one under which fedkit released the model. Raises RequestError, TrainingError.
    """
    from fedkit.federation.parameters import encode
    from fedkit.ner.models import load

    if not (folder / "config.json").is_file():
        raise RequestError("no model to evaluate", expected="a folder with config.json and weights", got=folder.name)
    model = load(folder)
    return model.config, list(model.labels), encode(model.parameters())


def _as_stated(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a request, checked for their form alone. Raises KeyError or RequestError."""
    labels, weights = settings["labels"], settings["weights"]
    if settings["split"] not in SPLITS or len(weights) != 64 or not all(isinstance(label, str) for label in labels):
        raise RequestError("not the settings of an evaluation", expected="model, labels, split and the digest of the weights")
    return {"model": dict(settings["model"]), "labels": list(labels), "split": settings["split"], "weights": weights}
