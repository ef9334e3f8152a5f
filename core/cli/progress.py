"""How long work shows itself in a terminal: a bar for what runs, and lines that stay."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

if TYPE_CHECKING:
    from core.training.fit import Epoch

_CONSOLE = Console(highlight=False)
_HEADER = "epoch   loss  accuracy   validation loss  accuracy   rate     seconds  images/s"


def say(text: str) -> None:
    """One line, with rich's markup."""
    _CONSOLE.print(text, soft_wrap=True)


class Speed(ProgressColumn):
    """How many are done in a second."""

    def render(self, task: Task) -> Text:
        """See rich."""
        return Text("" if task.speed is None else f"{task.speed:.1f}/s", style="progress.data.speed")


class Bars:
    """A bar for whatever runs now; call it with (what, done, total)."""

    def __init__(self) -> None:
        text = TextColumn("{task.description}", markup=False)  # names come from folders and cards
        columns = (text, BarColumn(), MofNCompleteColumn(), Speed(), TimeRemainingColumn())
        self.progress = Progress(*columns, console=_CONSOLE, transient=True)
        self.what, self.task, self.headed = "", TaskID(-1), False

    def __enter__(self) -> "Bars":
        self.progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.progress.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        if what != self.what:
            if self.what:
                self.progress.remove_task(self.task)
            self.what, self.task = what, self.progress.add_task(what, total=total)
        self.progress.update(self.task, completed=done, total=total)

    def line(self, text: str) -> None:
        """A line of the table of epochs; the first one comes with its heading."""
        if not self.headed:
            self.progress.console.print(_HEADER, style="dim")
            self.headed = True
        self.progress.console.print(text, soft_wrap=True)


def epoch_line(epoch: "Epoch") -> str:
    """One epoch as a line under the heading; the best so far is marked."""
    return (
        f"{epoch.epoch:5d} {epoch.train_loss:6.4f}  {epoch.train_accuracy:8.4f}   {epoch.validation_loss:15.4f}  "
        f"{epoch.validation_accuracy:8.4f}   {epoch.learning_rate:.1e}  {epoch.seconds:7.1f}  "
        f"{epoch.images_per_second:8.1f}{'  best' if epoch.best else ''}"
    )
