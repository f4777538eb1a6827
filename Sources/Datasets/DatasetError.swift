import Tensors

/// A data set that cannot be used: its name, and what is wrong with it.
public struct DatasetError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The data set's name.
  public let name: String
  /// The fault of the data set.
  public let cause: Cause

  /// An error about the data set called `name`.
  public init(_ name: String, _ cause: Cause) {
    self.name = name
    self.cause = cause
  }

  /// The faults that a data set can have.
  public enum Cause: Hashable, Sendable {
    /// The data set holds no samples.
    case noSamples
    /// There are more samples than 32 bits can number.
    case tooManySamples(Int)
    /// An input of this shape has no elements.
    case emptyInputs(Shape)
    /// The targets are real numbers, but a sample has none.
    case noValues
    /// The inputs have this count of numbers, which is not that of `samples` samples of `shape`.
    case inputs(Int, samples: Int, shape: Shape)
    /// The targets have this count of numbers: not the same number, 1 or more, for each of `samples` samples.
    case values(Int, samples: Int)
    /// The label of sample `index` is not in `classes`.
    case label(Int, index: Int, classes: Classes)
    /// The labels lie too far apart to be classes.
    case tooManyClasses(smallest: Int, largest: Int)
    /// The targets are these, not classes.
    case noClasses(Targets)
    /// The targets are of another kind than those of another part of the data.
    case targetsDiffer(Targets, other: Targets)
    /// The data set has no sample of this number.
    case sample(Int, count: Int)
    /// Images of this shape cannot be cut into squares of `side` × `side`.
    case notInSquares(Shape, side: Int)
    /// Inputs of this shape are no grey images of two patches of `side` × `side` or more.
    case notInPatches(Shape, side: Int)
    /// There is no shard of this number.
    case shard(Int, of: Int)
    /// The inputs cannot be changed as was asked: the fault, in words.
    case augmentation(String)
    /// No sample has a label in this range.
    case labels(ClosedRange<Int>)
    /// No part of this size can be made of so many samples: the setting and its value, in words.
    case part(String, of: Int)
  }

  /// One line: the data set, what is wrong with it, and what to do.
  public var description: String { "\(name): \(problem); \(remedy)" }

  private var problem: String {
    switch cause {
    case .noSamples: "holds no samples"
    case .tooManySamples(let count): "holds \(count) samples, more than \(UInt32.max)"
    case .emptyInputs(let shape): "an input of shape \(shape) has no elements"
    case .noValues: "its targets are no numbers at all"
    case .inputs(let count, let samples, let shape):
      "\(count) numbers for the inputs of \(samples) samples of shape \(shape)"
    case .values(let count, let samples): "\(count) real numbers as targets of \(samples) samples"
    case .label(let label, let index, let classes): "label \(label) at index \(index) is not one of \(classes)"
    case .tooManyClasses(let smallest, let largest):
      "its labels go from \(smallest) to \(largest): more than \(Classes.most) classes"
    case .noClasses(let targets): "its targets are \(targets) a sample, not classes"
    case .targetsDiffer(let targets, let other): "its targets are \(targets), and those of the other part \(other)"
    case .sample(let index, let count): "has no sample \(index): they are numbered 0 to \(count - 1)"
    case .notInSquares(let shape, let side): "inputs of shape \(shape) cannot be cut into squares of \(side)×\(side)"
    case .notInPatches(let shape, let side):
      "inputs of shape \(shape) cannot be cut into grey patches of \(side)×\(side)"
    case .shard(let index, let count): "has no shard \(index) of \(count)"
    case .augmentation(let fault): fault
    case .labels(let range): "none of its labels is one of \(range.lowerBound) to \(range.upperBound)"
    case .part(let part, let count): "\(part) cannot be a part of its \(count) samples"
    }
  }

  private var remedy: String {
    switch cause {
    case .noSamples: "give it one at least"
    case .tooManySamples: "split it"
    case .emptyInputs: "give every extent a size of 1 or more"
    case .noValues, .values: "give every sample as many, 1 or more"
    case .inputs: "give as many as samples times the shape's elements"
    case .label: "check that the labels belong to this task"
    case .tooManyClasses: "give each class a number, one after the other"
    case .noClasses: "choose a task on real numbers, or give labels"
    case .targetsDiffer: "take both parts from one data set"
    case .sample: "choose among those"
    case .notInSquares: "take images whose height and width are multiples of that"
    case .notInPatches:
      "take images of one channel and two patches or more, whose height and width are multiples of that"
    case .shard: "number the shards from 0, and make no more of them than there are samples"
    case .augmentation: "choose changes that fit"
    case .labels: "choose among those that occur"
    case .part: "leave one sample at least on each side"
    }
  }
}
