"""Training: a federated tagger, a round at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fedkit.errors import RequestError
from fedkit.federation.compression import codec_for
from fedkit.federation.participation import Participation
from fedkit.governance.output_contract import OutputContract
from fedkit.governance.training_noise import TrainingNoise
from fedkit.ner import tasks
from fedkit.templates.base import Data, Template
from fedkit.templates.parameters import Parameter, checked


class TrainingTemplate(Template):
    """`parameters={"rounds": 12}`; what is not given is the recipe's (`fedkit.ner.recipe`)."""

    name, kind = "training", "training"
    title = "Train a tagger over all sites"
    what = (
        "Trains a named-entity tagger: each round every site trains the shared weights on its notes. Weights, a loss and counts"
        " of right and wrong spans leave. Weights can remember what they saw, so the model is to be treated as the notes are."
    )
    parameters = (
        Parameter("rounds", "whole", "how often the weights go round", 12, low=1, high=1000),
        Parameter("sequential_rounds", "whole", "of these, how many pass weights from site to site", 0, low=0, high=1000),
        Parameter("seed", "whole", "where the random numbers begin", 1, low=0, high=2**31),
        Parameter("labels", "choices", "what to find; by default the labels of all sites", [], high=100, shape=True),
        Parameter("model", "data", "the model: kind and sizes", {}, shape=True),
        Parameter("training", "data", "learning rate, words a batch, passes a round", {}),
        Parameter("strategy", "data", "how the sites' weights are averaged", {}),
        Parameter("participation", "data", "share, fewest, deadline: which sites a round needs; by default all of them", {}),
        Parameter("compression", "data", "how updates are made smaller on their way (docs/compression.md); by default not", {}),
    )
    source = tasks.SOURCE

    def settings(self, parameters: Mapping[str, Any], data: Data | None = None) -> dict[str, Any]:
        data = data or Data(tuple(parameters.get("labels", ())))
        chosen = tasks.default_settings(data.labels, notes=data.notes)
        checked(self.parameters, parameters)
        chosen.update(parameters)
        if not chosen.get("compression", True):
            del chosen["compression"]  # the same request as one that does not name it
        codec_for(chosen)
        if not chosen.get("participation", True):
            del chosen["participation"]
        Participation.of(chosen)
        if not 0 <= chosen["sequential_rounds"] <= chosen["rounds"]:
            raise RequestError(
                "the plan of rounds is not possible",
                expected="0 <= sequential rounds <= rounds",
                got=f"{chosen['sequential_rounds']} of {chosen['rounds']}",
            )
        return chosen

    def contracts(self, settings: Mapping[str, Any]) -> dict[str, OutputContract]:
        return tasks.contracts(settings)

    def executions(self, settings: Mapping[str, Any]) -> dict[str, int]:
        return {"train_round": settings["rounds"], "evaluate": 1}

    def code(self, settings: Mapping[str, Any], source: str | None = None) -> str:
        return source or self.source

    def noise(self, settings: Mapping[str, Any]) -> TrainingNoise | None:
        """That of `settings["training"]["privacy"]`. Raises RequestError for a plan that has no price."""
        plan = settings["training"].get("privacy")
        if not plan:
            return None
        try:
            more = {name: plan[name] for name in ("delta", "unit") if name in plan}
            return TrainingNoise(plan["sigma"], plan["notes_per_step"], plan["steps_per_round"], **more)
        except (KeyError, TypeError):
            raise RequestError(
                "the noise of this training is not described",
                expected="sigma, clip, notes_per_step, steps_per_round, and perhaps delta and unit",
                got="a part missing, or of another type",
            ) from None

    def explain(self, settings: Mapping[str, Any]) -> str:
        in_turn = settings["sequential_rounds"]
        shown = f" In the first {in_turn} each site sees the weights of the site before it." if in_turn else ""
        labels, rounds = ", ".join(settings["labels"]), settings["rounds"]
        smaller = settings.get("compression")
        form = f", in fewer bits ({smaller['kind']})" if smaller else ""
        return f"Trains a tagger for {labels} in {rounds} rounds.{shown} Weights leave the site{form}."
