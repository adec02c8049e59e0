"""JSON Schemas (2020-12) of everything that is stored or printed, as package data, and their compiled validators.

Every file ``<name>.json`` in this folder is one schema; ``schema(name)`` loads it, ``validator(name)`` is a fast check
of a value against it (fastjsonschema compiles; that it agrees with jsonschema is a test), ``explain(name, value)`` says
what is wrong with one that a person wrote.
"""

from provgraph.schemas.registry import SchemaError, explain, names, schema, validator

__all__ = ["SchemaError", "explain", "names", "schema", "validator"]
