"""Studies: from a question to a release that anybody can verify. `study` has the ten steps; the rest is one file a step.

requesting (1 to 4) · deciding (6) · training, querying (7 and 8), with secure_sums and budgets · model_release, result_release
(9), with report · evidence (10) · runs: the folder that a study keeps · private_plan: what noise costs, before anybody is
asked · asking: one question in one call, for lessons
"""

from fedkit.study.study import STEPS, Study

__all__ = ["STEPS", "Study"]
