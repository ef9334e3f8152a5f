"""From a radiograph to a tensor, and what augmentation does on the way."""
