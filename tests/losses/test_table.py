"""Every loss in the table has a configuration and a place to find it; tests/vocabulary says what else."""

import json

import pytest

from nnkit import losses
from nnkit.losses import ALIASES, LOSSES, from_config, get

CHANGED = {
    "huber": {"delta": 2.5},
    "quantile": {"tau": 0.9},
    "mean_absolute_percentage_error": {"eps": 1.0},
    "gaussian_nll": {"eps": 0.01},
    "binary_focal": {"gamma": 1.0, "alpha": None},
    "focal": {"gamma": 0.0, "alpha": 1.0},
    "cross_entropy": {"label_smoothing": 0.1},
    "triplet": {"margin": None, "mining": "hard"},
    "margin_ranking": {"margin": 0.5},
}
EVERY = pytest.mark.parametrize("name", LOSSES)


@EVERY
def test_a_configuration(name):
    fields = set(get(name).config()) - {"name"}
    assert fields == CHANGED.get(name, {}).keys()
    for loss in (get(name), LOSSES[name](**CHANGED.get(name, {}))):
        assert from_config(json.loads(json.dumps(loss.config()))) == loss


@EVERY
def test_a_place(name):
    assert get(name.upper().replace("_", "-")).name == name
    assert LOSSES[name].__name__ in losses.__all__


@pytest.mark.parametrize(
    ("library", "names"),
    [
        (
            "keras",
            "mean_squared_error mean_absolute_error mean_absolute_percentage_error mean_squared_logarithmic_error "
            "huber log_cosh binary_crossentropy binary_focal_crossentropy categorical_crossentropy "
            "sparse_categorical_crossentropy categorical_focal_crossentropy hinge squared_hinge categorical_hinge "
            "kl_divergence poisson cosine_similarity mse mae mape msle kld",
        ),
        ("torch", "l1 smooth_l1 huber kl_div poisson_nll gaussian_nll margin_ranking triplet_margin cosine_embedding"),
        ("sklearn", "squared_error absolute_error hinge squared_hinge mean_pinball_loss mean_squared_log_error"),
    ],
)
def test_the_names_that_others_use(library, names):
    assert [name for name in names.split() if name not in LOSSES and name not in ALIASES] == []
