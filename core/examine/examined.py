"""`Classifier x Radiograph -> Examined`: the one walk from a film to what may be said of it.

film -> lungs -> crop -> picture -> prediction -> heatmaps -> trust and measures. Each part is computed when it is first
asked for and kept on a `Shelf` under its key (`core.identity`), so two who examine the same film with the same weights
share the work, and whoever changes an ingredient gets it anew. What several films cost less of together is put on their
shelves by `core.examine.together`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from core import identity
from core.data.film.radiograph import Radiograph
from core.explain import deletion, nulls, truth, zones
from core.explain.chance import Chance
from core.explain.cohort import MEASURES, NUMBERS
from core.explain.confidence import drop_and_increase, left
from core.explain.deletion import Curve
from core.explain.heatmap import Heatmap, heatmaps
from core.explain.heatmap.cache import feature_map, kept_on
from core.explain.methods import borne, find
from core.explain.robustness import MildCopies, mild_copies
from core.explain.trust import Bank, Trust, assess, occlude
from core.explain.whatif import WhatIf, ask
from core.lazy import cached_property
from core.lungs import segment
from core.lungs.segment import Lungs
from core.model.classifier import Classifier, Prediction
from core.shelf import Shelf

LUNGS = ("lungs/segment.py", "lungs/unet.py")
CODE = ("examine", "explain", *LUNGS)  # beside that of the classifier


def nowhere() -> None:
    """The truth of a film of which none is known."""


@dataclass(frozen=True, eq=False)
class Examined:
    """One film before one model.

    Args:
        classifier, film: the two.
        label: what the film is known to show, in its cohort's words; "" where it is unknown.
        marked: the known finding's place on the film, bool (H, W), or None; called when it is first asked for.
        shelf: where parts are kept; one of its own unless given.
    """

    classifier: Classifier
    film: Radiograph
    label: str = ""
    marked: Callable[[], np.ndarray | None] = nowhere
    shelf: Shelf = field(default_factory=Shelf)

    @cached_property
    def key(self) -> str:
        """What all parts of this film before this model are known by."""
        finder = segment.weights_sha256()
        return identity.key("examined", code=CODE, classifier=self.classifier.key, film=self.film.sha256, finder=finder)

    @cached_property
    def lungs_on_film(self) -> Lungs:
        """The lung fields in the film's own frame, searched for once for every model."""
        return self.shelf.keep_in_turn(self.lungs_key, lambda: segment.default_finder().find(self.film))

    @cached_property
    def lungs_key(self) -> str:
        """What the lung fields of this film are known by, before any model."""
        return identity.key("lungs", code=LUNGS, film=self.film.sha256, finder=segment.weights_sha256())

    @cached_property
    def crop(self) -> np.ndarray | None:
        """What the preprocessing cuts the film to, bool (H, W); None where it takes the whole film."""
        found = self.lungs_on_film if self.classifier.preprocess.region == "lungs" else None
        return found.mask if found is not None and found.found else None

    @cached_property
    def picture(self) -> np.ndarray:
        """The film as the model sees it, uint8 (S, S)."""
        known = self.shelf.get(self.part("prediction"))
        return known.picture if known else self.classifier.preprocess.picture(self.film, self.crop)

    @cached_property
    def lungs(self) -> np.ndarray | None:
        """The lung fields on the picture, bool (S, S), by the house's one rule; None where none are found."""
        return zones.on_picture(self.classifier.preprocess, self.lungs_on_film, self.crop)

    @cached_property
    def truth(self) -> np.ndarray | None:
        """Where the finding is known to be, bool (S, S) on the picture; None where it is unknown, or it was cut off."""
        if self._placed is None or not self._placed.any():
            return None
        found = self._placed >= 0.5
        return found if found.any() else self._placed >= self._placed.max()  # smaller than a pixel of the picture

    @property
    def outside(self) -> bool:
        """Whether the finding's place is known and lies wholly outside the picture: no map can hit or miss it."""
        return self._placed is not None and not self._placed.any()

    @cached_property
    def _placed(self) -> np.ndarray | None:
        """The known finding on the picture, float32 (S, S); None where its place is unknown."""
        marked = self.marked()
        if marked is None:
            return None
        return self.classifier.preprocess.to_picture(marked.astype(np.float32), self.crop)

    @cached_property
    def prediction(self) -> Prediction:
        """What the model says of the film."""
        made = lambda: self.classifier.predict_exactly([(self.film, self.picture)])[0]  # noqa: E731 - of a batch of one
        found: Prediction = self.shelf.keep_in_turn(self.part("prediction"), made)
        return replace(found, name=self.film.name)  # the same bytes may lie here under another name

    @property
    def last_map(self) -> np.ndarray:
        """What the network's last stage makes of the film, float32 (K, h, w), see `core.networks.network.Layout`."""
        layer = self.classifier.network.layers[-1]
        with kept_on(self.shelf):
            map_ = feature_map(self.classifier, self.picture, layer, self.classifier.network.cut(layer)[0])
        found: np.ndarray = map_[0].numpy(force=True)
        return found

    def heatmaps(
        self,
        method: str = "",
        classes: Sequence[str] | None = None,
        layer: str | None = None,
        progress: Callable[[float], None] | None = None,
        **options: Any,
    ) -> dict[str, Heatmap]:
        """The heatmap of every class, or of ``classes``; see `core.explain.heatmap.heatmaps` for arguments and errors.

        A method with a seed draws by the film's hash unless a seed is given, or one lucky draw would pass for skill.
        """
        method = borne(method, self.classifier.network).name
        keys = self._map_keys(method, classes, layer, options)
        known = {name: self.shelf.get(key) for name, key in keys.items()}
        if missing := [name for name, there in known.items() if there is None]:
            settings = {**self._drawn(method), **options}

            def told(share: float) -> None:  # a method that takes seconds keeps nobody waiting for all of them
                self.shelf.give_way()
                if progress:
                    progress(share)

            with self.shelf.turn(), kept_on(self.shelf):
                made = heatmaps(
                    self.classifier, self.picture, method, missing, layer,
                    film_sha256=self.film.sha256, progress=told, **settings,
                )  # fmt: skip
            known |= {name: self.shelf.put(keys[name], map_) for name, map_ in made.items()}
        return known

    def has_heatmaps(
        self, method: str, classes: Sequence[str] | None = None, layer: str | None = None, **options: Any
    ) -> bool:
        """Whether ``heatmaps`` would answer at once."""
        return all(key in self.shelf for key in self._map_keys(method, classes, layer, options).values())

    def trust(self, map_: Heatmap) -> Trust:
        """The trust card of one of this film's heatmaps, with the lines on the truth where it is known."""
        card = self.classifier.card
        key = self.part("trust", map=_of_map(map_), truth=self.truth, checks=[card.randomisation, card.power])

        def assessed() -> Trust:
            domain, bank = self.prediction.domain, lambda: self.bank
            known = self.lungs, self.truth
            with kept_on(self.shelf):
                return assess(
                    self.classifier, self.picture, map_, *known, domain=domain, film=self.film, bank=bank,
                    by_chance=lambda: self.chance(map_),
                )  # fmt: skip

        return self.shelf.keep_in_turn(key, assessed)

    @property
    def bank(self) -> Bank:
        """What hiding each part of the picture does to the answer: shared by the trust cards of all its heatmaps."""
        return self.shelf.keep_in_turn(self.part("bank"), lambda: occlude(self.classifier, self.picture))

    @property
    def mild_copies(self) -> MildCopies:
        """What the model says of mildly changed copies of the picture."""
        return self.shelf.keep_in_turn(self.part("mild copies"), lambda: mild_copies(self.classifier, self.picture))

    def curves(self, map_: Heatmap) -> dict[str, Curve]:
        """Deletion, insertion and ROAD of one of this film's heatmaps, to look at."""
        key = self.part("curves", map=_of_map(map_))
        return self.shelf.keep_in_turn(
            key, lambda: deletion.curves(self.classifier, self.picture, map_.values, map_.class_name)
        )

    def chance(self, map_: Heatmap) -> dict[str, Chance]:
        """What maps that know nothing get on this film, by measure; see `core.explain.nulls.of_map`."""
        key = self.part("chance", map=_of_map(map_), truth=self.truth)

        def found() -> dict[str, Chance]:
            with kept_on(self.shelf):
                return nulls.of_map(self.classifier, self.picture, map_, self.lungs, self.truth)

        return self.shelf.keep_in_turn(key, found)

    def left(self, map_: Heatmap) -> np.ndarray:
        """Each class's probability, float32 (C,), when only what a heatmap marks is shown; it must not be blank."""
        return self.shelf.keep_in_turn(
            self.left_key(map_), lambda: left(self.classifier, [(self.picture, map_.values)])[0]
        )

    def left_key(self, map_: Heatmap) -> str:
        """What `left` is known by."""
        return self.part("left", map=_of_map(map_))

    def measures(self, map_: Heatmap, curves: bool = False) -> dict[str, float]:
        """What a cohort's summary counts of one heatmap, see `core.explain.cohort.NUMBERS`; unknown ones are NaN.

        Args:
            curves: the z-scores of deletion, insertion and ROAD as well.
        """
        found = dict.fromkeys(NUMBERS, float("nan"))
        found["blank"] = float(not map_.values.max() > 0)
        if self.lungs is not None and not found["blank"]:
            found["lung_share"] = zones.shares(map_.values, self.lungs)["lungs"]
        if self.truth is not None:
            found["hit"], found["iou"] = truth.hit(map_.values, self.truth), truth.miou(map_.values, self.truth)
            found["mass_inside"] = truth.mass_inside(map_.values, self.truth)
        if self.truth is not None or self.outside:
            found["outside"] = float(self.outside)
        for measure, by_chance in self.chance(map_).items():
            found |= {f"{measure}_{baseline}": getattr(by_chance, baseline) for baseline in MEASURES[measure].chance}
        index = self.classifier.classes.index(map_.class_name)
        if not found["blank"]:
            probability = float(self.prediction.probabilities[index])
            found["drop"], found["increase"] = drop_and_increase(probability, float(self.left(map_)[index]))
        if curves:
            drawn = {} if found["blank"] else self.curves(map_)
            for key in ("deletion", "insertion", "road"):
                z = drawn[key].z if key in drawn else None
                found[f"{key}_z"] = float("nan") if z is None else z
        return found

    def what_if(
        self, mask: np.ndarray, fill: str, class_name: str, method: str = "", layer: str | None = None
    ) -> WhatIf:
        """The answer and the heatmaps with a part of the picture hidden; ``mask`` is bool (S, S)."""
        key = self.part("what if", mask=mask, fill=fill, class_name=class_name, method=method, layer=layer)

        def asked() -> WhatIf:
            with kept_on(self.shelf):
                return ask(self.classifier, self.picture, mask, fill, class_name, method, layer)

        return self.shelf.keep_in_turn(key, asked)

    def on_film(self, map_: np.ndarray) -> np.ndarray:
        """A map (S, S) of the picture in the film's own frame, float32 (H, W)."""
        return self.classifier.preprocess.to_film(map_, self.film.shape, self.crop)

    def keep(self, kind: str, make: Callable[[], Any], **made_of: Any) -> Any:
        """Whatever else follows from this film and model, kept with its parts; ``made_of`` names what decides it."""
        return self.shelf.keep_in_turn(self.part(kind, **made_of), make)

    def part(self, kind: str, **made_of: Any) -> str:
        """The key of what follows from this film and model; ``made_of`` names what else decides it."""
        return identity.key(kind, examined=self.key, **made_of)

    def _map_keys(
        self, method: str, classes: Sequence[str] | None, layer: str | None, options: dict[str, Any]
    ) -> dict[str, str]:
        names = self.classifier.classes if classes is None else classes
        row = borne(method, self.classifier.network)
        settings = {**self._drawn(row.name), **options}
        where = layer or (self.classifier.network.usual_layer if row.layered else "film")
        made_of = {"method": row.name, "layer": where, "options": settings}
        return {name: self.part("heatmap", class_name=name, **made_of) for name in names}

    def _drawn(self, method: str) -> dict[str, Any]:
        return {"seed": int(self.film.sha256[:8], 16)} if "seed" in find(method).options else {}


def examine(
    classifier: Classifier,
    film: Radiograph,
    label: str = "",
    marked: Callable[[], np.ndarray | None] = nowhere,
    shelf: Shelf | None = None,
) -> Examined:
    """One film before one model; nothing is computed until it is asked for. See `Examined` for the arguments."""
    return Examined(classifier, film, label, marked, Shelf() if shelf is None else shelf)


def _of_map(map_: Heatmap) -> list[Any]:
    """What tells one heatmap of a film and model from another."""
    return [map_.values, map_.class_name, map_.method, map_.layer, map_.signed, dict(map_.options)]
