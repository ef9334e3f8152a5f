"""Names of version 0.1, which scripts and notebooks may still import: each leads to where its contents are now.

Nothing in the house imports by them. They warn, and go with version 0.3.
"""

import importlib
import sys
import warnings
from collections.abc import Callable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import ModuleType
from typing import Any

MOVED: dict[str, tuple[str, ...]] = {
    "core.data.radiograph": ("core.data.film.radiograph", "core.data.film.opener", "core.data.film.limits"),
    "core.data.phantom_cohort": ("core.data.phantom.cohort",),
    "core.data.layouts": ("core.data.readers",),
    "core.model.temperature": ("core.model.calibration",),
    "core.training.temperature": ("core.model.calibration",),
    "core.model.recipe": ("core.training.recipe",),
    "core.model.training": ("core.training.fit",),
    "core.model.finishing": ("core.training.finish",),
    "core.model.zoo": ("core.networks.zoo",),
    "core.model.lungs": ("core.lungs.segment",),
    "core.model.device": ("core.device",),
    "core.model.classifier_files": ("core.model.bulk.files",),
    "core.explain.whereabouts": ("core.explain.zones",),
    "core.report.document": ("core.report.documents.report",),
    "core.report.document_case": ("core.report.documents.case",),
    "core.report.document_html": ("core.report.documents.html",),
    "core.report.document_text": ("core.report.documents.text",),
}


def elsewhere(module: str, **names: str) -> Callable[[str], Any]:
    """The ``__getattr__`` of a module that has lost functions to others: name -> the module that has it now."""

    def found(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warnings.warn(f"{module}.{name} is {names[name]}.{name} now", DeprecationWarning, stacklevel=2)
        return getattr(importlib.import_module(names[name]), name)

    return found


class _Moved(MetaPathFinder, Loader):
    """Finds the old names, and makes a module that looks its attributes up in the new ones."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname in MOVED else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return ModuleType(spec.name, f"See {', '.join(MOVED[spec.name])}.")

    def exec_module(self, module: ModuleType) -> None:
        places = MOVED[module.__name__]
        warnings.warn(f"{module.__name__} is {places[0]} now", DeprecationWarning, stacklevel=2)

        def found(name: str) -> Any:
            for place in places:
                there = importlib.import_module(place)
                if hasattr(there, name):
                    return getattr(there, name)
            raise AttributeError(f"module {module.__name__} (now {', '.join(places)}) has no attribute {name!r}")

        module.__dict__["__getattr__"] = found


def install() -> None:
    """Let the old names be found, once."""
    if not any(isinstance(finder, _Moved) for finder in sys.meta_path):
        sys.meta_path.append(_Moved())
