/// A value under a tag in an event of TensorBoard's (`Summary.Value` of `summary.proto`).
public struct SummaryValue: Sendable {
  let message: ProtobufMessage

  /// A number. TensorBoard keeps it as a 32-bit float.
  public static func scalar(_ tag: String, _ number: Double) -> SummaryValue {
    SummaryValue(
      message: ProtobufMessage {
        $0.add(1, tag)
        $0.add(2, Float(number))
      })
  }

  /// A histogram.
  public static func histogram(_ tag: String, _ histogram: ValueHistogram) -> SummaryValue {
    SummaryValue(
      message: ProtobufMessage {
        $0.add(1, tag)
        $0.add(5, histogram.message)
      })
  }

  /// An image of grey values, of `rows` by `columns` pixels, as a PNG file's bytes.
  public static func image(_ tag: String, png: [UInt8], rows: Int, columns: Int) -> SummaryValue {
    let image = ProtobufMessage {
      $0.add(1, rows)
      $0.add(2, columns)
      // Grey.
      $0.add(3, 1)
      $0.add(4, bytes: png)
    }
    return SummaryValue(
      message: ProtobufMessage {
        $0.add(1, tag)
        $0.add(4, image)
      })
  }

  /// `content` for the plugin of this name, and no number: an empty tensor of floats, as the plugin for hyperparameters has it.
  public static func plugin(_ tag: String, _ name: String, _ content: ProtobufMessage) -> SummaryValue {
    let metadata = ProtobufMessage {
      $0.add(
        1,
        ProtobufMessage {
          $0.add(1, name)
          $0.add(2, content)
        })
      // DATA_CLASS_TENSOR.
      $0.add(4, 2)
    }
    let tensor = ProtobufMessage {
      // DT_FLOAT, and one extent, which is 0.
      $0.add(1, 1)
      $0.add(2, ProtobufMessage { $0.add(2, ProtobufMessage { $0.add(1, 0) }) })
    }
    return SummaryValue(
      message: ProtobufMessage {
        $0.add(1, tag)
        $0.add(9, metadata)
        $0.add(8, tensor)
      })
  }
}
