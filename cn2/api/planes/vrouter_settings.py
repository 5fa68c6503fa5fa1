"""Settings of the vRouter and its agent, as CN2's Vrouter has them (cn2-api.md chapter 6).

One field a line: name, type, and the default behind `=`. Types are str, bool, int and [str],
[int]. Numbers with a default have a minimum of 0. Spelling is CN2's, misprints included.
"""

from __future__ import annotations

AGENT: dict[str, str] = {
    "agentTestFramework": """
        ksocketDir str =/tmp
        mockDpdk bool
    """,
    "controlNode": """
        configDbUseK8s bool
        subclusterName str
    """,
    "crypt": """
        cryptInterface int
    """,
    "default": """
        aaaMode str
        agentBaseDirectory str =/var/lib/contrail
        agentMock bool
        agentMode str
        agentName str
        authMode str
        collectors [str]
        derivedStats [str]
        dhcpRelayMode bool
        flowCacheTimeout int =0
        gatewayMode str
        httpServerIp str =0.0.0.0
        httpServerPort int =8085
        logCategory str
        logFile str =/var/log/contrail/contrail-vrouter-agent.log
        logFileSize int
        logFilesCount int
        logFlow bool
        logLevel str =SYS_DEBUG
        logLocal bool
        logPropertyFile str
        measureQueueDelay bool
        minAapPrefixLen int
        mirrorClientPort int =8097
        mvpnIpv4Enable bool
        physicalInterfaceAddress str
        physicalInterfaceMac str
        pkt0TxBuffers int =1000
        platform str
        restPort int =9091
        sandeshSendRateLimit int =0
        simulateEvpnTor bool
        staleInterfaceCleanupTimeout int =60
        subnetHostsResolvable bool
        syslogFacility str =LOG_LOCAL0
        tsnServers [str]
        tunnelType str =MPLSoGRE
        useSyslog bool
        vmiVMVnUveInterval int =30
        vrObjectHighWatermark int =80
        vrouterGateway str
        xmppAuthEnable bool
        xmppCaCert str =/etc/contrail/ssl/certs/ca-cert.pem
        xmppDnsAuthEnable bool
        xmppServerCert str =/etc/contrail/ssl/certs/server.pem
        xmppServerKey str =/etc/contrail/ssl/private/server-privkey.pem
    """,
    "dns": """
        dnsClientPort int =8098
        dnsMaxRetries int =2
        dnsServers [str]
        dnsTimeout int =3000
    """,
    "flows": """
        fabricSnatHashTableSize int =4096
        flowsAddTokens int =50
        flowsDelTokens int =16
        flowsThreadCount int =1
        flowsUpdateTokens int =16
        hashExcludeRouterId bool
        indexSmLogCount int =0
        ksyncTokens int =25
        latencyLimit int =0
        maxAggSessionsPerEndpoint int =8
        maxEndpointsPerSessionMsg int =5
        maxSessionsPerAggregate int =100
        maxSystemLinklocalFlows int =2048
        maxVmFlows int =100
        maxVmLinklocalFlows int =2048
        traceEnable bool =true
    """,
    "hypervisor": """
        hypervisorType str =kvm
        vmwareMode str =esxi_neutron
        vmwarePhysicalInterface str
        vmwarePhysicalPort str
        xenLlInterface str
        xenLlIp str
    """,
    "llgr": """
        configFallbackTime int =900
        configInactivityTime int =15
        configPollTime int =5
        endOfRibRxFallbackTime int =60
        endOfRibTxFallbackTime int =60
        endOfRibTxInactivityTime int =15
        endOfRibTxPollTime int =5
        llgrDisable bool
        staleConfigCleanupTime int =100
    """,
    "macLearning": """
        macLearningAddTokens int =256
        macLearningDelTokens int =256
        macLearningThreadCount int =1
        macLearningUpdateTokens int =256
    """,
    "metadata": """
        metadataCaCert str
        metadataClientCert str
        metadataClientCertType str =PEM
        metadataClientKey str
        metadataProxyPort int =8097
        metadataProxySecret str
        metadataUseSsl bool
    """,
    "nexthopServer": """
        addPid bool
        endpoint str
    """,
    "qos": """
        priorityTagging bool =true
    """,
    "restart": """
        backupCount int =2
        backupDir str =/var/lib/contrail/backup
        backupEnable bool
        backupIdleTimeout int =10000
        hugePage1G [str]
        hugePage2M [str]
        restoreAuditTimeout int =15000
        restoreEnable bool =true
    """,
    "sandesh": """
        disableObjectLogs bool
        introspectSslEnable bool
        introspectSslInsecure bool
        sandeshCaCert str =/etc/contrail/ssl/certs/ca-cert.pem
        sandeshCertfile str =/etc/contrail/ssl/certs/server.pem
        sandeshKeyfile str =/etc/contrail/ssl/private/server-privkey.pem
        sandeshSslEnable bool
        tcpKeepaliveEnable bool
        tcpKeepaliveIdleTime int
        tcpKeepaliveInterval int
        tcpKeepaliveProbes int
    """,
    "serviceInstance": """
        dockerCommand str
        lbSslCertPath str
        lbaasAuthConf str
        netnsTimeout int =0
        netnsWorkers int =0
    """,
    "services": """
        bgpAsAServicePortRange str
        bgpaasMaxSharedSessions int
        queueLimit int =1024
    """,
    "session": """
        sampleDestination [str] =['collector']
        sloDestination [str] =['collector']
    """,
    "stats": """
        statsCollector str
    """,
    "task": """
        flowNetlinkPinCpuid int
        ksyncThreadCpuPinPolicy str
        logExecThreshold int =0
        logScheduleThreshold int =0
        taskMonitorTimeout int
        taskThreadCount int =8
        tbbKeepawakeTimeout int =20000
    """,
    "virtualHostInterface": """
        gateway str
        gateway6 str
        ip str
        ip6 str
        physicalInterface str
        vhiComputeNodeAddress [str]
        vhiEthPortEncapType str
        vhiEthPortNoArp bool
        vhiLoopbackIp str
        vhiPhysicalPortRoutes [str]
    """,
}

TRACE_BUFFERS = """
    acl agentDBwalkTrace arp bfd bgpAsAService config controller controllerConnections
    controllerInfo controllerRouteWalker controllerRxConfigXmppMessage1
    controllerRxConfigXmppMessage2 controllerRxRouteXmppMessage1 controllerRxRouteXmppMessage2
    controllerTxConfig_1 controllerTxConfig_2 controllerTxXmppMessage_1
    controllerTxXmppMessage_2 cryptTunnel dhcp dhcpv6 dnsBind flow flowExportStats flowHandler
    healthCheck httpbuf iFMapAgentTrace iOTraceBuf icmpv6 igmp instanceManager interfaceMplsData
    kSyncBridgeRouteTable kSyncError kSyncFlowTable kSyncForwardingClassObject kSyncInterface
    kSyncMirror kSyncMpls kSyncNexthop kSyncQosConfigClassObject kSyncQosQueueObject kSyncRoute
    kSyncVrfAssign kSyncVxLan macLearning metadata mplsTrace multicast multicastPolicy operDBAcl
    operDBBridgeDomain operDBCrypttunnel operDBForwardingClass operDBHealthcheck operDBInterface
    operDBMirrorTable operDBMpls operDBMulticastPolicy operDBNexthop operDBPhysicalDeviceVn
    operDBPhysicalDevices operDBPolicySet operDBQosConfig operDBQosQueue
    operDBSecurityLoggingObject operDBServiceInstance operDBSg operDBTag operDBVm operDBVn
    operDBVrf operDBVrfAssign operDBVxlan operIfmap operRoute packet pathPreference prouterUve
    routeMplsData sessionStats taskTrace versionTrace vlanMplsData vnswIfTrace vrfMplsData xmpp
    xmppMessageTrace xmppTrace
"""
"""Each is the size of one trace buffer."""

CNI = """
    clusterName str
    configPath str
    metaPlugin str
    parentInterface str
    vifType str =veth
"""

DPDK = """
    cpuCoreMask str =0x01
    ddp bool
    dpdkCommandAdditionalArgs str =--yield_option 0
    dpdkCtrlThreadMask str
    dpdkEnableVlanFrwd bool
    dpdkLogFile str
    dpdkMemPerSocket int
    dpdkRxdSz int
    dpdkTxdSz int
    dpdkUioDriver str =uio_pci_generic
    hugePages str
    hugePagesDir str =/dev/hugepages
    noDaemon bool
    noGro bool
    noGso bool
    noHuge bool
    noMrgBuf bool
    offloads bool
    serviceCoreMask str
    socketMem [int]
    vdev str
    vlanFwdIntfName str
    vlanTci int
    vrDpdkRxRingSz int
    vrDpdkTxRindSz int
    vrDropstatsBufsz int
    vrMempoolSz int
    vrNetlinkPort int
    vrNoLoadBalance bool
    vrPacketSize int
    vrSocketDir str
    vtestVlan str
    yieldOption int
"""

COMMON = """
    VrVrfs int =4096
    vrBridgeEntries int =262144
    vrBridgeOEntries int
    vrFlowEntries int =524288
    vrMemoryAllocChecks bool
    vrMplsLabels int =5120
    vrNexthops int =524288
    vrOFlowEntries int
    vrUncondCloseFlow bool
"""

KERNEL = """
    datapathOffloads bool
    nftablesLogEnable bool
    vifBridgeEntries int =1024
    vifBridgeOEntries int =512
    vrFlowHoldLimit int =8192
    vrInterfaces int =1048576
    vrPerfp bool
    vrPerfq1 bool
    vrPerfq2 bool
    vrPerfq3 bool
    vrPerfr bool
    vrPerfr1 bool
    vrPerfr2 bool
    vrPerfr3 bool
    vrPerfs bool
    vrPktDroplogBufEn bool
    vrPktDroplogBufsz int
    vrPktDroplogMinSysctlEn bool
    vrPktDroplogSysctlEn bool
    vrUseLinuxBr bool
    vrouterDbg bool
"""
