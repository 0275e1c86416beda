"""Calling modules: on a shadow whose leaves are traced arrays, so that the tree itself is never touched."""

from __future__ import annotations

import copy
import threading

import numpy as np
import pytest

from nnkit.errors import ShapeError, TraceError
from nnkit.nn import Activation, BatchNorm, Dense, Dropout, Module, Parameter, Sequential, State
from nnkit.nn.module import declared
from nnkit.nn.tracing import trace_shapes
from nnkit.ops import namespace
from tests.nn.calling import Called, Custom


def refused(body, text, error=TraceError, training=False, shape=(2, 3), **members):
    with pytest.raises(error, match=text):
        Called(Custom(body, **members), shape, training=training)


# -- what a call must not do


def setting(self, x, run):
    self.mean = x
    return x


def appending(self, x, run):
    self.seen.append(x)
    return x


def filling(self, x, run):
    self.cache["x"] = x
    return x


def filling_deep_inside(self, x, run):
    self.cache["deep"][0].append(x)
    return x


def deleting(self, x, run):
    del self.seen
    return x


def test_setting_an_attribute_is_refused():
    text = (
        r"the network's module \(Custom\) sets self.mean during its call; declare self.mean = State\(…\) in __init__ "
        r"and write run.update\(self, mean=…\)"
    )
    refused(setting, text)
    refused(lambda self, x, run: self.inner(x, run), r"layer 'inner' \(Custom\) sets self.mean", inner=Custom(setting))


def test_changing_a_list_or_dictionary_is_refused():
    text = (
        r"the network's module \(Custom\) changed self.{} during its call; a call must change nothing: declare a State"
    )
    refused(appending, text.format("seen"), seen=[])
    refused(filling, text.format("cache"), cache={})
    refused(filling_deep_inside, text.format("cache"), cache={"deep": [[]]})
    inner = Custom(appending, seen=[1, 2])
    refused(
        lambda self, x, run: self.layers[0](x, run), r"layer 'layers.0' \(Custom\) changed self.seen", layers=[inner]
    )


def test_deleting_an_attribute_is_refused():
    refused(
        deleting,
        r"the network's module \(Custom\) deletes self.seen during its call; a call must change nothing",
        seen=[1],
    )


def test_a_refused_call_leaves_nothing_behind():
    inner = Custom(appending, seen=[])
    module = Custom(lambda self, x, run: self.inner(x, run), inner=inner)
    with pytest.raises(TraceError):
        Called(module, (2, 3))
    assert inner.seen == []
    assert vars(module).keys() == {"inner", "_body"}


@pytest.mark.parametrize("value", [3.0, np.zeros(3), [], ()])
def test_what_is_not_an_array_of_the_trace_is_refused(value):
    refused(lambda self, x, run: value, rf"module Custom must return one array, got {type(value).__name__}")


def test_two_arrays_are_refused():
    refused(lambda self, x, run: (x, x), "module Custom must return one array, got tuple")


def test_a_layer_that_is_called_without_run_is_told_so():
    text = r"layer 'inner' \(Dense\) was called without run; write self.layer\(x, run\)"
    refused(lambda self, x, run: self.inner(x), text, inner=Dense(3))
    refused(lambda self, x, run: self.inner(x, None), text, inner=Dense(3))


def test_run_may_be_given_by_name():
    called = Called(Custom(lambda self, x, run: self.inner(x, run=run), inner=Dense(3)), (2, 3))
    assert called.run()["y"].shape == (2, 3)


def test_a_layer_may_take_further_arguments():
    class Gate(Module):
        def __init__(self):
            self.scale = Parameter(("inputs",))

        def __call__(self, x, gate, run, *, sign=1.0):
            return x * gate * self.scale * sign

    called = Called(Custom(lambda self, x, run: self.gate(x, x + 1.0, run, sign=-1.0), gate=Gate()), (2, 3))
    x, scale = called.values["x"], called.values["gate.scale"]
    np.testing.assert_allclose(called.run()["y"], -x * (x + 1.0) * scale)


def test_updates_must_be_of_states():
    text = r"the network's module \(Custom\): run.update\(self, {}=…\), but self.{} is not a State"
    for name, members in (("mean", {}), ("weight", {"weight": Parameter((3,))}), ("size", {"size": 3})):
        body = lambda self, x, run, name=name: run.update(self, **{name: x}) or x  # noqa: E731
        refused(body, text.format(name, name), training=True, **members)


@pytest.mark.parametrize(
    ("change", "came"),
    [(lambda x: x[0, :2], r"float64\[2\]"), (lambda x: x[0, :] > 0, r"bool\[3\]"), (lambda x: x, r"float64\[2, 3\]")],
)
def test_updates_must_keep_shape_and_dtype(change, came):
    body = lambda self, x, run: run.update(self, mean=change(x)) or x  # noqa: E731
    refused(
        body,
        rf"the network's module \(Custom\): state 'mean' is float64\[3\], its new value {came}",
        ShapeError,
        True,
        mean=State((3,)),
    )


def test_updates_must_be_arrays_of_the_trace():
    body = lambda self, x, run: run.update(self, mean=np.zeros(3)) or x  # noqa: E731
    refused(
        body,
        r"the network's module \(Custom\): run.update\(self, mean=…\) needs an array of the trace, got ndarray",
        training=True,
        mean=State((3,)),
    )


def test_random_numbers_are_for_training():
    body = lambda self, x, run: x * run.random(self, x.shape, x.dtype)  # noqa: E731
    refused(body, r"the network's module \(Custom\) asks for random numbers outside training; ask only if run.training")
    assert Called(Custom(body), (2, 3), training=True).run()["y"].shape == (2, 3)


def test_run_is_given_the_layer_itself():
    other = Dense(3)
    refused(
        lambda self, x, run: x * run.random(other, (2, 3), "float64"),
        "pass self to run, not another Dense",
        training=True,
    )


# -- the tree stays as it is


def everything(module):
    """Every attribute of every module below, by identity; containers by the identity of their parts."""
    found, waiting = {}, [("", module)]
    while waiting:
        path, value = waiting.pop()
        found[path] = id(value)
        if isinstance(value, Module):
            waiting += [(f"{path}.{name}", part) for name, part in vars(value).items()]
        elif isinstance(value, (list, tuple)):
            waiting += [(f"{path}.{number}", part) for number, part in enumerate(value)]
        elif isinstance(value, dict):
            waiting += [(f"{path}.{name}", part) for name, part in value.items()]
    return found


def large():
    body = {"a": [Dense(5, "prelu"), BatchNorm()], "b": Dropout(0.5)}
    return Custom(
        lambda self, x, run: self.parts["b"](self.parts["a"][1](self.parts["a"][0](x, run), run), run) * self.gain[0],
        parts=body,
        gain=(Parameter((1,)),),
    )


def test_tracing_changes_nothing():
    module = large()
    before = everything(module)
    for training in (False, True):
        Called(module, (2, 3), training=training)
    trace_shapes(module, (3,), "float32")
    assert everything(module) == before
    assert type(module) is Custom


def test_a_module_is_traced_by_many_threads_at_once():
    module, found, errors = large(), {}, []

    def work(number):
        try:
            for _ in range(10):
                found[number] = Called(module, (2 + number, 3 + number), training=True, slopes=True).graph.fingerprint
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    for number, fingerprint in found.items():
        assert Called(module, (2 + number, 3 + number), training=True, slopes=True).graph.fingerprint == fingerprint


def test_a_copy_of_a_module_is_a_module_of_its_own():
    module = Sequential([Dense(3)])
    twin = copy.deepcopy(module)
    assert twin.layers[0].weight is not module.layers[0].weight
    assert list(declared(Sequential([module, twin]))) == [
        f"layers.{i}.layers.0.{n}" for i in (0, 1) for n in ("weight", "bias")
    ]


def test_states_that_are_updated_twice_are_updated_one_after_the_other():
    """A layer in two places: the second call goes on from what the first left, without a gradient through it."""
    body = lambda self, x, run: run.update(self, count=self.count + namespace(x).sum(x)) or x * self.count  # noqa: E731
    counter = Custom(body, count=State((), 1.0))
    called = Called(Sequential([counter, counter]), (2, 3), training=True, slopes=True)
    got, x = called.run(), called.values["x"]
    total = x.sum()
    np.testing.assert_allclose(got["y"], x * (1.0 + total))
    np.testing.assert_allclose(got["layers.0.count"], 1.0 + 2.0 * total)
    np.testing.assert_allclose(got["grad:x"] / got["y"] * x, got["grad:x"] / (1.0 + total))


# -- randomness


class Two(Module):
    def __init__(self, more):
        self.before = Dense(4) if more else Activation("identity")
        self.drop = Dropout(0.5)
        self.again = Dropout(0.5)

    def __call__(self, x, run):
        return self.again(self.drop(self.before(x, run), run), run)


def streams(module, shape=(2, 4)):
    graph = Called(module, shape, training=True).graph
    return [node.options["stream"] for _, node in graph if node.operation == "random_bits"]


def test_masks_depend_on_the_path_and_not_on_other_layers():
    assert streams(Two(False)) == streams(Two(True))
    assert len(set(streams(Two(False)))) == 2
    assert streams(Sequential([Dropout(0.5), Dense(3)])) == streams(
        Sequential([Dropout(0.5), BatchNorm(), Dense(3), BatchNorm()])
    )


def test_a_layer_that_draws_twice_draws_different_numbers():
    layer = Dropout(0.5)
    assert len(set(streams(Sequential([layer, layer, layer])))) == 3
    twice = Custom(lambda self, x, run: x * run.random(self, x.shape, x.dtype) - run.random(self, x.shape, x.dtype))
    assert len(set(streams(twice))) == 2


# -- layers of one's own that are written as elsewhere


class Lone(Module):
    def __call__(self, x):
        return x


class Forward(Module):
    def forward(self, x):
        return x


class Empty(Module):
    pass


class Late(Module):
    def __call__(self, x, run):
        return Dense(3)(x, run)


class NumPys(Module):
    def __call__(self, x, run):
        return np.tanh(x)


class Silent(Module):
    def __call__(self, x, run):
        namespace(x).tanh(x)


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (Lone, r"cannot be called as it is here: too many positional arguments; a layer is called with \(x, run\), so"),
        (Late, "computes with a Parameter or State that is not its own; create layers, parameters and states in __ini"),
        (NumPys, r"calls NumPy on a traced array; write xp = nnkit.ops.namespace\(x\), and the same function of xp"),
        (Silent, "returned nothing; end its __call__ with return and one array"),
    ],
)
def test_a_mistake_in_a_layer_is_told_with_the_layer(layer, text):
    with pytest.raises(TraceError, match=rf"^layer 'layers.1' \({layer.__name__}\) {text}"):
        trace_shapes(Sequential([Dense(4), layer(), Dense(2)]), (3,), "float32")
    with pytest.raises(TraceError, match=rf"^the network's module \({layer.__name__}\) {text}"):
        trace_shapes(layer(), (3,), "float32")


def test_a_type_error_of_ones_own_passes_as_it_is():
    def body(self, x, run):
        raise TypeError("mine") from KeyError("cause")

    with pytest.raises(TypeError, match="mine") as caught:
        Called(Custom(body), (2, 3))
    assert type(caught.value) is TypeError
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_layer_that_nothing_can_call_is_refused_when_it_is_made():
    text = r"layer {} has no __call__\(self, x, run\), which computes its output for x; {}$"
    with pytest.raises(TraceError, match=text.format("Forward", "it has 'forward', which nothing calls: rename that")):
        Forward()
    with pytest.raises(TraceError, match=text.format("Empty", "define it")):
        Empty()
