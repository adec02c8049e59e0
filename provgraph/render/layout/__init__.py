"""Where the boxes and lines of a picture stand: ``layout`` in ``drawing``, by ``layers``, ``order`` and ``placing``."""
