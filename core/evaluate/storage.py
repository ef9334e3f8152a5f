"""An evaluation on disk: ``evaluation.parquet`` beside a checkpoint, one row for each film."""

from pathlib import Path

import numpy as np
import pandas as pd

from core.atomic import replacing
from core.data.patients import per_kind
from core.errors import EvaluationError
from core.evaluate.evaluation import Evaluation
from core.evaluate.operating import ARGMAX, OperatingPoint


def to_parquet(evaluation: Evaluation, path: Path) -> None:
    """Write ``evaluation.parquet``: the samples, label, ``p_<class>`` and, if known, ``logit_<class>``."""
    table = evaluation.samples.assign(label=[evaluation.classes[i] for i in evaluation.labels])
    for prefix, values in (("p", evaluation.probabilities), ("logit", evaluation.logits)):
        if values is not None:
            columns = {f"{prefix}_{name}": values[:, i] for i, name in enumerate(evaluation.classes)}
            table = table.assign(**columns)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        table.to_parquet(temporary, index=False)


def table_of(path: Path) -> pd.DataFrame:
    """The table of an ``evaluation.parquet``, whichever kind of output it is of.

    Raises:
        EvaluationError: no such file, or a damaged one.
    """
    if not path.is_file():
        remedy = "Run python -m core evaluate CHECKPOINT --data PATH to make one"
        raise EvaluationError(f"there is no {path.name} in {path.parent.name}", remedy=remedy)
    try:
        read = pd.read_parquet(path)
    except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors
        came = f"{path.name} in {path.parent.name} cannot be read"
        raise EvaluationError(came, "a whole Parquet file", "Copy it again, or evaluate the checkpoint anew") from error
    return per_kind(read)  # Kermany's children were kept by their number alone before


def from_parquet(path: Path, name: str = "", point: OperatingPoint = ARGMAX) -> Evaluation:
    """Read what `to_parquet` wrote; ``point`` is how the model calls a film, which its card knows (`met.stored`).

    Raises:
        EvaluationError: no such file, a damaged one, or a table without labels and probabilities.
    """
    path = Path(path)
    table = table_of(path)
    classes = tuple(column[2:] for column in table.columns.astype(str) if column.startswith("p_"))
    if not classes or "label" not in table or not set(table["label"]) <= set(classes):
        raise EvaluationError(
            f"{path.name} lacks labels or probabilities", "columns label and p_<class> for every class"
        )
    values = {
        prefix: table[[f"{prefix}_{c}" for c in classes]].to_numpy(np.float64)
        for prefix in ("p", "logit")
        if f"{prefix}_{classes[0]}" in table
    }
    samples = table.drop(columns=[f"{prefix}_{c}" for prefix in values for c in classes])
    labels = table["label"].map(classes.index).to_numpy(np.int64)
    return Evaluation(classes, labels, values["p"], samples, values.get("logit"), name or path.parent.name, point)
