"""One per node: serves the CNI plugin and keeps the node's datapath equal to what is wanted.

`cni` and `cni_result` are the CNI specification without IO; `cni_server` puts them on a socket;
`service` says what each command does; `plugs` changes ports, `records` and `datapath` together;
`kernel` and `vrouter` are what is done to the node; `watch` is what is seen of the API; `loop`
wires them.
"""
