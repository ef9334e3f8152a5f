"""Films -> batches -> rows, resumable, here or on a Ray cluster: the one path of predict, evaluate and explain."""
