"""Train a classifier: work/train.csv and config.json → model.pkl."""

import csv
import json
import pickle

from sklearn.svm import SVC

with open("config.json") as file:
    config = json.load(file)
with open("work/train.csv", newline="") as file:
    _, *rows = csv.reader(file)

model = SVC(C=config["C"], gamma=config["gamma"])
model.fit([[float(pixel) for pixel in pixels] for _, *pixels in rows], [int(label) for label, *_ in rows])
with open("model.pkl", "wb") as file:
    pickle.dump(model, file)
