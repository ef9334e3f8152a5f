"""A file of rows as text: CSV with the separators and encodings that Excel writes in any country, TSV, Parquet."""

import csv
import re
from io import StringIO
from pathlib import Path

import pandas as pd

from core.data.table import words
from core.errors import CohortError

SUFFIXES = (".csv", ".tsv", ".parquet")
_SEPARATORS = (",", ";", "\t", "|")
_JAPANESE = re.compile(r"[\u3040-\u30ff]|[\u3400-\u9fff]{2}")  # kana, or two kanji side by side


def read(path: Path) -> pd.DataFrame:
    """Every cell as text without blanks at its ends, "" where there is none; heads without blanks at their ends.

    Raises:
        CohortError: no such table, or rows of different lengths.
    """
    try:
        if path.suffix.lower() == ".parquet":
            data = pd.read_parquet(path)
            data = pd.DataFrame({str(name): words(data[name]) for name in data})
        else:
            data = _text(decode(path.read_bytes()))
    except Exception as error:
        came = f'"{path.name}" is not a readable table ({str(error)[:120]})'
        raise CohortError(came, "a CSV or Parquet file", "Save it again as CSV UTF-8") from error
    data.columns = [str(name).strip() for name in data.columns]
    return data


def decode(data: bytes) -> str:
    """Text in UTF-8 or UTF-16, else as Windows writes it in Japan (cp932) or in Western Europe (cp1252).

    Short tables are too little for a statistical guess: Japanese shows itself by kana or by neighbouring kanji, while
    the accented letters of European words stand alone between plain ones.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    if b"\0" in data[:200]:  # UTF-16 without its mark
        return data.decode("utf-16-le" if data[1:2] == b"\0" else "utf-16-be")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        japanese = data.decode("cp932")
        if _JAPANESE.search(japanese):
            return japanese
    except UnicodeDecodeError:
        pass
    return data.decode("cp1252", errors="replace")


def _text(text: str) -> pd.DataFrame:
    told = re.match(r'"?sep=(.)"?\r?\n', text)  # Excel's own first line
    if told:
        text = text[told.end() :]
    separator = told[1] if told else _separator(text)
    rows = [row for row in csv.reader(StringIO(text, newline=""), delimiter=separator) if any(row)]
    if not rows:
        raise ValueError("it is empty")
    head, *body = rows
    if long := [n for n, row in enumerate(body, start=2) if any(row[len(head) :])]:
        raise ValueError(f"row {long[0]} has more cells than the head has names")
    cells = [[cell.strip() for cell in row[: len(head)]] + [""] * (len(head) - len(row)) for row in body]
    return pd.DataFrame(cells, columns=head, dtype=object)


def _separator(text: str) -> str:
    """The one that stands most often in the head, outside of quotes."""
    head = re.sub(r'"[^"]*"', "", text.partition("\n")[0])
    return max(_SEPARATORS, key=lambda sign: (head.count(sign), -_SEPARATORS.index(sign)))
