"""The addresses of services, and how they are claimed."""

from __future__ import annotations

SERVICE_BLOCK = "10.96.0.0/12"
"""Cluster IPs."""
SERVICE_POOL = "service-ip-pool"
"""An id is an address's offset in SERVICE_BLOCK."""
SERVICE_DYNAMIC_START = 256
"""Lower offsets are left to services that ask for an address (KEP-3070), such as 10.96.0.10."""
