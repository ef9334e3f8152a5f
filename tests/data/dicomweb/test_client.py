"""Search, retrieve, thumbnail and store against a real Orthanc."""

import logging
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import FileMetaDataset

from core.data.dicomweb.client import Pacs
from core.data.dicomweb.query import Query
from core.data.dicomweb.server import Server
from core.data.film.opener import read
from core.errors import PacsAwayError, PacsError
from tests.data.dicomweb.films import NAME, NUMBER, as_bytes, film, recoded, uids
from tests.orthanc import Orthanc, needs_orthanc, running

pytestmark = needs_orthanc

SYNTAXES = (
    "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.5",
)  # fmt: skip


def pacs(server: Orthanc, **settings: object) -> Pacs:
    return Pacs(Server(server.url, "The archive", **settings), sleep=lambda seconds: None)


def test_a_search_finds_films_and_nothing_else(orthanc: Orthanc) -> None:
    orthanc.put(film(1))
    orthanc.put(film(2, Modality="CR", ViewPosition="LL", SOPClassUID="1.2.840.10008.5.1.4.1.1.1"))
    orthanc.put(film(3, Modality="CT", SOPClassUID="1.2.840.10008.5.1.4.1.1.2"))
    orthanc.put(film(4, Manufacturer="Hilum", SOPClassUID="1.2.840.10008.5.1.4.1.1.7"))
    found = {one.uid: one for one in pacs(orthanc).search(Query())}
    assert set(found) == {uids(1)[2], uids(2)[2]}
    one = found[uids(1)[2]]
    assert (one.study, one.series) == uids(1)[:2]
    assert (one.date, one.modality, one.view, one.rows, one.columns) == ("20240215", "DX", "PA", 64, 64)
    assert (one.accession, one.patient_id, one.patient_name) == ("A1", "", "")
    assert [one.patient_id for one in pacs(orthanc, show_patient=True).search(Query(accession="A1"))] == [f"{NUMBER}-1"]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        (Query(since="20240301", until="20240331"), [2]),
        (Query(since="20240301"), [2, 3]),
        (Query(accession="A3"), [3]),
        (Query(patient=f"{NUMBER}-1"), [1]),
        (Query(view="AP"), [3]),
        (Query(body_part="KNEE"), []),
        (Query(study=uids(2)[0]), [2]),
        (Query(modalities=("CR",)), []),
    ],
)
def test_each_key_narrows_the_search(orthanc: Orthanc, query: Query, numbers: list[int]) -> None:
    for number in (1, 2, 3):
        orthanc.put(film(number, ViewPosition="AP" if number == 3 else "PA"))
    assert sorted(one.uid for one in pacs(orthanc).search(query)) == [uids(number)[2] for number in numbers]


def test_paging_over_500_films_loses_and_repeats_none(orthanc: Orthanc) -> None:
    pixels = np.zeros((16, 16), np.uint8)
    orthanc.put(*(film(number, pixels=pixels, PatientID="one") for number in range(500)))
    found = [one.uid for one in pacs(orthanc).search(Query())]
    assert len(found) == len(set(found)) == 500
    with pytest.raises(PacsError, match="ore than 300 objects match"):
        list(pacs(orthanc).search(Query(), most=300))


@pytest.mark.tool("dcmcjpeg", "dcmtk")
@pytest.mark.parametrize("syntax", SYNTAXES)
def test_a_film_comes_as_it_is_stored(orthanc: Orthanc, syntax: str, tmp_path: Path) -> None:
    sent = recoded(film(7), syntax, tmp_path)
    orthanc.put(sent)
    came = pacs(orthanc).retrieve(*uids(7))
    assert pydicom.dcmread(BytesIO(came), stop_before_pixels=True).file_meta.TransferSyntaxUID == syntax
    np.testing.assert_array_equal(read(came).pixels, read(sent).pixels)
    assert pacs(orthanc).retrieve(*uids(7)) == came


@pytest.mark.real
def test_real_films_come_back_as_they_went_in(orthanc: Orthanc, real_data: Path) -> None:
    for path in sorted(real_data.glob("dicom*/*.dcm")):
        orthanc.put(path.read_bytes())
    found = [one for name in ("DX", "CR", "RG", "RF") for one in pacs(orthanc).search(Query(modalities=(name,)))]
    assert len(found) >= 10
    for one in found:
        came = read(pacs(orthanc).retrieve(one.study, one.series, one.uid))
        assert came.source_shape == (one.rows, one.columns)


def test_a_thumbnail_is_small_and_grey(orthanc: Orthanc) -> None:
    orthanc.put(film(1, size=512))
    small = pacs(orthanc).thumbnail(*uids(1))
    assert small is not None
    assert max(read(small).shape) <= 160
    assert pacs(orthanc).thumbnail(*uids(2)) is None  # it is not there


def test_sending_twice_stores_once(orthanc: Orthanc) -> None:
    made = pydicom.dcmread(BytesIO(film(5)))
    for _ in range(2):
        assert pacs(orthanc).store([made]).kept == (uids(5)[2],)
    assert len(orthanc.rest("/instances")) == 1
    assert pacs(orthanc).exists(uids(5)[0], uids(5)[2])
    assert not pacs(orthanc).exists(uids(5)[0], uids(6)[2])


def test_what_was_never_a_file_is_stored_as_one(orthanc: Orthanc) -> None:
    whole = pydicom.dcmread(BytesIO(film(5)))
    made = pydicom.Dataset(whole)  # without a preamble, as objects are that are made in memory
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = whole.file_meta.TransferSyntaxUID
    pacs(orthanc).store([made])
    (one,) = orthanc.rest("/instances")
    stored = orthanc.rest(f"/instances/{one}/file")
    assert stored[128:132] == b"DICM"
    again = pydicom.dcmread(BytesIO(stored))
    assert (again.file_meta.MediaStorageSOPInstanceUID, again.PixelData) == (uids(5)[2], whole.PixelData)


def test_a_film_that_is_not_there_is_said(orthanc: Orthanc) -> None:
    with pytest.raises(PacsError, match="The archive knows no such film"):
        pacs(orthanc).retrieve(*uids(9))
    with pytest.raises(PacsError, match="no UID"):
        pacs(orthanc).retrieve("../../system", *uids(9)[1:])


def test_a_login_is_needed_where_one_is_asked_for(tmp_path: Path) -> None:
    with running(tmp_path, hilum="secret") as server:
        server.put(film(1))
        with pytest.raises(PacsError, match="asks for a login, or refuses ours"):
            list(pacs(server).search(Query()))
        with pytest.raises(PacsError, match="401"):
            list(pacs(server, user="hilum", password="wrong").search(Query()))
        assert len(list(pacs(server, user="hilum", password="secret").search(Query()))) == 1


def test_a_server_killed_between_pages_is_said_and_asked_again_when_it_is_back(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        server.put(*(film(number, pixels=np.zeros((16, 16), np.uint8), PatientID="one") for number in range(120)))
        search = pacs(server).search(Query())
        first = [next(search).uid for _ in range(50)]
        server.kill()
        with pytest.raises(PacsAwayError, match="The archive cannot be reached"):
            list(search)
        waited: list[float] = []

        def restart(seconds: float) -> None:
            waited.append(seconds)
            server.start()

        again = Pacs(Server(server.url, "The archive"), sleep=restart)
        assert {one.uid for one in again.search(Query())} >= set(first)
        assert waited == [0.5]


def test_no_identity_is_logged(orthanc: Orthanc, caplog: pytest.LogCaptureFixture) -> None:
    orthanc.put(film(1))
    with caplog.at_level(logging.DEBUG):
        archive = pacs(orthanc)
        list(archive.search(Query(patient=f"{NUMBER}-1")))
        archive.retrieve(*uids(1))
        archive.store([pydicom.dcmread(BytesIO(film(1)))])
        with pytest.raises(PacsError) as raised:
            archive.retrieve(*uids(2))
    assert NUMBER not in caplog.text
    assert NAME not in caplog.text
    assert uids(2)[2] not in str(raised.value)
    assert as_bytes(pydicom.dcmread(BytesIO(film(1)))) == film(1)
