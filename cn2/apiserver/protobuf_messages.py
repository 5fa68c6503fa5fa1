"""Field numbers of the Kubernetes messages that clients send as protobuf.

One line per field: `number name type`. `*` before the type: repeated; `?`: a pointer in Go, whose
zero value means something. Types are scalars, well-known types or other messages of this table.
Source: generated.proto of k8s.io/api and k8s.io/apimachinery 1.32.
"""

from __future__ import annotations

from typing import NamedTuple


class Field(NamedTuple):
    name: str
    type: str
    repeated: bool
    pointer: bool


_TEXT = """
ObjectMeta: 1 name string; 2 generateName string; 3 namespace string; 5 uid string;
 6 resourceVersion string; 11 labels map:string; 12 annotations map:string;
 13 ownerReferences *OwnerReference; 14 finalizers *string
OwnerReference: 5 apiVersion string; 1 kind string; 3 name string; 4 uid string;
 6 controller ?bool; 7 blockOwnerDeletion ?bool
DeleteOptions: 1 gracePeriodSeconds ?int; 2 preconditions Preconditions; 3 orphanDependents ?bool;
 4 propagationPolicy string; 5 dryRun *string
Preconditions: 1 uid string; 2 resourceVersion string
LabelSelector: 1 matchLabels map:string; 2 matchExpressions *LabelSelectorRequirement
LabelSelectorRequirement: 1 key string; 2 operator string; 3 values *string
ObjectReference: 1 kind string; 2 namespace string; 3 name string; 4 uid string;
 5 apiVersion string; 6 resourceVersion string; 7 fieldPath string
LocalObjectReference: 1 name string

Namespace: 1 metadata ObjectMeta; 2 spec NamespaceSpec
NamespaceSpec: 1 finalizers *string
ConfigMap: 1 metadata ObjectMeta; 2 data map:string; 3 binaryData map:bytes; 4 immutable ?bool
Secret: 1 metadata ObjectMeta; 2 data map:bytes; 3 type string; 4 stringData map:string;
 5 immutable ?bool
ServiceAccount: 1 metadata ObjectMeta; 2 secrets *ObjectReference;
 3 imagePullSecrets *LocalObjectReference; 4 automountServiceAccountToken ?bool
Service: 1 metadata ObjectMeta; 2 spec ServiceSpec
ServiceSpec: 1 ports *ServicePort; 2 selector map:string; 3 clusterIP string; 4 type string;
 5 externalIPs *string; 7 sessionAffinity string; 8 loadBalancerIP string;
 9 loadBalancerSourceRanges *string; 10 externalName string; 11 externalTrafficPolicy string;
 13 publishNotReadyAddresses bool; 17 ipFamilyPolicy string; 18 clusterIPs *string;
 19 ipFamilies *string
ServicePort: 1 name string; 2 protocol string; 3 port int; 4 targetPort IntOrString;
 5 nodePort int; 6 appProtocol string
Event: 1 metadata ObjectMeta; 2 involvedObject ObjectReference; 3 reason string; 4 message string;
 5 source EventSource; 6 firstTimestamp Time; 7 lastTimestamp Time; 8 count int; 9 type string;
 10 eventTime MicroTime; 12 action string; 13 related ObjectReference;
 14 reportingComponent string; 15 reportingInstance string
EventSource: 1 component string; 2 host string
Lease: 1 metadata ObjectMeta; 2 spec LeaseSpec
LeaseSpec: 1 holderIdentity string; 2 leaseDurationSeconds ?int; 3 acquireTime MicroTime;
 4 renewTime MicroTime; 5 leaseTransitions ?int
Eviction: 1 metadata ObjectMeta; 2 deleteOptions DeleteOptions

Role: 1 metadata ObjectMeta; 2 rules *PolicyRule
ClusterRole: 1 metadata ObjectMeta; 2 rules *PolicyRule; 3 aggregationRule AggregationRule
AggregationRule: 1 clusterRoleSelectors *LabelSelector
PolicyRule: 1 verbs *string; 2 apiGroups *string; 3 resources *string; 4 resourceNames *string;
 5 nonResourceURLs *string
RoleBinding: 1 metadata ObjectMeta; 2 subjects *Subject; 3 roleRef RoleRef
ClusterRoleBinding: 1 metadata ObjectMeta; 2 subjects *Subject; 3 roleRef RoleRef
Subject: 1 kind string; 2 apiGroup string; 3 name string; 4 namespace string
RoleRef: 1 apiGroup string; 2 kind string; 3 name string

TokenRequest: 1 metadata ObjectMeta; 2 spec TokenRequestSpec
TokenRequestSpec: 1 audiences *string; 3 boundObjectRef BoundObjectReference;
 4 expirationSeconds ?int
BoundObjectReference: 1 kind string; 2 apiVersion string; 3 name string; 4 uid string
TokenReview: 1 metadata ObjectMeta; 2 spec TokenReviewSpec
TokenReviewSpec: 1 token string; 2 audiences *string
SelfSubjectReview: 1 metadata ObjectMeta
SelfSubjectAccessReview: 1 metadata ObjectMeta; 2 spec AccessSpec
SelfSubjectRulesReview: 1 metadata ObjectMeta; 2 spec RulesSpec
SubjectAccessReview: 1 metadata ObjectMeta; 2 spec AccessSpec
AccessSpec: 1 resourceAttributes ResourceAttributes; 2 nonResourceAttributes NonResourceAttributes;
 3 user string; 4 groups *string; 6 uid string
RulesSpec: 1 namespace string
ResourceAttributes: 1 namespace string; 2 verb string; 3 group string; 4 version string;
 5 resource string; 6 subresource string; 7 name string
NonResourceAttributes: 1 path string; 2 verb string

Deployment: 1 metadata ObjectMeta; 2 spec DeploymentSpec
DeploymentSpec: 1 replicas ?int; 2 selector LabelSelector; 3 template PodTemplateSpec;
 5 minReadySeconds int; 6 revisionHistoryLimit ?int; 7 paused bool; 9 progressDeadlineSeconds ?int
PodTemplateSpec: 1 metadata ObjectMeta; 2 spec PodSpec
PodSpec: 2 containers *Container; 3 restartPolicy string; 4 terminationGracePeriodSeconds ?int;
 6 dnsPolicy string; 7 nodeSelector map:string; 8 serviceAccountName string; 10 nodeName string;
 11 hostNetwork bool; 16 hostname string; 17 subdomain string; 20 initContainers *Container
Container: 1 name string; 2 image string; 3 command *string; 4 args *string; 5 workingDir string;
 6 ports *ContainerPort; 7 env *EnvVar; 8 resources ResourceRequirements;
 13 terminationMessagePath string; 14 imagePullPolicy string; 16 stdin bool; 17 stdinOnce bool;
 18 tty bool
ContainerPort: 1 name string; 2 hostPort int; 3 containerPort int; 4 protocol string;
 5 hostIP string
EnvVar: 1 name string; 2 value string
ResourceRequirements: 1 limits map:Quantity; 2 requests map:Quantity
"""

ROOTS = frozenset(
    {
        *("Namespace", "ConfigMap", "Secret", "ServiceAccount", "Service", "Event", "Lease"),
        *("Eviction", "DeleteOptions", "Deployment"),
        *("Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"),
        *("TokenRequest", "TokenReview", "SelfSubjectReview", "SelfSubjectAccessReview"),
        *("SelfSubjectRulesReview", "SubjectAccessReview"),
    }
)
"""Messages that may be a whole body."""


def _field(text: str) -> tuple[int, Field]:
    number, name, type_name = text.split()
    bare = type_name.lstrip("*?")
    return int(number), Field(name, bare, type_name[0] == "*", type_name[0] == "?")


def _messages() -> dict[str, dict[int, Field]]:
    found: dict[str, dict[int, Field]] = {}
    for line in _TEXT.replace("\n ", " ").splitlines():
        name, colon, fields = line.partition(":")
        if colon:
            found[name] = dict(_field(field) for field in fields.split(";"))
    return found


MESSAGES = _messages()
