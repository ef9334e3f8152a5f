"""The trust card: ``assess`` takes a classifier, a picture, a heatmap, lungs and truth, and returns ``Trust``."""

from core.explain.trust.bank import Bank, occlude
from core.explain.trust.card import Trust, assess
from core.explain.trust.lines import TrustLine, Verdict
from core.explain.trust.power import Power

__all__ = ["Bank", "Power", "Trust", "TrustLine", "Verdict", "assess", "occlude"]
