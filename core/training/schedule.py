"""The learning rate as a pure function of the step, so that a resumed run needs no scheduler's state."""

import math
from dataclasses import dataclass

from core.training.settings import TrainingConfig

WARM_UP = 0.2  # share of a one-cycle run in which the learning rate rises
LOWEST = 0.04  # of the highest rate: the least of that rise


@dataclass(frozen=True)
class Steps:
    """Where one epoch lies in the schedule."""

    config: TrainingConfig
    films: int  # of the training split
    epoch: int  # 1-based

    def rate(self, step: int) -> float:
        """Learning rate of a step (0-based) of this epoch."""
        c, per_epoch = self.config, math.ceil(self.films / self.config.batch)
        done = ((self.epoch - 1) * per_epoch + step) / (c.epochs * per_epoch)  # 0 to 1
        if c.schedule == "stages":
            return c.stages[self.stage - 1].learning_rate
        if c.schedule == "cosine":
            return c.learning_rate * (1 + math.cos(math.pi * done)) / 2
        if c.schedule == "onecycle":
            if done < WARM_UP:
                return c.learning_rate * max(LOWEST, done / WARM_UP)
            return c.learning_rate * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP))) / 2
        return c.learning_rate

    @property
    def stage(self) -> int:
        """1-based stretch of the schedule."""
        end = 0
        for number, stage in enumerate(self.config.stages, start=1):
            end += stage.epochs
            if self.epoch <= end:
                return number
        return 1
