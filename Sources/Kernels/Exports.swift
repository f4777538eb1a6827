// Who imports the kernels has all of them, and the memory that they work on.
@_exported import Primitives
@_exported import VectorProducts
@_exported import VectorKernels
@_exported import Vectors
