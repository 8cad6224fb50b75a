"""What `python -m benchmarks.bulk_throughput` measures of tedigan.bulk, a module a question."""
