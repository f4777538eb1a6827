import NeuralNetworks
import Tensors
import Testing

/// Whole models against PyTorch 2.13: the loss over three images and its gradients. The script that made the numbers, after the
/// functions of ``PyTorchLayerTests``' script:
///
///     y = torch.tensor([3, 7, 0])
///
///     x = wave(3, 28, 28, 1, at=0.3)
///     cw, cb = wave(3, 3, 1, 32, at=1, scale=0.3), wave(32, at=2, scale=0.1)
///     dw, db = wave(10, 13 * 13 * 32, at=3, scale=0.05), wave(10, at=4)
///     h = F.max_pool2d(F.relu(F.conv2d(first(x), cw.permute(3, 2, 0, 1), cb)), 2)
///     l = F.cross_entropy(F.linear(last(h).flatten(1), dw, db), y, reduction="sum"); l.backward()
///     print("# article", f"{l.item():.7g}")
///     for p in (cw, cb, dw, db): show("parameter", p.grad)
///
///     sizes = (784, 512, 512, 10); h = x.detach().flatten(1); ps = []
///     for i in range(3):
///         w, b = wave(sizes[i + 1], sizes[i], at=i, scale=sizes[i] ** -0.5), wave(sizes[i + 1], at=i + 0.5, scale=0.1)
///         ps += [w, b]; h = F.linear(F.relu(h) if i else h, w, b)
///     l = F.cross_entropy(h, y, reduction="sum"); l.backward()
///     print("# mlp", f"{l.item():.7g}")
///     for p in ps: show("parameter", p.grad)
///
/// The first gradient of the MLP is a near cancellation of waves, so its numbers are small and its last digits rounding.
@Suite struct PyTorchModelTests {
  private func check(
    _ name: String, parameters values: [Buffer<Float>], loss: Double, gradients: [Golden]
  ) throws {
    let network = try Network(
      Model.named(name, input: [28, 28, 1], outputs: 10), loss: SoftmaxCrossEntropy(classes: 10), capacity: 3)
    let parameters = Buffer<Float>(count: network.layout.count)
    try #require(values.map(\.count) == network.layout.ranges.map(\.count))
    for (range, value) in zip(network.layout.ranges, values) { parameters[range].copy(from: value) }
    let examples = Examples(inputs: wave(3 * 784, at: 0.3), labels: Buffer([3, 7, 0]))
    let gradient = Buffer<Float>(count: network.layout.count)
    let sums = network.differentiate(
      examples, parameters: parameters, into: gradient, .replace, noise: Noise(seed: 1, step: 1, firstPosition: 0))
    #expect(abs(sums.loss - loss) < 2e-6 * loss)
    #expect(sums == network.evaluate(examples, parameters: parameters))
    for (index, golden) in gradients.enumerated() {
      golden.expect(gradient[network.layout.ranges[index]], network.layout.parameters[index].name)
    }
  }

  @Test func article() throws {
    try check(
      "article",
      parameters: [
        wave(288, at: 1, scale: 0.3), wave(32, at: 2, scale: 0.1), wave(54_080, at: 3, scale: 0.05), wave(10, at: 4),
      ],
      loss: 6.2597,
      gradients: [
        Golden([0.1006291, -0.05219278, 0.07681908, -0.0278481, 0.2267668, -0.01653532], -0.05561461),
        Golden([0.008347951, -0.02891207, 0.02935398, 0.1007676, -0.01049989, 0.01166175], -0.3659336),
        Golden([-0.3202217, -0.2534863, -0.1208739, -0.2404461, -0.008001056, -0.3501933], -0.2547744),
        Golden([-0.9461289, 0.05473771, 0.2196332, -0.4355412, 0.3124071, 0.1154795], -1.343868),
      ])
  }

  @Test func mlp() throws {
    var parameters: [Buffer<Float>] = []
    for (index, (inputs, units)) in [(784, 512), (512, 512), (512, 10)].enumerated() {
      let phase = Double(index)
      parameters.append(wave(units * inputs, at: phase, scale: 1 / Double(inputs).squareRoot()))
      parameters.append(wave(units, at: phase + 0.5, scale: 0.1))
    }
    try check(
      "mlp", parameters: parameters,
      loss: 6.885957,
      gradients: [
        Golden(
          [-6.164658e-05, -0.0002085146, -4.990827e-05, 0.0001818138, 0.0001471782, -0.0001030738], -0.006141173),
        Golden(
          [-0.0002086036, 0.003202852, -0.0003171815, -0.003881415, -0.001137266, 0.003842513], -0.001137009),
        Golden([0.0, 0.0, -0.3370798, -0.180845, 0.0, 0.0], 1.297063),
        Golden([-0.02522163, 0.02764663, 0.04001252, 0.02124313, 0.007044903, -0.01747412], -0.2146571),
        Golden([-1.49766, -1.070903, -0.4230441, 0.01597331, 0.1002535, 0.1593396], -3.591276),
        Golden([-0.5502918, 0.4290586, 0.4066613, -0.5975398, 0.364099, 0.2736748], -0.6775235),
      ])
  }
}
