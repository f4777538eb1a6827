import Primitives
import Vectors

/// Moves averages towards `values`: `averages[i] += (1 − decay) · (values[i] − averages[i])`. Same count. An average that
/// equals its value keeps its bits.
public func average(_ values: Buffer<Float>, into averages: Buffer<Float>, keeping decay: Float) {
  precondition(values.count == averages.count, "averages of \(averages.count) elements for \(values.count)")
  let x = unsafe UnsafePointer(values.base)
  let a = unsafe averages.base
  let part = 1 - decay
  let parts = Lanes(repeating: part)
  let whole = values.count / laneCount * laneCount
  for i in stride(from: 0, to: whole, by: laneCount) {
    let old = unsafe a.lanes(i)
    unsafe a.store(old.addingProduct(x.lanes(i) - old, parts), i)
  }
  for i in whole..<values.count { unsafe a[i] = a[i].addingProduct(x[i] - a[i], part) }
}
