"""Answers as pictures: ``graphs``, ``summaries`` and ``comparisons`` make a ``picture`` from an answer.

``svg`` (with ``shapes``, ``lines``, ``legend`` and ``text``), ``dot`` and ``mermaid`` draw it.
"""
