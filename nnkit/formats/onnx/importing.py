"""An ONNX file as a network of layers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnkit.network import Network


def load(path: Path, device: str) -> Network:
    """The feed-forward network in an ONNX file as nnkit's own layers, to be used, trained on, saved and exported.

    What is read, for opsets 7 to 28, in float32 and float64 (float16 and bfloat16 become float32, with a warning), with
    a free or a fixed number of rows:

    * ``Gemm``, and ``MatMul`` with or without ``Add``, become ``Dense``.
    * Activations become the activation that they are, whether they are one operator (``Relu``, ``HardSwish``, ``Clip``)
      or written out, as PyTorch's exporters and Keras do it: what a group of operators computes is tried at some two
      thousand numbers, and so is each of nnkit's activations. The same holds for functions of rows: softmax, GLU,
      maxout, and layer, root mean square and group normalisation.
    * ``BatchNormalization`` becomes ``BatchNorm`` with its running values, ``PRelu`` becomes ``PReLU``, ``Dropout``
      stays, and acts in training alone.
    * ``Flatten``, ``Reshape``, ``Squeeze`` and ``Unsqueeze`` become ``Flatten`` where they flatten; where they only add
      or take away axes of length 1 in front of the features, they are left out. ``Identity``, and ``Cast`` between
      floating-point types, are left out.
    * Scales and shifts (``Add``, ``Sub``, ``Mul``, ``Div`` by constants, ``Scaler``) before the first layer, where
      rows have one axis, become ``net.preprocessing.scaling``: rows go in as they were measured. All others are
      multiplied into the ``Dense`` or the normalisation beside them; where there is none, they become a ``Dense`` with
      a diagonal matrix.
    * Of scikit-learn's classifiers (skl2onnx) the output is the probabilities, one column for two classes: that of the
      second class, with a sigmoid. The labels are left out, ``net.classes`` has the names. Several outputs of an
      ``MLPRegressor``, which skl2onnx writes under each other, are side by side.
    * The names of classes, columns and target that ``net.export`` writes come back, where they fit the network.

    Everything else is refused with what was found: a network that is no chain (shortcuts, several branches), several
    inputs or outputs, other operators, loops, functions, values outside of the file. The file is not trusted: nothing
    in it is run, no other file is opened, and sizes are known before anything is allocated.

    Raises:
        FileError: the file is missing or damaged, or holds what is none of the above.
        MissingExtraError: the package ``onnx`` is not installed: ``pip install "nnkit[onnx]"``.

    ONNX: Open Neural Network Exchange, https://onnx.ai.
    """
    from nnkit.formats.onnx.import_network import network_in  # a score of modules, which only this needs

    return network_in(path, device)
