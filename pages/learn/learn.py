"""Learn: what a heatmap is and what it is not, in seven steps of a picture, a control and a question: ten minutes."""

from pages.learn import believe, look
from pages.shared import steps, widgets

STEP = "learn step"
STEPS = {
    1: ("Build one", look.build),
    2: ("What it cannot say", look.cannot_say),
    3: ("Hide", look.hiding),
    4: ("Destroy the weights", look.destroyed),
    5: ("Calibration", believe.calibration),
    6: ("Sets", believe.sets),
    7: ("Shortcuts", believe.shortcuts),
}

widgets.heading(
    "Learn", "Seven steps, about ten minutes, on drawn films: each a picture, something to move, and a question."
)
STEPS[steps.choose(STEP, [title for title, _ in STEPS.values()])][1]()
