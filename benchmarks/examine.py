"""How often each way of asking reads a film, looks for its lungs and shows it to the network.

``python -m benchmarks.examine [--model honest] [--films 4]``. Every picture that reaches a network passes
`Classifier.tensor` or `Classifier.predict_pictures` (those of the occlusion bank do not, and are not counted), every
film `opener.read` or, uploaded, `opener.read_with_values`, every search for lungs `LungFinder.find_together`: these are
counted. A decode is that of the film in question; a page also decodes what stands beside it (thumbnails, embeddings),
which is not counted.
"""

import argparse
import contextlib
import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from streamlit.testing.v1 import AppTest

from core.cli import main as command
from core.data.film import opener
from core.data.phantom.cohort import cohort
from core.lungs.segment import LungFinder
from core.model.classifier import Classifier

REPOSITORY = Path(__file__).resolve().parents[1]
SPEC = "phantom:fair"
UPLOADED = "own.png"
HEADS = ("", "decodes", "lung passes", "predictions", "pictures in all")


@dataclass
class Counts:
    """What was done, in films and pictures."""

    decodes: int = 0
    lungs: int = 0
    predictions: int = 0
    pictures: int = 0
    names: set[str] = field(default_factory=set)  # of the films that count


@contextmanager
def counting(names: set[str]) -> Iterator[Counts]:
    """Counts while it is open, decodes of these files only."""
    counts = Counts(names=names)

    def wrap(real: Callable[..., Any], count: Callable[..., None]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            count(*args, **kwargs)
            return real(*args, **kwargs)

        return wrapped

    def decoded(source: Any, name: str = "", *_: Any, **__: Any) -> None:
        counts.decodes += (name or Path(str(source)).name) in counts.names

    def searched(_: LungFinder, films: Any) -> None:
        counts.lungs += len(films)

    def predicted(_: Classifier, seen: Any) -> None:
        counts.predictions += len(seen)

    def shown(_: Classifier, pictures: Any) -> None:
        counts.pictures += len(pictures)

    with (
        patch.object(opener, "read", wrap(opener.read, decoded)),
        patch.object(opener, "read_with_values", wrap(opener.read_with_values, decoded)),
        patch.object(LungFinder, "find_together", wrap(LungFinder.find_together, searched)),
        patch.object(Classifier, "predict_with_maps", wrap(Classifier.predict_with_maps, predicted)),
        patch.object(Classifier, "tensor", wrap(Classifier.tensor, shown)),
        patch.object(Classifier, "predict_pictures", wrap(Classifier.predict_pictures, shown)),
    ):
        yield counts


def visit(page: str, model: str, row: int) -> AppTest:
    """A visitor opens a page by its link."""
    app = AppTest.from_file(REPOSITORY / "dashboard.py", default_timeout=600)
    app.query_params.update({"cohort": SPEC, "model": model, "case": str(row + 1)})
    app.switch_page(f"pages/case/{page}.py").run()
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]
    return app


def upload(model: str, film: Path) -> None:
    """A visitor sends a film of their own, and looks at both pages."""
    app = AppTest.from_file(REPOSITORY / "dashboard.py", default_timeout=600)
    app.query_params.update({"cohort": SPEC, "model": model, "case": "1"})  # has been looked at
    app.run()
    app.file_uploader[0].set_value([(UPLOADED, film.read_bytes(), "image/png")]).run()
    app.switch_page("pages/case/heatmaps.py").run()
    assert not app.exception, app.exception
    assert not app.error, [error.value for error in app.error]


def quietly(arguments: list[str]) -> None:
    """A command, without its output."""
    with contextlib.redirect_stdout(io.StringIO()):
        assert command(arguments) == 0


def measure(model: str, films: int) -> list[tuple[str, Counts, int]]:
    """Each way of asking: its name, what it took, of how many films."""
    drawn = cohort("fair")
    for row in (0, 20, 21, 22, 23):
        drawn.film(row)  # drawn once: drawing is not a decode
    paths = [Path(path) for path in drawn.samples["path"]]
    found = []
    with tempfile.TemporaryDirectory() as folder:
        visit("predict", model, 0)  # models, lung finder and embeddings are loaded

        def told(name: str, names: set[str], of: int, run: Callable[[], object]) -> None:
            with counting(names) as counts:
                run()
            found.append((name, counts, of))

        told("Live prediction, first visit", {paths[20].name}, 1, lambda: visit("predict", model, 20))
        told("then Heatmaps with its trust card", {paths[20].name}, 1, lambda: visit("heatmaps", model, 20))
        told("the same again, another visitor", {paths[20].name}, 1, lambda: visit("heatmaps", model, 20))
        told("Heatmaps, first visit", {paths[21].name}, 1, lambda: visit("heatmaps", model, 21))
        explain = ["explain", model, str(paths[22]), "--class", "all", "--out", folder]
        told("core explain FILE --class all", {paths[22].name}, 1, lambda: quietly(explain))
        told("uploaded: Live prediction, then Heatmaps", {UPLOADED}, 1, lambda: upload(model, paths[23]))
        several = ["explain", model, "--cohort", SPEC, "--limit", str(films), "--out", folder]
        names = {path.name for path in paths}
        told("core explain --cohort, each film", names, len(drawn.draw(films)), lambda: quietly(several))
    return found


def main() -> None:
    """Print the table, per film."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="honest", help="a name from weights/")
    parser.add_argument("--films", type=int, default=1, metavar="N", help="of each class in the cohort's run")
    args = parser.parse_args()
    print(f"| {' | '.join(HEADS)} |\n|{'---|' * len(HEADS)}")
    for name, counts, films in measure(args.model, args.films):
        figures = (counts.decodes, counts.lungs, counts.predictions, counts.pictures)
        print(f"| {name} | {' | '.join(f'{figure / films:g}' for figure in figures)} |")


if __name__ == "__main__":
    main()
