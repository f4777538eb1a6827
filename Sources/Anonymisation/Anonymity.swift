import Glibc
import Tensors

/// How well a table hides its people: each class of rows with the same quasi-identifiers is a group that one of them hides in.
public struct Anonymity: Sendable, Codable, Hashable {
  /// How well the classes hide the values of one sensitive column.
  public struct Sensitive: Sendable, Codable, Hashable {
    /// The distances between values that t-closeness goes by.
    public enum Distance: String, Sendable, Codable {
      /// Numbers: the distance of their places in the order of all numbers that occur, divided by the largest.
      case ordered
      /// Texts: all are equally far from one another.
      case equal
    }

    /// The column's name.
    public var name: String
    /// Distinct l-diversity (Machanavajjhala et al. 2007): the fewest different values in a class.
    public var distinctL: Int
    /// Entropy l-diversity (the same): exp of the smallest entropy of a class, −Σ p·log p over the values' parts p.
    public var entropyL: Double
    /// t-closeness (Li et al. 2007): the largest distance of a class's values from those of the whole table, as the earth mover counts it.
    public var t: Double
    /// The distances between values.
    public var distance: Distance

    enum CodingKeys: String, CodingKey {
      case name, t, distance
      case distinctL = "distinct_l"
      case entropyL = "entropy_l"
    }
  }

  /// The rows.
  public var rows: Int
  /// The classes of rows with the same quasi-identifiers.
  public var classes: Int
  /// k-anonymity (Sweeney 2002): the rows of the smallest class; 0 without rows.
  public var k: Int
  /// The rows of the largest class.
  public var largestClass: Int
  /// The mean probability of finding the row of a person whose quasi-identifiers one knows: classes / rows. The largest is 1 / ``k``.
  public var meanRisk: Double
  /// The discernibility (Bayardo, Agrawal 2005): the sum of the squared sizes of classes, and for each removed row all rows that there were.
  public var discernibility: Int
  /// The sensitive columns, each by itself.
  public var sensitive: [Sensitive]

  enum CodingKeys: String, CodingKey {
    case rows, classes, k, discernibility, sensitive
    case largestClass = "largest_class"
    case meanRisk = "mean_risk"
  }

  /// The anonymity of rows with these values.
  ///
  /// - Parameters:
  ///   - quasiIdentifiers: the columns of the quasi-identifiers, [columns, rows].
  ///   - sensitive: the sensitive columns by name.
  ///   - rows: the number of rows.
  ///   - removed: the rows that there were beside.
  public init(
    quasiIdentifiers: [[String]], sensitive: [(name: String, values: [String])], rows: Int, removed: Int = 0
  ) {
    self.init(RowClasses(quasiIdentifiers, rows: rows), sensitive: sensitive, removed: removed)
  }

  init(_ found: RowClasses, sensitive: [(name: String, values: [String])], removed: Int = 0) {
    rows = found.ofRow.count
    classes = rows == 0 ? 0 : found.sizes.count
    k = rows == 0 ? 0 : found.sizes.min() ?? 0
    largestClass = found.sizes.max() ?? 0
    meanRisk = rows == 0 ? 0 : Double(classes) / Double(rows)
    discernibility = found.sizes.reduce(0) { $0 &+ $1 &* $1 } &+ removed &* (rows + removed)
    self.sensitive = sensitive.map { Self.measure($0.name, $0.values, found) }
  }

  private static func measure(_ name: String, _ values: [String], _ classes: RowClasses) -> Sensitive {
    let numbers = values.compactMap { DecimalNumber($0)?.value }
    let isOrdered = !values.isEmpty && numbers.count == values.count
    // Places in the order of the values: of numbers it matters, of texts not.
    let codes: [Int]
    let count: Int
    if isOrdered {
      let sorted = Set(numbers).sorted()
      let places = Dictionary(uniqueKeysWithValues: sorted.enumerated().map { ($1, $0) })
      (codes, count) = (numbers.map { places[$0] ?? 0 }, sorted.count)
    } else {
      codes = RowClasses.codes(values)
      count = (codes.max() ?? -1) + 1
    }
    var all = [Int](repeating: 0, count: count)
    var inClass = classes.sizes.map { _ in [Int: Int]() }
    for (row, code) in codes.enumerated() {
      all[code] += 1
      inClass[classes.ofRow[row]][code, default: 0] += 1
    }
    var (distinct, entropy, farthest) = (Int.max, Double.infinity, 0.0)
    for (own, size) in zip(inClass, classes.sizes) where size > 0 {
      distinct = min(distinct, own.count)
      // In the order of the values, so that the sum has the same bits each time.
      let parts = own.sorted { $0.key < $1.key }.map { Double($0.value) / Double(size) }
      entropy = min(entropy, parts.reduce(0) { $0 - $1 * log($1) })
      farthest = max(farthest, distance(own, of: size, all, of: codes.count, isOrdered: isOrdered))
    }
    return Sensitive(
      name: name, distinctL: distinct == .max ? 0 : distinct, entropyL: entropy.isFinite ? exp(entropy) : 0,
      t: farthest,
      distance: isOrdered ? .ordered : .equal)
  }

  /// The earth mover's distance between the values of a class and those of all rows, by their counts.
  ///
  /// With r the differences of the values' parts: Σᵢ |Σⱼ≤ᵢ rⱼ| / (m − 1) over m ordered values, and Σᵢ |rᵢ| / 2 over others (Li et al. 2007, §5).
  private static func distance(
    _ own: [Int: Int], of size: Int, _ all: [Int], of rows: Int, isOrdered: Bool
  ) -> Double {
    guard all.count > 1 else { return 0 }
    var (sum, running) = (0.0, 0.0)
    for (code, count) in all.enumerated() {
      let difference = Double(own[code] ?? 0) / Double(size) - Double(count) / Double(rows)
      running += difference
      sum += abs(isOrdered ? running : difference)
    }
    return isOrdered ? sum / Double(all.count - 1) : sum / 2
  }
}
