"""Words for reading a relation against its direction: the names of inverses that PROV-O recommends.

https://www.w3.org/TR/prov-o/#inverse-names
"""

from typing import Final

_INVERSE: Final[dict[str, str]] = {
    "used": "wasUsedBy",
    "wasGeneratedBy": "generated",
    "wasAssociatedWith": "wasAssociateFor",
    "wasAttributedTo": "contributed",
    "wasDerivedFrom": "hadDerivation",
    "wasInformedBy": "informed",
    "wasInvalidatedBy": "invalidated",
    "specializationOf": "generalizationOf",
    "alternateOf": "alternateOf",
    "hadMember": "wasMemberOf",
    "actedOnBehalfOf": "hadDelegate",
}


def inverse(relation: str) -> str:
    """How a relation is called from its target: ``generated`` for ``wasGeneratedBy``."""
    return _INVERSE.get(relation, f"is {relation} of")
