"""Read every file below the folder that is named."""

import os
import sys

total = 0
for place, _, names in os.walk(sys.argv[1]):
    for name in names:
        with open(os.path.join(place, name), "rb") as file:
            total += len(file.read())
print(total)
