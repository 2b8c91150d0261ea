"""The same month's work by parkwatch and by what a user would pick (``bench.bench_peers``)."""
