"""One pod's volumes and the objects that they and its environments are made of, kept current."""

from __future__ import annotations

from collections.abc import Callable

from cn2.api.kind import Object
from cn2.podrunner.api_door import HOST, PORT
from cn2.podrunner.atomic import File
from cn2.podrunner.environment import Facts, environment, references
from cn2.podrunner.etc_files import etc_files
from cn2.podrunner.filling import fill, write_etc
from cn2.podrunner.place import PodPlace
from cn2.podrunner.service_links import service_links
from cn2.podrunner.services import Node
from cn2.podrunner.tokens import PodTokens
from cn2.podrunner.volumes import EmptyDir, contents, volume_references, volumes_of


class PodFiles:
    """`changed` is called when something that the pod names has changed."""

    def __init__(self, node: Node, place: PodPlace, changed: Callable[[], None]) -> None:
        self.tokens = PodTokens(node.client)
        self._node = node
        self._place = place
        self._changed = changed

    async def check(self, pod: Object, facts: Facts) -> None:
        """Returns when everything that the volumes need is there. Raises `MissingSource` and
        `NotSynced`."""
        namespace = pod["metadata"]["namespace"]
        named = {*references(pod), *volume_references(pod)}
        keys = [(kind, namespace, name) for kind, name in named]
        await self._node.sources.use(self._place.uid, keys, self._changed)
        self._contents(pod, facts)

    async def fetch_tokens(self, pod: Object) -> None:
        """Raises ApiError."""
        await self.tokens.fetch(pod, self._node.clock())

    async def make(self, pod: Object, facts: Facts) -> None:
        """Writes everything for the first time."""
        write_etc(self._place, etc_files(pod, facts, dns=self._node.dns))
        await fill(self._place, self._contents(pod, facts))

    async def renew(self, pod: Object, facts: Facts) -> None:
        """Writes again what is another now. Raises as `check` and `fetch_tokens`."""
        await self.check(pod, facts)
        await self.fetch_tokens(pod)
        await fill(self._place, self._contents(pod, facts))

    def environment(self, pod: Object, container: Object, facts: Facts) -> dict[str, str]:
        """Raises `MissingSource`."""
        links = service_links(pod, self._node.services(), (HOST, PORT) if self._node.api else None)
        return environment(pod, container, facts, self._lookup(pod), links)

    def release(self) -> None:
        self._node.sources.release(self._place.uid)

    def _contents(self, pod: Object, facts: Facts) -> dict[str, EmptyDir | dict[str, File]]:
        lookup = self._lookup(pod)
        return {
            volume["name"]: contents(pod, volume, facts, lookup, self.tokens.tokens)
            for volume in volumes_of(pod)
        }

    def _lookup(self, pod: Object) -> Callable[[str, str], Object | None]:
        namespace = pod["metadata"]["namespace"]
        return lambda kind, name: self._node.sources.get(kind, namespace, name)
