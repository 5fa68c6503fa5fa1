"""Calls the CNI plugin exactly as a container runtime does: a process, CNI_* and stdin."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cn2.api.kind import Object
from cn2.podrunner import children
from cn2.podrunner.cni_conf import (
    ConfError,
    NetworkConf,
    error_text,
    first_of,
    parse,
    plugin_environment,
    plugin_input,
)

_SECONDS = 180.0
"""Longest time for one call; the agent answers an ADD that must wait before that."""


class CniFailed(Exception):
    """The network could not be set up or torn down; the text is for the pod's event."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """Whose network is meant: the same for ADD and its DEL."""

    sandbox: str
    netns: Path
    pod: Object


@dataclass(frozen=True, slots=True)
class Cni:
    """The plugins and configurations of one node."""

    bin_dir: Path
    conf_dir: Path

    def configuration(self) -> NetworkConf:
        """The network of all pods. Read for every pod: it may appear or change at any time."""
        names = [path.name for path in self.conf_dir.iterdir()] if self.conf_dir.is_dir() else []
        name = first_of(names)
        if name is None:
            raise CniFailed(f"no CNI configuration in {self.conf_dir}")
        try:
            return parse(name, (self.conf_dir / name).read_bytes())
        except (ConfError, OSError) as error:
            raise CniFailed(str(error)) from error

    async def add(self, conf: NetworkConf, attachment: Attachment) -> Object:
        """The result of the last plugin of the chain."""
        result: Object | None = None
        for plugin in conf.plugins:
            output = await self._call("ADD", conf, plugin, attachment, result)
            try:
                result = msgspec.json.decode(output, type=dict)
            except msgspec.DecodeError as error:
                raise CniFailed(f"{plugin['type']}: not a CNI result: {error}") from error
        return result or {}

    async def delete(
        self, conf: NetworkConf, attachment: Attachment, result: Object | None
    ) -> None:
        """DEL of every plugin, last first; all are called even when one fails."""
        problems = []
        for plugin in reversed(conf.plugins):
            try:
                await self._call("DEL", conf, plugin, attachment, result)
            except CniFailed as error:
                problems.append(str(error))
        if problems:
            raise CniFailed("; ".join(problems))

    async def _call(
        self,
        command: str,
        conf: NetworkConf,
        plugin: Object,
        attachment: Attachment,
        previous: Object | None,
    ) -> bytes:
        kind = str(plugin["type"])
        environment = plugin_environment(
            command,
            sandbox=attachment.sandbox,
            netns=str(attachment.netns),
            path=str(self.bin_dir),
            pod=attachment.pod,
        )
        given = plugin_input(conf, plugin, previous)
        try:
            async with asyncio.timeout(_SECONDS):
                done = await children.run([self.bin_dir / kind], environment, given)
        except TimeoutError as error:
            raise CniFailed(f'plugin type="{kind}" did not answer in {_SECONDS:.0f} s') from error
        except OSError as error:
            raise CniFailed(f'failed to find plugin "{kind}" in {self.bin_dir}: {error}') from error
        if done.code:
            raise CniFailed(error_text(kind, command, done.output, done.errors, done.code))
        return done.output
