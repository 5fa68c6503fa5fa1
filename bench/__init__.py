"""Every performance figure comes from here, side by side with its peer in the same run."""
