"""What `python -m benchmarks.bulk_chaos` is made of."""
