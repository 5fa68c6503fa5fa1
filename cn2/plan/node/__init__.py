"""What one node's datapath should hold, as pure functions from a snapshot.

`attachment` says what a pod's interfaces must be before they are plugged; `rows` turns plugged
ports into datapath rows. Plans are keyed: the whole is the sum over the keys.
"""
