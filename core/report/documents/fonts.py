"""Letters for a PDF: DejaVu Sans, and for what it lacks (Chinese, Japanese, Korean, Hindi) Noto Sans where installed.

The built-in fonts of a PDF know Latin letters only. Noto's files are large, so of each only the letters that a document
needs are cut out, at the weight of text; they come with requirements-fonts.txt.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fpdf import FPDF

FAMILY = "sans"
NOTO = {  # family -> package, file: the first that has a letter writes it
    "noto-sc": ("justmytype_intl_cjk", "fonts/ofl/notosanssc/NotoSansSC[wght].ttf"),
    "noto-kr": ("justmytype_intl_cjk", "fonts/ofl/notosanskr/NotoSansKR[wght].ttf"),
    "noto-devanagari": ("fontpkg_noto_sans_devanagari", "files/NotoSansDevanagari[wdth,wght].ttf"),
}
WEIGHT = {"wght": 400.0}
_SPACE = set(" \n\t\u00a0\u200c\u200d")  # joiners shape what stands beside them and have no picture


def add(pdf: "FPDF", text: str, folder: Path) -> str:
    """Give a document the fonts for a text, as the family ``FAMILY``, and return the letters that none of them has.

    Args:
        text: all that will be written, in any order.
        folder: for the letters cut out; it has to stay until the document is written.
    """
    import matplotlib

    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for style, name in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
        pdf.add_font(FAMILY, style, fonts / name)
    missing = set(text) - _SPACE - _letters(fonts / "DejaVuSans.ttf")
    for family, (package, file) in NOTO.items():
        path = _path(package, file) if missing else None
        if path is None or not (found := missing & _letters(path)):
            continue
        pdf.add_font(family, "", _cut(path, text, folder / f"{family}.ttf"), variations=WEIGHT)
        missing -= found
    pdf.set_fallback_fonts([name for name in NOTO if name in pdf.fonts], exact_match=False)
    if "noto-devanagari" in pdf.fonts and find_spec("uharfbuzz"):
        pdf.set_text_shaping(True)  # vowel signs go where they belong
    return "".join(sorted(missing))


def _path(package: str, file: str) -> Path | None:
    """Where a font lies; None where its package is not installed."""
    found = find_spec(package)
    path = Path(found.origin).parent / file if found and found.origin else None
    return path if path and path.is_file() else None


def _letters(path: Path) -> set[str]:
    """What a font can write."""
    from fontTools.ttLib import TTFont

    with TTFont(path, lazy=True) as font:
        return set(map(chr, font.getBestCmap()))


def _cut(path: Path, text: str, target: Path) -> Path:
    """A font with the letters of a text only, written to ``target``."""
    from fontTools import subset

    options: Any = subset.Options()
    font = subset.load_font(str(path), options)
    cutter = subset.Subsetter(options)
    cutter.populate(text=text)
    cutter.subset(font)
    subset.save_font(font, str(target), options)
    return target
