"""``python -m provgraph`` is ``provdb``."""

import sys

from provgraph.cli.entry import main

if __name__ == "__main__":
    sys.exit(main())
