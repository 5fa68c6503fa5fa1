"""Kubernetes' own controllers, for one machine: what a cluster's control plane would do."""
