"""Every table of kinds whose stored objects this program can read, by fingerprint."""

# Written by scripts/gen: oldest first, the last is this program's own. Lines are only
# ever added; where two branches added some, both stay (.gitattributes).
SCHEMAS = [
    "161dd10a5b97",
    "e97a0e1a4917",
    "681ed01673ab",
    "4db193b13a5f",
    "f428247cbf14",
    "23688839e116",
]
