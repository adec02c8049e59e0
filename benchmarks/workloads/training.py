"""A real training of about two seconds: handwritten digits, one processor."""

import json
import pickle

import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

with open("config.json") as file:
    config = json.load(file)
table = np.loadtxt("digits.csv", delimiter=",")
train_x, test_x, train_y, test_y = train_test_split(table[:, :-1], table[:, -1], random_state=config["seed"])
model = RandomForestClassifier(n_estimators=config["trees"], random_state=config["seed"], n_jobs=1)
model.fit(train_x, train_y)
with open("model.pkl", "wb") as file:
    pickle.dump(model, file)
with open("metrics.json", "w") as file:
    json.dump({"accuracy": accuracy_score(test_y, model.predict(test_x))}, file)
