/// A listener that is told when a network's stages begin and end their work (``Network/stageObserver``).
public protocol StageObserver: AnyObject {
  /// Called before the first stage of a forward or a backward pass.
  func begin()
  /// Called after the `forward` of a stage, by its place among ``Network/stages``.
  func endForward(stage index: Int)
  /// Called after the `backward` of a stage.
  func endBackward(stage index: Int)
}
