"""One vocabulary: spellings, synonyms, what each label means, and which labels open in which recipe."""

import pytest

from core.data.labels import VOCABULARY, look_alikes, meaning, negative, pairs, resolve, term
from core.errors import CohortError
from core.training.recipe import load, names

THREE = ("Normal", "Pneumonia", "COVID-19")
TWO = ("Not COVID-19", "COVID-19")


def test_look_alikes_become_one_and_other_words_stay() -> None:
    assert look_alikes(["Normal ", "NORMAL", "Normal", "covid", "COVID-19", "None", "ward  A", "Ward A", "Ward A"]) == {
        "Normal ": "Normal",
        "NORMAL": "Normal",
        "Normal": "Normal",
        "covid": "covid",
        "COVID-19": "COVID-19",
        "None": "None",
        "ward  A": "Ward A",
        "Ward A": "Ward A",
    }


@pytest.mark.parametrize(
    ("label", "three", "two"),
    [
        ("NORMAL", "Normal", "Not COVID-19"),
        ("PNEUMONIA", "Pneumonia", "Not COVID-19"),
        ("covid", "COVID-19", "COVID-19"),
        ("non", "", "Not COVID-19"),
        ("Pneumonia/NA", "Pneumonia", "Not COVID-19"),
        ("Pnemonia/NA", "Pneumonia", "Not COVID-19"),
        ("Pneumonia/COVID-19", "COVID-19", "COVID-19"),
        ("Normal/NA", "Normal", "Not COVID-19"),
        ("Pnemonia/SARS", "Pneumonia", "Not COVID-19"),
        ("Lung_Opacity", "", "Not COVID-19"),
        ("Viral Pneumonia", "Pneumonia", "Not COVID-19"),
        ("cat", "", ""),
    ],
)
def test_what_a_label_is_to_a_model(label: str, three: str, two: str) -> None:
    assert resolve([label], {}, THREE).get(label, "") == three
    assert resolve([label], {}, TWO).get(label, "") == two


def test_a_recipes_own_table_says_what_is_in() -> None:
    table = {"Normal": "Normal", "Viral Pneumonia": "Pneumonia", "Pnemonia/NA": "Pneumonia", "COVID-19": "COVID-19"}
    found = resolve(["normal", "PNEUMONIA", "viral", "Bacterial Pneumonia", "Pnemonia/ARDS", "COVID"], table, THREE)
    assert found == {"normal": "Normal", "PNEUMONIA": "Pneumonia", "viral": "Pneumonia", "COVID": "COVID-19"}
    assert resolve(["1", "0"], {"1": "COVID-19"}, TWO) == {"1": "COVID-19"}
    assert resolve(["A", "a "], {}, ("A", "B")) == {"A": "A", "a ": "A"}


def test_every_term_is_said_in_one_sentence_and_every_synonym_is_one_terms() -> None:
    for entry in VOCABULARY:
        assert entry.meaning.endswith(".")
        assert meaning(entry.name) == entry.meaning
        assert entry.holder in {"", *(other.name for other in VOCABULARY)}
        for word in entry.synonyms:
            assert term(word) is entry
    assert meaning("cat") == ""


OF_COVID = [name for name in names() if not name.startswith(("phantom", "opacity")) and load(name).output == "softmax"]
PUBLISHED = {
    "three folders": ("normal", "pneumonia", "COVID-19"),
    "covid and non": ("covid", "non"),
    "CoronaHack": ("Normal/NA", "Pnemonia/NA", "Pnemonia/COVID-19"),
    "CoronaHack, spelled": ("Normal/NA", "Pneumonia/NA", "Pneumonia/COVID-19"),
    "Radiography": ("COVID", "Normal", "Viral Pneumonia", "Lung_Opacity"),
    "Kermany": ("NORMAL", "PNEUMONIA"),
    "arXiv 2003.13145": ("COVID-19", "NORMAL", "Viral Pneumonia"),
}


@pytest.mark.parametrize("recipe", OF_COVID)
@pytest.mark.parametrize("system", PUBLISHED)
def test_published_folders_open_in_every_recipe(recipe: str, system: str) -> None:
    chosen = load(recipe)
    found = resolve(PUBLISHED[system], chosen.labels, chosen.classes)
    assert found, f"{system} opens in {recipe} with no label at all"
    for label in PUBLISHED[system]:
        if term(label) is term("COVID-19"):
            assert found[label] == "COVID-19"
        if term(label) is term("Normal"):
            assert found[label] in ("Normal", "Not COVID-19")


def test_pairs_of_the_command_line() -> None:
    assert pairs(["0=Normal", "a=b=c"]) == {"0": "Normal", "a": "b=c"}
    with pytest.raises(CohortError, match="LABEL=NAME"):
        pairs(["0"])


@pytest.mark.parametrize(
    ("classes", "found"),
    [
        (("Pneumonia", "Normal"), "Normal"),
        (("No Lung Opacity", "Lung Opacity"), "No Lung Opacity"),
        (("COVID-19", "Not COVID-19"), "Not COVID-19"),
        (("no findings", "Edema"), "no findings"),
        (("Nodule", "Effusion"), None),
    ],
)
def test_the_class_that_says_that_nothing_is_there(classes, found):
    assert negative(classes) == found


def test_a_table_names_what_departs_from_the_vocabulary() -> None:
    classes = ("Normal", "Pneumonia", "COVID-19")
    words = ["Viral Pneumonia", "Fungal Pneumonia", "pneumocystis", "ARDS", "Lung Opacity", "No Finding", "Hernia"]
    usual = resolve(words, {}, classes)
    held = ("Viral Pneumonia", "Fungal Pneumonia", "pneumocystis", "ARDS")
    assert usual == {"No Finding": "Normal", **dict.fromkeys(held, "Pneumonia")}
    assert resolve(words, {"Lung Opacity": "Pneumonia"}, classes) == usual | {"Lung Opacity": "Pneumonia"}
    left_out = {"Fungal Pneumonia": "", "ARDS": ""}
    assert resolve(words, left_out, classes) == {"No Finding": "Normal", "Viral Pneumonia": "Pneumonia"}


def test_a_table_that_repeats_the_vocabulary_is_a_closed_list() -> None:
    """As recipes and cards were written before: what they do not name stays left out."""
    closed = {"Normal": "Normal", "Viral Pneumonia": "Pneumonia", "COVID-19": "COVID-19"}
    words = ["viral", "ARDS", "healthy", "Lung Opacity"]
    found = resolve(words, closed, ("Normal", "Pneumonia", "COVID-19"))
    assert found == {"viral": "Pneumonia", "healthy": "Normal"}


def repeated(mapping: dict[str, str], classes: tuple[str, ...]) -> list[str]:
    """The lines of a recipe's table that change nothing, or repeat the vocabulary."""
    if closed := [line for line in mapping if mapping[line] == resolve([line], {}, classes).get(line)]:
        return closed
    words = [word for entry in VOCABULARY for word in (entry.name, *entry.synonyms)] + list(mapping)
    whole = resolve(words, mapping, classes)
    return [
        line for line in mapping if resolve(words, {k: v for k, v in mapping.items() if k != line}, classes) == whole
    ]


def test_no_recipe_repeats_what_the_vocabulary_says() -> None:
    chosen = [load(name) for name in names()]
    tables = {one.name: one for one in chosen if set(one.labels.items()) != {(c, c) for c in one.classes}}
    assert len(tables) > 10
    of_classes = {name: one for name, one in tables.items() if one.output == "softmax"}
    assert {name: found for name, one in of_classes.items() if (found := repeated(dict(one.labels), one.classes))} == {}
    assert repeated({"viral": "Pneumonia", "ARDS": ""}, ("Normal", "Pneumonia")) == ["viral"]
    assert repeated({"COVID-19": "", "ARDS": ""}, ("Normal", "Pneumonia")) == ["COVID-19"]
