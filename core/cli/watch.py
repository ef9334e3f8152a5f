"""`python -m core watch SERVER --model NAME --send sr,sc`: the shadow reader."""

import argparse
import os
import signal
from datetime import date, timedelta
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

from core.errors import PacsError

if TYPE_CHECKING:
    from core.data.film.radiograph import Radiograph
    from core.report.dicom.answer import Answer


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's arguments."""
    about = (
        "Looks for new frontal chest films in a PACS, answers each once and sends the answer back as DICOM objects of "
        "the film's study, for days. A ledger (SQLite) makes it safe to kill at any moment. Research only."
    )
    command = subparsers.add_parser("watch", help="answer a PACS' new films as they come", description=about)
    command.add_argument("server", metavar="SERVER", help="a DICOMweb address, or a TOML file (docs/pacs.md)")
    command.add_argument("--model", required=True, help="a name from weights/, or a folder")
    command.add_argument(
        "--send", default="sr,sc", metavar="KIND[,KIND]", help="of sr, sc, seg, regions (default: sr,sc)"
    )
    command.add_argument(
        "--method",
        default="",
        help="of the heatmap (default: gradcam; of a black box occlusion)",
    )
    command.add_argument("--days", type=int, default=2, help="studies of the last N days (default: 2; 0: of any date)")
    command.add_argument("--modality", default="DX,CR", help="default: DX,CR")
    command.add_argument("--poll", type=float, default=30.0, metavar="SECONDS", help="between searches (default: 30)")
    command.add_argument("--ledger", type=Path, help="SQLite file (default: runs/watch-MODEL.sqlite)")
    command.add_argument("--log", type=Path, help="what was sent, JSON lines (default: log of SERVER, or LEDGER.log)")
    command.add_argument("--metrics", type=Path, metavar="FILE", help="Prometheus text file")
    command.add_argument("--once", action="store_true", help="answer what is there, then end")
    command.add_argument("--dry-run", action="store_true", help="answer, send nothing, remember nothing")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Watch until it is told to stop."""
    try:
        import highdicom  # noqa: F401 - said before the model is loaded
    except ImportError as error:
        came = f"DICOM objects need {error.name}, which is not installed"
        raise PacsError(came, remedy="pip install -r requirements-pacs.txt") from None
    from core.data.dicomweb.client import Pacs
    from core.data.dicomweb.ledger import opened
    from core.data.dicomweb.query import Query
    from core.data.dicomweb.server import VARIABLE, configured
    from core.explain.methods import borne
    from core.model.classifier import open_classifier
    from core.report.dicom.from_examined import known_kinds
    from core.report.dicom.watching import Watch

    server = configured({**os.environ, VARIABLE: args.server})
    if server is None:
        raise PacsError("no server is named", "a DICOMweb address or a TOML file", "See docs/pacs.md")
    if not args.poll > 0 or args.days < 0:
        raise PacsError(f"--poll is {args.poll:g}, --days {args.days}", "more than 0 seconds, and no negative days")
    kinds, classifier = known_kinds(args.send), open_classifier(args.model)
    method = borne(args.method, classifier.network).name
    path = args.ledger or Path("runs") / f"watch-{classifier.card.name}.sqlite"
    log = args.log or (Path(server.log) if server.log else path.with_name(path.name + ".log"))

    def answer(film: "Radiograph") -> "Answer":
        from core.examine.examined import examine
        from core.report.dicom.from_examined import answer_of

        examined = examine(classifier, film)
        name = examined.prediction.label
        return answer_of(examined, examined.heatmaps(method, [name])[name])

    def query() -> Query:
        since = f"{date.today() - timedelta(days=args.days):%Y%m%d}" if args.days else ""
        return Query(since=since, modalities=tuple(args.modality.split(",")))

    owner = {"server": server.url, "model": classifier.checkpoint.weights, "objects": ",".join(sorted(kinds))}
    with opened(None if args.dry_run else path, owner) as ledger, stopping() as stop:
        watch = Watch(
            Pacs(server), ledger, answer, kinds, None if args.dry_run else log, args.poll, args.metrics, _say, stop
        )
        watch.run(query, args.once)
        if args.dry_run:
            for note in ledger.notes().values():
                print(note)
    return 0


class stopping:  # noqa: N801 - a context manager, used like one
    """An event that SIGTERM and SIGINT set: the film at hand is finished first."""

    def __enter__(self) -> Event:
        event = Event()
        self._before: dict[int, Any] = {}
        for number in (signal.SIGTERM, signal.SIGINT):
            self._before[number] = signal.signal(number, lambda *_: event.set())
        return event

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _say(line: str) -> None:
    print(line, flush=True)
