"""Search for hyperparameters, with fresh data in every trial."""

from geomflow.learn.tuning.record import Trial, Tuning
from geomflow.learn.tuning.score import Score
from geomflow.learn.tuning.search import RaisedScoreWarning, tune
from geomflow.learn.tuning.space import LinearRange, LogRange, Range, Space

__all__ = ["LinearRange", "LogRange", "RaisedScoreWarning", "Range", "Score", "Space", "Trial", "Tuning", "tune"]
