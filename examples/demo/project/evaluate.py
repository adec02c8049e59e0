"""Score the classifier: model.pkl and work/test.csv → metrics.json. Prints the accuracy alone."""

import csv
import json
import pickle

with open("model.pkl", "rb") as file:
    model = pickle.load(file)
with open("work/test.csv", newline="") as file:
    _, *rows = csv.reader(file)

accuracy = model.score([[float(pixel) for pixel in pixels] for _, *pixels in rows], [int(label) for label, *_ in rows])
with open("metrics.json", "w") as file:
    json.dump({"accuracy": round(accuracy, 4), "images": len(rows)}, file)
print(f"{accuracy:.4f}")
