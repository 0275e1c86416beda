"""MNIST in each framework as its users write it: ``learner`` gives an epoch of training, and the accuracy of a test."""
