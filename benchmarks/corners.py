"""The figures of the Shortcut lab's fourth step: the two toy models on films whose corners are filled in.

python -m benchmarks.corners     writes weights/without_corners.json, each figure under the key of what made it
"""

import json

from core.atomic import write_whole
from core.explain.hide import SEAMLESS
from pages.shared import corners, resources, shipped


def main() -> None:
    """Measure both models and write the file."""
    cohort, fingerprint = resources.cohort(corners.HOME), resources.fingerprint(corners.HOME)
    found = {}
    for name in corners.MODELS:
        model = resources.classifier(name)
        accuracy, films = corners.measure(cohort, model)
        key = corners.shipped_key(fingerprint, model, SEAMLESS)
        found[key] = {"model": name, "cohort": corners.HOME, "fill": SEAMLESS, "accuracy": accuracy, "films": films}
        print(f"{name}: {accuracy:.4f} of {films} films")
    write_whole(shipped.CORNERS, json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
