// The library's one import: everything that a user of it needs.
@_exported import Charts
@_exported import Checkpoints
@_exported import Collectives
@_exported import Console
@_exported import Datasets
@_exported import Digests
@_exported import Exchange
@_exported import Exporting
@_exported import Jobs
@_exported import MPICollectives
@_exported import NeuralNetworks
@_exported import Optimizers
@_exported import Pictures
@_exported import Reporting
@_exported import RunReport
@_exported import Tensors
@_exported import Training
