import Optimizers
import Tensors
import Testing

@Suite struct ClippingTests {
  /// PyTorch 2.15:
  ///
  ///     p = torch.nn.Parameter(torch.zeros(6)); q = torch.nn.Parameter(torch.zeros(2))
  ///     p.grad = torch.tensor([0.5, -1.25, 3.0, 0.0, 1e-3, -2.0]); q.grad = torch.tensor([0.75, -0.1])
  ///     torch.nn.utils.clip_grad_norm_([p, q], norm)    # 3.92237186
  ///     print(torch.cat([p.grad, q.grad]).tolist())
  @Test func asPyTorchClips() {
    let mean: [Float] = [0.5, -1.25, 3.0, 0.0, 1e-3, -2.0, 0.75, -0.1]
    let expected: [Float: [Float]] = [
      0.5: [
        0.0637369305, -0.159342319, 0.382421583, 0, 0.000127473861, -0.254947722, 0.0956053957, -0.0127473865,
      ],
      5: mean,
    ]
    for samples in [1, 4, 256] {
      // A power of two: the sum over the samples is exact.
      let sum = Buffer(mean.map { $0 * Float(samples) })
      for (norm, clipped) in expected {
        let scale = meanScale(sum, samples: samples, clipNorm: norm)
        for (value, expected) in zip(sum.array, clipped) {
          #expect(abs(value * scale - expected) <= 2e-7 * abs(expected))
        }
      }
      #expect(meanScale(sum, samples: samples, clipNorm: nil) == 1 / Float(samples))
      // One that is not reached scales as none does.
      #expect(meanScale(sum, samples: samples, clipNorm: 5) == 1 / Float(samples))
    }
  }
}
