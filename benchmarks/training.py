"""`python -m benchmarks.training`: images/s of our training loop beside the usual tutorial's, on the same films.

The tutorial opens each film with PIL, transforms it alone and trains in float32; ours decodes once, augments while the
network learns, and uses bf16 and channels-last where the processor has them. Both train ResNet-18 on 224-px films in
batches of 32 with the same augmentations; the loops take turns, and each reports its best epoch.
"""

import argparse
import os
import tempfile
import time

import torch
import torchvision
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from core import device as devices
from core.data.cohort import Cohort
from core.data.readers import data_root, open_cohort
from core.training.fit import fit
from core.training.recipe import Recipe
from core.training.run import begin
from core.training.settings import NetworkConfig, SplitConfig, TrainingConfig
from core.transform.augment import Step


class TutorialFilms(Dataset):
    """One film at a time, as the tutorials do it."""

    transform = v2.Compose(
        [
            v2.Resize((224, 224)),
            v2.RandomRotation(8),
            v2.ColorJitter(brightness=0.2),
            v2.ToImage(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )

    def __init__(self, cohort: Cohort) -> None:
        self.paths, self.labels = list(cohort.samples["path"]), cohort.labels()

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        with Image.open(self.paths[i]) as film:
            return self.transform(film.convert("RGB")), int(self.labels[i])


def recipe_for(classes: tuple[str, ...], epochs: int) -> Recipe:
    """What both loops do."""
    return Recipe(
        name="benchmark",
        title="Benchmark",
        classes=classes,
        labels={name: name for name in classes},
        network=NetworkConfig("resnet18"),
        augment=(Step("rotate", {"angle": (-8, 8)}), Step("brightness", {"factor": (0.8, 1.2)})),
        split=SplitConfig(validation=0.05, test=0.05),
        training=TrainingConfig(epochs=epochs, batch=32),
    )


def tutorial(cohort: Cohort, workers: int) -> float:
    """One epoch of the tutorial's loop, in images/s."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = torchvision.models.resnet18(num_classes=len(cohort.classes)).to(device)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    began = time.perf_counter()
    for images, labels in DataLoader(TutorialFilms(cohort), batch_size=32, shuffle=True, num_workers=workers):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(model(images.to(device)), labels.to(device))
        loss.backward()
        optimiser.step()
    loss.item()  # waits for the device
    return len(cohort) / (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default=str(data_root() / "COVID-19_Radiography_Dataset"), help="a cohort")
    parser.add_argument("--films", type=int, default=400, help="films of the cohort to use")
    parser.add_argument("--rounds", type=int, default=2, help="epochs of each loop")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="the tutorial's loader processes")
    args = parser.parse_args()
    whole = open_cohort(args.data)
    cohort = whole.take(whole.samples.sample(min(args.films, len(whole)), random_state=0).index.to_numpy())
    counts = cohort.samples["label"].value_counts()
    frequent = sorted(counts[counts >= 0.1 * len(cohort)].index)  # each split needs a film of each class
    cohort = cohort.relabel({name: name for name in frequent}, frequent)
    recipe = recipe_for(cohort.classes, args.rounds)
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        run = begin(cohort, recipe, folder)
        training = run.divided.split("train")
        for epoch in fit(run):
            ours.append(epoch.images_per_second)
            theirs.append(tutorial(training, args.workers))
    print(f"{len(training)} films of {whole.name}, ResNet-18, batch 32, {devices.describe(devices.pick())}")
    print(f"tutorial loop (PIL per film, float32)   {max(theirs):7.1f} images/s")
    print(f"python -m core train                    {max(ours):7.1f} images/s")
    print(f"ratio                                   {max(ours) / max(theirs):7.2f}")


if __name__ == "__main__":
    main()
