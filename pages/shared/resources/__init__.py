"""Films, models and their answers, kept between runs: the one place where anything is shared by visitors.

All of it lies on one shelf under the key of what made it (`core.identity`): the weights and not the model's name, the
film's content and not its number. A checkpoint or a film that is replaced while the server runs is therefore opened
anew. What lies there is never changed. An uploaded film, and all that is worked out from it, lies on a shelf of its own
in its visitor's session, and goes with it.
"""

from pages.shared.resources.answers import (
    examined,
    has_heatmaps,
    heatmaps,
    map_of_picture,
    mild_copies,
    prediction,
    probabilities,
    sweep,
)
from pages.shared.resources.cohorts import cohort, facets, fingerprint
from pages.shared.resources.films import file_key, film, keep_values, mask, small, thumbnail, values, values_of_upload
from pages.shared.resources.models import cards, classifier, refused_models
from pages.shared.resources.shelves import (
    busy,
    check_upload,
    collect_garbage,
    component,
    forget_uploads,
    hold_upload,
    kept,
    known_cohorts,
    let_go,
    long_work,
    memory,
    rounds,
    same_layout,
    shelf,
    shelf_of,
)

__all__ = [
    "busy",
    "cards",
    "check_upload",
    "classifier",
    "cohort",
    "collect_garbage",
    "component",
    "examined",
    "facets",
    "file_key",
    "film",
    "fingerprint",
    "forget_uploads",
    "has_heatmaps",
    "heatmaps",
    "hold_upload",
    "keep_values",
    "kept",
    "known_cohorts",
    "let_go",
    "long_work",
    "map_of_picture",
    "mask",
    "memory",
    "mild_copies",
    "prediction",
    "probabilities",
    "refused_models",
    "rounds",
    "same_layout",
    "shelf",
    "shelf_of",
    "small",
    "sweep",
    "thumbnail",
    "values",
    "values_of_upload",
]
