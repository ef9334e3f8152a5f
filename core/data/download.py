"""Fetch a public collection of real films. Nothing is fetched unless the reader asks for it by name."""

import shutil
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

from core.errors import CohortError

GITHUB = "https://github.com/ieee8023/covid-chestxray-dataset/archive/refs/heads/master.zip"
KAGGLE = {
    "radiography": "tawsifurrahman/covid19-radiography-database",
    "coronahack": "praveengovi/coronahack-chest-xraydataset",
}
COLLECTIONS = ("covid-chestxray", *KAGGLE)

Progress = Callable[[str, int, int], None]


def download(collection: str, folder: Path, progress: Progress = lambda *_: None) -> Path:
    """Fetch one of ``COLLECTIONS`` below ``folder`` and return where it lies; ``progress`` gets (what, bytes, total).

    Raises:
        CohortError: unknown name, no network, or, for the Kaggle collections, no ``kagglehub`` or no account.
    """
    if collection not in COLLECTIONS:
        raise CohortError(f'No collection is called "{collection}"', ", ".join(COLLECTIONS))
    return _from_github(folder, progress) if collection == "covid-chestxray" else _from_kaggle(collection)


def _from_github(folder: Path, progress: Progress) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / "covid-chestxray-dataset.zip.part"
    try:
        with urllib.request.urlopen(GITHUB, timeout=60) as answer, archive.open("wb") as file:
            total = int(answer.headers.get("Content-Length") or 0)
            while block := answer.read(1 << 20):
                file.write(block)
                progress("downloading", file.tell(), total or file.tell())
        with zipfile.ZipFile(archive) as zipped:  # extractall keeps members inside the folder
            root = zipped.namelist()[0].split("/")[0]
            zipped.extractall(folder)
    except (OSError, zipfile.BadZipFile) as error:
        reason = getattr(error, "reason", None) or error
        came = f"github.com could not be read ({reason})"
        raise CohortError(came, "a connection to the internet", "Connect, or download it in a browser") from error
    finally:
        archive.unlink(missing_ok=True)
    place = folder / "covid-chestxray-dataset"
    if place.exists():
        shutil.rmtree(place)
    return (folder / root).rename(place)


def _from_kaggle(collection: str) -> Path:
    page = f"https://www.kaggle.com/datasets/{KAGGLE[collection]}"
    try:
        import kagglehub  # type: ignore[import-not-found]
    except ImportError:
        remedy = f"Run pip install kagglehub, or download {page} in a browser and unpack it"
        raise CohortError("the package kagglehub is not installed", "it, for collections on Kaggle", remedy) from None
    try:
        return Path(kagglehub.dataset_download(KAGGLE[collection]))
    except Exception as error:  # kagglehub passes on whatever its HTTP library raises
        remedy = f"Connect and log in to Kaggle, or download {page} in a browser"
        raise CohortError(
            f"Kaggle did not send {collection}: {error}", "a connection and an account", remedy
        ) from error
