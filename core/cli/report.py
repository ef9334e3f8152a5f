"""`python -m core report CHECKPOINT FILE...`: one film on one page, as PDF and HTML, with every number as JSON."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import FilmError

if TYPE_CHECKING:
    from core.examine.examined import Examined
    from core.explain.heatmap import Heatmap


def add(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """The command's arguments."""
    about = (
        "What a model says of a film, where it looked and whether that deserves belief, on one page: .pdf, .html and a "
        ".json of every number. Files are named by the film's hash, as its name may be a person's."
    )
    command = subparsers.add_parser("report", help="one film on one page: PDF, HTML, JSON", description=about)
    command.add_argument("checkpoint", help="a name from weights/, or a folder")
    command.add_argument("files", nargs="+", type=Path, metavar="FILE", help="films")
    command.add_argument(
        "--method",
        default="",
        help="of the heatmap (default: gradcam; of a black box occlusion)",
    )
    command.add_argument("--class", dest="class_name", default="top", help="a class's name, or top (the default)")
    command.add_argument("--layer", help="a stage of the network (default: its last)")
    command.add_argument("--label", default="", help="what the film is known to show")
    command.add_argument(
        "--dicom",
        metavar="KIND[,KIND]",
        help="of a DICOM film also the answer as DICOM objects for its study: sc (overlay), sr (text), seg (bands), "
        "regions, or all; by name only: pdf (the report), and for archives full (TID 1500), gsps, fractional; nothing "
        "is sent anywhere",
    )
    command.add_argument("--out", type=Path, help="folder of the results (default: runs/report-CHECKPOINT)")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the three files of each film."""
    from core.data.film.opener import read
    from core.examine.examined import examine
    from core.explain.methods import borne
    from core.model.classifier import open_classifier

    classifier = open_classifier(args.checkpoint)
    method = borne(args.method, classifier.network).name
    folder = args.out or Path("runs") / f"report-{classifier.card.name}"
    folder.mkdir(parents=True, exist_ok=True)
    status = 0
    for path in args.files:
        try:
            examined = examine(classifier, read(path), args.label)
            stem = write(examined, method, args.class_name, args.layer, folder)
            print(f"{path.name}: {folder / stem}.pdf, .html, .json")
            if args.dicom:
                made = write_dicom(examined, path, stem, folder, method, args.class_name, args.layer, args.dicom)
                print(f"{path.name}: DICOM {', '.join(made) or 'nothing: this film has no evidence to show'}")
        except FilmError as error:
            print(f"report: {error}", file=sys.stderr)
            status = 2
    return status


def write(examined: "Examined", method: str, class_name: str, layer: str | None, folder: Path) -> str:
    """The three files about one heatmap of a film; returns their common stem."""
    from core.atomic import write_whole
    from core.report.documents.case import case_html, case_pdf, case_report
    from core.report.documents.numbers import as_json, numbers
    from core.report.outputs import free_stem, stems
    from core.report.spreadsheet import called

    map_ = _heatmap(examined, method, class_name, layer)
    name = map_.class_name
    report = case_report(examined, map_)
    kind = stems(method, examined.prediction.classes)[name]
    stem = free_stem(folder, called(examined.film.name, examined.film.sha256), kind, examined)
    told = numbers(examined, {name: map_})
    files: dict[str, str | bytes] = {"pdf": case_pdf(report), "html": case_html(report), "json": as_json(told)}
    for suffix, content in files.items():
        write_whole(folder / f"{stem}.{suffix}", content)
    return stem


def write_dicom(
    examined: "Examined",
    path: Path,
    stem: str,
    folder: Path,
    method: str,
    class_name: str,
    layer: str | None,
    kinds: str,
) -> list[str]:
    """The answer as DICOM objects beside the report; returns the files' names."""
    from core.atomic import replacing

    try:
        from core.report.dicom.from_examined import answer_of, header, known_kinds, objects
    except ImportError as error:
        came = f"DICOM objects need {error.name}, which is not installed"
        raise FilmError(came, remedy="pip install -r requirements-pacs.txt") from error

    if examined.film.format != "DICOM":
        came = f"{path.name} is a {examined.film.format} file"
        raise FilmError(came, "a DICOM film, whose study the objects can join", "Leave --dicom out for other files")
    answer = answer_of(examined, _heatmap(examined, method, class_name, layer))
    written = []
    for kind, made in objects(header(path.read_bytes(), path.name), answer, known_kinds(kinds)).items():
        target = folder / f"{stem}-{kind}.dcm"
        with replacing(target) as temporary:
            made.save_as(temporary, enforce_file_format=True)
        written.append(target.name)
    return written


def _heatmap(examined: "Examined", method: str, class_name: str, layer: str | None) -> "Heatmap":
    """The map of a class, or of the one called where ``top`` is asked for."""
    name = examined.prediction.label if class_name == "top" else class_name
    return examined.heatmaps(method, [name], layer)[name]
