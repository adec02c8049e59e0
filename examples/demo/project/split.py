"""Deal the prepared digits into two files: work/prepared.csv → work/train.csv, work/test.csv."""

import csv
import json
import random

with open("split.json") as file:
    settings = json.load(file)
with open("work/prepared.csv", newline="") as file:
    header, *rows = csv.reader(file)

random.Random(settings["seed"]).shuffle(rows)
cut = round(len(rows) * settings["test_share"])
for path, part in (("work/test.csv", rows[:cut]), ("work/train.csv", rows[cut:])):
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header, *part])
