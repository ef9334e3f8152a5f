"""The one vocabulary of labels: how each is spelled, what it means, and which more general label holds it.

A cohort keeps the words it came with; only look-alikes ("Normal ", "NORMAL") become one. What a word means to a model
is asked here, once, when films meet its classes: `resolve`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from core.errors import CohortError

NOT_COVID = "Not COVID-19"


@dataclass(frozen=True)
class Term:
    """One label of chest films."""

    name: str
    """As people write it."""
    meaning: str
    """One sentence."""
    synonyms: tuple[str, ...] = ()
    """Other words for it; case, blanks, hyphens and underscores do not count."""
    holder: str = ""
    """The more general label that holds it."""


VOCABULARY: tuple[Term, ...] = (
    Term(NOT_COVID, "Any film without proof of COVID-19, healthy or not.", ("non", "non-covid", "noncovid",
         "non covid 19", "noncovid19", "covid negative", "no covid", "negative for covid-19")),
    Term("Normal", "No sign of disease in the lungs.", ("No Finding", "no findings", "healthy", "normals"), NOT_COVID),
    Term("COVID-19", "COVID-19, confirmed by a test of the patient.", ("covid", "covid19", "covid positive",
         "corona", "coronavirus", "sars-cov-2", "covid-19 pneumonia", "COVID-19, ARDS")),
    Term("Lung Opacity", "Part of a lung is whiter than it should be, whatever the cause.", ("opacity",
         "lung opacities"), NOT_COVID),
    Term("Pneumonia", "An infection of the lung; its cause is not said.", ("pnemonia", "pneumonias"), NOT_COVID),
    Term("Viral Pneumonia", "Pneumonia caused by a virus other than that of COVID-19.", ("viral", "virus",
         "virus pneumonia", "pneumonia viral", "pneumonia virus", "pneumoniavirus"), "Pneumonia"),
    Term("Bacterial Pneumonia", "Pneumonia caused by bacteria.", ("bacterial", "bacteria", "pneumonia bacteria",
         "pneumoniabacteria", "pneumonia bacterial"), "Pneumonia"),
    Term("Fungal Pneumonia", "Pneumonia caused by a fungus.", ("fungal", "pneumocystis"), "Pneumonia"),
    Term("Other Pneumonia", "Inflammation of the lung of another cause (lipoid, aspiration).", ("other pneumonias",
         "lipoid", "aspiration"), "Pneumonia"),
    Term("ARDS", "Acute respiratory distress syndrome: both lungs fail, from whatever cause.",
         ("acute respiratory distress syndrome",), "Other Pneumonia"),
    Term("SARS", "Pneumonia of the coronavirus of 2003.", ("sars-cov", "sars-cov-1"), "Viral Pneumonia"),
    Term("Streptococcus", "Pneumonia caused by streptococci.", ("strep",), "Bacterial Pneumonia"),
    Term("Tuberculosis", "An infection of the lung with Mycobacterium tuberculosis.", ("tb",), NOT_COVID),
    Term("Negative for Pneumonia", "Radiologists saw no opacity; it excludes no infection."),
    Term("Typical Appearance", "Opacities as COVID-19 often shows them: seen by radiologists, proven by no test."),
    Term("Indeterminate Appearance", "Opacities that may or may not be COVID-19."),
    Term("Atypical Appearance", "Opacities that speak for another cause than COVID-19; they exclude nothing."),
    Term("Atelectasis", "Part of a lung has lost its air and volume."),
    Term("Cardiomegaly", "The heart is wider than half of the chest.", ("enlarged heart", "cardiac enlargement")),
    Term("Pleural Effusion", "Fluid between lung and chest wall.", ("effusion", "pleural effusions")),
    Term("Infiltration", "A vague whitening of the lung, as reports call it.", ("infiltrate", "infiltrates")),
    Term("Mass", "A round shadow of more than 3 cm.", ("masses", "pulmonary mass")),
    Term("Nodule", "A round shadow of up to 3 cm.", ("nodules",)),
    Term("Nodule or Mass", "A round shadow of any size.", ("nodule/mass",)),
    Term("Pneumothorax", "Air between lung and chest wall."),
    Term("Consolidation", "Air spaces filled so that vessels cannot be seen through.", ("consolidations",)),
    Term("Edema", "Fluid in the lung, mostly from the heart.", ("oedema", "pulmonary edema", "pulmonary oedema")),
    Term("Emphysema", "Air spaces of the lung are destroyed and too wide."),
    Term("Fibrosis", "Scars in the lung.", ("pulmonary fibrosis",)),
    Term("Pleural Thickening", "The pleura is thicker than it should be.", ("pleural_thickening",)),
    Term("Hernia", "Part of the belly lies in the chest.", ("hiatal hernia", "diaphragmatic hernia")),
    Term("Enlarged Cardiomediastinum", "The middle of the chest is too wide.", ("enlarged cardiomediastinal",)),
    Term("Lung Lesion", "A nodule, mass or other circumscribed change of the lung."),
    Term("Pleural Other", "A change of the pleura other than fluid or air."),
    Term("Fracture", "A broken bone of the chest.", ("fractures",)),
    Term("Support Devices", "Tubes, lines, pacemakers and the like.", ("support device",)),
)  # fmt: skip
_BY_NAME = {term.name: term for term in VOCABULARY}
_NOTHING = ("", "na", "nan", "none", "null")  # after the stroke of "Pnemonia/NA"


def negative(classes: Iterable[str]) -> str | None:
    """The class that says that nothing is there ("Normal", "No Lung Opacity"); None where there is no such class."""
    healthy = ("Normal", "Negative for Pneumonia", NOT_COVID)
    for name in classes:
        found = term(name)
        if (found and found.name in healthy) or fold(name).startswith(("no ", "not ", "negative ")):
            return name
    return None


def meaning(label: str) -> str:
    """What a label says, in one sentence; "" for a word that is not in the vocabulary."""
    found = term(label)
    return found.meaning if found else ""


@lru_cache(maxsize=4096)  # labels come from outside
def term(label: str) -> Term | None:
    """The vocabulary's entry for a word, or None.

    Of two joined by a stroke the second counts, where it says anything ("Pnemonia/COVID-19" is COVID-19, "Pnemonia/NA"
    Pneumonia).
    """
    if found := _spellings().get(fold(label)):
        return found
    first, stroke, second = label.partition("/")
    if not stroke:
        return None
    return term(first) if second.strip().lower() in _NOTHING else term(second)


def fold(label: str) -> str:
    """What is left of a word when case, blanks, hyphens, underscores and commas do not count."""
    return re.sub(r"[\s_\-,]+", " ", label).strip().casefold()


def look_alikes(labels: Iterable[str] | Mapping[str, int]) -> dict[str, str]:
    """Each word -> the spelling to keep: the vocabulary's where it differs in case and blanks only, else the commonest.

    Words that mean the same but are spelled otherwise ("covid", "COVID-19") stay two.

    Args:
        labels: of films, or how many films each word has.
    """
    every = Counter(labels)
    counts: Counter[str] = Counter()
    for label, times in every.items():
        counts[" ".join(label.split())] += times
    groups: dict[str, list[str]] = {}
    for word in counts:
        groups.setdefault(_squeeze(word), []).append(word)
    known = {_squeeze(name): name for name in _BY_NAME}
    kept = {key: known.get(key) or max(words, key=lambda word: (counts[word], word)) for key, words in groups.items()}
    return {label: kept[_squeeze(label)] for label in every}


def resolve(labels: Iterable[str], mapping: Mapping[str, str], classes: Sequence[str]) -> dict[str, str]:
    """What the labels of a cohort are to a model: label -> class, for those that mean one of its classes.

    Args:
        labels: words of a cohort.
        mapping: a recipe's own table, label -> class. What it lists it means, in any spelling and by any synonym.
        classes: the model's. A more general label stands for those that it holds: "Viral Pneumonia" is Pneumonia to a
            model of Normal, Pneumonia and COVID-19. A table that repeats what this vocabulary says anyway ("Viral
            Pneumonia" = "Pneumonia") is a closed list: what it does not name is left out. One that names only what
            departs from the vocabulary is not; there "" stands for a label whose films are left out.
    """
    table = {name: name for name in classes} | {k: v for k, v in mapping.items() if v in classes}
    folded = _unambiguous((fold(key), name) for key, name in table.items())
    terms = _unambiguous((found.name, name) for key, name in table.items() if (found := term(key)))
    is_open, left_out = _is_open(table, classes), {_known_as(key) for key, name in mapping.items() if not name}
    known = {label for label in labels if _known_as(label) not in left_out}
    meant = {label: _class_of(label, table, folded, terms, is_open) for label in known}
    return {label: name for label, name in meant.items() if name}


def pairs(words: Sequence[str]) -> dict[str, str]:
    """``["0=Normal", "1=COVID-19"]`` of a command line as a mapping.

    Raises:
        CohortError: a word is not a pair.
    """
    found: dict[str, str] = {}
    for word in words:
        old, sign, new = word.partition("=")
        if not sign or not new.strip():
            raise CohortError(f'"{word}" came', "LABEL=NAME, the label as the cohort has it", "Say --labels 1=COVID-19")
        found[old.strip()] = new.strip()
    return found


def _class_of(
    label: str, table: Mapping[str, str], folded: Mapping[str, str], terms: Mapping[str, str], general: bool
) -> str:
    if direct := table.get(label) or folded.get(fold(label)):
        return direct
    entry = term(label)
    while entry:
        if entry.name in terms:
            return terms[entry.name]
        entry = _BY_NAME.get(entry.holder) if general else None
    return ""


def _known_as(label: str) -> str:
    """The vocabulary's name of a word, or what is left of it where it has none."""
    entry = term(label)
    return entry.name if entry else fold(label)


def _is_open(table: Mapping[str, str], classes: Sequence[str]) -> bool:
    """Whether a table names only what departs from the vocabulary: see `resolve`."""
    own = {name: name for name in classes}
    folded = _unambiguous((fold(name), name) for name in classes)
    terms = _unambiguous((found.name, name) for name in classes if (found := term(name)))
    departing = {key: name for key, name in table.items() if key not in own or name != key}
    return not any(_class_of(key, own, folded, terms, True) == name for key, name in departing.items())


def _unambiguous(found: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Key -> class for the keys that stand for one class only."""
    classes: dict[str, set[str]] = {}
    for key, name in found:
        classes.setdefault(key, set()).add(name)
    return {key: next(iter(names)) for key, names in classes.items() if len(names) == 1}


def _squeeze(label: str) -> str:
    return " ".join(label.split()).casefold()


@cache
def _spellings() -> dict[str, Term]:
    return {fold(word): entry for entry in VOCABULARY for word in (entry.name, *entry.synonyms)}
