import Datasets
import Tensors
import Testing

/// From a table to samples: cleaning, tasks, the split, and what is fitted to the training samples alone.
@Suite struct CSVPreparationTests {
  private let samples: CSVSamples

  init() throws { samples = try CSVSamples() }

  // MARK: Tasks

  @Test(arguments: [
    ("0\n1\n1\n0", CSVTask.binary, ["0", "1"], 0...1), ("5\n7\n7\n5", .binary, ["5", "7"], 0...1),
    ("2\n1\n2\n1", .binary, ["1", "2"], 1...2), ("yes\nno\nyes\nno", .binary, ["no", "yes"], 0...1),
    ("3\n4\n5\n3", .classify, ["3", "4", "5"], 3...5), ("-1\n0\n1\n0", .classify, ["-1", "0", "1"], -1...1),
    ("b\na\nB\nb", .classify, ["B", "a", "b"], 0...2), ("1\n2\nx\n1", .classify, ["1", "2", "x"], 0...2),
    ("1\n10\n100\n1", .classify, ["1", "10", "100"], 0...2), ("4\n4\n4\n4", .classify, ["4"], 4...4),
  ])
  func classesAreFound(_ targets: String, _ task: CSVTask, _ classes: [String], _ labels: ClosedRange<Int>) throws {
    let text = "a,y\n" + targets.split(separator: "\n").enumerated().map { "\($0),\($1)\n" }.joined()
    let parts = try samples.parts(text, test: text)
    #expect(parts.task == task && parts.report.task == task)
    #expect(parts.report.classes == classes && parts.training.classNames == classes)
    #expect(parts.training.targets.labelRange == labels && parts.test.targets == parts.training.targets)
    #expect(parts.training.labels == parts.test.labels)
    let names = parts.training.labels.map { classes[Int($0) - labels.lowerBound] }
    #expect(names == targets.split(separator: "\n").map(String.init))
  }

  @Test func numbersAreFoundToBeARegression() throws {
    for targets in [["0.5", "1", "0.5", "1"], (0..<21).map { "\($0)" }] {
      let text = "a,y\n" + targets.enumerated().map { "\($0),\($1)\n" }.joined()
      let parts = try samples.parts(text, test: text)
      #expect(parts.task == .regress && parts.report.classes == nil)
      #expect(parts.training.targets == .values(count: 1))
      #expect(parts.training.values == targets.map { Float($0) })
    }
    // One number less, and they are classes.
    let twenty = "a,y\n" + (0..<20).map { "\($0),\($0)\n" }.joined()
    #expect(try samples.parts(twenty, test: twenty).task == .classify)
    // A task that is given wins.
    let text = "a,y\n1,0\n2,1\n3,0\n"
    #expect(try samples.parts(text, test: text, task: .regress).training.values == [0, 1, 0])
    #expect(try samples.parts(text, test: text, task: .classify).task == .classify)
    let halves = "a,y\n1,0.5\n2,1.5\n3,0.5\n"
    #expect(try samples.parts(halves, test: halves, task: .binary).training.labels == [0, 1, 0])
    #expect(try samples.parts(halves, test: halves, task: .binary).report.classes == ["0.5", "1.5"])
  }

  @Test func targetsThatDoNotSuitTheTask() throws {
    #expect(
      try samples.error("a,y\n1,0\n2,1\n3,2\n", task: .binary)
        == "table.csv: column \"y\" has 3 different targets, and a binary task needs two; give task classify, or binary:K "
        + "for class K against the rest")
    #expect(
      try samples.error("a,y\n1,0.5\n2,x\n3,2\n", task: .regress)
        == "table.csv:3: \"x\" in column \"y\" is not a number; correct it, or leave the field empty for a missing value"
    )
    #expect(
      try samples.error("a,y\n1,0\n2,1\n", test: "a,y\n1,0\n\n2,2\n").hasPrefix(
        "test.csv:4: target \"2.0\" in column \"y\" is none"))
    #expect(
      try samples.error("a,y\n1,u\n2,v\n", test: "a,y\n1,u\n2,w\n").hasPrefix(
        "test.csv:3: target \"w\" in column \"y\" is none"))
    let text = "a,y\n" + (0..<65_537).map { "\($0),\($0)\n" }.joined()
    #expect(try samples.error(text, task: .classify).contains("more than 65536 different targets"))
  }

  @Test func columnsAreChosenByName() throws {
    let text = "id,y,a\n7,0,1\n8,1,2\n9,0,3\n"
    let parts = try samples.parts(text, test: "a,extra,y\n5,z,1\n") {
      $0.target = "y"
      $0.ignored = ["id"]
    }
    #expect(parts.training.rows == [[1], [2], [3]] && parts.test.rows == [[5]] && parts.test.labels == [1])
    #expect(parts.report.ignoredColumns == ["id"] && parts.report.target == "y")
    #expect(
      try samples.error(text) { $0.target = "z" }
        == "table.csv: has no column \"z\"; its columns are \"id\", \"y\", \"a\"")
    #expect(try samples.error(text) { $0.ignored = ["b"] }.hasPrefix("table.csv: has no column \"b\""))
    #expect(try samples.error(text) { $0.ignored = ["a"] }.hasPrefix("table.csv: column \"a\" is the target"))
    #expect(try samples.error(text, test: "id,a\n1,2\n") { $0.target = "y" }.hasPrefix("test.csv: has no column \"y\""))
    #expect(try samples.error(text, test: "y,a\n1,2\n") { $0.target = "y" }.hasPrefix("test.csv: has no column \"id\""))
  }

  // MARK: Cleaning

  private static let gaps = """
    n,t,c,e,y
    1,u,5,,0
    2,v,5,,1
    ,v,5,,0
    4,,5,,1
    9,v,5,,
    4,u,5,,1
    1,u,5,,0

    """

  @Test func rowsWithMissingValuesAreDropped() throws {
    let parts = try samples.parts(Self.gaps, test: "n,t,y\n3,u,0\n,u,1\n")
    #expect(parts.training.rows == [[1, 1, 0], [2, 0, 1], [4, 1, 0]])
    #expect(parts.test.rows == [[3, 1, 0]])
    let report = parts.report
    #expect(report.cleaning.rowsRead == 7 && report.cleaning.rowsWithoutTarget == 1)
    #expect(report.cleaning.rowsWithMissingValues == 2 && report.cleaning.duplicateRows == 1)
    #expect(report.cleaning.filledValues == 0 && report.testCleaning?.rowsWithMissingValues == 1)
    #expect(report.constantColumns == ["c"] && report.emptyColumns == ["e"])
    #expect(
      report.line.hasSuffix(
        "3 samples to train on, 1 to test on (\(samples.scratch.path("test.csv"))); 3 inputs; binary y (0, 1); dropped 1 row "
          + "without a target, 2 rows with missing values, 1 repeated row; in the test file dropped 1 row with missing values; "
          + "left out constant column c; left out empty column e"), "\(report.line)")
  }

  /// Means, medians and the most frequent text are those of the training samples, the test file's are filled by them.
  @Test func missingValuesAreFilled() throws {
    let fills: [(CSVOptions.MissingValues, Float)] = [(.mean, 2.75), (.median, 3)]
    for (missing, fill) in fills {
      let parts = try samples.parts(Self.gaps, test: "n,t,y\n,,1\n900,v,1\n") { $0.missing = missing }
      #expect(parts.training.rows == [[1, 1, 0], [2, 0, 1], [fill, 0, 1], [4, 1, 0], [4, 1, 0]])
      #expect(parts.test.rows == [[fill, 1, 0], [900, 0, 1]])
      #expect(parts.report.cleaning.filledValues == 2 && parts.report.testCleaning?.filledValues == 2)
      #expect(parts.report.columns.map(\.fill) == ["\(Double(fill))", "u"])
    }
  }

  @Test func repeatedRowsStayIfAsked() throws {
    let parts = try samples.parts(Self.gaps, test: "n,t,y\n3,u,0\n3,u,0\n") { $0.duplicates = .keep }
    #expect(parts.training.count == 4 && parts.test.count == 2 && parts.report.cleaning.duplicateRows == 0)
    // Rows that differ in an ignored column are not the same.
    let text = "id,a,y\n1,5,0\n2,5,0\n3,6,1\n3,6,1\n"
    #expect(try samples.parts(text, test: text) { $0.ignored = ["id"] }.training.count == 3)
  }

  // MARK: Encoding

  @Test func numbersAreScaledByTheTrainingSamples() throws {
    let (text, test) = ("a,b,y\n2,-1,0\n4,0,1\n6,3,0\n12,-2,1\n", "a,b,y\n7,8,0\n")
    let minMax = try samples.parts(text, test: test) { $0.normalisation = .minMax }
    #expect(minMax.training.rows == [[0, 0.2], [0.2, 0.4], [0.4, 1], [1, 0]])
    #expect(minMax.test.rows == [[0.5, 2]])
    let standard = try samples.parts(text, test: test) { $0.normalisation = .standard }
    // The deviation of the population, as scikit-learn's StandardScaler: of 2, 4, 6, 12 it is √14.
    let deviation = 14.0.squareRoot()
    #expect(standard.training.rows.map { $0[0] } == [-4, -2, 0, 6].map { Float($0 / deviation) })
    #expect(standard.test.rows[0][0] == Float(1 / deviation))
    #expect(standard.report.columns[0].deviation == deviation && standard.report.columns[0].mean == 6)
    #expect(minMax.training.digest != standard.training.digest)
  }

  /// Of a table that is split, only the rows that are trained on count.
  @Test func theSplitsTestRowsFitNothing() throws {
    let text = "a,t,y\n" + (0..<40).map { "\($0),\($0 % 3 == 0 ? "x\($0)" : "common"),\($0 % 2)\n" }.joined()
    let parts = try samples.parts(text) {
      $0.testFraction = 0.5
      $0.normalisation = .minMax
    }
    let numbers = parts.training.rows.map { $0[0] }
    #expect(numbers.min() == 0 && numbers.max() == 1)
    let categories = try #require(parts.report.columns[1].categories)
    #expect(categories.count < 15 && categories == categories.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    #expect(parts.report.cleaning.unknownCategories == 15 - categories.count)
    // A text that training lacks is no category: zeros.
    #expect(parts.test.rows.count { $0.dropFirst().allSatisfy { $0 == 0 } } == parts.report.cleaning.unknownCategories)
    #expect(parts.training.rows.allSatisfy { $0.dropFirst().reduce(0, +) == 1 })
  }

  @Test func categoriesHaveTheOrderOfTheirBytes() throws {
    let words = ["é", "z", "Z", "a b", "10", "9", "-1"]
    let text = "t,y\n" + words.enumerated().map { "\($1),\($0 % 2)\n" }.joined()
    // A test file whose texts are all numbers is read as texts too, and "9.0" is another than "9".
    let parts = try samples.parts(text, test: "t,y\n9,1\n9.0,0\n10,0\n")
    #expect(parts.report.columns[0].categories == ["-1", "10", "9", "Z", "a b", "z", "é"])
    #expect(parts.test.rows == [[0, 0, 1, 0, 0, 0, 0], [Float](repeating: 0, count: 7), [0, 1, 0, 0, 0, 0, 0]])
    #expect(parts.report.testCleaning?.unknownCategories == 1)
  }

  @Test func textsThatCannotBeInputs() throws {
    let text = "a,y\n" + (0..<1001).map { "\($0),0\n" }.joined() + "1.o2,1\n"
    #expect(
      try samples.error(text, test: text)
        == "table.csv: column \"a\" is of 1002 different texts, such as \"1.o2\"; 1000 can be inputs; correct the texts "
        + "if they should be numbers, or leave the column out (ignored)")
    #expect(
      try samples.error("a,y\n1,0\n2,1\n", test: "a,y\n1,0\nx,1\n").hasPrefix(
        "test.csv:3: \"x\" in column \"a\" is not a number"))
    #expect(
      try samples.error("a,y\n0,0\n1e-30,1\n", test: "a,y\n1e30,0\n") { $0.normalisation = .minMax }
        .hasPrefix("test.csv:2: \"1e+30\" in column \"a\" is not a finite number"))
  }

  // MARK: The split

  @Test func everyRowIsInOnePart() throws {
    let text = "a,y\n" + (0..<100).map { "\($0),\($0 % 2)\n" }.joined()
    var tested: [[Float]] = []
    for (fraction, seed) in [(nil, 0), (0.2, 0), (0.2, 1), (0.25, 0)] as [(Double?, UInt64)] {
      let parts = try samples.parts(text) {
        $0.testFraction = fraction
        $0.splitSeed = seed
      }
      let (training, test) = (parts.training.rows.map { $0[0] }, parts.test.rows.map { $0[0] })
      #expect(test.count == (fraction == 0.25 ? 25 : 20))
      #expect((training + test).sorted() == (0..<100).map { Float($0) })
      #expect(training == training.sorted() && test == test.sorted())
      tested.append(test)
    }
    // A fifth is split off if nothing is said; the seed decides which; a larger part holds a smaller one.
    #expect(tested[0] == tested[1] && tested[1] != tested[2])
    #expect(Set(tested[3]).isSuperset(of: tested[0]))
    // With a test file beside, the rows split off are used nowhere.
    let both = try samples.parts(text, test: text) { $0.testFraction = 0.25 }
    #expect(both.training.count == 75 && both.test.count == 100)
    #expect(
      try samples.error("a,y\n1,0\n2,1\n3,0\n") { $0.testFraction = 0.1 }.hasPrefix("table.csv: 3 rows cannot be split")
    )
    #expect(
      try samples.error("a,y\n1,0\n2,1\n3,0\n") { $0.testFraction = 0.9 }.hasPrefix("table.csv: 3 rows cannot be split")
    )
    for fraction in [0, 1, -0.5, .nan, .infinity] {
      var options = CSVOptions()
      options.testFraction = fraction
      #expect(options.fault?.hasPrefix("testFraction") == true, "\(fraction)")
    }
  }

  /// Rows of a class that is only in the test part are of that class: no choice of rows makes a file unusable.
  @Test func classesAreThoseOfTheWholeFile() throws {
    let text = "a,y\n" + (0..<50).map { "\($0),class \($0)\n" }.joined()
    let parts = try samples.parts(text)
    #expect(parts.report.classes?.count == 50 && parts.training.targets == parts.test.targets)
    #expect(Set(parts.training.labels).isDisjoint(with: parts.test.labels))
  }

  @Test func optionsAreReadBackFromTheRecipe() throws {
    let text = "a,b,c,y\n" + (0..<40).map { "\($0),\($0 % 7),\($0 % 5),\($0 % 2)\n" }.joined()
    var options = CSVOptions()
    options.ignored = ["c", "a"]
    options.missing = .median
    options.duplicates = .keep
    options.normalisation = .standard
    options.testFraction = 0.3
    options.splitSeed = .max
    let parts = try samples.parts(text) { $0 = options }
    let settings = Dictionary(uniqueKeysWithValues: parts.training.preparation.map { ($0.key, $0.value) })
    options.target = "y"
    #expect(CSVOptions { settings[$0] } == options)
    for key in settings.keys where key != "data_ignore.2" && key != "data_ignore.1" && key != "data_test_fraction" {
      #expect(CSVOptions { $0 == key ? nil : settings[$0] } == nil, "\(key)")
      if key != "data_target" { #expect(CSVOptions { $0 == key ? "x" : settings[$0] } == nil, "\(key)") }
    }
    #expect(CSVOptions { $0 == "data_test_fraction" ? "1.5" : settings[$0] } == nil)
  }
}
