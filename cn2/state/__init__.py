"""The vocabulary of desired state: a row type per datapath table, and what differs from actual."""
