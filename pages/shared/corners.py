"""What the two toy models are worth on films whose corners are filled in: step 4 of the Shortcut lab.

The shipped models' figures lie beside their weights, because working them out takes half a minute.
"""

import functools
from typing import TYPE_CHECKING

import numpy as np

from core import identity
from core.data.cohort import Cohort
from core.explain.hide import SEAMLESS, hide, regions
from pages.shared import resources, shipped

if TYPE_CHECKING:
    from core.model.classifier import Classifier

TOGETHER = 8  # films that go through the network at once, while nobody else has a turn
HOME, ELSEWHERE = "phantom:confounded", "phantom:new-hospital"
MODELS = {"cheat": "Model A", "honest": "Model B"}


def accuracy(spec: str, name: str, fill: str = SEAMLESS) -> tuple[float, int]:
    """Accuracy of a model on a cohort's test films whose corners are hidden, and how many films those are."""
    cohort, model = resources.cohort(spec), resources.classifier(name)
    if found := shipped.without_corners(shipped_key(resources.fingerprint(spec), model, fill)):
        return float(found["accuracy"]), int(found["films"])
    key = identity.key("without corners", classifier=model.key, cohort=cohort.key, fill=fill, code=("explain/hide.py",))
    work = functools.partial(measure, cohort, model, fill)
    return resources.kept(key, work, "Hiding the corners of all test films")


def shipped_key(fingerprint: str, model: "Classifier", fill: str) -> str:
    """What a shipped figure is known by: films, weights and fill. That the code still finds it is held by a test."""
    return identity.key("shipped without corners", cohort=fingerprint, weights=model.checkpoint.weights, fill=fill)


def measure(cohort: Cohort, model: "Classifier", fill: str = SEAMLESS, films: int | None = None) -> tuple[float, int]:
    """Show a model the test films with their corners hidden, all or the first ``films`` of them."""
    from core.model.classifier import batches

    rows = np.flatnonzero(cohort.samples["split"] == "test")[:films]
    corners = regions((model.preprocess.size, model.preprocess.size))["corners"]
    found = []
    with resources.long_work() as pause:
        for some in batches(rows, TOGETHER):
            pause()
            hidden = [hide(model.picture(cohort.film(int(row))), corners, fill) for row in some]
            found.append(model.predict_pictures(np.stack(hidden))[1])
    called = np.array(model.classes)[model.output.first(np.concatenate(found))]
    return float((called == cohort.samples["label"].to_numpy()[rows]).mean()), len(rows)
