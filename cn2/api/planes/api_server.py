"""ApiServer (configplane.juniper.net)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.planes.common import TEXT, fields, plane_kind

API_SERVER = plane_kind(
    "configplane.juniper.net",
    "ApiServer",
    "apiservers",
    "ApiServer is the aggregated API server of the system.",
    {
        "autonomousSystem": s.integer("AS number that GlobalSystemConfig begins with."),
        "enableFourByteAs": s.boolean("AS numbers may have four octets."),
        "enableSNAT": s.boolean("Networks have source NAT to the underlay by default."),
        "etcdServers": s.strings("Addresses of etcd."),
        "listenerPort": s.integer("Port to listen on."),
        **fields(TEXT, "apiMetricsBindAddress defaultNamespace managerMetricsBindAddress"),
        **fields(TEXT, "etcdCAFile etcdCertFile etcdKeyFile etcdSecret"),
    },
    {"platform": s.string("What the system runs on.")},
)
