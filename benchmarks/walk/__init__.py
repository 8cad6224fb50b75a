"""Parts of benchmarks/operations_walk.py."""
