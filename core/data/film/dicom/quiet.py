"""DICOM libraries warn of odd values by quoting them, and a value may be a person's name: none of it reaches a log."""

import logging
import warnings


def quiet(*libraries: str) -> None:
    """Silence these libraries' warnings for the whole process; what is wrong with a file is judged where it is used."""
    for library in libraries:
        warnings.filterwarnings("ignore", category=UserWarning, module=rf"{library}\.")
        logging.getLogger(library).setLevel(logging.ERROR)
