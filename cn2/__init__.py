"""Kubernetes pods with several interfaces on isolated virtual networks."""

__version__ = "0.1.0"
