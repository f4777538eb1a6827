import NeuralNetworks
import Tensors
import Testing

/// Whole models against PyTorch 2.15: the loss over three images and its gradients. The script that made the numbers, after the
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
///     def conv(h, w, b): return F.relu(F.conv2d(h.double(), w.double().permute(3, 2, 0, 1), b.double()))
///     def linear(h, w, b): return F.linear(h, w.double(), b.double())
///     def run(name, logits, ps):
///         l = F.cross_entropy(logits, y, reduction="sum"); l.backward()
///         print("#", name, f"{l.item():.7g}")
///         for p in ps: show("parameter", p.grad)
///     ps = [wave(3, 3, 1, 32, at=1, scale=0.3), wave(32, at=2, scale=0.1),
///           wave(3, 3, 32, 64, at=3, scale=0.1), wave(64, at=4, scale=0.1),
///           wave(10, 5 * 5 * 64, at=5, scale=0.05), wave(10, at=6)]
///     h = F.max_pool2d(conv(first(x), *ps[0:2]), 2); h = F.max_pool2d(conv(h, *ps[2:4]), 2)
///     run("keras-convnet", linear(last(h).flatten(1), *ps[4:]), ps)
///     ps = ps[0:4] + [wave(128, 12 * 12 * 64, at=5, scale=0.02), wave(128, at=6, scale=0.1),
///           wave(10, 128, at=7, scale=0.1), wave(10, at=8)]
///     for p in ps: p.grad = None
///     h = F.max_pool2d(conv(conv(first(x), *ps[0:2]), *ps[2:4]), 2)
///     run("pytorch-convnet", linear(F.relu(linear(last(h).flatten(1), *ps[4:6])), *ps[6:]), ps)
///
///     for name, make, gates in (("rnn", nn.RNN, 1), ("lstm", nn.LSTM, 4), ("gru", nn.GRU, 3)):
///         dw, db, g = wave(10, 128, at=4, scale=0.1), wave(10, at=5), gates * 128
///         h, ps = recurrent(make, x.detach().double().reshape(3, 28, 28), wave(g, 28, at=1, scale=0.2),
///                           wave(g, 128, at=2, scale=0.1), wave(g, at=3, scale=0.1))
///         run(name, linear(h, dw, db), ps + [dw, db])
///
///     ps, h, at = [], first(x), 1
///     for i, o, scale in ((1, 32, 0.3), (32, 32, 0.1), (32, 64, 0.1), (64, 64, 0.1), (64, 128, 0.1), (128, 128, 0.1)):
///         w, b = wave(3, 3, i, o, at=at, scale=scale), wave(o, at=at + 1, scale=0.1); ps += [w, b]; at += 2
///         h = F.relu(F.conv2d(h.double(), w.double().permute(3, 2, 0, 1), b.double(), padding=1))
///         if at in (5, 9, 13): h = F.max_pool2d(h, 2)
///     for i, o, scale in ((1152, 256, 0.02), (256, 10, 0.1)):
///         w, b = wave(o, i, at=at, scale=scale), wave(o, at=at + 1, scale=0.1); ps += [w, b]; at += 2
///         h = linear(last(h).flatten(1) if i == 1152 else F.relu(h), w, b)
///     run("vgg", h, ps)
///
///     def chirp(*shape, at=0.0, scale=1.0):         # as wave, but of 1.3 k²
///         k = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
///         return (scale * torch.sin(1.3 * k * k + at)).float().reshape(shape)
///     class Block(nn.Module):
///         def __init__(self):
///             super().__init__()
///             self.n1, self.qkv, self.proj = nn.LayerNorm(64), nn.Linear(64, 192), nn.Linear(64, 64)
///             self.n2, self.up, self.down = nn.LayerNorm(64), nn.Linear(64, 128), nn.Linear(128, 64)
///         def forward(self, x):
///             x = x + attention(self.n1(x), self.qkv.weight, self.qkv.bias, self.proj.weight, self.proj.bias, 4, False)
///             return x + self.down(F.gelu(self.up(self.n2(x)), approximate="tanh"))
///     patch, blocks, norm, out = nn.Linear(16, 64), [Block() for _ in range(6)], nn.LayerNorm(64), nn.Linear(64, 10)
///     token, positions = nn.Parameter(torch.zeros(64)), nn.Parameter(torch.zeros(50, 64))
///     ps = [*patch.parameters(), token, positions, *(p for m in (*blocks, norm, out) for p in m.parameters())]
///     for i, p in enumerate(ps):
///         p.data = chirp(*p.shape, at=i, scale=1.4 * p.shape[1] ** -0.5 if p.dim() == 2 else 1).double()
///     h = torch.cat([token.expand(3, 1, 64), patch(patches(x.detach().double(), 4))], 1) + positions
///     for block in blocks: h = block(h)
///     h = out(norm(h)[:, 0]); show("logits", h); run("vit", h, ps)
///
///     from zoo import resnet                         # Tests/Peers/zoo.py
///     m = resnet().double(); ps = list(m.parameters())
///     for i, (name, p) in enumerate(m.named_parameters()):
///         if p.dim() == 4:
///             o, c, k, _ = p.shape
///             p.data = chirp(k, k, c, o, at=i, scale=1.4 * (k * k * c) ** -0.5).permute(3, 2, 0, 1).double()
///         elif p.dim() == 2: p.data = chirp(*p.shape, at=i, scale=0.3).double()
///         elif name.endswith("weight"): p.data = 1 + wave(*p.shape, at=i, scale=0.25).detach().double()
///         else: p.data = wave(*p.shape, at=i, scale=0.25).detach().double()
///     x = chirp(3, 28, 28, 1, at=1.4).double(); h = m(first(x)); show("logits", h)
///     l = F.cross_entropy(h, y, reduction="sum"); l.backward(); print("loss", f"{l.item():.7g}")
///     for i in (0, 1, 2, 3, 21, 27, 28, 29, 62, 63, 64): show("parameter", ps[i].grad.permute(2, 3, 1, 0) if ps[i].dim() == 4 else ps[i].grad)
///     for i, b in enumerate(b for b in m.modules() if isinstance(b, nn.BatchNorm2d)):
///         b.running_mean, b.running_var = (s + wave(*b.weight.shape, at=i, scale=t).detach().double() for s, t in ((0, 0.1), (1, 0.5)))
///     h = m.eval()(first(x)); show("evaluated", h); print(F.cross_entropy(h, y, reduction="sum"))
///     import zoo                                    # the models' definitions; ps in the order of this package's
///     def weights(shape, i, scale, other): return chirp(*shape, at=i, scale=scale * shape[1] ** -0.5 if len(shape) > 1 else other)
///     m = zoo.gpt().double(); ps = [m.tok.weight, m.pos]
///     for k in m.blocks:
///         for l in (k.n1, k.qkv, k.proj, k.n2, k.up, k.down): ps += [l.weight, l.bias]
///     ps += [m.norm.weight, m.norm.bias, m.out.weight, m.out.bias]
///     for i, p in enumerate(ps): p.data = weights(p.squeeze(0).shape, i, 1.4, 1).double().reshape(p.shape)
///     t = (wave(3, 14, 14, at=0.3) > 0).double(); z = m(t.repeat_interleave(2, 1).repeat_interleave(2, 2)[:, None])
///     l = F.cross_entropy(z.flatten(0, 1), t.long().flatten(), reduction="sum")     # nats, over three images
///     m = zoo.wavenet().double(); ps = [(m.inp.weight, (32, 1)), (m.inp.bias, (32,))]
///     for i in range(10):
///         ps += [(m.gate[i].weight, (2, 32, 64)), (m.gate[i].bias, (64,)), (m.skip[i].weight, (64, 32)), (m.skip[i].bias, (64,))]
///         if i < 9: ps += [(m.res[i].weight, (32, 32)), (m.res[i].bias, (32,))]
///     ps += [(m.o1.weight, (64, 64)), (m.o1.bias, (64,)), (m.o2.weight, (1, 64)), (m.o2.bias, (1,))]
///     for i, (p, s) in enumerate(ps):               # a gate's weights are [kernel, in, out] here, [out, in, kernel] there
///         v = weights(s, i, 1, 0.5).double(); p.data = v.permute(2, 1, 0) if len(s) == 3 else v.reshape(p.shape)
///     m.inp.register_forward_pre_hook(lambda _, a: (a[0].double(),))                # its own input is float
///     t = (wave(3, 784, at=0.3) > 0).double(); z = m(t.reshape(3, 1, 28, 28))
///     l = F.binary_cross_entropy_with_logits(z, t, reduction="sum")
///     m = zoo.bert().double(); ps = [m.mask, m.patch.weight, m.patch.bias, m.cls, m.pos]      # and the blocks' and the last ones, as gpt's
///     t = wave(3, 28, 28, 2, at=0.3).detach().double(); x, h = first(t[..., :1]), first((t[..., 1:] > 0).double())
///     z = m(x, h); l = zoo.hidden_error(z, x, h).sum()
///
/// The convnets without their dropout. The first gradient of the MLP is a near cancellation of waves, so its numbers are small and its last digits rounding.
@Suite struct PyTorchModelTests {
  private func check(
    _ name: String, parameters values: [Buffer<Float>], loss: Double, logits: Golden? = nil, gradients: [Golden],
    following last: [Golden] = [], within rounding: Double = 1e-5
  ) throws {
    var model = try Model.named(name, input: [28, 28, 1], outputs: 10)
    // What it draws is no other library's.
    model = Model(name: name, input: model.input, layers: model.layers.filter { !($0 is Dropout) })
    let network = try Network(model, loss: SoftmaxCrossEntropy(classes: 10), capacity: 3)
    let parameters = Buffer<Float>(count: network.layout.count)
    try #require(values.map(\.count) == network.layout.ranges.map(\.count))
    for (range, value) in zip(network.layout.ranges, values) { parameters[range].copy(from: value) }
    let examples = Examples(inputs: wave(3 * 784, at: 0.3), labels: Buffer([3, 7, 0]))
    let gradient = Buffer<Float>(count: network.layout.count)
    let sums = network.differentiate(
      examples, parameters: parameters, into: gradient, .replace, noise: Noise(seed: 1, step: 1, firstPosition: 0))
    #expect(abs(sums.loss - loss) < 2e-6 * loss)
    #expect(sums == network.evaluate(examples, parameters: parameters))
    logits?.expect(network.outputs(examples, parameters: parameters), "logits")
    let places = Array(0..<gradients.count) + (values.count - last.count..<values.count)
    for (index, golden) in zip(places, gradients + last) {
      golden.expect(gradient[network.layout.ranges[index]], network.layout.parameters[index].name, within: rounding)
    }
  }

  /// The parameters in PyTorch's order, which are ours without the averages. The images are such that no ReLU's input is next to 0: where one
  /// is, PyTorch's own gradients in Float and in Double differ by some thousandths.
  @Test func resnet() throws {
    let model = try Model.named("resnet", input: [28, 28, 1], outputs: 10)
    let network = try Network(model, loss: SoftmaxCrossEntropy(classes: 10), capacity: 3)
    let layout = network.layout
    let learnt = layout.parameters.indices.filter { layout.parameters[$0].role != .average }
    let parameters = Buffer<Float>(count: layout.count)
    for (index, place) in learnt.enumerated() {
      let (shape, range, at) = (layout.parameters[place].shape, layout.ranges[place], Double(index))
      let name = layout.parameters[place].name
      if shape.rank == 4 {
        let fanIn = Double(shape.count / shape[3])
        parameters[range].copy(from: chirp(range.count, at: at, scale: 1.4 / fanIn.squareRoot()))
      } else if shape.rank == 2 {
        parameters[range].copy(from: chirp(range.count, at: at, scale: 0.3))
      } else {
        let base: Float = name.hasSuffix("scale") ? 1 : 0
        parameters[range].copy(from: Buffer(wave(range.count, at: at, scale: 0.25).array.map { base + $0 }))
      }
    }
    let examples = Examples(inputs: chirp(3 * 784, at: 1.4), labels: Buffer([3, 7, 0]))
    let gradient = Buffer<Float>(count: layout.count)
    let sums = network.differentiate(
      examples, parameters: parameters, into: gradient, .replace, noise: Noise(seed: 1, step: 1, firstPosition: 0))
    #expect(abs(sums.loss - 5.812542) < 2e-6 * sums.loss)
    let gradients: [(Int, Golden)] = [
      (0, Golden([-0.6159409, 0.7012146, 0.05300737, -0.1806903, 0.6307099, -0.3067416], 7.418891)),
      (1, Golden([-0.2514604, -0.6768197, -0.2439929, -0.05911936, -0.1082846, -0.5103125], 0.6676288)),
      (2, Golden([-0.2075854, -0.04613359, 0.2297024, 0.2816639, 0.08702312, -0.2198009], -0.6643058)),
      (3, Golden([-0.4722115, -0.5990434, -0.4616266, -0.1656515, -0.1749154, -0.12908], -5.82003)),
      (21, Golden([-0.1355452, 0.124695, -0.07058098, 0.07902887, -0.005592437, 0.02165959], -7.195929)),
      (27, Golden([-0.03006531, -0.06140905, -0.01272353, 0.01446564, 0.2804588, -0.2528381], -0.3966475)),
      (28, Golden([-0.1077275, 0.3433582, 0.1400223, 0.1484953, 0.2569384, -0.04677376], -0.4135821)),
      (29, Golden([0.05159765, 0.08551571, -0.07387198, 0.1111686, -0.01839182, 0.08468833], 0.5144242)),
      (62, Golden([-0.0535635, -0.1674438, 0.3652103, 0.123645, -0.1238332, -0.1031085], -0.4161655)),
      (63, Golden([-0.5340768, -0.9469497, -0.8486217, -1.067063, -0.5729834, -0.4687888], -1.519334)),
      (64, Golden([-0.8526596, 0.441678, 0.2471822, 0.04404868, 0.6168366, 0.003283264], -1.628969)),
    ]
    for (index, golden) in gradients {
      let place = learnt[index]
      golden.expect(gradient[layout.ranges[place]], layout.parameters[place].name)
    }
    // The first normalisation's and the last one's, summed over three samples: 0.9 of what they were, and a tenth of the mean.
    let averages: [(String, Float, Golden)] = [
      (
        "batchnorm1.mean", 0,
        Golden([-0.0006459382, 0.0001496763, 0.001234869, -0.0005358333, -6.417425e-05, 0.001460013], -0.0001707522)
      ),
      (
        "batchnorm1.variance", 1, Golden([0.9488833, 0.953429, 0.9720525, 0.9577992, 0.9452284, 0.9612059], 0.6549569)
      ),
      (
        "residual9.batchnorm2.mean", 0,
        Golden([0.0006357712, 0.02801793, -0.0176824, -0.03028674, -0.02677162, -0.0206263], -0.1093998)
      ),
      (
        "residual9.batchnorm2.variance", 1,
        Golden([0.9286805, 0.9275495, 0.9355007, 0.9450099, 0.9326771, 0.9436335], 1.069625)
      ),
    ]
    for (name, before, golden) in averages {
      let sums = gradient[layout.ranges[layout.place(of: name)]]
      golden.expect(Buffer(sums.array.map { 0.9 * before + 0.1 * $0 / 3 }), name)
    }

    let norms = layout.parameters.indices.filter { layout.parameters[$0].role == .average }
    for (index, place) in norms.enumerated() {
      let isMean = layout.parameters[place].name.hasSuffix("mean")
      let values = wave(layout.ranges[place].count, at: Double(index / 2), scale: isMean ? 0.1 : 0.5)
      parameters[layout.ranges[place]].copy(from: Buffer(values.array.map { (isMean ? 0 : 1) + $0 }))
    }
    Golden([-3.624937, 1.073824, 5.197948, 9.444409, -6.542882, -15.78613], -13.60196).expect(
      network.outputs(examples, parameters: parameters), "logits")
    let evaluated = network.evaluate(examples, parameters: parameters).loss
    #expect(abs(evaluated - 17.51624) < 2e-6 * evaluated)
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

  private var convolutions: [Buffer<Float>] {
    [
      wave(288, at: 1, scale: 0.3), wave(32, at: 2, scale: 0.1), wave(9 * 32 * 64, at: 3, scale: 0.1),
      wave(64, at: 4, scale: 0.1),
    ]
  }

  @Test func kerasConvnet() throws {
    try check(
      "keras-convnet", parameters: convolutions + [wave(10 * 1600, at: 5, scale: 0.05), wave(10, at: 6)],
      loss: 7.697577,
      gradients: [
        Golden([0.05816489, -0.1559303, 0.2467435, -0.3333822, 0.5112073, -0.3070418], 0.2823581),
        Golden([-0.005500983, 0.1240496, -0.2724051, 0.4676273, -0.0007545999, -0.02298259], 0.3342289),
        Golden([0.01962477, 0.0, -0.008401179, -0.00292112, -0.002359682, 0.0], -0.2332483),
        Golden([0.04950188, 0.0, 0.0006741506, -0.003680118, -0.002643005, 0.0], 0.02766226),
        Golden([0.0, 0.0, -0.04289934, -0.09299519, -0.04468049, 0.0], -0.08425872),
        Golden([-0.8070467, 0.5867114, 0.5133689, -0.846599, 0.08983923, 0.2216371], 0.1745138),
      ])
  }

  @Test func pytorchConvnet() throws {
    try check(
      "pytorch-convnet",
      parameters: convolutions + [
        wave(128 * 9216, at: 5, scale: 0.02), wave(128, at: 6, scale: 0.1), wave(1280, at: 7, scale: 0.1),
        wave(10, at: 8),
      ],
      loss: 8.708973,
      gradients: [
        Golden([-0.1581552, -0.02896948, -0.0364932, -0.0487506, -0.1859596, -0.1271915], -0.7837571),
        Golden([-0.05933947, 0.06308265, -0.08912148, 0.2290596, 0.06694429, -0.05702223], -1.269935),
        Golden([-0.00100241, 0.0002514894, 8.594449e-05, -0.003393057, -0.002926404, -0.00296362], -0.05725004),
        Golden([-0.01309498, 0.004572168, 0.01043491, -0.01371964, -0.01270153, 0.008158638], -0.0005902167),
        Golden([0.0, 0.0, 0.0, 0.0, 0.0, 0.0], -0.1946527),
        Golden([0.0, 0.1640394, 0.06551313, -0.1146474, 0.0, 0.0], 0.475436),
        Golden([0.0, -0.02702045, -0.03884251, 0.001654081, 0.0, 0.0], -0.05946378),
        Golden([-0.2945347, 0.2187143, 0.1100064, -0.9009848, 0.5236493, 0.4493644], -0.3422551),
      ])
  }

  private func recurrent(gates: Int) -> [Buffer<Float>] {
    let rows = gates * 128
    return [
      wave(rows * 28, at: 1, scale: 0.2), wave(rows * 128, at: 2, scale: 0.1), wave(rows, at: 3, scale: 0.1),
      wave(1280, at: 4, scale: 0.1), wave(10, at: 5),
    ]
  }

  @Test func rnn() throws {
    try check(
      "rnn", parameters: recurrent(gates: 1),
      loss: 11.83216,
      gradients: [
        Golden([0.0075518, 0.01079897, -0.001774376, -0.01174826, -0.004510914, 0.00933493], 0.4920108),
        Golden([-0.001549023, -0.03458162, -0.000751173, 0.001521391, 0.005560821, -0.01791033], 0.08149685),
        Golden([0.0416636, -0.01280333, 0.02626641, 0.0005603947, 0.1127825, 0.06624793], 0.09126362),
        Golden([-1.134339, 1.105631, -1.062118, 1.13574, -1.129834, 0.9455244], -3.406497),
        Golden([-0.8471361, 0.10677, 0.9318901, -0.7744287, 0.1550562, 0.07250773], -0.6222912),
      ])
  }

  @Test func lstm() throws {
    try check(
      "lstm", parameters: recurrent(gates: 4),
      loss: 7.288115,
      gradients: [
        Golden([0.008954966, -0.002875982, -0.01049361, -0.002738074, 0.009028747, 0.007568433], 0.1153044),
        Golden([-0.001326576, -0.001359897, -0.0004984804, 0.001846667, 0.000776058, -0.001519484], -0.007548964),
        Golden([-0.01194722, 0.01407035, 0.0002307706, 0.01236219, 0.00377952, 6.87325e-05], 0.004008951),
        Golden([-0.08471414, -0.2539062, -0.00627384, 0.0566386, 0.08044022, -0.4349767], 0.08650863),
        Golden([-0.9344556, 0.3360063, 0.4267882, -0.4565993, 0.07802547, 0.1354759], -0.5570168),
      ])
  }

  @Test func gru() throws {
    try check(
      "gru", parameters: recurrent(gates: 3),
      loss: 17.13981,
      gradients: [
        Golden([-0.01930088, 0.002665612, 0.02072698, 0.008423274, -0.01622055, -0.01710123], 0.8453124),
        Golden([0.009564524, 0.01628756, 0.008274256, -0.01516923, -0.02081113, 0.00928583], 0.2527534),
        Golden([-0.01862855, 0.08522701, 0.0008669397, -0.01782907, -0.01006693, 0.003860796], -0.03881504),
        Golden([-0.4150402, -0.2850509, 0.4518144, 0.3429809, 0.5020103, 0.5602186], 0.2801321),
        Golden([-0.8271534, 0.06925648, 0.9666153, -0.8189362, 0.1549162, 0.06825659], -0.584276),
      ])
  }

  /// Five convolutions by Winograd's filtering, one behind another, round a little more.
  @Test func vgg() throws {
    var parameters: [Buffer<Float>] = []
    for (inputs, outputs, scale) in [
      (9, 32, 0.3), (288, 32, 0.1), (288, 64, 0.1), (576, 64, 0.1), (576, 128, 0.1), (1152, 128, 0.1),
      (1152, 256, 0.02), (256, 10, 0.1),
    ] {
      let phase = Double(parameters.count + 1)
      parameters.append(wave(inputs * outputs, at: phase, scale: scale))
      parameters.append(wave(outputs, at: phase + 1, scale: 0.1))
    }
    try check(
      "vgg", parameters: parameters,
      loss: 6.951179,
      gradients: [
        Golden([-1.158762e-05, 0.0008093079, -0.0002176305, -0.0002164197, 4.950046e-05, -0.0002658655], 0.01455973),
        Golden([-0.000478922, 0.0002441585, -2.123924e-05, 0.0008090903, -0.0003848069, -0.001632721], 0.006625048),
        Golden([0.0, 0.0, -0.0002229788, -0.0009845957, 0.0006959545, 0.0], -0.004557608),
        Golden([0.0004514715, 0.0, -0.007099676, 0.000777434, 0.007180812, 0.0], -0.006179991),
        Golden([0.0, 0.0, 0.0, 0.0, 0.0, 0.0], -0.02410362),
        Golden([0.0, 0.0002726355, -0.002376991, 0.0, 0.0, -0.01322266], -0.006772954),
        Golden([0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 0.007780611),
        Golden([-0.02440756, 0.02283549, 0.0, 0.0, -0.01670882, 0.0142706], 0.00427842),
        Golden([0.0, 0.0, 0.0, -0.0006692342, 0.0007281582, 0.0], 0.0007129792),
        Golden([0.0, 0.0, 0.0, 0.0006594799, 0.0005584738, 0.0], -0.004291086),
        Golden([0.0, 0.0, 0.0, 0.0, 0.0, 0.0], -0.0008271501),
        Golden([0.0, -0.001510077, 0.000467912, 0.0, 0.0, 0.0], -0.00269581),
        Golden([0.0, 0.0004841122, 0.0007083471, 0.0, 0.0, 0.0], -0.006403096),
        Golden([0.006656536, 0.0, 0.0, 0.0, 0.0, 0.02134534], 0.3334321),
        Golden([-0.1179734, 0.0, 0.0, 0.0, 0.0, -0.1078409], 0.09912559),
        Golden([-0.7594782, 0.2486495, 0.2918182, -0.6530776, 0.3538915, 0.3164545], -0.7778488),
      ], within: 3e-5)
  }

  /// The gradients of the first sixteen parameters, and from the last block on: those between are behind the first block's.
  @Test func vit() throws {
    let network = try Network(
      Model.named("vit", input: [28, 28, 1], outputs: 10), loss: SoftmaxCrossEntropy(classes: 10), capacity: 3)
    let parameters = network.layout.parameters.enumerated().map { index, parameter in
      let columns = parameter.shape.rank == 2 ? Double(parameter.shape[1]) : nil
      return chirp(
        parameter.shape.count, at: Double(index), scale: columns.map { 1.4 / $0.squareRoot() } ?? 1)
    }
    try check(
      "vit", parameters: parameters,
      loss: 9.010145,
      logits: Golden([1.97836, -2.490416, 0.9166539, -1.347905, -1.98143, -1.43131], 0.3258204),
      gradients: [
        Golden([0.003587471, 0.002204096, -0.002408285, -0.003492523, -0.0002814304, 0.003588616], 0.1639753),
        Golden([0.01317908, -0.005310953, -0.004183743, -0.02054081, 0.02628798, -0.009605591], -0.06197639),
        Golden([0.009621343, -0.0462425, 0.0117068, -0.006616898, 0.01244962, 0.01450706], -0.06826534),
        Golden([0.009621343, -0.0462425, 0.0117068, -0.006616898, 0.01244962, 0.01450706], -0.05321514),
        Golden([-0.01716389, -0.004878703, -0.007088161, 0.003394042, 0.01136398, 0.01866171], 0.1128433),
        Golden([-0.02131597, -0.004806355, 0.02991498, -0.0339509, -0.01841079, 0.002774381], 0.08357879),
        Golden([-0.008500423, 0.001852822, -0.002654771, -0.004114186, 0.004671564, -0.0005491538], -0.04148373),
        Golden([0.004959, 0.006461908, 0.001824897, -0.003807278, 0.0008672247, 0.001964473], -0.001794383),
        Golden([-0.006038257, 0.01224463, -0.01024185, -0.01061064, 0.01578358, -0.005586027], -2.480468),
        Golden([0.01026487, -0.04836853, 0.004352953, -0.02129281, 0.03185466, 0.01199228], -0.1180813),
        Golden([-0.0003501775, -0.0227241, 0.02843713, -0.004630579, 0.005080005, -0.005430965], -0.01495566),
        Golden([0.007782063, 0.02276649, 0.01219642, -0.0171898, -0.01482628, 0.006211307], 0.02517834),
        Golden([-0.006262117, 0.005386271, 0.004789745, -0.003482906, 0.005642166, 0.002865087], -0.3023115),
        Golden([0.007159025, -0.00351946, 0.001495922, -0.0004258689, -0.005075077, -0.003791976], -0.05790936),
        Golden([0.03476021, 1.812713e-05, -0.001942204, -0.0009089047, 0.005745673, -0.0005202452], -0.2260844),
        Golden([0.01160628, -0.03734183, 0.002128801, -0.01828132, 0.02678521, 0.01419164], -0.1054905),
      ],
      following: [
        Golden([-0.03700838, 0.000652023, 0.08679372, 0.009784142, 0.01648202, 0.0051878], -0.09414524),
        Golden([-0.01462322, -0.006908111, 0.0289865, -0.01591257, -0.04453789, 0.007945021], 0.01100715),
        Golden([-0.0002600411, 3.008984e-05, -9.048223e-05, -6.345407e-05, 6.607699e-05, -3.125175e-05], -0.1950356),
        Golden([-7.867929e-05, -0.0001257605, 6.5996e-09, 1.993954e-05, 8.419049e-05, -5.539544e-06], 0.01239902),
        Golden([-0.01332835, -0.003771109, 0.02082216, 0.01674136, 0.0005809887, -0.003587043], -0.1460428),
        Golden([0.01282154, -0.02440153, 0.004606276, -0.00359357, 0.008107161, 0.0151666], -0.06727835),
        Golden([-0.01370336, 0.00149522, 0.004693775, 0.01901496, 0.0009724411, 0.002999361], 0.04919677),
        Golden([-0.005497922, -0.008975172, 0.00138197, -0.02088787, -0.002882751, 0.003610345], -0.021238),
        Golden([-0.04137216, 0.002509059, -0.0007503559, -0.01194763, 0.01061676, -0.01348609], 0.01442598),
        Golden([-0.0143184, -2.625649e-05, -0.02601232, -0.0004696631, 2.456178e-05, -0.002610379], 0.007413986),
        Golden([0.02989817, -0.0001517447, 0.008298495, -0.0006163686, -0.001259717, -0.001257197], 0.4257933),
        Golden([0.01329697, -0.02332111, 0.004503072, -0.003341473, 0.008375473, 0.01480577], -0.06980089),
        Golden([0.6617494, 0.02392205, -0.6244673, -0.2763574, -0.01779381, 0.1027126], -0.9572578),
        Golden([0.2650855, -0.2136223, -0.2003604, 0.2430357, 0.09280377, 0.1260606], -0.7984065),
        Golden([0.393495, 0.02482791, -0.1531972, 0.1574055, -0.08269875, 0.1983473], -2.652035),
        Golden([0.1629374, 0.01336326, 0.4015785, -0.9582612, 0.0221623, 0.03827366], -0.5969284),
      ])
  }

  /// The waves that the script fills a model's parameters with.
  private func chirps(_ network: Network, scale: Double, other: Double) -> [Buffer<Float>] {
    network.layout.parameters.enumerated().map { index, parameter in
      let columns = parameter.shape.rank > 1 ? Double(parameter.shape[1]) : nil
      return chirp(parameter.shape.count, at: Double(index), scale: columns.map { scale / $0.squareRoot() } ?? other)
    }
  }

  /// A model that predicts the pixels of three images in black and white: the first gradients, and the last.
  private func check(
    pixelsOf network: Network, parameters values: [Buffer<Float>], loss: Double, logits: Golden, first: [Golden],
    last: [Golden]
  ) {
    let parameters = Buffer<Float>(count: network.layout.count)
    for (range, value) in zip(network.layout.ranges, values) { parameters[range].copy(from: value) }
    let images = Buffer(wave(3 * network.model.input.count, at: 0.3).array.map { $0 > 0 ? 1 : 0 as Float })
    let examples = Examples(samples: 3, inputs: images, labels: Buffer(count: 0), values: images)
    let gradient = Buffer<Float>(count: network.layout.count)
    let sums = network.differentiate(
      examples, parameters: parameters, into: gradient, .replace, noise: Noise(seed: 1, step: 1, firstPosition: 0))
    #expect(abs(sums.loss - loss) < 2e-6 * loss)
    #expect(sums == network.evaluate(examples, parameters: parameters))
    logits.expect(network.outputs(examples, parameters: parameters), "logits")
    let places = Array(0..<first.count) + (values.count - last.count..<values.count)
    for (index, golden) in zip(places, first + last) {
      golden.expect(gradient[network.layout.ranges[index]], network.layout.parameters[index].name)
    }
  }

  @Test func gpt() throws {
    let network = try Network(
      Model.named("gpt", input: [14, 14, 1], outputs: 392), loss: PixelSoftmaxCrossEntropy(pixels: 196), capacity: 3)
    check(
      pixelsOf: network, parameters: chirps(network, scale: 1.4, other: 1),
      loss: 1017.76,
      logits: Golden([3.739954, 0.5326961, 3.777987, 0.551599, 3.776785, 0.5595591], 2.157131),
      first: [
        Golden([24.35374, -1.771648, -16.43772, -16.15254, 4.17892, -1.54699], -40.9333),
        Golden([0.6475491, 0.424272, -1.304714, -1.819934, 2.190028, 0.01502666], -3.021699),
        Golden([-0.339222, 0.8604688, 5.188838, 5.184325, 1.440507, -1.879492], 12.08124),
        Golden([4.358427, 1.02595, -3.435694, -5.766795, -3.667615, -3.362759], 5.719159),
        Golden([-0.04974703, 0.2556491, -0.2898206, -0.001736896, 0.2060912, 0.193368], -31.10623),
        Golden([-0.2470615, -0.03686659, 0.01991606, -0.2096184, -0.3793657, 0.2320339], -33.96259),
        Golden([-7.186746, -6.659883, 6.598573, 6.766332, -9.722438, -3.544957], -495.4495),
        Golden([10.1046, 0.4348825, -5.159973, -6.749123, -0.4818818, 1.648036], 1.445473),
        Golden([3.704084, -0.5385475, 0.9375983, 8.134057, 2.020242, 11.37535], -4.574368),
        Golden([5.933024, 5.442296, 0.3103976, -8.609356, 5.432463, 5.504037], 11.57019),
        Golden([0.08484845, -0.0688617, 0.2497162, 0.02282298, -0.09582246, 0.003479406], -95.2431),
        Golden([0.08681777, 0.1247006, 4.399142, 0.6980722, 0.05472245, -0.3971077], -13.26113),
        Golden([11.86123, -0.9254852, 3.332794, -0.3506877, 1.710723, -0.5834257], 775.3916),
        Golden([5.637324, -0.1250838, -5.177569, -1.931532, 1.543788, 0.3052255], -3.247052),
      ],
      last: [
        Golden([10.18255, 0.0286681, 5.871569, 7.562224, -0.2018867, -4.408069], -7.531616),
        Golden([6.315462, 0.06138551, 5.15396, -5.745169, -0.2704145, -3.679955], 32.46524),
        Golden([-0.004616371, -0.003020435, 0.001907345, -0.003586241, -0.001468318, -0.005926688], 37.46691),
        Golden([-0.003197091, -0.0001964439, -0.002643427, 0.003244468, 0.002635477, -0.004798058], -23.49139),
        Golden([-3.209551, -0.323209, -0.4404361, -0.6606682, 3.373256, 0.7333831], 49.43679),
        Golden([-2.16039, -0.1508124, -4.151919, -0.6317007, -0.193879, -0.5516892], -0.02385572),
        Golden([-3.65038, -1.420183, -2.470713, -3.798121, 2.626777, 2.831512], -9.626849),
        Golden([-2.529494, -2.567157, -2.026388, 3.259336, 5.882275, 2.671853], -6.87103),
        Golden([-1.831184, -2.652429, 2.366826, -2.141902, -1.220618, -3.775193], 3.867778),
        Golden([-2.08932, 0.096469, -3.337908, -2.827886, 0.01127001, -0.6537787], 1.283402),
        Golden([-7.38207, 0.3506686, -3.100049, -2.115692, 0.00333291, 0.3014258], -98.41417),
        Golden([-2.163096, 0.3198861, -4.48517, -0.1255142, -1.182893, -0.9938001], 2.508846),
        Golden([138.6436, -7.352627, 43.79875, -21.91392, -10.25095, -23.31751], 196.9289),
        Golden([98.73278, -14.55083, 42.09975, 20.64147, -22.03697, -27.20941], -63.95007),
        Golden([85.735, 377.4808, -385.3437, 235.6568, 256.5477, 453.1705], -220.2704),
        Golden([284.0843, -284.0843], 130.5929),
      ])
  }

  @Test func bert() throws {
    let network = try Network(
      Model.named("bert", input: [28, 28, 2], outputs: 784), loss: HiddenPatchError(input: [28, 28, 2]), capacity: 3)
    let values = chirps(network, scale: 1.4, other: 1)
    let parameters = Buffer<Float>(count: network.layout.count)
    for (range, value) in zip(network.layout.ranges, values) { parameters[range].copy(from: value) }
    let images = hiding(wave(3 * 28 * 28 * 2, at: 0.3))
    let examples = Examples(samples: 3, inputs: images, labels: Buffer(count: 0), values: images)
    let gradient = Buffer<Float>(count: network.layout.count)
    let sums = network.differentiate(
      examples, parameters: parameters, into: gradient, .replace, noise: Noise(seed: 1, step: 1, firstPosition: 0))
    #expect(abs(sums.loss - 7.045569) < 2e-6 * 7.045569)
    #expect(sums == network.evaluate(examples, parameters: parameters))
    Golden([3.447093, 0.0442444, 0.9845935, -1.723031, 1.366384, 0.6565267], 2.158731).expect(
      network.outputs(examples, parameters: parameters), "outputs")
    let first = [
      Golden([0.04844815, -0.005549405, -0.009351984, -0.03095475, -0.03730084, -0.01273869], 0.1318974),
      Golden([0.0007692073, 0.01439531, -0.002476371, -0.01188397, 0.009004941, 0.004381776], 0.09238046),
      Golden([0.01423702, -0.02498515, -0.001892184, -0.01672633, 0.003380759, -0.02270338], 0.05093963),
      Golden([-0.0003783642, -0.000245697, -0.0001508628, -7.042589e-06, -0.0002157673, -0.000320815], -0.0001208617),
      Golden([-0.0003783642, -0.000245697, -0.0001508628, -7.042589e-06, -0.0002157673, -0.000320815], 0.006291119),
      Golden([0.009252173, -0.01419959, -0.01176152, 0.0004945067, 0.002331001, -0.009739268], -0.004269431),
    ]
    let last = [
      Golden([0.03373947, 0.007352541, 0.003803086, -0.001090651, 0.02067741, 0.01657475], -0.07169354),
      Golden([0.01094267, -0.007340153, -0.01178309, -0.003629412, 0.009354933, -0.009447871], 0.04575998),
      Golden([0.5999269, -0.03850769, 0.1321238, -0.01151262, 0.06029212, 0.01396545], 0.7453315),
      Golden([0.201143, -0.2931111, 0.04609202, -0.04275538, -0.05953279, -0.2150611], -0.2772892),
      Golden([4.55012, -0.8393872, 3.291021, 1.575971, -0.7549245, -0.6767468], 5.65984),
      Golden([1.274275, -0.02519706, 0.2940796, -0.6546749, 0.3730716, 0.1829686], 0.7210233),
    ]
    try #require(values.count == 81)
    for (index, golden) in zip(Array(0..<6) + Array(75..<81), first + last) {
      golden.expect(gradient[network.layout.ranges[index]], network.layout.parameters[index].name)
    }
  }

  @Test func wavenet() throws {
    let network = try Network(
      Model.named("wavenet", input: [28, 28, 1], outputs: 784), loss: PixelSigmoidCrossEntropy(pixels: 784), capacity: 3
    )
    check(
      pixelsOf: network, parameters: chirps(network, scale: 1, other: 0.5),
      loss: 1649.084,
      logits: Golden([0.165042, 0.1700819, 0.2369102, 0.232791, 0.270328, 0.2465091], 0.494383),
      first: [
        Golden([1.029764, 3.305751, -5.736951, 1.609513, 9.964145, 17.95985], 24.78235),
        Golden([-9.923173, 6.564481, -0.6622536, 3.538086, 6.587624, 10.84242], 10.62922),
        Golden([-0.7724896, -0.4763914, -0.2622094, 0.9573417, -0.2483542, -0.8473446], -54.18892),
        Golden([-1.831544, -1.154006, -0.61363, 2.23429, -0.5750616, -1.94571], 6.39744),
        Golden([0.03928581, 0.07631994, -0.1269002, -0.1475659, 0.1604866, -0.08990218], 190.1289),
        Golden([-0.9436016, 0.0, 0.0, -1.896421, 0.0, 0.0], -3.804652),
        Golden([7.295121, -5.854752, -1.279144, 0.1155121, 7.473343, 4.77071], 29.70727),
        Golden([-4.707071, 1.092993, -1.657032, 1.722238, 3.391183, 8.831411], 17.61331),
      ],
      last: [
        Golden([-0.008587449, 0.003634605, -0.06864934, -0.03824612, -0.05428389, -0.02714304], -27.12765),
        Golden([0.03998307, -1.094401, 0.1058031, -0.4142996, -0.6001783, 0.9350083], 0.6347998),
        Golden([0.1026853, -0.001111761, 0.4299436, -0.006191989, -0.001309309, 0.03047401], 59.56712),
        Golden([-0.02526838, 0.3131516, -0.5603256, 0.003907642, 0.001576546, 0.09142542], -0.1021077),
        Golden([0.02684615, 0.009546462, 0.3702362, 0.9231097, 0.8330188, -0.8639112], -15.21941),
        Golden([-0.9436016, 0.0, 0.0, -1.896421, 0.0, 0.0], -3.804652),
        Golden([0.1515741, 0.0, 0.0, -2.287616, 0.0, 0.0], -274.8752),
        Golden([-6.589694, 0.0, 0.0, 0.0, 10.06223, 2.224746], -16.48311),
        Golden([429.2408, 0.0, 0.0, 0.0, 137.2628, 101.2066], 1081.259),
        Golden([71.3189], 71.3189),
      ])
  }
}
