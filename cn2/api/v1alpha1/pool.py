"""Pool (cn2-api.md chapter 5): computed from the claims in the store, read-only."""

from __future__ import annotations

from cn2.api import schema as s
from cn2.api.columns import AGE
from cn2.api.kind import Column, Family, Kind, NameRule

POOL = Kind(
    group="idallocator.contrail.juniper.net",
    version="v1alpha1",
    kind="Pool",
    plural="pools",
    namespaced=False,
    description="Pool is a set of numbers of which each is given to one object at a time.",
    family=Family.AGGREGATED,
    name_rule=NameRule.PATH_SEGMENT,
    verbs=("get", "list"),
    schema=s.whole(
        capacity=s.integer("How many numbers there are.", bits=64),
        count=s.integer("How many are in use, reserved ones included.", bits=64),
        max=s.integer("The highest number.", bits=64),
        reserved=s.array(s.integer("", bits=64), "Numbers that are never given out."),
    ),
    columns=(
        Column(name="Capacity", path=".capacity", type="integer", description="Size."),
        Column(name="Count", path=".count", type="integer", description="Numbers in use."),
        AGE,
    ),
)
