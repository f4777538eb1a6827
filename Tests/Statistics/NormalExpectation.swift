import Testing

/// Expects that `values` are independent draws of the standard normal distribution, by their mean, their variance and the distance of Kolmogorov
/// and Smirnov: right ones fail less often than once in 300,000 times.
public func expectNormal(_ values: [Double], _ location: SourceLocation = #_sourceLocation) {
  let count = Double(values.count)
  let mean = values.reduce(0, +) / count
  let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
  #expect(abs(mean) < 5 / count.squareRoot(), "\(mean)", sourceLocation: location)
  #expect(abs(variance - 1) < 5 * (2 / count).squareRoot(), "\(variance)", sourceLocation: location)
  let distance = normalDistance(values)
  #expect(distance < 2.6, "\(distance)", sourceLocation: location)
}
