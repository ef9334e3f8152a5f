"""A hypothesis of the hunter: a plain sentence, its evidence, its effect, five films."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from core.examine.concepts import Found
from core.explain.swap import CUES


@dataclass(frozen=True)
class Hypothesis:
    """What a model seems to go by that is no disease, tested on films.

    Args:
        class_name: whose probability it raises.
        cue: a key of `core.explain.swap.CUES`; "" for an attribute of the film, such as its source.
        subject: what it is, in words.
        effect: how much it raises the probability, -1 to 1, with its interval over patients.
        films: on how many it was measured.
        evidence: what else speaks for it, a sentence each.
        examples: films that show it most, as positions in the cohort.
        share: of the films onto which it was pasted, those called the class then; NaN for an attribute.
    """

    class_name: str
    cue: str
    subject: str
    effect: float
    low: float
    high: float
    films: int
    evidence: tuple[str, ...] = ()
    examples: tuple[int, ...] = ()
    share: float = float("nan")

    @property
    def numbers(self) -> list[int]:
        """The examples as the dashboard counts the films of a cohort, from 1; names may carry patients."""
        return [place + 1 for place in self.examples]

    @property
    def figure(self) -> str:
        """The effect with its interval."""
        return f"{self.effect:+.2f} [{self.low:.2f}, {self.high:.2f}]"

    @property
    def sentence(self) -> str:
        """What a reader should take from it."""
        if self.cue:
            return (
                f"{self.class_name} goes with {self.subject}: pasted from films called {self.class_name} onto "
                f"{self.films} others, it changes the probability of {self.class_name} by {self.figure} more than the "
                f"same from other films does, and {self.share:.0%} of them are called {self.class_name} then."
            )
        return (
            f"{self.class_name} goes with {self.subject}: on {self.films} films that have it, the probability of "
            f"{self.class_name} differs by {self.figure} from that on others of the same class."
        )


@dataclass(frozen=True)
class Hunt:
    """What was found in one model on one cohort.

    Args:
        model, cohort: their names.
        films: looked at.
        accuracy: mean recall of the classes on them, with its interval; ``chance`` is one over their number.
        hypotheses: the strongest first.
        leads: what was seen and is no hypothesis, a sentence each: no test confirms it, or disease can look like it.
        notes: what could not be told, and why.
        strongest: the largest effect that even its interval's lower end reaches, 0 to 1, hypothesis or not: how sure it
            is that the model goes by something it should not, or by what disease can look like.
        lung_share: mean part of the evidence (Grad-CAM of what is called) inside the lungs, 0 to 1; NaN where no film
            has both.
        offered: tests of the audit that the films fail: what they offer to go by.
        shunned: how far the upper end of a lung share lies below the lungs' area, at most, of the concepts that the
            model relies on and of its strategies; 0 where none does.
        doubted: what a test confirms and disease can look like; their sentences are among the leads.
        watched: concepts and strategies of each class that enough films are called.
    """

    model: str
    cohort: str
    films: int
    accuracy: float
    low: float
    high: float
    chance: float
    hypotheses: tuple[Hypothesis, ...] = ()
    leads: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    strongest: float = 0.0
    lung_share: float = float("nan")
    offered: int = 0
    shunned: float = 0.0
    doubted: tuple[Hypothesis, ...] = ()
    watched: Mapping[str, Found] = field(default_factory=dict, repr=False)

    @property
    def learned_nothing(self) -> bool:
        """Whether its answers on these films are no better than chance."""
        return not self.low > self.chance

    @property
    def sentence(self) -> str:
        """The outcome in a sentence; what the hypotheses say, they say themselves."""
        right = f"right in {self.accuracy:.2f} [{self.low:.2f}, {self.high:.2f}] where chance gives {self.chance:.2f}"
        if self.learned_nothing:
            return f"This model has learned nothing to hunt: on these {self.films} films it is {right}."
        if not self.hypotheses:
            cues = f"{len(CUES)} cues, source, view, sex and age"
            return f"Nothing was found that the answers go by ({cues}; {self.films} films, {right})."
        count = len(self.hypotheses)
        few = "1 hypothesis" if count == 1 else f"{count} hypotheses"
        return f"{few} on {self.films} films ({right})."

    def to_dict(self) -> dict[str, Any]:
        """Plain types, ready for JSON; what is not a number, ``doubted`` and ``watched`` are left out."""
        plain = asdict(replace(self, doubted=(), watched={})) | {
            "learned_nothing": self.learned_nothing,
            "sentence": self.sentence,
        }
        rows = zip(plain["hypotheses"], self.hypotheses, strict=True)
        told = [{k: v for k, v in row.items() if v == v} | {"sentence": one.sentence} for row, one in rows]
        return {k: v for k, v in plain.items() if v == v and k not in ("doubted", "watched")} | {"hypotheses": told}
