"""Caffe (https://caffe.berkeleyvision.org): solvers, nets, training logs, and the weights that came of them.

What is said of a training stands in four places. The activity is the source: it has the hyperparameters, the series and
their last values. The derivation of each file of weights (``wasDerivedFrom`` solver, nets, data, earlier weights) has
the hyperparameters and the values *as of the iteration of these weights*, and so have the weights; solver and log have
the last values of the newest run that used or wrote them.
"""

from provgraph.ingestors.caffe.following import FOLLOWING
from provgraph.ingestors.caffe.training import TRAINING

INGESTORS = (TRAINING, FOLLOWING)
