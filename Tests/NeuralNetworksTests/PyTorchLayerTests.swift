import NeuralNetworks
import Tensors
import Testing

/// Every layer and loss against PyTorch 2.15, channels last. The script that made the numbers:
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
///     x = wave(2, 5, 6, 19); case("maxpool 2 stride 1", last(F.max_pool2d(first(x), 2, 1)), x)
///     x = wave(2, 7, 8, 2); case("maxpool 3 stride 2", last(F.max_pool2d(first(x), 3, 2)), x)
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
///     w = torch.tensor([0.5, 2, 1, 0.25, 3])
///     for weight, smoothing in ((w, 0.0), (None, 0.1), (w, 0.1)):
///         z = wave(4, 5, scale=3)
///         l = F.cross_entropy(z, torch.tensor([1, 4, 0, 2]), weight=weight, label_smoothing=smoothing, reduction="sum")
///         l.backward(); print("# softmax", f"{l.item():.7g}"); show("gradient", z.grad)
///         z, own = wave(6, scale=3), torch.tensor([1, 0, 0, 1, 1, 0])       # one logit z: two of 0 and z
///         l = F.cross_entropy(torch.stack([torch.zeros(6), z], 1), own, weight=None if weight is None else w[:2],
///                             label_smoothing=smoothing, reduction="sum")
///         l.backward(); print("# sigmoid", f"{l.item():.7g}"); show("gradient", z.grad)
///     z, y = wave(4, 3, scale=3), wave(4, 3, at=1)
///     l = 4 * F.mse_loss(z, y); l.backward()            # the sum over samples of the mean over outputs
///     print("# squares", f"{l.item():.7g}"); show("gradient", z.grad)
///
///     def double(t): return t.detach().double().requires_grad_()
///     def attention(x, w, b, ow, ob, heads, causal):
///         n, t, d = x.shape
///         q, k, v = (a.view(n, t, heads, d // heads).transpose(1, 2) for a in F.linear(x, w, b).chunk(3, -1))
///         a = F.scaled_dot_product_attention(q, k, v, is_causal=causal).transpose(1, 2).reshape(n, t, d)
///         return F.linear(a, ow, ob)
///     for tokens, width, heads, causal in ((5, 6, 2, False), (5, 6, 3, True), (18, 8, 1, False)):
///         x, sizes = double(wave(2, tokens, width, scale=0.5)), ((3 * width, width), (3 * width,), (width, width), (width,))
///         ps = [double(wave(*s, at=i + 1)) for i, s in enumerate(sizes)]
///         case(f"attention {tokens} {width} {heads} {causal}", attention(x, *ps, heads, causal), x, *ps)
///     for shape in ((3, 5), (2, 16)):
///         x, w, b = double(wave(2, *shape)), double(wave(shape[-1], at=1)), double(wave(shape[-1], at=2))
///         case(f"layer norm {shape}", F.layer_norm(x, (shape[-1],), w, b), x, w, b)
///     for tokens, inputs, units in ((4, 5, 3), (3, 16, 20)):
///         x, w, b = wave(2, tokens, inputs), wave(units, inputs, at=1), wave(units, at=2)
///         case(f"token dense {tokens} {inputs} {units}", F.linear(x, w, b), x, w, b)
///     def patches(x, size): return F.unfold(first(x), size, stride=size).transpose(1, 2)
///     x = wave(2, 8, 4, 1); case("patches", patches(x, 4), x)
///     x = wave(2, 4, 6, 3); case("patches of channels", patches(x, 2).unflatten(2, (3, 4)).transpose(2, 3).flatten(2), x)
///     x, c = wave(2, 3, 4), wave(4, at=1); case("class token", torch.cat([c.expand(2, 1, 4), x], 1), x, c)
///     x, p = wave(2, 3, 4), wave(3, 4, at=1); case("positions", x + p, x, p)
///     x = wave(2, 3, 4); case("token", x[:, 1], x)
///     x = wave(2, 3, 4); case("tokens", x[:, 1:], x)
///     x, p, h = wave(2, 4, 6, 2), wave(4, at=1), (wave(2, 4, 6, 2)[..., 1:] > 0).float()     # the hidden: those above 0
///     case("masked patches", torch.where(patches(h, 2) > 0, p, patches(x[..., :1], 2)), x, p)
///     x, w, b = wave(2, 5), wave(5, 5, at=1), wave(5, at=2)
///     case("residual", torch.sigmoid(F.linear(x, w, b)) + x, x, w, b)
///     x, w, b, sw, sb = wave(2, 5), wave(4, 5, at=1), wave(4, at=2), wave(4, 5, at=3), wave(4, at=4)
///     case("residual with a projection", torch.sigmoid(F.linear(x, w, b)) + F.linear(x, sw, sb), x, w, b, sw, sb)
///
///     for kernel, padding in ((3, 1), (1, 0), (3, 0)):
///         x, w = wave(2, 5, 4, 2), wave(kernel, kernel, 2, 3, at=1)
///         case(f"strided {kernel} {padding}", last(F.conv2d(first(x), w.permute(3, 2, 0, 1), stride=2, padding=padding)), x, w)
///     x, w, b = wave(2, 6, 4, 2), wave(4, 4, 2, 3, at=1), wave(3, at=2)
///     case("strided 4 1", last(F.conv2d(first(x), w.permute(3, 2, 0, 1), b, stride=2, padding=1)), x, w, b)
///     x, w = double(wave(2, 4, 6, 16)), double(wave(3, 3, 16, 16, at=1))
///     case("direct without a bias", last(F.conv2d(first(x), w.permute(3, 2, 0, 1), padding=1)), x, w)
///     x = wave(2, 5, 4, 3); case("average pool", F.adaptive_avg_pool2d(first(x), 1).flatten(1), x)
///     for shape in ((5, 4, 3), (3, 2, 16)):
///         for rectifying in (False, True):
///             m, x = nn.BatchNorm2d(shape[-1]).double(), double(wave(2, *shape))
///             m.weight.data, m.bias.data = double(wave(shape[-1], at=1)), double(wave(shape[-1], at=2))
///             y = last(m(first(x)))
///             case(f"batch norm {shape} {rectifying}", F.relu(y) if rectifying else y, x, m.weight, m.bias)
///             t = first(x).detach().transpose(0, 1).flatten(1)
///             show("mean", t.mean(1) * 2); show("variance", t.var(1) * 2)        # times the samples
///             m.running_mean, m.running_var = double(wave(shape[-1], at=3)), 1 + double(wave(shape[-1], at=4, scale=0.5))
///             y = last(m.eval()(first(x))); show("evaluated", F.relu(y) if rectifying else y)
///     x = wave(2, 5, 2); case("shift", torch.cat([torch.full((2, 1, 2), 2.0), x[:, :-1]], 1), x)
///     e, t = wave(3, 5, at=1), torch.tensor([[0, 1, 1, 2], [1, 0, 1, 1]]); y = e[t]; y.backward(wave(2, 4, 5, at=0.5))
///     show("embedding", y); show("parameter", e.grad)
///     def stack(x, dilations, ps):
///         h, s, ps = x.transpose(1, 2), 0, iter(ps)
///         for i, d in enumerate(dilations):
///             w, b, sw, sb = (next(ps) for _ in range(4))
///             a, g = F.conv1d(F.pad(h, (d, 0)), w.permute(2, 1, 0), b, dilation=d).chunk(2, 1)
///             z = torch.tanh(a) * torch.sigmoid(g); s = s + F.conv1d(z, sw[:, :, None], sb)
///             if i + 1 < len(dilations): h = h + F.conv1d(z, next(ps)[:, :, None], next(ps))
///         return s.transpose(1, 2)
///     for steps, width, skip, dilations in ((7, 3, 5, (1, 2, 8)), (6, 16, 4, (2,))):
///         unit = [(2, width, 2 * width), (2 * width,), (skip, width), (skip,), (width, width), (width,)]
///         shapes = (unit * len(dilations))[:-2]        # the last unit has no next state
///         x = double(wave(2, steps, width)); ps = [double(wave(*s, at=i + 1)) for i, s in enumerate(shapes)]
///         case(f"gated stack {steps} {width}", stack(x, dilations, ps), x, *ps)
///     z, y = wave(2, 3, 2, scale=3), torch.tensor([[1, 0, 1], [0, 0, 1]])
///     l = F.cross_entropy(z.flatten(0, 1), y.flatten(), reduction="sum"); l.backward()
///     print("# pixels by softmax", f"{l.item():.7g}"); show("gradient", z.grad)
///     z = wave(2, 3, scale=3); l = F.binary_cross_entropy_with_logits(z, y.float(), reduction="sum"); l.backward()
///     print("# pixels by sigmoid", f"{l.item():.7g}"); show("gradient", z.grad)
///     x, z = wave(2, 4, 6, 2, at=1).detach(), wave(2, 6, 4, scale=3); h = patches((x[..., 1:] > 0).float(), 2)
///     l = (((z - patches(x[..., :1], 2)) ** 2 * h).sum((1, 2)) / h.sum((1, 2))).sum(); l.backward()
///     print("# hidden pixels", f"{l.item():.7g}"); show("gradient", z.grad)
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

  @Test func tokenDense() throws {
    try check(
      [TokenDense(3)], input: [4, 5],
      output: Golden([2.148811, 0.5982099, -0.7566912, 2.570339, 1.088167, -0.2212471], -0.9788929),
      input: Golden([1.358082, 0.9436271, -0.8532436, -1.40011, 0.1041878, -0.6664729], 4.194955),
      parameters: [
        Golden([0.01986203, 0.04021618, 0.001653522, -0.03933161, -0.02269585, -0.5677372], 2.180989),
        Golden([0.1159844, 0.02959146, -0.100153], 0.1736511),
      ])
    try check(
      [TokenDense(20)], input: [3, 16],
      output: Golden([5.270063, -7.580026, 0.146839, 6.203058, -5.221598, -1.320013], 2.272264),
      input: Golden([0.06360234, 0.2403419, 0.06497998, -0.205578, -0.1749637, 0.1119726], 0.8822443),
      parameters: [
        Golden([-0.06534602, 0.4474242, 0.304717, -0.2844013, -0.456871, 0.03997646], 0.2280605),
        Golden([0.5577578, -0.8998405, -1.03917, 0.3438869, 1.223149, 0.310495], -0.07304491),
      ])
  }

  @Test func layerNorm() throws {
    try check(
      [LayerNorm()], input: [3, 5],
      output: Golden([0.9314727, 0.8892059, -1.331501, 0.5662938, 0.8964281, 1.183831], 0.6585827),
      input: Golden([-0.02186982, 0.4140518, -0.6386377, 0.7562498, -0.5097941, 0.1294154], 0.2743982),
      parameters: [
        Golden([3.810724, 5.441453, 0.9911841, 7.003335, 1.053497], -1.283585),
        Golden([4.832411, 4.013122, -2.6854, -5.449805, -0.2302328], 13.66399),
      ])
    try check(
      [LayerNorm()], input: [2, 16],
      output: Golden([0.8759558, 0.8549406, -1.307047, 0.6451552, 0.9034356, 1.054008], -0.08171918),
      input: Golden([-0.07373309, 0.3415074, -0.7139211, 0.7349824, -0.5439783, 0.2231569], -0.2262869),
      parameters: [
        Golden([1.534275, 3.186792, 2.256044, 2.630014, 2.821676, 1.635319], 1.895866),
        Golden([0.2330677, 0.8315148, 0.2117908, -0.7182072, -0.5960299, 0.3993326], 1.264362),
      ])
  }

  @Test func attention() throws {
    try check(
      [MultiHeadAttention(heads: 2)], input: [5, 6], scale: 0.5,
      output: Golden([-3.031105, 4.483394, 3.159462, -4.009399, -3.165484, 3.763002], 33.87886),
      input: Golden([4.342835, -1.548974, -5.171532, -1.217783, 4.520021, 3.635984], 12.60521),
      parameters: [
        Golden([0.1635343, 3.426755, 1.669771, -2.533431, -3.025151, 0.9149822], -0.3184789),
        Golden([-2.957653, -0.7537182, 2.876318, -1.096524, 0.8409411, 1.187271], -12.86708),
        Golden([-5.967103, -5.039678, 5.44933, 5.611586, -3.766336, -6.391985], 0.9772632),
        Golden([1.210279, 1.004393, -0.672931, -1.36441, -0.0570251, 1.333902], 3.799401),
      ])
    try check(
      [MultiHeadAttention(heads: 3, causal: true)], input: [5, 6], scale: 0.5,
      output: Golden([0.6085497, 0.1742793, -0.9451935, -0.1432207, 1.356373, 0.3847815], 20.15491),
      input: Golden([-11.89883, -2.561602, 10.52838, 8.19426, -6.14447, -11.48154], -8.651627),
      parameters: [
        Golden([1.16457, 3.351192, 0.6283097, -3.015048, -2.241353, 1.815929], 15.54116),
        Golden([-2.676857, 1.39417, 1.40273, -0.5734781, 1.309452, 2.070108], -11.38617),
        Golden([-0.7236961, -1.971648, 0.3895925, 2.391928, 0.01531194, -2.62204], -5.264603),
        Golden([1.210279, 1.004393, -0.672931, -1.36441, -0.0570251, 1.333902], 3.799401),
      ])
    try check(
      [MultiHeadAttention(heads: 1)], input: [18, 8], scale: 0.5,
      output: Golden([0.7612499, -5.820011, 4.389581, 1.411253, -4.317751, 3.802448], 2.135711),
      input: Golden([0.02833875, 0.05250794, -0.0002471298, -0.05264016, -0.02791524, 0.03770558], 0.1413497),
      parameters: [
        Golden([-0.02505572, 0.03153843, 0.04192871, -0.009106667, -0.04680075, -0.01593163], 56.56203),
        Golden([-0.03467587, 0.002257562, 0.03214296, -0.03832095, 0.01085194, 0.02614542], 0.4877745),
        Golden([3.744748, 24.74539, -31.94797, 11.23445, 19.85529, -33.37276], -6.441414),
        Golden([0.3090134, 1.089161, 0.2736855, -0.9427402, -0.778049, 0.5264857], 3.422826),
      ])
  }

  /// Channels are fastest here, and slowest in PyTorch's patches.
  @Test func patches() throws {
    try check(
      [Patches(4)], input: [8, 4, 1],
      output: Golden([0.0, 0.9635582, 0.5155014, -0.6877661, -0.8834547, 0.21512], 0.1172652),
      input: Golden([0.4794255, 0.9738476, 0.04158066, -0.9516021, -0.5506855, 0.6569866], 0.6335491))
    try check(
      [Patches(2)], input: [4, 6, 3],
      output: Golden([0.0, 0.9635582, 0.5155014, -0.6877661, -0.8834547, 0.21512], 0.9785745),
      input: Golden([0.4794255, 0.9738476, 0.04158066, -0.9516021, -0.5506855, 0.6569866], 0.791963))
  }

  @Test func tokens() throws {
    try check(
      [ClassToken()], input: [3, 4],
      output: Golden([0.841471, 0.7457052, -0.4425204, -0.9824526, 0.0, 0.9635582], -4.320022),
      input: Golden([-0.5506855, 0.6569866, 0.9021719, -0.1743268, -0.9954363, -0.3582293], 1.611652),
      parameters: [
        Golden([1.116848, 0.401922, -0.9018208, -0.884394], 2.584841)
      ])
    try check(
      [Positions()], input: [3, 4],
      output: Golden([0.841471, 1.709263, 0.07298094, -1.670219, -0.9665441, 1.15312], 2.787572),
      input: Golden([0.4794255, 0.9738476, 0.04158066, -0.9516021, -0.5506855, 0.6569866], 1.402453),
      parameters: [
        Golden([0.09735414, -0.01881176, -0.1074184, -0.03865683, 0.0867371, 0.08506095], -0.1281598)
      ])
    try check(
      [Token(1)], input: [3, 4],
      output: Golden([-0.8834547, 0.21512, 0.9985433, 0.3190984, 0.9287952, -0.1086366], -3.400352),
      input: Golden([0.0, 0.0, 0.0, 0.0, 0.4794255, 0.9738476], 0.05533189))
    try check(
      [Tokens(from: 1)], input: [3, 4],
      output: Golden([-0.8834547, 0.21512, 0.9985433, 0.3190984, -0.8278264, -0.7619836], 2.872769),
      input: Golden([0.0, 0.0, 0.0, 0.0, 0.4794255, 0.9738476], 0.4214452))
  }

  @Test func maskedPatches() throws {
    try check(
      [Hiding(), MaskedPatches(2)], input: [4, 6, 2],
      output: Golden([0.841471, 0.5155014, 0.1077536, -0.9824526, 0.841471, 0.7457052], 3.251437),
      input: Golden([0.0, 0.0, 0.9738476, 0.0, 0.0, 0.0], -1.128198),
      parameters: [Golden([0.2891582, 0.3676844, -0.8085208, -0.09800178], 0.9213033)])
  }

  @Test func residual() throws {
    try check(
      [Residual([Dense(5), Sigmoid()])], input: [5],
      output: Golden([0.8955576, 1.608805, 0.8348665, -0.3485815, -0.3873838, 1.144048], 4.7647),
      input: Golden([0.3909372, 1.104272, 0.1998455, -0.9973546, -0.7334278, 0.4832149], 4.105362),
      parameters: [
        Golden([0.009330769, 0.08652005, 0.03695725, -0.066748, -0.07266728, 0.0365789], 2.363987),
        Golden([0.08821738, 0.3929566, -0.03401425, -0.4613837, -0.2211158], 0.915985),
      ])
    try check(
      [Residual([Dense(4), Sigmoid()], shortcut: [Dense(4)])], input: [5],
      output: Golden([-2.298367, -2.620388, -1.684765, -0.7514178, -2.109453, -2.480735], -3.788326),
      input: Golden([0.489265, -0.3844306, -0.6949345, 0.01264243, 0.7016981, -0.03893691], -1.580071),
      parameters: [
        Golden([-0.007821041, 0.006904826, 0.01151511, -0.0007442702, -0.01191329, 0.02663777], 1.197805),
        Golden([0.008486014, 0.3467445, 0.2318437, -0.2567381], 0.3535207),
        Golden([-0.1184635, -0.08792895, 0.0714217, 0.1261394, -0.003937423, 0.1413309], 5.219323),
        Golden([-0.07125998, 1.630834, 0.9437525, -1.125929], 1.531805),
      ])
  }

  @Test func convolutionsWithStridesAndNoBias() throws {
    try check(
      [Conv2D(filters: 3, kernel: 3, padding: .same, stride: 2, bias: false)], input: [5, 4, 2],
      output: Golden([-0.725311, -0.8446, 0.2734519, -0.9098687, -0.03487089, 0.8912129], 1.7221),
      input: Golden([1.176929, -0.7311898, 0.8536259, 1.133175, -1.309467, 1.666642], 1.273994),
      parameters: [Golden([0.2184967, -0.3619879, -0.4121593, -0.1293495, 0.1936248, 0.2329384], -0.04339215)])
    try check(
      [Conv2D(filters: 3, kernel: 1, padding: .same, stride: 2, bias: false)], input: [5, 4, 2],
      output: Golden([-0.9466503, -0.08006147, 0.9038175, -0.9547467, -0.6766709, 0.5927293], 0.8918676),
      input: Golden([1.111226, -0.5129266, 0.0, 0.0, -1.502125, 1.596914], -0.9723296),
      parameters: [Golden([0.6717312, -0.1146936, -0.7330918, 0.9131641, 0.4579899, -0.6681406], -0.4780781)])
    try check(
      [Conv2D(filters: 3, kernel: 3, stride: 2, bias: false)], input: [5, 4, 2],
      output: Golden([-0.1529837, -1.413312, -0.6031349, 1.434615, 0.8215558, -0.995085], -1.18072),
      input: Golden([1.111226, -0.5129266, -0.3665256, 1.045072, -1.150778, 0.6257012], 9.155734),
      parameters: [Golden([0.1914768, -1.099044, -0.7794631, 1.006753, 0.2054431, -0.8968412], -0.6608755)])
    try check(
      [Conv2D(filters: 3, kernel: 4, padding: .same, stride: 2)], input: [6, 4, 2],
      output: Golden([0.9210748, -0.04486812, -0.9450793, 1.041568, -0.2118002, -1.154881], 2.778763),
      input: Golden([-0.1153408, 0.8986489, -2.498842, 2.494806, -1.123278, -0.8639584], 0.3584738),
      parameters: [
        Golden([-0.03516878, 1.384831, 0.7760501, -1.596688, -0.2994893, 1.436462], -0.2827904),
        Golden([-0.04370338, 1.011115, 0.5846478], 0.2593052),
      ])
    // By the direct kernel, where a vector has eight lanes.
    try check(
      [Conv2D(filters: 16, kernel: 3, padding: .same, bias: false)], input: [4, 6, 16],
      output: Golden([0.8749425, -2.09083, -1.993532, 1.024295, 2.541527, 0.3354159], -15.38304),
      input: Golden([14.15585, 1.653043, -15.38106, 9.747195, 8.156571, -15.79274], 4.779121),
      parameters: [Golden([-0.1292322, -14.67713, -7.722998, 10.54534, 13.36473, -3.395243], 29.4961)])
  }

  @Test func globalAveragePool() throws {
    try check(
      [GlobalAveragePool2D()], input: [5, 4, 3],
      output: Golden([-0.03135734, 0.0314307, 0.04817269, 0.04813844, -0.005750007, -0.05121467], -0.09284808),
      input: Golden([0.02397128, 0.04869238, 0.002079033, 0.02397128, 0.04869238, 0.002079033], 0.1064438))
  }

  /// In training, with its averages' sums in the place of their gradients, alone and with a ReLU behind it.
  @Test func batchNorm() throws {
    try check(
      [BatchNorm()], input: [5, 4, 3],
      output: Golden([0.8992694, 0.8335918, -1.322433, 0.07727812, -1.092335, -1.131439], 0.8945529),
      input: Golden([0.5668386, 0.146533, 0.2581468, -0.409904, 0.2271361, -0.3014178], -0.3963917),
      parameters: [
        Golden([25.13301, 24.80874, 24.52616], 28.33075),
        Golden([0.5054183, 0.3521075, -0.3170417], 0.8275987),
        Golden([0.0167811, 0.02568069, -0.00304198], 0.03192234),
        Golden([1.016815, 1.049087, 0.9935569], 1.170174),
      ])
    try check(
      [BatchNorm(), ReLU()], input: [3, 2, 16],
      output: Golden([0.8173862, 0.7985782, 0.0, 0.5142301, 0.8954592, 0.9923956], -0.6277839),
      input: Golden([0.343252, 0.3104482, -0.0, 0.6520286, -0.01953509, 0.4286408], -1.619926),
      parameters: [
        Golden([4.300935, 3.600038, 0.0, 3.381728, 7.580194, 3.986094], -4.979755),
        Golden([2.915669, 3.468775, 0.0, -2.89776, 0.6052029, 3.380883], 1.391421),
        Golden([0.1475932, 0.07855421, -0.1055669, -0.1350323, 0.03332498, 0.1528611], -0.1275686),
        Golden([0.9959182, 1.133294, 1.089532, 1.027154, 1.177818, 0.9819919], 0.7745891),
      ])
  }

  /// By running averages, which a training pass before does not change.
  @Test func evaluatedBatchNorm() throws {
    let cases: [([any LayerSpecification], Shape, Golden)] = [
      (
        [BatchNorm()], [5, 4, 3], Golden([0.7586821, 1.676683, -1.465723, 0.02463933, -0.1258227, -1.34208], 1.133105)
      ),
      (
        [BatchNorm(), ReLU()], [3, 2, 16], Golden([0.7586821, 1.676683, 0.0, 0.6420106, 0.937438, 1.162276], 0.1563208)
      ),
    ]
    for (layers, shape, golden) in cases {
      let layer = try Sequential(layers, input: shape, capacity: 2)
      let channels = shape[2]
      let values = [
        wave(channels, at: 1), wave(channels, at: 2), wave(channels, at: 3),
        Buffer(wave(channels, at: 4, scale: 0.5).array.map { 1 + $0 }),
      ]
      let layout = ParameterLayout(layer.parameters)
      let parameters = Buffer<Float>(count: layout.count)
      for (range, value) in zip(layout.ranges, values) { parameters[range].copy(from: value) }
      let input = wave(2 * shape.count)
      let output = Buffer<Float>(count: input.count)
      for pass in [Pass(samples: 2, noise: Noise(seed: 1, step: 1, firstPosition: 0)), Pass(samples: 2)] {
        layer.forward(input, parameters, into: output, pass)
      }
      golden.expect(output, "output")
    }
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
    // Windows that overlap.
    try check(
      [MaxPool2D(2, stride: 1)], input: [5, 6, 19],
      output: Golden([0.0, 0.9635582, 0.8273279, 0.9645025, 0.8253271, 0.21512], -0.2075163),
      input: Golden([0.4794255, 0.9738476, 0.0, 0.0, 0.0, 0.6569866], 0.6511282))
    try check(
      [MaxPool2D(3, stride: 2)], input: [7, 8, 2],
      output: Golden([0.9287952, 0.9985909, 0.9985433, 0.8838704, 0.9866276, 0.9867719], -0.2795706),
      input: Golden([0.0, 0.0, 0.0, 0.0, 0.0, 0.0], -3.049732))
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

  @Test func shift() throws {
    try check(
      [Shift(start: 2)], input: [5, 2],
      output: Golden([2.0, 2.0, 0.0, 0.9635582, 0.5155014, -0.6877661], 1.692306),
      input: Golden([0.04158066, -0.9516021, -0.5506855, 0.6569866, 0.9021719, -0.1743268], -0.3333085))
  }

  @Test func embedding() throws {
    let tokens = Buffer([0, 1, 1, 2, 1, 0, 1, 1] as [Float])
    let layer = try Embedding(tokens: 3, width: 5).makeLayer(input: [4], capacity: 2, needsInputGradient: false)
    let pass = Pass(samples: 2, noise: Noise(seed: 1, step: 1, firstPosition: 0))
    let parameters = Buffer<Float>(count: ParameterLayout(layer.parameters).count)
    parameters.prefix(15).copy(from: wave(15, at: 1))
    let (output, gradient) = (Buffer<Float>(count: 40), Buffer<Float>(count: parameters.count))
    layer.forward(tokens, parameters, into: output, pass)
    layer.backward(
      wave(40, at: 0.5), input: tokens, output: output, parameters: parameters, into: nil, gradient: gradient, .replace,
      pass)
    Golden([0.841471, 0.7457052, -0.4425204, -0.9824526, -0.0830894, 0.938], 1.081936).expect(output, "output")
    Golden([1.479337, 1.22853, -0.8220767, -1.668339, -0.07048073, 4.315563], 2.224839).expect(
      gradient.prefix(15), "the vectors' gradient")
  }

  /// A dilation beyond the sequence too, whose earlier tap sees nothing.
  @Test func gatedStack() throws {
    try check(
      [GatedStack(skip: 5, dilations: [1, 2, 8])], input: [7, 3],
      output: Golden([-0.5556857, -1.509968, -2.787564, 5.752226, 0.07600435, 0.5926837], 1.396183),
      input: Golden([0.04348143, 0.0461285, -0.03850367, 0.1160029, 0.02098487, -0.1137384], 1.438155),
      parameters: [
        Golden([-0.3462119, 0.1771218, -0.003209681, 0.362269, 0.08502364, 0.1990468], -0.02853483),
        Golden([1.191042, 0.6607555, -0.7220796, -0.2348366, -0.1019863, -0.3642737], 2.04436),
        Golden([-0.3666843, -1.241362, -3.081702, 0.8020632, -0.0951675, -0.236959], -1.423053),
        Golden([8.705798, -0.6243886, -9.039844, -4.211907, 6.786484], 11.86416),
        Golden([0.7248568, 0.5016552, -0.4481945, -0.2272028, 0.5490378, -0.03175245], -0.07830919),
        Golden([-1.481263, 0.9174229, 1.580263], -1.643199),
        Golden([-0.7174319, -0.3130417, -0.3125326, -0.2451808, 0.4215029, -0.1652345], 2.214809),
        Golden([0.8118496, 0.6947993, -0.4005958, 0.3048648, 0.3710091, 0.1035902], 0.839021),
        Golden([1.288715, 0.2756286, -5.808322, -0.2966451, 0.9330744, -0.1100111], 2.43632),
        Golden([8.705798, -0.6243886, -9.039844, -4.211907, 6.786484], 11.86416),
        Golden([-0.1047517, 0.03658046, 0.3818996, -0.08767319, 0.04396907, 0.383264], 0.03990285),
        Golden([-0.746778, -0.5504829, 0.6873749], -1.330254),
        Golden([0.0, 0.0, 0.0, 0.0, 0.0, 0.0], -1.262057),
        Golden([0.0353518, 0.1806576, -0.2480849, 0.1344551, 0.7406923, 0.037472], -0.3704277),
        Golden([0.3576091, 4.694352, -6.104974, -0.1137135, 0.09895025, 0.3807007], 5.66983),
        Golden([8.705798, -0.6243886, -9.039844, -4.211907, 6.786484], 11.86416),
      ])
    try check(
      [GatedStack(skip: 4, dilations: [2])], input: [6, 16],
      output: Golden([3.019091, -3.472562, -1.507401, 4.987411, -1.463297, -3.244314], -0.9461403),
      input: Golden([3.301488, -1.052753, -1.774321, 3.626657, -3.486662, 1.431242], 5.228989),
      parameters: [
        Golden([0.4014633, 0.09895921, -0.5034882, -0.9188325, -0.2394119, 0.4379412], 1.093999),
        Golden([-0.1131383, 0.1495187, 0.2132284, -0.3958472, 0.3056868, -0.009453052], 0.661504),
        Golden([0.2410956, 0.2072164, -0.07192308, -0.4998411, 0.05284008, 0.2192142], -0.4667421),
        Golden([0.3054804, 0.3532639, -0.116485, -0.4155831], 0.9562487),
      ])
  }

  @Test func pixelLosses() {
    let gradient = Buffer<Float>(count: 12)
    let values = Buffer([1, 0, 1, 0, 0, 1] as [Float])
    let examples = Examples(samples: 2, inputs: values, labels: Buffer(count: 0), values: values)
    let softmax = PixelSoftmaxCrossEntropy(pixels: 3).evaluate(wave(12, scale: 3), examples, gradient: gradient)
    #expect(abs(softmax.loss - 1.204151) < 1e-5)
    Golden([0.05261648, -0.05261654, -0.02634436, 0.02634438, 0.03571817, -0.03571814], -0.598991).expect(
      gradient, "softmax' gradient")
    let sigmoid = PixelSigmoidCrossEntropy(pixels: 3).evaluate(
      wave(6, scale: 3), examples, gradient: gradient.prefix(6))
    #expect(abs(sigmoid.loss - 4.440445) < 1e-5)
    Golden([-0.5, 0.9473835, -0.1755917, 0.1127155, 0.06596658, -0.3440359], -0.1673507).expect(
      gradient.prefix(6), "sigmoid's gradient")
  }

  @Test func hiddenPatchError() throws {
    let (values, gradient) = (hiding(wave(96, at: 1)), Buffer<Float>(count: 48))
    let examples = Examples(samples: 2, inputs: values, labels: Buffer(count: 0), values: values)
    let sums = try HiddenPatchError(input: [4, 6, 2], size: 2).evaluate(
      wave(48, scale: 3), examples, gradient: gradient)
    #expect(abs(sums.loss - 8.487228) < 1e-5 && sums.samples == 2 && sums.correct == 0)
    Golden([-0.1402452, 0.0, 0.0, -0.4011022, -0.4278791, 0.0], 1.426311).expect(gradient, "gradient")
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

  /// `cross_entropy` with the probabilities λ·onehot(own) + (1 − λ)·onehot(partner), plain, and with weights and smoothing; and
  /// `binary_cross_entropy_with_logits` with such targets; all with `reduction="sum"`.
  @Test func mixedLosses() throws {
    var examples = Examples(inputs: Buffer(count: 4), labels: Buffer([1, 4, 0, 2]))
    examples.mixture = Examples.Mixture(labels: Buffer([3, 4, 2, 0]), shares: Buffer([0.9, 0.3, 0.5, 1]))
    for (weighting, loss, head, sum) in [
      (nil, 12.15526, [0.04184426, -0.1465752, 0.19646, -0.09468435, 0.002955273, 0.07721075], 1.107156),
      (
        try ClassWeighting(weights: [0.5, 2, 1, 0.25, 3], smoothing: 0.1, classes: 5), 21.96466,
        [0.06437816, -0.3207874, 0.3292076, -0.01805142, -0.054747, 0.2088924], 3.829283
      ),
    ] as [(ClassWeighting?, Double, [Double], Double)] {
      let gradient = Buffer<Float>(count: 20)
      let sums = SoftmaxCrossEntropy(classes: 5, weighting: weighting).evaluateMixed(
        wave(20, scale: 3), examples, gradient: gradient, partnerGradient: Buffer(count: 5))
      #expect(abs(sums.loss - loss) < 2e-5)
      Golden(head, sum).expect(gradient, "softmax' gradient")
    }
    var pairs = Examples(inputs: Buffer(count: 6), labels: Buffer([7, 0, 1, 7, 7, 9]))
    pairs.mixture = Examples.Mixture(
      labels: Buffer([7, 7, 2, 0, 1, 7]), shares: Buffer([0.9, 0.3, 0.5, 0.75, 0.2, 0.6]))
    let gradient = Buffer<Float>(count: 6)
    let sums = SigmoidCrossEntropy(positive: 7).evaluateMixed(
      wave(6, scale: 3), pairs, gradient: gradient, partnerGradient: Buffer(count: 1))
    #expect(abs(sums.loss - 6.428239) < 1e-5)
    Golden([-0.5, 0.2473835, 0.8244083, -0.6372845, -0.1340334, 0.2559641], 0.08171121).expect(
      gradient, "sigmoid's gradient")
  }

  @Test(
    arguments: [
      (
        true, 0, 21.49162, [0.08368851, -0.4931504, 0.39292, 0.01063131, 0.005910545, 0.2316322], 4.800813, 14.06495,
        [-1.0, 0.4736917, 0.4122041, -1.774569, -1.868067, 0.3279821], 2.155295
      ),
      (
        false, 0.1, 11.35412, [0.02184425, -0.1665752, 0.17646, -0.01468434, -0.01704473, 0.05721074], 1.624452,
        10.85616, [-0.45, 0.8973835, 0.7744083, -0.8372844, -0.8840334, 0.6059641], 1.291228
      ),
      (
        true, 0.1, 21.04052, [0.07096863, -0.382123, 0.36015, 0.005285795, -0.05428155, 0.2088924], 4.349983, 13.4506,
        [-0.9375, 0.4447455, 0.3740348, -1.683023, -1.773014, 0.2771794], 2.050868
      ),
    ] as [(Bool, Float, Double, [Double], Double, Double, [Double], Double)])
  func weightedAndSmoothedLosses(
    _ isWeighted: Bool, _ smoothing: Float, _ softmaxLoss: Double, _ softmaxHead: [Double], _ softmaxSum: Double,
    _ sigmoidLoss: Double, _ sigmoidHead: [Double], _ sigmoidSum: Double
  ) throws {
    let weights: [Float] = [0.5, 2, 1, 0.25, 3]
    func weighting(_ classes: Int) throws -> ClassWeighting? {
      try ClassWeighting(
        weights: isWeighted ? Array(weights.prefix(classes)) : nil, smoothing: smoothing, classes: classes)
    }
    let gradient = Buffer<Float>(count: 20)
    let softmax = try SoftmaxCrossEntropy(classes: 5, weighting: weighting(5)).evaluate(
      wave(20, scale: 3), Examples(inputs: Buffer(count: 4), labels: Buffer([1, 4, 0, 2])), gradient: gradient)
    #expect(abs(softmax.loss - softmaxLoss) < 2e-5 && softmax.correct == 1)
    Golden(softmaxHead, softmaxSum).expect(gradient, "softmax' gradient")
    let sigmoid = try SigmoidCrossEntropy(positive: 7, weighting: weighting(2)).evaluate(
      wave(6, scale: 3), Examples(inputs: Buffer(count: 6), labels: Buffer([7, 0, 1, 7, 7, 9])),
      gradient: gradient.prefix(6))
    #expect(abs(sigmoid.loss - sigmoidLoss) < 2e-5)
    Golden(sigmoidHead, sigmoidSum).expect(gradient.prefix(6), "sigmoid's gradient")
  }
}
