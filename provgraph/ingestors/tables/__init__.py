"""Tables and arrays: columns, types, rows and shapes, by what stands at a file's begin or end.

Cost is bounded whatever the size: what would have to be read whole is estimated, and said to be.
"""

from provgraph.ingestors.tables.ingesting import TABLES

INGESTORS = (TABLES,)
