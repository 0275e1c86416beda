"""Files whose JSON texts say what no network is: 41 to 51."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np

from tests.checkpoint.files import replace
from tests.checkpoint.hostile.case import Case, Edit, both, plain, text
from tests.checkpoint.test_description import ARCHITECTURES, TRAININGS

KNOWN: dict[int, tuple[str, ...]] = {
    45: ("unknown layer", "unknown activation", "unknown initialiser", "no layer", "a layer that is none"),
    46: ("unknown activation",),
    47: (
        "a billion neurons",
        "negative neurons",
        "neurons as truth",
        "neurons as a float",
        "neurons as text",
    ),
    48: ("layers of another number", "scaling"),
    49: ("another width", "another dtype", "shapes that do not fit"),
    51: ("an entry missing", "an entry more", "unknown option", "unknown preprocessing"),
}
"""Cases of ``test_description`` by their numbers in the list."""
KNOWN_TRAININGS: dict[int, tuple[str, ...]] = {
    45: ("unknown loss", "unknown optimiser"),
    47: ("odd value", "odd type"),
    51: ("an entry missing", "an entry more"),
}
DATA = {
    41: {"not UTF-8": (b'{"a": "\xff\xfe"}', "is not UTF-8"), "UTF-16": ('{"a": 1}'.encode("utf-16"), "is not UTF-8")},
    42: {"twice": (b'{"seed": 1, "seed": 2}', "names 'seed' twice")},
    43: {
        "33 deep": (b"[" * 33 + b"]" * 33, "is nested more than 32 deep"),
        "a million deep": (b'{"a":' * 600_000, "is nested more than 32 deep"),
        "a million brackets": (b"[" * 3_999_999, "is nested more than 32 deep"),
    },
    44: {
        "3,000,000 digits": (b"1" * 3_000_000, "has a whole number of 3,000,000 digits; 20 are the most"),
        "3,000,000 digits behind a point": (b"1." + b"1" * 3_000_000, "."),
        "1e999": (b"[1e999]", "has a number that is too large: 1e999"),
        "NaN": (b'{"seed": NaN}', "holds NaN, which is no number in JSON"),
        "Infinity": (b'{"seed": Infinity}', "holds Infinity, which is no number in JSON"),
        "-Infinity": (b'{"seed": -Infinity}', "holds -Infinity, which is no number in JSON"),
    },
}
UNBUILT = "/architecture cannot be built: (the module cannot be built|module.layers.0.activation.function is not what)"
NAMES = [
    "os.system",
    "nnkit.nn.dense.Dense",
    "__import__",
    "builtins.eval",
    "../Dense",
    "Dense\0",
    "Module",
    "D" * 10_000,
]
FUNCTIONS = ["lambda x: x", "numpy.tanh", "__class__", "tanh; import os", "{'a': 1}", "relu\n"]


def _text(name: str, data: bytes) -> Edit:
    return lambda file: replace(file, name, data)


def _declared(file: h5py.File) -> None:
    """A text of a billion bytes, of which nothing is stored."""
    del file["training"]
    file.create_dataset("training", shape=(), dtype=h5py.string_dtype("utf-8", 10**9))


def _function(name: Any) -> Any:
    return {"layer": "Activation", "function": name}


def _layer(**options: Any) -> Any:
    return lambda found: found["module"]["layers"][0].update(options)


def _many(count: int, layer: dict[str, Any]) -> Any:
    return lambda found: found["module"].update(layers=[layer] * count)


LENGTHS = {
    "more means than columns": {"mean": [0.0] * 4, "scale": [1.0] * 4},
    "more scales than means": {"mean": [0.0] * 3, "scale": [1.0] * 4},
}
CASES: list[Case] = [
    *(
        case
        for number, names in KNOWN.items()
        for name in names
        for case in text(number, name, *ARCHITECTURES[name], "architecture")
    ),
    *(
        case
        for number, names in KNOWN_TRAININGS.items()
        for name in names
        for case in text(number, f"{name} (training)", *TRAININGS[name], "training")
    ),
    *(
        case
        for name in ("architecture", "training")
        for number, texts in DATA.items()
        for title, (data, reason) in texts.items()
        for case in both(number, f"{title} ({name})", _text(name, data), f"/{name} .*{reason}")
    ),
    *(
        plain(number, f"{title} (checksums)", _text("checksums", data), f"/checksums .*{reason}")
        for number, texts in DATA.items()
        for title, (data, reason) in texts.items()
    ),
    plain(
        44, "a text of a billion bytes", _declared, "/training has 1,000,000,000 bytes, more than the 4,000,000 that"
    ),
    *(
        case
        for name in NAMES
        for case in text(46, f"layer {name[:20]!r}", _layer(layer=name), "module", "architecture")
    ),
    *(
        case
        for name in FUNCTIONS
        for case in text(
            46,
            f"function {name!r}",
            _layer(activation=_function(name)),
            UNBUILT,
            "architecture",
        )
    ),
    *(
        case
        for name in NAMES
        for case in text(
            46,
            f"optimiser {name[:20]!r}",
            lambda found, name=name: found.update(optimizer={"name": name}),
            "/training has no optimizer that can be made",
            "training",
        )
    ),
    *(
        case
        for value in (10**9, 0, -1, True, 4.0, 4.5, "4", None, [4], {"layer": "Dense", "units": 4})
        for case in text(
            47, f"units {value!r}", _layer(units=value), "/architecture|has shape|lacks|has", "architecture"
        )
    ),
    *(
        case
        for title, scaling in LENGTHS.items()
        for case in text(
            48,
            title,
            lambda found, scaling=scaling: found.update(preprocessing={"scaling": scaling}),
            "/architecture has \\d columns in the scaling|means and",
            "architecture",
        )
    ),
    *text(
        48,
        "more columns than inputs",
        lambda found: found.update(preprocessing={"features": list("abcd")}),
        "/architecture has 4 features, and input_shape is",
        "architecture",
    ),
    *text(
        45,
        "60,000 layers",
        _many(60_000, {"layer": "Dense", "units": 3}),
        "/architecture describes .* layers",
        "architecture",
    ),
    *text(
        45,
        "100,000 times the same",
        _many(100_000, {"same_as": ""}),
        "/architecture describes .* layers",
        "architecture",
    ),
    *text(45, "500 layers", _many(500, {"layer": "Dense", "units": 3}), "lacks", "architecture"),
    *text(
        35,
        "a dunder option",
        _layer(__class__="x"),
        UNBUILT,
        "architecture",
    ),
    *text(
        35,
        "a dunder entry",
        lambda found: found.update(__init__=1),
        "/architecture has the unknown '__init__'",
        "architecture",
    ),
    *both(50, "the next version", lambda f: replace(f, "format", 2**31), "/format is 2147483648, and this nnkit"),
    *both(50, "version 0", lambda f: replace(f, "format", 0), "/format is 0, and versions begin at 1"),
    *both(
        50, "a negative version", lambda f: replace(f, "format", -(2**62)), "/format is -4.*, and versions begin at 1"
    ),
    *both(50, "no version", lambda f: f.pop("format"), "the file has no /format, so that nnkit did not write it"),
    *both(50, "a version of 2⁶³", lambda f: replace(f, "format", np.uint64(2**63)), "/format is 9.*, and this nnkit"),
    *both(
        50, "the version as text", lambda f: replace(f, "format", b"1"), "/format has type .*; it is one whole number"
    ),
]
