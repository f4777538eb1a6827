// Who imports the kernels has the memory that they work on.
@_exported import Primitives
