"""`python -m core explain CHECKPOINT FILE...` or `--cohort PATH`: where a model looked, and whether to believe it."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.atomic import replacing, write_whole
from core.cli import cohorts, engines, exports
from core.errors import ExplainError, FilmError

if TYPE_CHECKING:
    from core.examine.examined import Examined
    from core.explain.heatmap import Heatmap


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's arguments."""
    about = (
        "Heatmaps of films, each with its trust card: for each class an overlay (.png) and the raw map (.npy), and a "
        ".json of every number. With --cohort, a table of a whole cohort instead; a killed run goes on."
    )
    command = subparsers.add_parser("explain", help="show where a model looked", description=about)
    command.add_argument("checkpoint", help="a name from weights/, or a folder")
    command.add_argument("files", nargs="*", type=Path, metavar="FILE", help="films")
    command.add_argument(
        "--method",
        default="",
        help="of the heatmap, or several: gradcam,layercam (default: gradcam; of a black box occlusion)",
    )
    command.add_argument("--class", dest="class_name", default="top", help="a class's name, all, or top (the default)")
    command.add_argument("--layer", help="a stage of the network (default: its last)")
    command.add_argument("--out", type=Path, help="folder of the results (default: runs/explain-CHECKPOINT)")
    command.add_argument("--cohort", metavar="PATH", help="a cohort's folder or table, or phantom")
    command.add_argument("--split", help="of the cohort: train, validation or test, as the checkpoint met it")
    command.add_argument("--limit", type=int, metavar="N", help="at most N films of each class, drawn at random")
    help_ = "whose evidence in a cohort: of each film's own class, of the class called, or of every class"
    command.add_argument("--of", choices=("label", "predicted", "all"), default="label", help=help_)
    command.add_argument("--curves", action="store_true", help="deletion, insertion and ROAD as well (slow)")
    help_ = "run the randomisation check on two dozen films of the cohort and keep it in the checkpoint's card"
    command.add_argument("--randomisation", action="store_true", help=help_)
    cohorts.add(command)
    help_ = "measure the power of the occlusion test on the cohort for this model, and keep it in its card"
    command.add_argument("--power", action="store_true", help=help_)
    engines.add(command)
    exports.add(command)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Explain films, or score a cohort."""
    from core.data.film.opener import read
    from core.examine.examined import examine
    from core.explain.methods import borne
    from core.model.classifier import open_classifier

    if bool(args.files) == bool(args.cohort):
        raise ExplainError(
            "both films and --cohort were given" if args.files else "no film came", "files, or --cohort PATH"
        )
    classifier = open_classifier(args.checkpoint)
    methods = [borne(name.strip(), classifier.network).name for name in args.method.split(",")]
    folder = args.out or Path("runs") / f"explain-{classifier.card.name}"
    folder.mkdir(parents=True, exist_ok=True)
    if args.cohort:
        from core.cli.explain_cohort import run_cohort

        return run_cohort(classifier, methods, folder, args)
    status = 0
    for path in args.files:
        try:
            examined = examine(classifier, read(path))
            for method in methods:
                print(explain_film(examined, path.stem, method, args.class_name, args.layer, folder, args.names))
        except FilmError as error:
            print(f"explain: {error}", file=sys.stderr)
            status = 2
    return status


def explain_film(
    examined: "Examined",
    name: str,
    method: str,
    class_name: str,
    layer: str | None,
    folder: Path,
    names: bool = False,
) -> str:
    """Write the overlays, raw maps and numbers of one film; returns what to print.

    Args:
        name: what its files begin with if ``names``; its hash is added where another film's files have that name.
        names: whether files may be called as the film is; else by its hash.
    """
    from core.report.call import in_words
    from core.report.documents.numbers import as_json, numbers
    from core.report.outputs import free_stem, stems
    from core.report.spreadsheet import called as film_called

    said = examined.prediction
    chosen = {"top": [said.label], "all": list(said.classes)}.get(class_name, [class_name])
    maps = examined.heatmaps(method, chosen, layer)
    stem = free_stem(folder, film_called(name, examined.film.sha256, names), method, examined)
    files = {class_: known for class_, known in stems(stem, said.classes).items() if class_ in maps}
    called = ", ".join(f"{called} {said.by_class[called]:.3f}" for called in said.called) or said.answer
    answer = f"{in_words(said)}. {said.domain.sentence}" if said.refused else called
    lines = [f"{examined.film.name}: {answer}"]
    top = max(map_.top for map_ in maps.values())
    for class_, map_ in maps.items():
        _write_map(examined, map_, top, folder / files[class_])
        card = examined.trust(map_)
        lines += [
            f"  {class_}: {card.headline}",
            *(f"    {line.title} ({line.word}): {line.sentence}" for line in card.lines),
        ]
    target = folder / f"{stem}.json"
    write_whole(target, as_json(numbers(examined, maps, files, names)))  # last: it names the others
    return "\n".join([*lines, f"  Written to {target}"])


def _write_map(examined: "Examined", map_: "Heatmap", top: float, stem: Path) -> None:
    """The raw map in the picture's frame, and the overlay in the film's own; ``top`` is the colour scale's end."""
    import numpy as np

    from core.report.overlay import Style, overlay, png

    with replacing(stem.with_name(stem.name + ".npy")) as temporary, temporary.open("wb") as file:
        np.save(file, map_.values)
    image = overlay(examined.film.pixels, examined.on_film(map_.values), Style(top=top if top > 0 else None))
    write_whole(stem.with_name(stem.name + ".png"), png(image))
