"""Parameters and states in a file as Keras writes its weights, ``.weights.h5``.

The equivalent Keras network is a ``keras.Sequential`` of these layers, in the same order:

====================================  =================================================================================
nnkit                                 Keras
====================================  =================================================================================
``Dense(units, activation)``          ``Dense(units, activation=…)``; ``bias=False`` is ``use_bias=False``
``Dense(units, "prelu")``             ``Dense(units)`` and ``PReLU()``, two layers
``BatchNorm(momentum, eps)``          ``BatchNormalization(momentum=1 - momentum, epsilon=eps)``
``LayerNorm(eps)``                    ``LayerNormalization(epsilon=eps)``
``RMSNorm(eps)``                      ``RMSNormalization(epsilon=eps)``
``GroupNorm(groups, eps)``            ``GroupNormalization(groups, epsilon=eps)``
``PReLU()``                           ``PReLU()``; where rows have several axes, ``shared_axes`` names all but the last
``Activation(name)``                  ``Activation(name)``, or the layer of that activation
``Dropout``, ``AlphaDropout``,        the same
``GaussianDropout``,
``GaussianNoise``, ``Flatten``,
``ActivityRegularization``
``Rescaling(scale, offset)``          the same
``Sequential``                        ``Sequential``
``SpectralNorm``, ``WeightNorm``      none
====================================  =================================================================================

A file of weights holds no more than arrays: activations, epsilons (Keras's own default is 1e-3, nnkit's 1e-5), numbers
of groups and rates are to be given to Keras as they are here. Parameters of activations have other names and defaults
there: ``leaky_relu`` has ``negative_slope=0.2`` and here ``slope=0.01``; ``gelu_tanh`` is ``gelu(approximate=True)``,
``hard_swish`` ``hard_silu``, ``identity`` ``linear``. Keras has no ``maxout``, no bounds of ``hard_tanh``, and a
``sparsemax`` that computes other numbers. Functions of one's own are to be written for Keras as well.

The arrays of a layer are ``/layers/dense_1/vars/0`` and so on, those of a model in the model
``/layers/sequential/layers/dense/vars/0``; layers without arrays have their groups too. Keras numbers the layers of
each class in the order of the model's layers, with gaps where one stands twice, and in that order they are read: shapes
are compared, but whether two layers of one class and shape compute in that order is for the model's maker to know. In
a ``keras.Sequential``, and in a functional model that is a chain, they do. The rest of a file, such as an optimizer's
state, is left aside; a model that was compiled before it loads what nnkit wrote warns that there is none.
"""

from nnkit.formats.keras_weights.reading import load_parameters
from nnkit.formats.keras_weights.writing import export

__all__ = ["export", "load_parameters"]
