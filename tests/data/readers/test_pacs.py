"""A search in a PACS as a cohort: lazily read, scored and audited like any other, and nothing of it on disk."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from core.data.audit import audit
from core.data.cohort import concatenate
from core.data.film.opener import read
from core.data.readers import open_cohort
from core.data.store import Store, in_memory
from core.errors import CohortError, FilmError, PacsAwayError
from core.training.films import prepare
from core.training.recipe import load
from tests.data.conftest import draw
from tests.data.dicomweb.films import NAME, NUMBER, film, uids
from tests.orthanc import Orthanc, needs_orthanc


@pytest.fixture
def search(orthanc: Orthanc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Six films, two of one patient, labels for five by UID or accession number."""
    for number in range(1, 7):
        orthanc.put(film(number, pixels=draw(number), PatientID=f"{NUMBER}-{max(number, 2)}"))
    rows = [f"{uids(1)[2]},,sick", f"{uids(2)[2]},,healthy", ",A3,sick", ",A4,healthy", ",A5,sick", ",A99,sick"]
    (tmp_path / "labels.csv").write_text("SOPInstanceUID,AccessionNumber,label\n" + "\n".join(rows))
    path = tmp_path / "ward.pacs.toml"
    path.write_text('labels = "labels.csv"\n[query]\nmodalities = ["DX"]\n')
    (tmp_path / "server.toml").write_text(f'url = "{orthanc.url}"\nname = "Ward"\nsecret = "s"\n')
    monkeypatch.setenv("HILUM_DICOMWEB", str(tmp_path / "server.toml"))
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path / "cache"))
    return path


@needs_orthanc
def test_films_of_a_search_are_a_cohort_that_is_read_when_asked(
    search: Path, orthanc: Orthanc, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = open_cohort(search)
    assert (found.name, found.layout, found.classes, len(found)) == ("ward", "pacs", ("healthy", "sick"), 5)
    assert set(found.samples["source"]) == {"Ward"}
    assert any("1 films of the search left out" in note for note in found.notes)
    assert any("1 labels name no film" in note for note in found.notes)
    assert found.samples["patient"].value_counts().tolist() == [2, 1, 1, 1]
    table = found.samples.to_csv()
    assert NAME not in table
    assert NUMBER not in table
    assert uids(1)[2] not in table
    again = pickle.loads(pickle.dumps(found))
    assert again.fingerprint == open_cohort(search).fingerprint
    drawn = {read(film(number, pixels=draw(number))).pixels.tobytes() for number in range(1, 6)}
    for i in range(len(found)):
        assert again.film(i).pixels.tobytes() in drawn
        assert again.film(i).name == found.samples["film_id"].iat[i].rsplit("/", 1)[-1]
    other = concatenate("both", [found, found.take([0])])
    np.testing.assert_array_equal(other.film(5).pixels, found.film(0).pixels)
    orthanc.empty()
    with pytest.raises(FilmError, match="knows no such film"):
        found.film(0)
    monkeypatch.setattr("core.data.dicomweb.client.PAUSE", 0.0)
    (search.parent / "server.toml").write_text('url = "http://127.0.0.1:9/"\n')
    with pytest.raises(PacsAwayError):
        open_cohort(search)


@needs_orthanc
def test_an_audit_leaves_nothing_on_disk(search: Path) -> None:
    made = audit(open_cohort(search))
    assert made.findings
    assert not list((search.parent / "cache").rglob("*.sqlite"))


@needs_orthanc
def test_training_would_keep_films_on_disk_and_is_refused(search: Path) -> None:
    with pytest.raises(CohortError, match="training keeps decoded films on disk"):
        prepare(open_cohort(search), load("phantom_honest"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("labels =", "is no TOML"),
        ("[query]\n", "names no labels"),
        ('labels = "labels.csv"\ncolour = "red"\n', "the setting colour"),
        ('labels = "labels.csv"\n[query]\ncolour = "red"\n', "the setting"),
        ('labels = "labels.csv"\n[query]\nsince = 20240101\n', "text in quotes"),
        ('labels = "no.csv"\n', "not a readable table"),
        ('labels = "other.csv"\n', "columns a, b"),
    ],
)
def test_a_file_that_cannot_be_understood_is_said(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("uid,label\n1.2,a\n")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    path = tmp_path / "x.pacs.toml"
    path.write_text(text)
    with pytest.raises(CohortError, match=sentence):
        open_cohort(path)


def test_a_store_in_memory_forgets_and_touches_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path))
    with in_memory():
        Store("facts").write([("a", b"1")])
        assert Store("facts").read(["a", "b"]) == {"a": b"1"}
        assert Store("facts").known(["a", "b"]) == {"a"}
    assert Store("facts").read(["a"]) == {}
    with in_memory(False):
        Store("facts").write([("a", b"1")])
    assert Store("facts").read(["a"]) == {"a": b"1"}
