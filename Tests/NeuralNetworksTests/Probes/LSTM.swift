import Glibc
import Kernels
import NeuralNetworks
import Tensors

/// A probe of the protocol: an LSTM over `[steps, features]` → its last state `[units]`, gates in the order i, f, g, o.
struct LSTM: LayerSpecification {
  let units: Int
  var kind: String { "lstm" }

  func outputShape(for input: Shape) throws -> Shape { [units] }

  func makeLayer(input: Shape, capacity: Int, needsInputGradient: Bool) throws -> any Layer {
    LSTMLayer(steps: input[0], features: input[1], units: units, capacity: capacity)
  }
}

/// Legend: n sample · t step · u unit · r row of the gates [4 · units]
private final class LSTMLayer: Layer {
  private let steps: Int
  private let features: Int
  private let units: Int
  let parameters: [ParameterSpecification]
  /// What backward needs of forward: gates [samples, steps, 4 · units], cells and states [samples, steps + 1, units].
  private let gates: Buffer<Float>
  private let cells: Buffer<Float>
  private let states: Buffer<Float>
  private let gateGradient: Buffer<Float>
  private let cellGradient: Buffer<Float>
  private let stateGradient: Buffer<Float>
  /// The sum over samples and steps, completed here before it is added.
  private let complete: ParameterBlock

  init(steps: Int, features: Int, units: Int, capacity: Int) {
    self.steps = steps
    self.features = features
    self.units = units
    parameters = [
      ParameterSpecification(
        name: "weights", shape: [4 * units, features],
        initialiser: .glorotUniform(fanIn: features, fanOut: 4 * units)),
      ParameterSpecification(
        name: "recurrent", shape: [4 * units, units], initialiser: .glorotUniform(fanIn: units, fanOut: 4 * units)),
      ParameterSpecification(name: "bias", shape: [4 * units], initialiser: .zeros, role: .bias),
    ]
    gates = Buffer(count: capacity * steps * 4 * units)
    cells = Buffer(count: capacity * (steps + 1) * units)
    states = Buffer(count: capacity * (steps + 1) * units)
    gateGradient = Buffer(count: 4 * units)
    cellGradient = Buffer(count: units)
    stateGradient = Buffer(count: units)
    let layout = ParameterLayout(parameters)
    complete = ParameterBlock(Buffer(count: layout.count), layout)
  }

  func forward(_ input: Buffer<Float>, _ parameters: ParameterBlock, into output: Buffer<Float>, _ pass: Pass) {
    let (w, r, b) = (parameters[0], parameters[1], parameters[2])
    for n in 0..<pass.samples {
      let first = n * (steps + 1) * units
      for u in 0..<units { (cells[first + u], states[first + u]) = (0, 0) }
      for t in 0..<steps {
        let (gate, before) = ((n * steps + t) * 4 * units, first + t * units)
        for row in 0..<4 * units {
          var sum = b[row]
          for k in 0..<features { sum += w[row * features + k] * input[(n * steps + t) * features + k] }
          for k in 0..<units { sum += r[row * units + k] * states[before + k] }
          gates[gate + row] = row / units == 2 ? tanhf(sum) : sigmoid(sum)
        }
        for u in 0..<units {
          let cell =
            gates[gate + units + u] * cells[before + u] + gates[gate + u] * gates[gate + 2 * units + u]
          cells[before + units + u] = cell
          states[before + units + u] = gates[gate + 3 * units + u] * tanhf(cell)
        }
      }
      for u in 0..<units { output[n * units + u] = states[first + steps * units + u] }
    }
  }

  func backward(_ windows: BackwardWindows, _ pass: Pass) {
    let (w, r) = (windows.parameters[0], windows.parameters[1])
    let (dw, dr, db) = (complete[0], complete[1], complete[2])
    complete.values.fill(0)
    windows.inputGradient?.fill(0)
    for n in 0..<pass.samples {
      stateGradient.copy(from: windows.outputGradient[n * units..<(n + 1) * units])
      cellGradient.fill(0)
      for t in (0..<steps).reversed() {
        let (gate, before) = ((n * steps + t) * 4 * units, n * (steps + 1) * units + t * units)
        for u in 0..<units {
          let (i, f) = (gates[gate + u], gates[gate + units + u])
          let (g, o) = (gates[gate + 2 * units + u], gates[gate + 3 * units + u])
          let squashed = tanhf(cells[before + units + u])
          let dc = cellGradient[u] + stateGradient[u] * o * (1 - squashed * squashed)
          gateGradient[u] = dc * g * i * (1 - i)
          gateGradient[units + u] = dc * cells[before + u] * f * (1 - f)
          gateGradient[2 * units + u] = dc * i * (1 - g * g)
          gateGradient[3 * units + u] = stateGradient[u] * squashed * o * (1 - o)
          cellGradient[u] = dc * f
        }
        stateGradient.fill(0)
        for row in 0..<4 * units {
          let d = gateGradient[row]
          db[row] += d
          for k in 0..<features {
            let at = (n * steps + t) * features + k
            dw[row * features + k] += d * windows.input[at]
            windows.inputGradient?[at] += d * w[row * features + k]
          }
          for k in 0..<units {
            dr[row * units + k] += d * states[before + k]
            stateGradient[k] += d * r[row * units + k]
          }
        }
      }
    }
    for place in 0..<3 { windows.gradient.complete(place, with: complete[place]) }
  }
}
