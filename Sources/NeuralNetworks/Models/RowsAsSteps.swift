import Tensors

/// What lets a recurrent layer read an image row by row: `[height, width, channels]` as [height, width · channels]. Where a sample is no
/// more than a list of numbers, nothing: the recurrent layer then says what it takes.
func rowsAsSteps(of input: Shape) -> [any LayerSpecification] {
  input.rank >= 2 ? [Reshape([input[0], input.extents.dropFirst().reduce(1, *)])] : []
}

/// The names of the modules of a model of rows, whose recurrent layer is called `layer`.
func rowNames(_ layer: String) -> ModuleNames { ModuleNames(names: [layer: "rnn", "dense1": "out"]) }
