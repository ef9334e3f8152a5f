"""Films worth a second look: the most confident errors, and those whose label the evidence contradicts."""

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.data.patients import count
from core.errors import EvaluationError
from core.evaluate.evaluation import Evaluation
from core.evaluate.operating import OperatingPoint
from core.resamples import MANY

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

FOLDS = 5  # of the cross-validation behind doubted labels


def films(evaluation: Evaluation, rows: np.ndarray, point: OperatingPoint | None = None) -> pd.DataFrame:
    """Some films with what was said of them: ``row`` (in the evaluation), ``film``, ``label``, ``called``, the
    probability of both, and whatever else is known of the film."""
    called = evaluation.called(point)[rows]
    labels = evaluation.labels[rows]
    names = np.array(evaluation.classes, dtype=object)
    known = evaluation.samples.iloc[rows].reset_index(drop=True)
    own = {
        "row": rows,
        "film": known.get("path", pd.Series("", index=known.index)),
        "label": names[labels],
        "called": names[called],
        "p_called": evaluation.probabilities[rows, called],
        "p_label": evaluation.probabilities[rows, labels],
    }
    return pd.concat([pd.DataFrame(own), known.drop(columns=["path", "label"], errors="ignore")], axis=1)


def errors(evaluation: Evaluation, point: OperatingPoint | None = None, most: int = 50) -> pd.DataFrame:
    """Wrongly called films, the most confident first; columns as `films`."""
    called = evaluation.called(point)
    wrong = np.flatnonzero(called != evaluation.labels)
    order = np.argsort(-evaluation.probabilities[wrong, called[wrong]], kind="stable")
    return films(evaluation, wrong[order[:most]], point)


def cell(evaluation: Evaluation, label: str, called: str, point: OperatingPoint | None = None) -> pd.DataFrame:
    """The films in one cell of the confusion matrix, the most confident first; columns as `films`."""
    index = evaluation.classes.index(called)
    inside = (evaluation.labels == evaluation.classes.index(label)) & (evaluation.called(point) == index)
    rows = np.flatnonzero(inside)
    return films(evaluation, rows[np.argsort(-evaluation.probabilities[rows, index], kind="stable")], point)


def doubtful(labels: np.ndarray, probabilities: np.ndarray) -> pd.DataFrame:
    """Films whose label is doubtful, by confident learning (Northcutt 2021).

    A film is doubtful when another class is more probable than its label and at least as probable as that class usually
    is on films that carry its label. It must also be the more probable one were all labels equally common: else a sixth
    of the films of a rare class that looks a little like a common one would be doubted for being rare.

    Args:
        labels: int (N,).
        probabilities: float (N, C), from models that did not learn from the film: test films, or `out_of_fold`.

    Returns:
        ``row``, ``label``, ``suggested`` (class indices) and ``margin`` (probability of the suggested class less that
        of the label), the widest margin first.
    """
    every = np.arange(len(labels))
    own = probabilities[every, labels]
    counts = np.bincount(labels, minlength=probabilities.shape[1])
    usual = np.array([own[labels == c].mean() if n else np.inf for c, n in enumerate(counts)])
    claims = np.where(probabilities >= usual, probabilities, -np.inf)
    claims[every, labels] = -np.inf
    suggested = claims.argmax(axis=1)
    margin = claims.max(axis=1) - own
    likelier = probabilities[every, suggested] * counts[labels] > own * counts[suggested]
    rows = np.flatnonzero((margin > 0) & likelier)
    rows = rows[np.argsort(-margin[rows], kind="stable")]
    columns = {"row": rows, "label": labels[rows], "suggested": suggested[rows], "margin": margin[rows]}
    return pd.DataFrame(columns)


@lru_cache(maxsize=8)
def doubted(evaluation: Evaluation) -> tuple[pd.DataFrame, str]:
    """`doubtful` films of one evaluation, and how they were judged, as a sentence.

    Each film is judged by `out_of_fold` on the model's log probabilities, so that a model that is off on a whole
    cohort does not call all of it mislabelled; where a class has too few patients, by the model's own probabilities.
    """
    present, labels = np.unique(evaluation.labels, return_inverse=True)
    inputs = np.log(np.clip(evaluation.probabilities, 1e-6, 1))
    probabilities = evaluation.probabilities.astype(np.float64)
    how = "judged by the model itself: a class has too few patients to cross-validate"
    if len(present) > 1 and _fewest(labels, evaluation.clusters) >= FOLDS:
        probabilities = np.zeros(probabilities.shape)
        probabilities[:, present] = out_of_fold(inputs, labels, evaluation.clusters)
        how = f"cross-validated ({FOLDS} folds): by a regression on the model's outputs that never saw the patient"
    return doubtful(evaluation.labels, probabilities), how


def out_of_fold(features: np.ndarray, labels: np.ndarray, groups: np.ndarray, folds: int = FOLDS) -> np.ndarray:
    """Probabilities (N, C) of a logistic regression that never saw the film's own group.

    Of more than 20,000 films each regression learns from some 20,000, drawn evenly over the classes and weighted back:
    with a handful of coefficients it learns no more from a million.

    Args:
        features: float (N, D), such as a network's pooled features.
        labels: int (N,), 0 .. C-1, each class at least once.
        groups: int (N,), patients; all films of one are held out together.

    Raises:
        EvaluationError: fewer patients of some class than folds.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if (fewest := _fewest(labels, groups)) < folds:
        raise EvaluationError(f"the rarest class has {fewest} patients", f"at least {folds}, one per fold")
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    if len(labels) > MANY:
        return _out_of_fold_of_many(model, features, labels, groups, folds)
    scheme = StratifiedGroupKFold(folds, shuffle=True, random_state=0)
    held_out: np.ndarray = cross_val_predict(model, features, labels, groups=groups, cv=scheme, method="predict_proba")
    return held_out


def _out_of_fold_of_many(
    model: "Pipeline", features: np.ndarray, labels: np.ndarray, groups: np.ndarray, folds: int
) -> np.ndarray:
    rng, n_classes = np.random.default_rng(0), int(labels.max()) + 1
    fold = (rng.permutation(int(groups.max()) + 1) % folds)[groups]
    held_out = np.zeros((len(labels), n_classes))
    for number in range(folds):
        others = [np.flatnonzero((fold != number) & (labels == c)) for c in range(n_classes)]
        learned = [rng.permutation(rows)[: MANY // n_classes] for rows in others]
        weights = [np.full(len(few), len(rows) / max(len(few), 1)) for rows, few in zip(others, learned, strict=True)]
        rows, inside = np.concatenate(learned), np.flatnonzero(fold == number)
        model.fit(features[rows], labels[rows], logisticregression__sample_weight=np.concatenate(weights))
        held_out[np.ix_(inside, model.classes_)] = model.predict_proba(features[inside])
    return held_out


def _fewest(labels: np.ndarray, groups: np.ndarray) -> int:
    """Patients of the class that has the fewest."""
    return min(count(groups[labels == c]) for c in np.unique(labels))
