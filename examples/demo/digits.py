"""Write the 1,797 handwritten digits that scikit-learn carries to data/digits.csv: the label, then 64 pixels."""

import csv
from pathlib import Path

from sklearn.datasets import load_digits

digits = load_digits()
Path("data").mkdir(exist_ok=True)
with open("data/digits.csv", "w", newline="") as file:
    writer = csv.writer(file)
    writer.writerow(["label", *(f"pixel_{row}_{column}" for row in range(8) for column in range(8))])
    for label, pixels in zip(digits.target, digits.data, strict=True):
        writer.writerow([int(label), *(int(pixel) for pixel in pixels)])
