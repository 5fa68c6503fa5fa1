"""Adapters that read actual state from the kernel and apply changes; none decides anything."""
