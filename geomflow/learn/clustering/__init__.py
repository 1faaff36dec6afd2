"""Average-linkage clustering of points without a distance matrix, or in mini-batches, and what a kernel loses by it."""

from geomflow.learn.clustering.batched import batched_labels, cohesion
from geomflow.learn.clustering.dendrogram import Dendrogram
from geomflow.learn.clustering.kernel_mass import dropped_mass
from geomflow.learn.clustering.linkage import euclidean_linkage, projective_linkage

__all__ = ["Dendrogram", "batched_labels", "cohesion", "dropped_mass", "euclidean_linkage", "projective_linkage"]
