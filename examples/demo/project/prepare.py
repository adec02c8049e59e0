"""Scale the pixels of the digits from 0…16 to 0…1: data/digits.csv → work/prepared.csv."""

import csv
from pathlib import Path

Path("work").mkdir(exist_ok=True)
with open("data/digits.csv", newline="") as source, open("work/prepared.csv", "w", newline="") as target:
    rows = csv.reader(source)
    writer = csv.writer(target)
    writer.writerow(next(rows))
    for label, *pixels in rows:
        writer.writerow([label, *(float(pixel) / 16 for pixel in pixels)])
