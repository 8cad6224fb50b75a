"""WHEN: the order of stages, as Prefect flows. No numbers, no paths, no tensors."""
