"""The workload controllers of kube-controller-manager, and its CronJobs."""
