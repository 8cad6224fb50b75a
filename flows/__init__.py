"""WHEN: the order of stages, as Prefect flows. No numbers, no paths, no tensors."""

from tedigan.extras import require

require("prefect", "dvc", "mlflow")
