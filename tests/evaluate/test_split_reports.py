"""Train and test side by side, with what the authors report."""

from dataclasses import replace

from sklearn.metrics import precision_recall_fscore_support

from core.evaluate.operating import at_points
from core.evaluate.split_reports import side_by_side
from tests.evaluate.drawn import CLASSES, evaluation

PUBLISHED = {"test": {"COVID-19": {"precision": 1.0, "recall": 0.98, "f1": 0.99, "support": 252}}}


def test_every_class_and_figure_of_both_splits() -> None:
    parts = {"train": evaluation(strength=3), "test": evaluation(films=120, seed=1), "validation": evaluation(seed=2)}
    skewed = at_points(dict(zip(CLASSES, (0.9, 0.1, 0.5), strict=True)))  # authors know nothing of it
    parts = {name: replace(part, point=skewed) for name, part in parts.items()}
    table = side_by_side(parts, PUBLISHED).set_index(["Class", "Figure"])
    assert list(table.columns) == ["train", "test", "test, published"]
    for split in ("train", "test"):
        part = parts[split]
        likeliest = part.probabilities.argmax(1)
        expected = precision_recall_fscore_support(part.labels, likeliest, labels=range(3))
        for column, name in enumerate(CLASSES):
            for figure, values in zip(("Precision", "Recall", "F1", "Films"), expected, strict=True):
                said = float(table.loc[(name, figure), split].split()[0].replace(",", ""))
                assert abs(said - values[column]) < 6e-4
    assert table.loc[("COVID-19", "F1"), "test, published"] == "0.99"
    assert table.loc[("Normal", "F1"), "test, published"] == ""
    assert "[" in table.loc[("all", "Accuracy"), "train"]


def test_without_training_films_or_publication_there_is_less() -> None:
    table = side_by_side({"test": evaluation()})
    assert list(table.columns) == ["Class", "Figure", "test"]
    for nonsense in ("all good", {"test": 5}, {"test": {"Normal": {"f1": "0.99"}}}):
        assert list(side_by_side({"test": evaluation()}, nonsense).columns) == ["Class", "Figure", "test"]
