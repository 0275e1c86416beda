"""What the benchmark scripts share: workloads and goals, whole jobs in every framework, and the files of results."""
