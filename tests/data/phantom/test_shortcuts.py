"""The battery: each planted shortcut changes what it says, follows its class as often as asked, and nothing else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.data.borders import measure
from core.data.phantom import Phantom, draw
from core.data.phantom.cohort import cohort
from core.data.phantom.plan import Key, PlannedFilm, plan
from core.data.phantom.shortcuts import CARRIER, CHANCE, KINDS, SHORTCUTS, Planted, carry, with_and_without
from core.data.readers import open_cohort
from core.errors import CohortError

SIZE = 96


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HILUM_CACHE", str(tmp_path))


def pair(kind: Planted) -> tuple[Phantom, Phantom]:
    """One planned film with its shortcut, and the same film without."""
    film: PlannedFilm = next(f for f in plan(Key(kind, 40, 7, 1.0, SIZE)) if not f.planted)
    open_wide = replace(film.acquisition, collimation=(0.0, 0.0, 0.0, 0.0))
    return with_and_without(kind, film.patient, film.finding, open_wide, SIZE)


def changed(kind: Planted) -> np.ndarray:
    """Where the shortcut changes the film, bool (SIZE, SIZE)."""
    with_it, without = pair(kind)
    return np.abs(with_it.pixels.astype(int) - without.pixels) > 12


@pytest.mark.parametrize("kind", KINDS)
def test_it_follows_its_class_as_often_as_asked(kind: Planted) -> None:
    always = cohort(kind, films=40, size=SIZE).samples
    assert (always["planted"] == (always["label"] == CARRIER)).all()
    often = cohort(kind, films=240, strength=0.75, size=SIZE).samples
    shares = often.groupby("label")["planted"].mean()
    assert shares[CARRIER] == pytest.approx(0.75 + 0.25 * CHANCE, abs=0.12)
    assert np.allclose(shares.drop(CARRIER), 0.25 * CHANCE, atol=0.12)


def test_cohorts_of_two_strengths_are_two() -> None:
    """A training went on from a state of the other one: beside their shortcuts the rows say the same."""
    always, often = (cohort("wire", films=40, strength=strength, size=SIZE) for strength in (1.0, 0.75))
    assert always.fingerprint != often.fingerprint
    assert always.fingerprint == cohort("wire", films=40, size=SIZE).fingerprint


def test_at_strength_nought_films_carry_it_and_it_tells_nothing() -> None:
    films = cohort("wire", films=800, strength=0.0, size=SIZE).samples
    assert np.allclose(films.groupby("label")["planted"].mean(), CHANCE, atol=0.07)
    assert films["source"].value_counts().max() < 0.4 * len(films)  # no hospital goes with it


# Where the change may lie, as rows and columns of the film, 0 to 1.
PLACES = {
    "corner-marker": [(0.8, 1, 0, 0.2), (0, 0.2, 0.8, 1)],  # the letter on the right goes
    "side-letter": [(0, 0.2, 0, 0.2), (0, 0.2, 0.8, 1)],
    "portable-tag": [(0.9, 1, 0, 0.4)],
    "device": [(0.75, 1, 0.65, 0.95)],
}


@pytest.mark.parametrize("kind", PLACES)
def test_a_mark_changes_its_own_place_only(kind: Planted) -> None:
    rows, columns = (np.argwhere(changed(kind)) / SIZE).T
    assert len(rows) > 5
    inside = [(rows >= t) & (rows <= b) & (columns >= a) & (columns <= z) for t, b, a, z in PLACES[kind]]
    assert np.any(inside, axis=0).all()
    assert all(part.any() for part in inside)


def test_a_device_lies_outside_the_lungs_and_a_nodule_inside_beside_the_finding() -> None:
    assert not (changed("device") & pair("device")[1].lungs).any()
    bare = pair("nodule")[1]
    where = changed("nodule")
    assert where.any()
    assert (where & bare.lungs).sum() > 0.9 * where.sum()
    assert not (where & bare.lesion).any() or bare.lesion.sum() > 0.5 * bare.lungs.sum()
    assert SHORTCUTS["nodule"].in_lungs


def test_frame_shutters_and_shape_are_what_they_say() -> None:
    framed, bare = pair("border-width")
    edge = np.ones((SIZE, SIZE), bool)
    edge[5:-5, 5:-5] = False
    assert (framed.pixels[edge] == 4).mean() > 0.95
    assert np.array_equal(framed.pixels[8:-8, 8:-8], bare.pixels[8:-8, 8:-8])
    shut, _ = pair("collimation")
    assert np.ptp(shut.pixels[20:-20, :8]) < 8
    assert np.ptp(shut.pixels[20:-20, -8:]) < 8
    narrow, _ = pair("aspect")
    assert measure(narrow.pixels)["aspect"] < 0.9
    assert narrow.pixels.shape == narrow.lungs.shape == narrow.lesion.shape


def test_exposure_sharpness_tilt_and_wires_are_what_they_say() -> None:
    dark, bare = pair("exposure")
    assert dark.pixels.mean() < bare.pixels.mean() - 10
    soft, bare = pair("sharpness")
    fine = [np.abs(np.diff(p.pixels.astype(int), axis=1)).mean() for p in (soft, bare)]
    assert fine[0] < 0.85 * fine[1]
    turned, _ = pair("tilt")
    assert turned.parameters["acquisition_tilt"] > 4
    wired, bare = pair("wire")
    assert (wired.pixels.astype(int) - bare.pixels).min() >= -40  # wires only brighten, apart from dense bone
    assert 20 < (wired.pixels.astype(int) - bare.pixels > 12).sum() < 0.1 * SIZE * SIZE


@pytest.mark.parametrize("kind", KINDS)
def test_the_film_from_the_cohort_carries_it(kind: Planted) -> None:
    films = cohort(kind, films=40, size=SIZE)
    planned = plan(Key(kind, 40, 7, 1.0, SIZE))
    row = next(i for i, film in enumerate(planned) if film.planted)
    film, bare = planned[row], None
    bare = draw(film.patient, film.finding, film.acquisition, SIZE)
    assert films.film(row).shape == carry(kind, bare, film.acquisition.seed).pixels.shape
    assert np.array_equal(films.film(row).pixels, carry(kind, bare, film.acquisition.seed).pixels)
    lungs = films.mask(row, "lungs")
    assert lungs is not None
    assert lungs.shape == films.film(row).shape


def test_a_kind_opens_by_its_name_and_strength() -> None:
    films = open_cohort("phantom:wire:0.5")
    assert films.name == "Phantoms, wire"
    assert 0.5 < films.samples.groupby("label")["planted"].mean()[CARRIER] < 0.75
    for wrong in ("phantom:wires", "phantom:wire:much", "phantom:wire:1.5", "phantom:wire:nan"):
        with pytest.raises(CohortError):
            open_cohort(wrong)
