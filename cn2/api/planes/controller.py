"""Controller (configplane.juniper.net)."""

from __future__ import annotations

from cn2.api.planes.common import TEXT, fields, plane_kind

CONTROLLER = plane_kind(
    "configplane.juniper.net",
    "Controller",
    "controllers",
    "Controller derives routing instances, numbers and addresses from networks.",
    fields(TEXT, "defaultNamespace managerMetricsBindAddress"),
)
