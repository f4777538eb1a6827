/// 2 · √(2/π), the slope of u at 0: see ``geluArgument(_:_:)``.
@inlinable
package var geluSlope: Float { 1.595769 }

/// The slope, times 0.044715.
@inlinable
package var geluCube: Float { 0.0713548 }

extension Lanes {
  /// GELU of each lane, in its approximation by tanh: x · sigmoid(u).
  @inlinable
  @inline(always)
  package func gelu() -> Lanes { self * geluArgument(self, self * self).sigmoid() }
}

/// u = 2√(2/π) · (x + 0.044715 x³), of x and its square.
@inlinable
@inline(always)
package func geluArgument(_ x: Lanes, _ square: Lanes) -> Lanes {
  x * Lanes(repeating: geluSlope).addingProduct(Lanes(repeating: geluCube), square)
}
