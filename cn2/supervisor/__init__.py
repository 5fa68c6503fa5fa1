"""One machine only: starts every process of a system, keeps it alive and shows it as a pod."""
