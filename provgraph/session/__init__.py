"""The composition root: the only place that wires stores, plug-ins, clock and file system to questions."""
