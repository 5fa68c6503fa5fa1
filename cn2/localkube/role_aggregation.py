"""ClusterRole aggregation: a role with an aggregationRule has the rules of those it selects."""

from __future__ import annotations

from cn2.api.access import items, mapping, name_of
from cn2.api.kind import Object
from cn2.api.kinds import CLUSTER_ROLE
from cn2.api.kubernetes.selectors import selector_matches
from cn2.client.cache import Key, key_of
from cn2.client.errors import NotFound
from cn2.client.http import Client
from cn2.client.informer import Informers
from cn2.client.loop import Controller


class RoleAggregation:
    def __init__(self, client: Client, informers: Informers) -> None:
        self._client = client
        self._roles = informers.of(CLUSTER_ROLE)
        self.controller = Controller("role-aggregation", self.reconcile).watch(
            self._roles, self._aggregating
        )

    def _aggregating(self, _changed: Object) -> list[Key]:
        """A change of any role may change what any of these is made of."""
        return [
            key_of(role) for role in self._roles.objects.values() if role.get("aggregationRule")
        ]

    async def reconcile(self, key: Key) -> float | None:
        role = self._roles.objects.get(key)
        if role is None or not role.get("aggregationRule"):
            return None
        rules = aggregated(role, list(self._roles.objects.values()))
        if rules == items(role, "rules"):
            return None
        try:
            self._roles.learn(await self._client.patch(CLUSTER_ROLE, key[1], {"rules": rules}))
        except NotFound:
            return None
        return None


def aggregated(role: Object, roles: list[Object]) -> list[Object]:
    """The rules of all that the role selects, by name of role, each rule once."""
    rules: list[Object] = []
    for other in sorted(roles, key=name_of):
        labels = mapping(other, "metadata", "labels")
        selectors = items(role, "aggregationRule", "clusterRoleSelectors")
        if other is role or not any(selector_matches(chosen, labels) for chosen in selectors):
            continue
        rules += [rule for rule in items(other, "rules") if rule not in rules]
    return rules
