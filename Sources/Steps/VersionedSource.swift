import NeuralNetworks

/// A source of gradients whose layers keep what they make of the weights while these have one version.
///
/// The version is no part of ``StepShare``: a source of one's own that asks this one for gradients of other parameters, as perturbed ones, would
/// hand it on, and get those of the step's.
protocol VersionedSource: GradientSource {
  /// The version of the parameters that the next calls give; nil, the default, if each may give others.
  var weights: WeightsVersion? { get set }
}
