"""The vocabulary of desired state: one row type per datapath table, and what differs from actual."""
