"""The key of a result: one ingredient changed is another key, none changed is the same."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core import identity
from core.model.checkpoint import Checkpoint, load, save
from core.model.classifier import Classifier
from core.model.output import Softmax
from core.transform.preprocess import Preprocess
from tests.explain.toys import classifier

BASE = {
    "weights": "ab",
    "film": "cd",
    "method": "gradcam",
    "options": {"signed": False, "steps": 8},
    "layers": ["a", "b"],
}


def test_the_same_ingredients_in_another_order_are_one_key() -> None:
    turned = dict(reversed(BASE.items())) | {"options": {"steps": 8, "signed": False}}
    assert identity.key("map", **BASE) == identity.key("map", **turned)
    assert len(identity.key("map", **BASE)) == 64


@pytest.mark.parametrize(
    "other",
    [
        {"weights": "ac"},
        {"film": "ce"},
        {"method": "hirescam"},
        {"options": {"signed": True, "steps": 8}},
        {"options": {"signed": False, "steps": 8.0}},
        {"options": {"signed": 0, "steps": 8}},
        {"layers": ["b", "a"]},
        {"layers": "a, b"},
        {"layers": None},
    ],
)
def test_any_other_ingredient_is_another_key(other: dict) -> None:
    assert identity.key("map", **BASE | other) != identity.key("map", **BASE)


def test_kinds_and_code_never_share_a_key() -> None:
    assert identity.key("map", **BASE) != identity.key("trust", **BASE)
    assert identity.key("map", code=["lungs/segment.py"], **BASE) != identity.key("map", **BASE)


def test_arrays_count_by_content_shape_and_type() -> None:
    grey = np.arange(4, dtype=np.uint8)
    keys = {
        identity.key("x", picture=array)
        for array in (grey, grey.reshape(2, 2), grey.astype(np.int8), grey + 1, grey.tobytes())
    }
    assert len(keys) == 5
    assert identity.key("x", picture=grey) == identity.key("x", picture=grey.copy())
    assert identity.key("x", share=np.float64(0.5)) == identity.key("x", share=0.5)


def test_what_has_no_unmistakable_text_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        identity.key("x", what=object())


def test_code_of_a_room_is_that_of_its_files(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(identity, "HOUSE", tmp_path)
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "a.py").write_text("x = 1\n")
    versions = [identity.code_version.__wrapped__(("room",))]
    for name, text in (("a.py", "x = 1  # one\n"), ("a.py", "x = 2\n"), ("b.py", "y = 1\n")):
        (tmp_path / "room" / name).write_text(text)
        versions.append(identity.code_version.__wrapped__(("room",)))
    assert len(set(versions)) == 4
    (tmp_path / "room" / "b.py").unlink()
    assert identity.code_version.__wrapped__(("room",)) == versions[2]


def test_a_file_is_known_by_its_bytes_and_a_replaced_one_by_its_stamp(tmp_path) -> None:
    import hashlib

    path = tmp_path / "film"
    path.write_bytes(b"1")
    assert identity.of_file(path) == hashlib.sha256(b"1").hexdigest()
    before = identity.stamp(path)
    path.write_bytes(b"22")
    assert identity.stamp(path) != before
    assert identity.stamp(tmp_path / "none") == (-1, -1)


def test_a_classifier_is_its_weights_and_settings_and_not_its_name(tmp_path) -> None:
    toy = classifier()
    card = toy.card

    def key(**changes) -> str:
        return Classifier(Checkpoint(replace(card, **changes), toy.checkpoint.state)).key

    assert key(name="other", title="Other", metrics={"accuracy": 1.0}) == toy.key
    for changes in (
        {"temperature": 2.0},
        {"output": "sigmoid"},
        {"thresholds": dict.fromkeys(card.classes, 0.4)},
        {"preprocess": Preprocess(size=64, fit="pad")},
        {"classes": card.classes[::-1]},
    ):
        assert key(**changes) != toy.key
    assert classifier(seed=1).key != toy.key
    stored = load(save(toy.checkpoint, tmp_path / "copied"))
    assert Classifier(stored).key == toy.key
    assert stored.card.name == "copied"


def test_called_is_the_largest_multiple_of_its_operating_point() -> None:
    probabilities = np.array([[0.5, 0.4, 0.1], [0.1, 0.1, 0.8], [0.4, 0.4, 0.2]])
    first = Softmax(("A", "B", "C"), (0.5, 0.2, 0.9)).first
    assert first(probabilities).tolist() == [1, 2, 1]
    assert Softmax(("A", "B", "C"), (1 / 3,) * 3).first(probabilities).tolist() == [0, 2, 0]
    assert first(probabilities[0]) == 1


def test_stamps_of_a_few_files_are_asked_for_at_each_use(tmp_path: Path) -> None:
    file, stamps = tmp_path / "film.png", identity.Stamps()
    before = stamps.of(lambda: [file])
    file.write_bytes(b"a film")
    assert stamps.of(lambda: [file]) != before


def test_stamps_of_many_files_are_not_asked_for_at_each_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page asks at each run: a million files took seconds of each. A replaced one shows after a while."""
    now = 100.0
    monkeypatch.setattr(identity, "monotonic", lambda: now)

    def asked(path: object) -> tuple[int, int]:
        nonlocal now
        now += 0.001
        return 1, int(now)

    monkeypatch.setattr(identity, "stamp", asked)
    files, stamps = ["film.png"] * (identity.FEW + 1), identity.Stamps()
    before = stamps.of(lambda: files)
    now += 15
    assert stamps.of(lambda: files) == before
    assert pickle.loads(pickle.dumps(stamps)).of(lambda: files) != before
    now += 10
    assert stamps.of(lambda: files) != before
