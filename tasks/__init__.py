"""HOW OFTEN TO TRY: retries, tracking in MLflow, recording in DVC. No mathematics."""
