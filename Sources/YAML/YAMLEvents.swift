import CYAML

/// The events of a YAML text, one after the other, by libyaml: the only file that calls it.
@safe final class YAMLEvents {
  /// What an event says. Anchors, aliases and tags are faults.
  enum Event {
    case streamEnd
    case documentStart
    case documentEnd
    case mappingStart
    case mappingEnd
    case sequenceStart
    case sequenceEnd
    /// A text, and whether it stands there without quotes or block marks.
    case scalar(String, isPlain: Bool)
  }

  /// libyaml's own state, which points at itself, and so may not move.
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let text: UnsafeMutableBufferPointer<UInt8>
  /// The place of the last event, counted from 1.
  private(set) var place = (line: 1, column: 1)

  /// The events of `bytes`, which are taken for UTF-8.
  init(_ bytes: [UInt8]) {
    unsafe parser = .allocate(capacity: 1)
    unsafe text = .allocate(capacity: bytes.count)
    _ = unsafe text.initialize(from: bytes)
    // It fails without memory alone.
    precondition(unsafe yaml_parser_initialize(parser) == 1, "no memory to read YAML")
    unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    unsafe yaml_parser_set_input_string(parser, text.baseAddress, bytes.count)
  }

  deinit {
    unsafe yaml_parser_delete(parser)
    unsafe parser.deallocate()
    unsafe text.deallocate()
  }

  /// An error at the last event.
  func fault(_ problem: String) -> YAMLError { YAMLError(problem: problem, line: place.line, column: place.column) }

  /// The next event.
  func next() throws(YAMLError) -> Event {
    var event = unsafe yaml_event_t()
    guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw problem }
    defer { unsafe yaml_event_delete(&event) }
    place = unsafe (Int(event.start_mark.line) + 1, Int(event.start_mark.column) + 1)
    switch unsafe event.type {
    case YAML_STREAM_START_EVENT: return try next()
    case YAML_STREAM_END_EVENT, YAML_NO_EVENT: return .streamEnd
    case YAML_DOCUMENT_START_EVENT: return .documentStart
    case YAML_DOCUMENT_END_EVENT: return .documentEnd
    case YAML_MAPPING_START_EVENT:
      try unsafe refuse(event.data.mapping_start.anchor, event.data.mapping_start.tag)
      return .mappingStart
    case YAML_MAPPING_END_EVENT: return .mappingEnd
    case YAML_SEQUENCE_START_EVENT:
      try unsafe refuse(event.data.sequence_start.anchor, event.data.sequence_start.tag)
      return .sequenceStart
    case YAML_SEQUENCE_END_EVENT: return .sequenceEnd
    case YAML_SCALAR_EVENT:
      let scalar = unsafe event.data.scalar
      try unsafe refuse(scalar.anchor, scalar.tag)
      let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
      return .scalar(
        unsafe String(decoding: bytes, as: UTF8.self), isPlain: unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE)
    default: throw fault("an alias; write the value again")
    }
  }

  private func refuse(_ anchor: UnsafePointer<UInt8>?, _ tag: UnsafePointer<UInt8>?) throws(YAMLError) {
    if unsafe anchor != nil { throw fault("an anchor; write the value where it is needed") }
    if unsafe tag != nil { throw fault("a tag; write the value alone") }
  }

  /// What libyaml says of the text.
  private var problem: YAMLError {
    unsafe YAMLError(
      problem: parser.pointee.problem.map { unsafe String(cString: $0) } ?? "is no YAML",
      line: Int(parser.pointee.problem_mark.line) + 1, column: Int(parser.pointee.problem_mark.column) + 1)
  }
}
