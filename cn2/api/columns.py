"""Printer columns that many kinds share."""

from __future__ import annotations

from cn2.api.kind import Column

NAME = Column(
    name="Name",
    path=".metadata.name",
    format="name",
    description="Name must be unique within a namespace.",
)
AGE = Column(
    name="Age",
    path=".metadata.creationTimestamp",
    type="date",
    description="Time since the object was created.",
)
STATE = Column(
    name="State",
    path=".status.state",
    description="Pending, Success or Failure.",
)
