"""nnkit's networks as scikit-learn estimators, for pipelines, searches, cross-validation and ensembles.

It needs scikit-learn, so that ``import nnkit`` leaves it out: write ``import nnkit.sklearn``, or as here.

>>> from sklearn.model_selection import cross_val_score
>>> from nnkit.sklearn import Classifier
>>> x, y = [[-2.0], [-1.0], [1.0], [2.0]] * 10, ["below", "below", "above", "above"] * 10
>>> cross_val_score(Classifier(learning_rate=0.01, random_state=0), x, y, cv=2).tolist()
[1.0, 1.0]
"""

from nnkit.errors import MissingExtraError

try:
    from sklearn.utils.validation import validate_data as _  # noqa: F401  # which is there since 1.6
except ImportError as error:
    raise MissingExtraError('nnkit.sklearn needs scikit-learn 1.6 or newer: pip install "nnkit[sklearn]"') from error

from nnkit.sklearn.classifier import Classifier
from nnkit.sklearn.regressor import Regressor

__all__ = ["Classifier", "Regressor"]
