"""Mathematics of the evaluation: the referee, feature networks, distances, text fidelity, scores."""
