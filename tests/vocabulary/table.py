"""Every kind of name that users know, and where each of the checks runs through its table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from nnkit.constraints import CONSTRAINTS
from nnkit.initializers import INITIALIZERS
from nnkit.losses import LOSSES, get
from nnkit.metrics import METRICS
from nnkit.nn import Penalty
from nnkit.nn.activations import ACTIVATIONS
from nnkit.nn.serial import LAYERS
from nnkit.optimizers import FULL_BATCH, OPTIMIZERS, VARIANTS, WRAPPERS
from nnkit.optimizers.schedules import SCHEDULES
from tests.checkpoint import test_round_trip
from tests.constraints import test_constraints
from tests.initializers import test_table as test_initializers
from tests.losses import test_losses
from tests.metrics import test_running
from tests.metrics import test_table as test_metrics
from tests.nn import (
    test_activation_gradients,
    test_activations,
    test_every_layer,
    test_layers,
    test_native_activations,
    test_penalties,
    test_random_layers,
)
from tests.nn.table import ROWS
from tests.optimizers import (
    test_lbfgs,
    test_loss_scale,
    test_native_schedules,
    test_optimizers,
    test_references,
    test_schedules,
)
from tests.optimizers import test_wrappers as wrappers
from tests.training import test_constraints as constrained
from tests.training import test_fit_losses, test_fit_metrics, test_fit_optimizers, test_full_batch
from tests.vocabulary.kinds import Kind, by, ran

NO_GRADIENT = "no gradient passes through"
ON_THE_HOST = "it is reckoned on the host, outside of any program"


def layer(row: str) -> str:
    return type(ROWS[row].make()).__name__.lower()


def differentiated(row: str) -> str | None:
    return layer(row) if ROWS[row].order else None


def penalised(test: Callable[..., Any]) -> set[str]:
    """The factors that are not 0 in the rows of dense layers."""
    found = {getattr(ROWS[row].make(), "penalty", None) for row in ran(test, str) if layer(row) == "dense"}
    return {field.name for penalty in found - {None} for field in fields(penalty) if getattr(penalty, field.name)}


def loss(task: str) -> str:
    return get(test_fit_losses.TASKS[task][0]).name


KINDS = {
    "activations": Kind(
        (ACTIVATIONS,),
        {
            "gradients": ran(test_activation_gradients.test_activations),
            "dtype": ran(test_activations.test_every_library_agrees_and_float32_stays),
            "peers": ran(test_activations.test_value_agrees_with_torch)
            & ran(test_activations.test_derivative_agrees_with_torch),
            "compiled": ran(test_native_activations.test_values_and_derivatives_are_those_of_the_reference),
            "hdf5": ran(test_round_trip.test_every_layer, lambda row: row.partition("dense ")[2]),
        },
    ),
    "layers": Kind(
        (LAYERS,),
        {
            "gradients": ran(test_every_layer.test_derivatives_follow_from_differences, differentiated)
            & ran(test_every_layer.test_the_gradients_of_a_network_with_it, differentiated),
            "dtype": ran(test_every_layer.test_float32_stays, layer),
            "peers": ran(test_every_layer.test_values_derivatives_and_states_agree_with_torch_over_several_steps, layer)
            | by(test_layers.test_dropout_keeps_the_right_share_and_scales_it, "dropout")
            | by(test_random_layers.test_alpha_dropout_takes_torchs_values, "alphadropout")
            | by(test_random_layers.test_gaussian_dropout_multiplies, "gaussiandropout")
            | by(test_random_layers.test_gaussian_noise_is_added, "gaussiannoise"),
            "compiled": ran(test_every_layer.test_compiled_steps_are_those_of_the_reference, layer),
            "hdf5": ran(test_every_layer.test_it_is_saved_and_loaded_after_training, layer),
        },
    ),
    "penalties": Kind(
        ({field.name: Penalty for field in fields(Penalty)},),
        {
            "gradients": penalised(test_every_layer.test_the_gradients_of_a_network_with_it),
            "dtype": ran(test_penalties.test_penalties_on_weights_in_float32_stay_there),
            "peers": ran(test_penalties.test_penalties_on_weights_are_keras_and_their_derivatives_torchs),
            "compiled": penalised(test_every_layer.test_compiled_steps_are_those_of_the_reference),
            "hdf5": penalised(test_every_layer.test_plain_data_and_back)
            & penalised(test_every_layer.test_it_is_saved_and_loaded_after_training),
        },
    ),
    "losses": Kind(
        (LOSSES,),
        {
            "gradients": ran(test_activation_gradients.test_losses)
            & ran(test_fit_losses.test_gradients_are_those_of_finite_differences, loss),
            "dtype": ran(
                test_losses.test_every_library_agrees_and_float32_stays, lambda case: test_losses.CASES[case].loss
            ),
            "peers": ran(
                test_losses.test_value_and_derivative_agree_with_another_library,
                lambda case: test_losses.CASES[case].loss,
            ),
            "compiled": ran(test_fit_losses.test_compiled_steps_are_those_of_the_reference, loss),
            "hdf5": ran(test_fit_losses.test_it_learns_and_its_scores_are_exact, loss),
        },
    ),
    "optimisers": Kind(
        (OPTIMIZERS, VARIANTS, WRAPPERS, FULL_BATCH),
        {
            "gradients": f"{NO_GRADIENT} an update; tests/optimizers/test_descent.py finds minima instead",
            "dtype": ran(test_optimizers.test_every_library_agrees_and_float32_stays)
            | by(test_full_batch.test_float32_learns_too, "lbfgs"),
            # Wrappers have no name in a peer: some tests compare them with what they are by definition.
            "peers": ran(test_optimizers.test_every_step_agrees_with_torch)
            | ran(test_references.test_every_step_agrees_with_the_paper)
            | ran(test_references.test_both_points_of_schedule_free_agree_with_the_paper)
            | ran(test_references.test_muon_agrees_with_torch_in_double)
            | by(test_optimizers.test_clipping_agrees_with_torch, "clip_by_global_norm")
            | by(wrappers.test_clip_by_norm_agrees_with_torch_on_each_parameter, "clip_by_norm")
            | by(wrappers.test_clip_by_value_agrees_with_torch, "clip_by_value")
            | by(wrappers.test_weight_decay_around_adam_is_adamw, "weight_decay")
            | by(wrappers.test_accumulation_is_the_optimizer_on_means, "accumulate")
            | by(
                wrappers.test_the_average_is_the_weighted_mean_of_the_parameters,
                "exponential_moving_average",
            )
            | by(test_loss_scale.test_every_step_is_that_of_the_rule_written_out, "loss_scale")
            | by(test_lbfgs.test_every_direction_is_that_of_the_inverse_hessian_written_out, "lbfgs"),
            "compiled": ran(test_fit_optimizers.test_compiled_steps_are_those_of_the_reference)
            | by(test_full_batch.test_compiled_and_plain_take_the_same_way, "lbfgs"),
            # What a file keeps of an optimiser are its hyper-parameters.
            "hdf5": ran(test_fit_optimizers.test_a_file_keeps_it)
            | by(test_full_batch.test_it_is_saved_and_loaded, "lbfgs"),
        },
    ),
    "schedules": Kind(
        (SCHEDULES,),
        {
            "gradients": f"{NO_GRADIENT} a learning rate",
            "dtype": ran(test_schedules.test_in_a_graph_in_float32),
            "peers": ran(test_schedules.test_agrees_with_torch) | ran(test_schedules.test_agrees_with_keras),
            "compiled": ran(test_native_schedules.test_rates),
            "hdf5": ran(test_round_trip.test_the_optimiser_of_the_last_fit),
        },
    ),
    "initialisers": Kind(
        (INITIALIZERS,),
        {
            "gradients": f"{NO_GRADIENT} what a training starts from",
            "dtype": ran(test_initializers.test_drawn_in_double_and_kept_in_the_dtype_of_the_network),
            "peers": ran(test_initializers.test_the_distribution_is_scipys)
            | ran(test_initializers.test_what_is_not_random_is_torchs)
            | ran(test_initializers.test_every_rotation_is_equally_likely),
            "compiled": f"{ON_THE_HOST}, so that every device starts from the same weights",
            "hdf5": ran(test_round_trip.test_every_initialiser),
        },
    ),
    "constraints": Kind(
        (CONSTRAINTS,),
        {
            "gradients": f"{NO_GRADIENT} what is done to weights after their update",
            "dtype": ran(
                test_constraints.test_every_library_agrees_and_float32_stays,
                lambda case: test_constraints.CASES[case][0].name,
            ),
            "peers": ran(
                test_constraints.test_values_are_keras_values, lambda case: test_constraints.CASES[case][0].name
            ),
            # Native beside plain, which is bit by bit the reference.
            "compiled": by(
                constrained.test_compiled_and_plain_train_alike, *(c.name for c in constrained.CONSTRAINTS.values())
            )
            & ran(
                constrained.test_the_program_is_the_graph_step_after_step,
                lambda name: constrained.CONSTRAINTS[name].name,
            ),
            "hdf5": ran(constrained.test_they_come_back_from_a_file_and_go_on),
        },
    ),
    "metrics": Kind(
        (METRICS,),
        {
            "gradients": f"{NO_GRADIENT} a metric",
            "dtype": ran(test_metrics.test_predictions_in_float32_are_reckoned_in_double),
            "peers": ran(test_metrics.test_it_agrees_with_its_peer)
            & ran(test_metrics.test_it_agrees_with_its_peer_in_weights),
            "compiled": f"{ON_THE_HOST}, but for those that a step adds up: the next kind",
            "hdf5": "a file of a network holds none: the run record has their names and values",
        },
    ),
    "metrics that a step adds up": Kind(
        ({name: row for name, row in METRICS.items() if row.running},),
        {
            "gradients": f"{NO_GRADIENT} a metric",
            "dtype": ran(test_running.test_the_mean_of_the_rows_is_the_exact_value),
            "peers": ran(test_metrics.test_it_agrees_with_its_peer)
            & ran(test_running.test_the_mean_of_the_rows_is_the_exact_value),
            "compiled": by(test_fit_metrics.test_compiled_and_plain_agree, "accuracy", "top_k_accuracy")
            | by(test_fit_metrics.test_compiled_and_plain_agree, *test_fit_metrics.RUNNING, *test_fit_metrics.SUMS),
            "hdf5": "a file of a network holds none: the run record has their names and values",
        },
    ),
}
