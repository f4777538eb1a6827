import NeuralNetworks
import Tensors
import Testing

/// Every layer and loss against PyTorch 2.13, channels last. The script that made the numbers:
///
///     import torch, torch.nn as nn, torch.nn.functional as F
///
///     def wave(*shape, at=0.0, scale=1.0):          # element k is scale * sin(1.3 k + at), made in double
///         k = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
///         return (scale * torch.sin(1.3 * k + at)).float().reshape(shape).requires_grad_()
///
///     def show(name, t):
///         t = t.detach().double().flatten()
///         print(name, [float(f"{v:.7g}") for v in t[:6].tolist()],
///               float(f"{(t * torch.cos(torch.arange(len(t), dtype=torch.float64))).sum():.7g}"))
///
///     def last(t): return t.permute(0, 2, 3, 1)     # [N, C, H, W] -> [N, H, W, C]
///     def first(t): return t.permute(0, 3, 1, 2)
///
///     def case(name, y, x, *parameters):
///         y.backward(wave(*y.shape, at=0.5)); print("#", name, list(y.shape))
///         show("output", y); show("input", x.grad)
///         for p in parameters: show("parameter", p.grad)
///
///     for inputs, units in ((5, 3), (40, 7), (12, 40)):
///         x, w, b = wave(2, inputs), wave(units, inputs, at=1), wave(units, at=2)
///         case(f"dense {inputs} {units}", F.linear(x, w, b), x, w, b)
///     for padding in (0, 1):
///         x, w, b = wave(2, 5, 4, 2), wave(3, 3, 2, 3, at=1), wave(3, at=2)
///         case(f"convolution {padding}", last(F.conv2d(first(x), w.permute(3, 2, 0, 1), b, padding=padding)), x, w, b)
///     x = wave(2, 3, 2); case("relu", F.relu(x), x)
///     x = wave(2, 3, 2, scale=4); case("sigmoid", torch.sigmoid(x), x)
///     x = wave(2, 3, 2, scale=4); case("tanh", torch.tanh(x), x)
///     x = wave(2, 3, 2, scale=4); case("gelu", F.gelu(x, approximate="tanh"), x)
///     x = wave(2, 3, 2, scale=4); case("silu", F.silu(x), x)
///
///     def recurrent(make, x, w, u, b):               # in double; PyTorch's second bias stays 0
///         m = make(w.shape[1], u.shape[1], batch_first=True).double()
///         for p, value in zip(m.parameters(), (w, u, b, torch.zeros_like(b))): p.data = value.detach().double()
///         return m(x)[0][:, -1], list(m.parameters())[:3]
///     for make, gates in ((nn.RNN, 1), (nn.LSTM, 4), (nn.GRU, 3)):
///         for steps, features, units in ((4, 3, 5), (3, 8, 16)):
///             x = wave(2, steps, features).detach().double().requires_grad_(); g = gates * units
///             y, ps = recurrent(make, x, wave(g, features, at=1), wave(g, units, at=2), wave(g, at=3))
///             case(f"{make.__name__} {steps} {features} {units}", y, x, *ps)
///     x = wave(2, 5, 7, 2); case("maxpool 2", last(F.max_pool2d(first(x), 2)), x)
///     x = wave(2, 7, 6, 3); case("maxpool 3", last(F.max_pool2d(first(x), 3)), x)
///     x = wave(2, 2, 2, 3); case("flatten", x.flatten(1), x)
///     x, w, b = wave(2, 7, 8, 1), wave(3, 3, 1, 16, at=1), wave(16, at=2)
///     case("fused", last(F.max_pool2d(F.relu(F.conv2d(first(x), w.permute(3, 2, 0, 1), b)), 2)), x, w, b)
///
///     z, labels = wave(4, 5, scale=3), torch.tensor([1, 4, 0, 2])
///     l = F.cross_entropy(z, labels, reduction="sum"); l.backward()
///     print("# softmax", f"{l.item():.7g}", (z.argmax(1) == labels).sum().item()); show("gradient", z.grad)
///     z = wave(6, scale=3)
///     l = F.binary_cross_entropy_with_logits(z, torch.tensor([1., 0, 0, 1, 1, 0]), reduction="sum"); l.backward()
///     print("# sigmoid", f"{l.item():.7g}"); show("gradient", z.grad)
///     z, y = wave(4, 3, scale=3), wave(4, 3, at=1)
///     l = 4 * F.mse_loss(z, y); l.backward()            # the sum over samples of the mean over outputs
///     print("# squares", f"{l.item():.7g}"); show("gradient", z.grad)
@Suite struct PyTorchLayerTests {
  /// Two samples through `layers`: the output, then the gradients of the input (where there is one) and of each parameter.
  private func check(
    _ layers: [any LayerSpecification], input shape: Shape, scale: Double = 1, output expected: Golden,
    input expectedInput: Golden? = nil, parameters expectedParameters: [Golden] = [],
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let block = Block(layers)
    let specification: any LayerSpecification = layers.count == 1 ? layers[0] : block
    let layer = try specification.makeLayer(input: shape, capacity: 2, needsInputGradient: expectedInput != nil)
    let layout = ParameterLayout(layer.parameters)
    let pass = Pass(samples: 2, noise: Noise(seed: 1, step: 1, firstPosition: 0))
    let input = wave(2 * shape.count, scale: scale)
    let parameters = Buffer<Float>(count: layout.count)
    for (index, range) in layout.ranges.enumerated() {
      parameters[range].copy(from: wave(range.count, at: Double(index + 1)))
    }
    let output = Buffer<Float>(count: 2 * (try block.outputShape(for: shape)).count)
    let gradient = Buffer<Float>(count: layout.count)
    let inputGradient = Buffer<Float>(count: input.count)
    layer.forward(input, parameters, into: output, pass)
    layer.backward(
      wave(output.count, at: 0.5), input: input, output: output, parameters: parameters,
      into: expectedInput == nil ? nil : inputGradient, gradient: gradient, .replace, pass)
    expected.expect(output, "output", location)
    expectedInput?.expect(inputGradient, "input gradient", location)
    #expect(expectedParameters.count == layout.ranges.count, sourceLocation: location)
    for (index, golden) in expectedParameters.enumerated() {
      golden.expect(gradient[layout.ranges[index]], layout.parameters[index].name, location)
    }
  }

  @Test func denseBySgemm() throws {
    try check(
      [Dense(3)], input: [5],
      output: Golden([2.148811, 0.5982099, -0.7566912, 2.570339, 1.088167, -0.2212471], -0.5317288),
      input: Golden([1.358082, 0.9436271, -0.8532436, -1.40011, 0.1041878, -0.6664729], 2.460386),
      parameters: [
        Golden([-0.2047086, -0.4882615, -0.05651014, 0.4580287, 0.3015544, -0.1184635], -0.5909378),
        Golden([-0.4721766, 0.4231621, 0.6985673], -0.5342477),
      ])
    try check(
      [Dense(40)], input: [12],
      output: Golden([4.202437, -3.97335, 3.299947, -5.09555, 5.888393, -4.609964], 2.251166),
      input: Golden([-0.1468323, 0.4968696, 0.4126565, -0.2760994, -0.5603688, -0.02369642], 1.456422),
      parameters: [
        Golden([0.08487812, -0.2699214, -0.2292854, 0.1472543, 0.3080661, 0.01756041], 7.266391),
        Golden([1.267131, 0.5909556, -0.9509709, -1.099723, 0.3626218, 1.293725], -0.4692918),
      ])
  }

  @Test func denseByLanes() throws {
    try check(
      [Dense(7)], input: [40],
      output: Golden([11.64579, -18.01162, -5.910147, 19.08267, -0.632353, -18.19321], 1.495378),
      input: Golden([-0.7123988, -1.947733, -0.3296337, 1.771379, 1.277318, -1.088018], 0.1092115),
      parameters: [
        Golden([-0.1719956, 0.443324, 0.4091729, -0.2244174, -0.5292357, -0.05872242], 0.6170661),
        Golden([0.3050988, -0.02158862, -0.3166486, -0.1478177, 0.2375665, 0.2749152], 0.4073608),
      ])
  }

  @Test func convolution() throws {
    try check(
      [Conv2D(filters: 3, kernel: 3)], input: [5, 4, 2],
      output: Golden([0.7563137, -1.571057, -1.596826, 1.805163, 1.218586, -1.153222], 2.734573),
      input: Golden([1.111226, -0.5129266, -1.86865, 2.641986, -1.967155, 0.2140574], -1.77849),
      parameters: [
        Golden([-5.334863, -1.634454, 4.460434, -1.619533, 4.122622, 3.825127], 8.096912),
        Golden([-0.04370338, 1.011115, 0.5846478], 0.2593052),
      ])
    try check(
      [Conv2D(filters: 3, kernel: 3, padding: .same)], input: [5, 4, 2],
      output: Golden([0.1839864, -1.002346, -0.7202391, 1.827935, 0.4333512, -1.596093], -0.940161),
      input: Golden([4.176512, -3.076372, -2.536302, 5.132337, -1.667721, -2.215028], -4.204587),
      parameters: [
        Golden([1.16761, 1.990153, -0.1028826, 6.093385, 2.267753, -4.880143], -7.730926),
        Golden([0.5054183, 0.3521074, -0.3170417], 0.8275986),
      ])
  }

  /// The first input is exactly 0, where the gradient is PyTorch's 0.
  @Test func reLU() throws {
    try check(
      [ReLU()], input: [3, 2], output: Golden([0.0, 0.9635582, 0.5155014, 0.0, 0.0, 0.21512], 1.218267),
      input: Golden([0.0, 0.9738476, 0.04158066, 0.0, 0.0, 0.6569866], 0.7590999))
  }

  @Test func sigmoid() throws {
    try check(
      [Sigmoid()], input: [3, 2], scale: 4,
      output: Golden([0.5, 0.9792499, 0.8871551, 0.06002655, 0.02836515, 0.7027609], 1.564124),
      input: Golden([0.1198564, 0.01978813, 0.004162678, -0.05369259, -0.01517721, 0.1372366], 0.1536239))
  }

  @Test func tanh() throws {
    try check(
      [Tanh()], input: [3, 2], scale: 4,
      output: Golden([0.0, 0.9991024, 0.9681562, -0.991877, -0.998297, 0.6965049], 3.847235),
      input: Golden([0.4794255, 0.001747556, 0.002606007, -0.01539701, -0.001874064, 0.3382699], 0.4739389))
  }

  @Test func gelu() throws {
    try check(
      [GELU()], input: [3, 2], scale: 4,
      output: Golden([0.0, 3.854095, 2.021734, -0.007699831, -0.0005390073, 0.6927872], 4.821414),
      input: Golden([0.2397128, 0.9744554, 0.04488283, 0.02083401, 0.001182945, 0.684557], 0.8849359))
  }

  @Test func silu() throws {
    try check(
      [SiLU()], input: [3, 2], scale: 4,
      output: Golden([0.0, 3.774257, 1.829319, -0.1651369, -0.1002373, 0.6047117], 5.167685),
      input: Golden([0.2397128, 1.029908, 0.04547196, 0.0905904, 0.03801322, 0.5797938], 0.8535289))
  }

  @Test func rnn() throws {
    try check(
      [RNN(5)], input: [4, 3],
      output: Golden([-0.4639639, 0.7789042, -0.9406755, 0.9601164, 0.9809657, 0.7805699], -1.937286),
      input: Golden([0.001090983, -0.006366653, -0.004497126, -0.1049093, -0.1408434, 0.02955843], -0.8196678),
      parameters: [
        Golden([0.4314731, 0.5534368, -0.1353858, -0.3776815, 0.0240343, 0.3905398], 0.2942224),
        Golden([-0.02339915, 0.2794688, 0.4599017, 0.2238877, 0.1462866, 0.3745808], -2.493919),
        Golden([0.1096573, 0.3152971, -0.1404131, -0.9942652, 0.4824961], 1.00738),
      ])
    try check(
      [RNN(16)], input: [3, 8],
      output: Golden([0.9699009, -0.9993654, 0.8842097, 0.8724283, -0.9827803, 0.9971177], -0.2711087),
      input: Golden([-0.03464811, 0.05187406, 0.06240061, -0.01848988, -0.07229265, -0.02018652], -2.381657),
      parameters: [
        Golden([0.05782012, -0.08883606, -0.1053472, 0.03247556, 0.1227215, 0.03318019], 1.014728),
        Golden([-0.03854237, 0.03100489, -0.0009811298, -0.03732085, 0.04037513, -0.01576553], 0.8854694),
        Golden([-0.05657962, -0.1668603, -1.168787, -0.1993658, 0.07476845, 0.3221585], 0.379387),
      ])
  }

  @Test func lstm() throws {
    try check(
      [LSTM(5)], input: [4, 3],
      output: Golden([-0.03026484, 0.03498474, -0.06974721, 0.05369323, 0.6010298, 0.3205176], -0.4503682),
      input: Golden([-0.04359887, -0.014047, 0.03608376, -0.05550145, -0.04005822, 0.03407039], 0.2057092),
      parameters: [
        Golden([0.07480617, -0.01158489, -0.08100406, -0.02656686, 0.01528367, 0.03474359], 1.067635),
        Golden([-0.006065338, 0.0001382139, 0.004344169, -0.02263552, 0.01686413, 0.004512062], -0.3415907),
        Golden([-0.0005016522, -0.01484156, 0.01901656, -0.1577755, 0.01092494, 0.01032033], -0.6448803),
      ])
    try check(
      [LSTM(16)], input: [3, 8],
      output: Golden([0.3271045, 0.5999331, 0.00955411, 0.4654463, 0.7031475, 0.01375658], 0.5662989),
      input: Golden([-0.02109524, -0.005593085, 0.01810295, 0.01527812, -0.00992919, -0.02059021], -1.564608),
      parameters: [
        Golden([0.001842751, 0.02053332, 0.009142525, -0.01564209, -0.017511, 0.00627374], 1.855287),
        Golden([0.002758693, -0.0002142168, 0.0006914374, 0.00319988, -0.001598433, 0.00102648], 0.03305893),
        Golden([0.02042608, 0.009168146, -0.004743351, -0.01217014, 0.008655288, 0.01205604], 0.09563366),
      ])
  }

  @Test func gru() throws {
    try check(
      [GRU(5)], input: [4, 3],
      output: Golden([-0.7936021, -0.5562978, -0.1479594, -0.1408127, -0.2110473, -0.356552], -1.495535),
      input: Golden([0.179211, 0.1786061, -0.08365712, -0.3525942, -0.2983664, 0.1929688], 0.7274126),
      parameters: [
        Golden([-0.008278291, 0.0002116565, 0.008391527, -8.877908e-05, 0.01421389, 0.007693178], 0.4845343),
        Golden([-0.002296204, -0.01218159, -0.007837734, 0.004774677, 2.542512e-06, -0.009125687], -0.8492722),
        Golden([0.02435998, 0.03233557, -0.008525315, 0.01915561, -0.005062264, 0.09710764], -1.370303),
      ])
    try check(
      [GRU(16)], input: [3, 8],
      output: Golden([0.9899489, 0.9287172, 0.8371038, 0.7903646, 0.8407161, 0.9880921], 0.8375083),
      input: Golden([-0.03097744, -0.03256622, 0.01355459, 0.03981789, 0.007747888, -0.03567279], -0.9468143),
      parameters: [
        Golden([9.367921e-05, -7.074844e-06, -9.746423e-05, -4.506829e-05, 7.33528e-05, 8.431187e-05], 1.853843),
        Golden([8.73653e-05, 9.851319e-05, 2.001751e-05, 8.223769e-05, 9.457258e-05, 9.264089e-06], 0.372795),
        Golden([9.899896e-05, 5.889137e-05, 0.00480741, -0.008083121, -0.01538634, 0.0008933406], 0.44817),
      ])
  }

  @Test func maxPool() throws {
    try check(
      [MaxPool2D(2)], input: [5, 7, 2],
      output: Golden([0.9287952, 0.9635582, 0.9985433, 0.8273279, 0.420167, 0.9867719], -0.279893),
      input: Golden([0.0, 0.9738476, 0.0, 0.0, 0.0, 0.0], 4.284424))
    try check(
      [MaxPool2D(3)], input: [7, 6, 3],
      output: Golden([0.9985433, 0.9866276, 0.7625585, 0.9637954, 0.9287952, 0.9985909], -0.5310149),
      input: Golden([0.0, 0.0, 0.0, 0.0, 0.0, 0.0], -0.2237629))
  }

  @Test func flatten() throws {
    try check(
      [Flatten()], input: [2, 2, 3],
      output: Golden([0.0, 0.9635582, 0.5155014, -0.6877661, -0.8834547, 0.21512], 0.7805193),
      input: Golden([0.4794255, 0.9738476, 0.04158066, -0.9516021, -0.5506855, 0.6569866], 1.402453))
  }

  /// Fused where no input gradient is asked for, and the three layers apart where it is.
  @Test func convolutionReLUPool() throws {
    let layers: [any LayerSpecification] = [Conv2D(filters: 16, kernel: 3), ReLU(), MaxPool2D(2)]
    let output = Golden([1.252775, 0.6652811, 0.08381695, 0.1646459, 1.367623, 1.222264], 0.8941828)
    let parameters = [
      Golden([-1.154062, 0.9589397, 0.709743, -1.720224, 1.395208, -2.555583], -0.47692),
      Golden([0.8937985, 0.03574175, -1.512028, -1.709904, 0.605203, 0.827474], 2.265433),
    ]
    try check(layers, input: [7, 8, 1], output: output, parameters: parameters)
    try check(
      layers, input: [7, 8, 1], output: output,
      input: Golden([0.0, 2.6041, -1.648872, 2.128221, -3.554662, 0.7999365], 1.581159), parameters: parameters)
  }

  @Test func losses() {
    let gradient = Buffer<Float>(count: 20)
    let softmax = SoftmaxCrossEntropy(classes: 5).evaluate(
      wave(20, scale: 3), Examples(inputs: Buffer(count: 4), labels: Buffer([1, 4, 0, 2])), gradient: gradient)
    #expect(abs(softmax.loss - 11.19124) < 1e-5)
    #expect(softmax.correct == 1)
    Golden([0.04184426, -0.2465752, 0.19646, 0.005315657, 0.002955273, 0.07721075], 1.795589)
      .expect(gradient, "softmax' gradient")
    let sigmoid = SigmoidCrossEntropy(positive: 7).evaluate(
      wave(6, scale: 3), Examples(inputs: Buffer(count: 6), labels: Buffer([7, 0, 1, 7, 7, 9])),
      gradient: gradient.prefix(6))
    #expect(abs(sigmoid.loss - 11.34597) < 1e-5)
    Golden([-0.5, 0.9473835, 0.8244083, -0.8872845, -0.9340334, 0.6559641], 1.343801)
      .expect(gradient.prefix(6), "sigmoid's gradient")
    let squares = MeanSquaredError(outputs: 3).evaluate(
      wave(12, scale: 3),
      Examples(samples: 4, inputs: Buffer(count: 4), labels: Buffer(count: 0), values: wave(12, at: 1)),
      gradient: gradient.prefix(12))
    #expect(abs(squares.loss - 13.45638) < 1e-5)
    Golden([-0.5609807, 1.42998, 1.326016, -0.7205639, -1.711516, -0.1950933], 5.25276)
      .expect(gradient.prefix(12), "squares' gradient")
  }
}
