"""One per node: serves the CNI plugin and keeps the node's datapath equal to what is wanted.

`cni` and `cni_result` are the CNI specification without IO; `cni_server` puts them on a socket;
`waiting` holds an ADD until its objects are there; `plugs` is the one worker that changes
interfaces; `records` is what survives a restart; `loop` turns watched objects into rows.
"""
