"""What was examined, as JSON: the one form of `core explain`, `core report` and the pages' downloads."""

import json
import math
from collections.abc import Mapping
from typing import Any

from core.examine.examined import Examined
from core.examine.extent import area
from core.explain.heatmap import Heatmap
from core.report.spreadsheet import called

DIGITS = 9  # significant ones: as many as a float32 has


def numbers(
    examined: Examined, maps: Mapping[str, Heatmap], files: Mapping[str, str] | None = None, names: bool = False
) -> dict[str, Any]:
    """Every number of a film before a model, JSON-ready.

    Args:
        maps: the heatmaps to report, by class. Without any a film that the model refuses has no probabilities either:
            they stand beside maps that were asked for all the same.
        files: the stem of the files that hold each of them, by class, where there are any.
        names: tell the film's file name, and not only its hash.
    """
    said, card = examined.prediction, examined.classifier.card
    refused = said.refused
    told = bool(maps) or not refused
    found: dict[str, Any] = {
        "key": examined.key,
        "film": called(examined.film.name, examined.film.sha256, names),
        "sha256": examined.film.sha256,
        "label": examined.label or None,
        "model": card.name,
        "weights": examined.classifier.checkpoint.weights,
        "created": card.created,
        **{key: value for key, value in said.output.to_card().items() if key != "thresholds"},
        "prediction": said.by_class if told else None,
        "called": None if refused else said.answer,
        "logits": dict(zip(said.classes, map(float, said.logits), strict=True)) if told else None,
        "operating_points": said.operating_points,
        "prediction_set": None if refused or said.prediction_set is None else vars(said.prediction_set),
        "pixel_mm": examined.film.spacing and vars(examined.film.spacing),
        "domain": {"status": said.domain.status, "sentence": said.domain.sentence},
        "heatmaps": {name: _map(examined, map_, (files or {}).get(name)) for name, map_ in maps.items()},
        "not_for_diagnosis": True,
    }
    return {name: plain(value) for name, value in found.items()}


def as_json(found: Mapping[str, Any]) -> str:
    """The text of a JSON file."""
    return json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def plain(value: Any) -> Any:
    """JSON-ready: mappings as dicts, floats to ``DIGITS`` significant digits, what is not a number as null."""
    if hasattr(value, "items"):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value


def _map(examined: Examined, map_: Heatmap, files: str | None) -> dict[str, Any]:
    return {
        "method": map_.method,
        "layer": map_.layer,
        "probability": examined.prediction.by_class[map_.class_name],
        "maximum": float(map_.values.max()),
        "blank": map_.blank,
        "signed": map_.signed,
        "seconds": map_.seconds,
        **({"files": files} if files else {}),
        "measures": examined.measures(map_),
        "area_cm2": area(examined, map_),
        "trust": [{**vars(line), "word": line.word} for line in examined.trust(map_).lines],
    }
