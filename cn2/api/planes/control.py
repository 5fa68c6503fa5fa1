"""Control (controlplane.juniper.net)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.planes.common import FLAG, NUMBER, TEXT, fields, plane_kind

_TEXTS = """
    autonomousSystem bgpConfigfile bgpPort configDBBearerToken configDBCAPath configDBUseCaCerts
    defaultNamespace hostIP hostname httpServerIP logCategory logFile logLevel logPropertyFile
    sandeshCaCert sandeshCertfile sandeshKeyfile statsCollector syslogFacility xmppCACert
    xmppServerCert xmppServerKey
"""
_FLAGS = """
    configDBUseK8s configDBUseSsl disableObjectLogs grHelperBGPDisable grHelperXMPPDisable
    introspectSslEnable introspectSslInsecure logDisable logLocal sandeshSslEnable
    tcpKeepaliveEnable useSyslog xmppAuthEnable
"""
_NUMBERS = """
    httpServerPort logFileSize logFilesCount sandeshSendRateLimit tcpHoldTime tcpKeepaliveIdleTime
    tcpKeepaliveInterval tcpKeepaliveProbes xmppPort
"""

CONTROL = plane_kind(
    "controlplane.juniper.net",
    "Control",
    "controls",
    "Control is the set of control nodes: the system's BGP speakers.",
    {
        **fields(s.strings(), "collectors configDBServerList"),
        **fields(TEXT, _TEXTS),
        **fields(FLAG, _FLAGS),
        **fields(NUMBER, _NUMBERS),
    },
    {"listenAddress": s.map_of(s.string(), "Address by node.")},
)
