"""The eBPF vRouter in the kernel: loading, tables, counters, samples."""
