"""What a model says of each film, as rows: the work of `core predict` and `core evaluate`."""

import hashlib
import math
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from core import identity
from core.data.cohort import COLUMNS, Cohort
from core.data.film.radiograph import Radiograph
from core.data.film_id import FILM_ID, base_name
from core.errors import FilmError
from core.lazy import cached_property
from core.model.checkpoint import Checkpoint
from core.model.classifier import Backend, Classifier, Prediction
from core.run.parts import Columns, Row

CODE = ("run/score.py",)  # beside that of the classifier


class Score:
    """One row for each film: in-domain verdict and its sentence, what is called, prediction set, p and logit by class.

    See `core.run.stream.Work`. ``domain`` is "in", "doubtful" or "out"; ``p_<class>`` is calibrated. A film that the
    in-domain gate refuses has its verdict and no answer, as on the pages.

    Args:
        classifier: whose answers they are; its bulk engine computes them.
        named: whether sentences may hold the film's file name; else its identity stands there.
        all_answers: those to refused films too: an evaluation judges the model by every labelled film.
    """

    units: tuple[str, ...] = ("",)

    def __init__(self, classifier: Classifier, named: bool = True, all_answers: bool = False) -> None:
        self.classifier, self.named, self.all_answers = classifier, named, all_answers
        names = classifier.classes
        numbers = (*(f"p_{name}" for name in names), *(f"logit_{name}" for name in names))
        self.columns = Columns(("domain", "sentence", "called", "set"), numbers)

    @cached_property
    def key(self) -> str:
        """Of weights, preprocessing, calibration and code."""
        given = {"named": self.named, "all_answers": self.all_answers}
        return identity.key("scores", code=CODE, classifier=self.classifier.key, **given)

    def shipped(self) -> "Callable[[], Score]":
        """The checkpoint travels with it, so no other machine needs its folder."""
        return partial(_opened, self.classifier.checkpoint, self.classifier.backend, self.named, self.all_answers)

    def __call__(self, films: Cohort, units: Sequence[tuple[str, ...]]) -> list[Row]:
        """The rows of a batch."""
        names = films.samples[FILM_ID].astype(str).tolist()
        found: dict[str, Row] = {}
        seen: dict[str, tuple[Radiograph, np.ndarray]] = {}
        for place, name in enumerate(names):
            try:
                film = films.film(place)
                seen[name] = film, self.classifier.picture(film)
            except FilmError as error:
                found[name] = {"id": name, "unit": "", "error": self._said(str(error), films, place)}
        answers = self.classifier.predict_seen(list(seen.values())) if seen else []
        for (name, (film, _)), said in zip(seen.items(), answers, strict=True):
            verdict = self._said(said.domain.sentence, films, names.index(name))
            told = {"domain": said.domain.status, "sentence": verdict, **self._answer(said)}
            found[name] = {"id": name, "unit": "", "sha256": film.sha256, "error": "", **told}
        return [found[name] for name in names]

    def _answer(self, said: Prediction) -> Row:
        if said.refused and not self.all_answers:
            return {"called": "", "set": ""} | dict.fromkeys(self.columns.numbers, math.nan)
        held = "|".join(said.prediction_set.classes) if said.prediction_set else ""
        p = {f"p_{name}": value for name, value in said.by_class.items()}
        logits = {f"logit_{name}": float(z) for name, z in zip(said.classes, said.logits, strict=True)}
        return {"called": said.answer, "set": held} | p | logits

    def _said(self, sentence: str, films: Cohort, place: int) -> str:
        if self.named:
            return sentence
        samples = films.samples
        return sentence.replace(base_name(str(samples["path"].iat[place])), str(samples[FILM_ID].iat[place]))


def unlabelled(paths: Sequence[str | Path], named: bool = True) -> Cohort:
    """Films of which nothing is known but where they are.

    Args:
        named: each is known by its path; else by the SHA-256 of its path, which tells nobody a name.
    """
    ids = [known(path) if named else hashlib.sha256(os.fsencode(path)).hexdigest() for path in paths]
    samples = pd.DataFrame(dict.fromkeys(COLUMNS, ""), index=range(len(ids)))
    return Cohort("films", samples.assign(path=list(map(str, paths)), age=float("nan"), **{FILM_ID: ids}), ("",))


def known(path: str | Path) -> str:
    """A path as Parquet takes it: a name that is not UTF-8 with its bytes spelt out."""
    return os.fsencode(path).decode(errors="backslashreplace")


def _opened(checkpoint: Checkpoint, backend: Backend, named: bool, all_answers: bool) -> Score:
    return Score(Classifier(checkpoint, backend), named, all_answers)
