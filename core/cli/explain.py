"""`python -m core explain CHECKPOINT FILE...` or `--cohort PATH`: where a model looked, and whether to believe it."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli import cohorts
from core.errors import ExplainError, FilmError

if TYPE_CHECKING:
    from core.data.film.radiograph import Radiograph
    from core.explain.heatmap import Heatmap
    from core.model.classifier import Classifier


def add(subparsers: argparse._SubParsersAction) -> None:
    """The command's arguments."""
    about = (
        "Heatmaps of films, each with its trust card: for each class an overlay (.png) and the raw map (.npy), and a "
        ".json of every number. With --cohort, a table of a whole cohort instead; a killed run goes on."
    )
    command = subparsers.add_parser("explain", help="show where a model looked", description=about)
    command.add_argument("checkpoint", help="a name from weights/, or a folder")
    command.add_argument("files", nargs="*", type=Path, metavar="FILE", help="films")
    command.add_argument("--method", default="gradcam", help="of the heatmap, or several: gradcam,layercam")
    command.add_argument("--class", dest="class_name", default="top", help="a class's name, all, or top (the default)")
    command.add_argument("--layer", help="a stage of the network (default: its last)")
    command.add_argument("--out", type=Path, help="folder of the results (default: runs/explain-CHECKPOINT)")
    command.add_argument("--cohort", metavar="PATH", help="a cohort's folder or table, or phantom")
    command.add_argument("--split", help="of the cohort: train, validation or test, as the checkpoint met it")
    command.add_argument("--limit", type=int, metavar="N", help="at most N films of each class, drawn at random")
    command.add_argument("--of", choices=("label", "predicted"), default="label", help="whose evidence in a cohort")
    command.add_argument("--curves", action="store_true", help="deletion, insertion and ROAD as well (slow)")
    help_ = "do the randomisation check on two dozen films of the cohort and keep it in the checkpoint's card"
    command.add_argument("--randomisation", action="store_true", help=help_)
    cohorts.add(command)
    help_ = "measure on the cohort how often the occlusion test tells for this model, and keep it in its card"
    command.add_argument("--power", action="store_true", help=help_)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Explain films, or score a cohort."""
    from core.explain.methods import find
    from core.model.classifier import open_classifier

    if bool(args.files) == bool(args.cohort):
        raise ExplainError("films and --cohort came" if args.files else "no film came", "files, or --cohort PATH")
    methods = [find(name.strip()).name for name in args.method.split(",")]
    classifier = open_classifier(args.checkpoint)
    folder = args.out or Path("runs") / f"explain-{classifier.card.name}"
    folder.mkdir(parents=True, exist_ok=True)
    if args.cohort:
        from core.cli.explain_cohort import run_cohort

        return run_cohort(classifier, methods, folder, args)
    status = 0
    for path in args.files:
        try:
            for method in methods:
                print(explain_file(classifier, path, method, args.class_name, args.layer, folder))
        except FilmError as error:
            print(f"explain: {error}", file=sys.stderr)
            status = 2
    return status


def explain_file(
    classifier: "Classifier", path: Path, method: str, class_name: str, layer: str | None, folder: Path
) -> str:
    """Write the overlays, raw maps and numbers of one film; returns what to print."""
    import json

    from core.data.film.opener import read
    from core.explain.heatmap import heatmaps
    from core.explain.trust import assess, occlude
    from core.explain.zones import lungs_in_picture

    film = read(path)
    prediction = classifier.predict(film)
    chosen = {"top": [prediction.label], "all": list(classifier.classes)}.get(class_name, [class_name])
    maps = heatmaps(classifier, prediction.picture, method, chosen, layer, film_sha256=film.sha256)
    lungs = lungs_in_picture(classifier, film, classifier.lungs(film))
    numbers: dict[str, Any] = {
        "film": film.name,
        "sha256": film.sha256,
        "model": classifier.card.name,
        "prediction": prediction.by_class,
        "domain": {"status": prediction.domain.status, "sentence": prediction.domain.sentence},
        "heatmaps": {},
    }
    lines = [f"{film.name}: {prediction.label} {prediction.probabilities[prediction.index]:.3f}"]
    top = max(float(map_.values.max()) for map_ in maps.values())
    bank = occlude(classifier, prediction.picture)  # one for all classes
    for name, map_ in maps.items():
        card = assess(
            classifier, prediction.picture, map_, lungs, domain=prediction.domain, film=film, bank=lambda: bank
        )
        stem = f"{path.stem}-{method}-{name.lower().replace(' ', '-')}"
        _write_map(classifier, film, map_, top, folder / stem)
        trust = [_plain({**vars(line), "word": line.word}) for line in card.lines]
        facts = {"layer": map_.layer, "maximum": float(map_.values.max()), "blank": map_.blank, "signed": map_.signed}
        numbers["heatmaps"][name] = {**facts, "probability": map_.probability, "files": stem, "trust": trust}
        lines += [
            f"  {name}: {card.headline}",
            *(f"    {line.title} ({line.word}): {line.sentence}" for line in card.lines),
        ]
    target = folder / f"{path.stem}-{method}.json"
    target.write_text(json.dumps(numbers, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")
    return "\n".join([*lines, f"  Written to {target}"])


def _write_map(classifier: "Classifier", film: "Radiograph", map_: "Heatmap", top: float, stem: Path) -> None:
    """The raw map in the picture's frame, and the overlay in the film's own; ``top`` is the colour scale's end."""
    import numpy as np

    from core.report.overlay import Style, overlay, png

    np.save(stem.with_name(stem.name + ".npy"), map_.values)
    on_film = classifier.preprocess.to_film(map_.values, film.shape, classifier.lungs(film))
    image = overlay(film.pixels, on_film, Style(top=top if top > 0 else None))
    stem.with_name(stem.name + ".png").write_bytes(png(image))


def _plain(value: Any) -> Any:
    """JSON-ready: mappings as dicts, NaN as null."""
    if hasattr(value, "items"):
        return {key: _plain(item) for key, item in value.items()}
    return None if isinstance(value, float) and value != value else value
