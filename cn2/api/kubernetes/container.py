"""Containers, and what stands in them (core/v1)."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.kind import Schema

MAX_PORT = 65535


def key_selector(description: str) -> Schema:
    """A key of a ConfigMap or Secret in the same namespace."""
    return s.object(
        description,
        {
            "key": s.string("The key to select."),
            "name": s.string("Name of the referent.", default=""),
            "optional": s.boolean("Specify whether the object or its key must be defined."),
        },
        required=("key",),
        atomic=True,
    )


FIELD_REF = s.object(
    "Selects a field of the pod.",
    {
        "apiVersion": s.string("Version of the schema the FieldPath is written in.", default="v1"),
        "fieldPath": s.string("Path of the field to select in the specified API version."),
    },
    required=("fieldPath",),
    atomic=True,
)
RESOURCE_FIELD_REF = s.object(
    "Selects a resource of the container.",
    {
        "containerName": s.string("Container name: required for volumes."),
        "divisor": s.quantity("Specifies the output format of the exposed resources."),
        "resource": s.string("Required: resource to select."),
    },
    required=("resource",),
    atomic=True,
)

_ENV = s.object(
    "EnvVar represents an environment variable present in a Container.",
    {
        "name": s.string("Name of the environment variable."),
        "value": s.string("Variable references $(VAR_NAME) are expanded."),
        "valueFrom": s.object(
            "Source for the environment variable's value.",
            {
                "configMapKeyRef": key_selector("Selects a key of a ConfigMap."),
                "fieldRef": FIELD_REF,
                "resourceFieldRef": RESOURCE_FIELD_REF,
                "secretKeyRef": key_selector("Selects a key of a secret."),
            },
        ),
    },
    required=("name",),
)


def _source(description: str) -> Schema:
    return s.object(
        description,
        {
            "name": s.string("Name of the referent.", default=""),
            "optional": s.boolean("Specify whether the object must be defined."),
        },
    )


_ENV_FROM = s.object(
    "Source of a set of environment variables.",
    {
        "configMapRef": _source("The ConfigMap to select from."),
        "prefix": s.string("Text to prepend to the name of each variable."),
        "secretRef": _source("The Secret to select from."),
    },
)

_PORT = s.object(
    "ContainerPort represents a network port in a single container.",
    {
        "containerPort": s.integer(
            "Number of port to expose on the pod's IP address.", minimum=1, maximum=MAX_PORT
        ),
        "hostIP": s.string("What host IP to bind the external port to."),
        "hostPort": s.integer("Number of port to expose on the host.", minimum=0, maximum=MAX_PORT),
        "name": s.string("A name that services can refer to."),
        "protocol": s.string("Protocol for port.", enum=("TCP", "UDP", "SCTP"), default="TCP"),
    },
    required=("containerPort",),
)

_HTTP_GET = s.object(
    "HTTPGet specifies the http request to perform.",
    {
        "host": s.string("Host name to connect to, defaults to the pod IP."),
        "httpHeaders": s.array(
            s.object(
                "",
                {"name": s.string("Name of the header."), "value": s.string("The value.")},
                required=("name", "value"),
            ),
            "Custom headers to set in the request.",
        ),
        "path": s.string("Path to access on the HTTP server.", default="/"),
        "port": s.int_or_string("Name or number of the port to access on the container."),
        "scheme": s.string(
            "Scheme to use for connecting to the host.", enum=("HTTP", "HTTPS"), default="HTTP"
        ),
    },
    required=("port",),
)
_EXEC = s.object(
    "Exec specifies the action to take.",
    {"command": s.strings("Command is the command line to execute inside the container.")},
)
_TCP_SOCKET = s.object(
    "TCPSocket specifies an action involving a TCP port.",
    {
        "host": s.string("Host name to connect to, defaults to the pod IP."),
        "port": s.int_or_string("Number or name of the port to access on the container."),
    },
    required=("port",),
)

_HANDLER = {"exec": _EXEC, "httpGet": _HTTP_GET, "tcpSocket": _TCP_SOCKET}


def _probe(description: str) -> Schema:
    return s.object(
        description,
        {
            **_HANDLER,
            "failureThreshold": s.integer(
                "Minimum consecutive failures for the probe to be considered failed.",
                minimum=1,
                default=3,
            ),
            "grpc": s.object(
                "GRPC specifies an action involving a GRPC port.",
                {
                    "port": s.integer("Port number of the gRPC service."),
                    "service": s.string("Name of the service to check.", default=""),
                },
                required=("port",),
            ),
            "initialDelaySeconds": s.integer(
                "Seconds after the container has started before probes are initiated.", minimum=0
            ),
            "periodSeconds": s.integer("How often to probe, in seconds.", minimum=1, default=10),
            "successThreshold": s.integer(
                "Minimum consecutive successes for the probe to be considered successful.",
                minimum=1,
                default=1,
            ),
            "terminationGracePeriodSeconds": s.integer(
                "Seconds the pod needs to terminate gracefully upon probe failure.", bits=64
            ),
            "timeoutSeconds": s.integer(
                "Seconds after which the probe times out.", minimum=1, default=1
            ),
        },
    )


_LIFECYCLE_HANDLER = s.object(
    "", {**_HANDLER, "sleep": s.object("", {"seconds": s.integer("", bits=64)})}
)
_LIFECYCLE = s.object(
    "Actions that the management system should take in response to container lifecycle events.",
    {"postStart": _LIFECYCLE_HANDLER, "preStop": _LIFECYCLE_HANDLER},
)

RESOURCES = s.object(
    "Compute Resources required by this container.",
    {
        "claims": s.list_map(
            s.object("", {"name": s.string(), "request": s.string()}, required=("name",)),
            ("name",),
            "Names of resources that are used by this container.",
        ),
        "limits": s.map_of(s.quantity(), "The maximum amount of compute resources allowed."),
        "requests": s.map_of(s.quantity(), "The minimum amount of compute resources required."),
    },
    default={},
)

_SECURITY_CONTEXT = s.object(
    "SecurityContext defines the security options the container should be run with.",
    {
        "allowPrivilegeEscalation": s.boolean("Whether a process can gain more privileges."),
        "appArmorProfile": s.any_object("The AppArmor options."),
        "capabilities": s.object(
            "The capabilities to add/drop when running containers.",
            {"add": s.strings("Added capabilities."), "drop": s.strings("Removed capabilities.")},
        ),
        "privileged": s.boolean("Run container in privileged mode."),
        "procMount": s.string("The type of proc mount to use."),
        "readOnlyRootFilesystem": s.boolean("Whether this container has a read-only root."),
        "runAsGroup": s.integer("The GID to run the entrypoint of the container.", bits=64),
        "runAsNonRoot": s.boolean("The container must run as a non-root user."),
        "runAsUser": s.integer("The UID to run the entrypoint of the container.", bits=64),
        "seLinuxOptions": s.any_object("The SELinux context."),
        "seccompProfile": s.any_object("The seccomp options."),
        "windowsOptions": s.any_object("The Windows specific settings."),
    },
)

_VOLUME_MOUNT = s.object(
    "VolumeMount describes a mounting of a Volume within a container.",
    {
        "mountPath": s.string("Path within the container at which the volume should be mounted."),
        "mountPropagation": s.string("How mounts are propagated from the host and the reverse."),
        "name": s.string("This must match the Name of a Volume."),
        "readOnly": s.boolean("Mounted read-only if true."),
        "recursiveReadOnly": s.string("Whether read-only mounts should be handled recursively."),
        "subPath": s.string("Path within the volume from which the container's volume is mounted."),
        "subPathExpr": s.string("As subPath, with environment variables expanded."),
    },
    required=("name", "mountPath"),
)

CONTAINER: Schema = s.object(
    "A single application container that you want to run within a pod.",
    {
        "args": s.strings("Arguments to the entrypoint."),
        "command": s.strings("Entrypoint array. Not executed within a shell."),
        "env": s.list_map(
            _ENV, ("name",), "List of environment variables to set in the container."
        ),
        "envFrom": s.array(_ENV_FROM, "List of sources of environment variables."),
        "image": s.string("Container image name."),
        "imagePullPolicy": s.string(
            "Image pull policy. Defaults to Always if :latest tag is specified, or IfNotPresent"
            " otherwise.",
            enum=("Always", "IfNotPresent", "Never"),
        ),
        "lifecycle": _LIFECYCLE,
        "livenessProbe": _probe("Periodic probe of container liveness."),
        "name": s.string("Name of the container specified as a DNS_LABEL."),
        "ports": s.list_map(
            _PORT, ("containerPort", "protocol"), "List of ports to expose from the container."
        ),
        "readinessProbe": _probe("Periodic probe of container service readiness."),
        "resizePolicy": s.array(s.any_object(), "Resources resize policy for the container."),
        "resources": RESOURCES,
        "restartPolicy": s.string("Restart behavior of individual containers in a pod."),
        "securityContext": _SECURITY_CONTEXT,
        "startupProbe": _probe("Probe that the Pod has successfully initialized."),
        "stdin": s.boolean("Whether to allocate a buffer for stdin in the container runtime."),
        "stdinOnce": s.boolean("Whether to close the stdin channel after a single attach."),
        "terminationMessagePath": s.string(
            "Path at which the file with the termination message is mounted.",
            default="/dev/termination-log",
        ),
        "terminationMessagePolicy": s.string(
            "How the termination message should be populated.",
            enum=("File", "FallbackToLogsOnError"),
            default="File",
        ),
        "tty": s.boolean("Whether this container should allocate a TTY for itself."),
        "volumeDevices": s.list_map(
            s.object(
                "", {"devicePath": s.string(), "name": s.string()}, required=("name", "devicePath")
            ),
            ("devicePath",),
            "Block devices to be used by the container.",
        ),
        "volumeMounts": s.list_map(
            _VOLUME_MOUNT, ("mountPath",), "Pod volumes to mount into the container's filesystem."
        ),
        "workingDir": s.string("Container's working directory."),
    },
    required=("name",),
)
