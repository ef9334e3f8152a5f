"""How often the occlusion test passes on many films: maps of right calls, and maps that know nothing."""

from collections.abc import Callable
from contextlib import suppress
from zlib import crc32

import numpy as np

from core.data.cohort import Cohort
from core.data.labels import negative
from core.errors import FilmError
from core.explain.heatmap import heatmaps
from core.explain.heatmap.cache import kept_on
from core.explain.methods import borne
from core.explain.trust import faithfulness
from core.explain.trust.bank import occlude
from core.explain.trust.evidence import ALPHA
from core.explain.trust.power import Power
from core.model.classifier import Classifier
from core.shelf import Shelf

CONTROL = "randomcam"
FILMS = 100  # right calls, spread over the cohort: a power of a half is then known to within 0.1


def right_calls(
    classifier: Classifier,
    cohort: Cohort,
    method: str = "gradcam",
    films: int = FILMS,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Power:
    """The power of the occlusion test: how many maps of right calls of a finding pass, and how many Random CAMs.

    Films are drawn from all classes but the negative one ("Normal", "No Lung Opacity"), which has no place to point
    to, until this many right calls are found.

    Args:
        cohort: films with a label that the model knows; best those that it never learned from.
        films: at most this many right calls.
        seed: of the draw.

    Raises:
        ExplainError: the network is only a function, from which no Random CAM comes.
    """
    borne(CONTROL, classifier.network)
    labels = cohort.samples["label"].astype(str).tolist()
    order = np.random.default_rng(seed).permutation(len(cohort))
    nothing = negative(classifier.classes)
    wanted = [int(position) for position in order if labels[position] != nothing]
    found = passed = random = 0
    for done, position in enumerate(wanted):
        if found == films:
            break
        with suppress(FilmError), kept_on(Shelf()):
            film = cohort.film(position)
            picture = classifier.picture(film)
            called = classifier.classes[int(classifier.output.first(classifier.predict_pictures(picture[None])[1])[0])]
            if called != labels[position]:
                continue
            map_ = heatmaps(classifier, picture, method, [called])[called]
            if map_.blank:
                continue
            bank = occlude(classifier, picture)
            own = crc32(film.sha256.encode())
            control = heatmaps(classifier, picture, CONTROL, [called], seed=own)[called]
            found += 1
            passed += faithfulness.against_chance(classifier, picture, map_, bank, seed).p <= ALPHA
            random += (
                not control.blank and faithfulness.against_chance(classifier, picture, control, bank, seed).p <= ALPHA
            )
        progress(done + 1, len(wanted))
    return Power(cohort.name, found, int(passed), int(random))
