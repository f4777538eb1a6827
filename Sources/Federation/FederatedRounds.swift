import Checkpoints
import Collectives
import Kernels
import NeuralNetworks
import Steps
import Tensors
import Training

/// One round of a federated run.
extension FederatedTrainer {
  /// How a round went, the same on every rank.
  struct Round {
    let choice: RoundChoice
    let losses: LossSums
    /// The norm that updates were clipped to; nil if none was.
    let clipNorm: Float?
    /// The time of this rank's own work, and that from there to the sum of all.
    let compute: Duration
    let reduction: Duration
  }

  /// Takes the next round. Collective.
  ///
  /// If a rank is asked to end the run before its clients are done, no rank takes the round, for it may be long: returns nil, and the run
  /// stands where it did.
  func takeRound() throws -> Round? {
    let number = state.epoch + 1
    let choice = try RoundChoice(plan, round: number, source: source)
    let began = ContinuousClock.now
    let places = aggregation.begin(choice, round: number)
    try variates?.fetch(choice, places: places)
    var figures: [Figures] = []
    var isWhole = true
    let samples = places.reduce(0) { $0 + self.samples(choice.participants[$1]) }
    var done = LossSums()
    for place in places {
      let figure = train(place, of: choice, round: number) { samplesOfClient in
        communicator.entered(.compute, step: number)
        report(choice, done, current: samplesOfClient, of: samples, since: began)
        return pending.isDisjoint(with: .ending)
      }
      guard let figure else {
        isWhole = false
        break
      }
      done += figure.losses
      figures.append(figure)
    }
    let computed = ContinuousClock.now
    communicator.entered(.reduction, step: number)
    guard let all = try exchange(figures, places, choice, isWhole: isWhole) else { return nil }
    if let broken = all.firstIndex(where: { !$0.isFinite }) {
      throw TrainingError.agreed(
        .rankFailed,
        "round \(number): the loss or the update of client \(choice.participants[broken].client) is not finite; the round was not taken, "
          + "and checkpoints are from before it: lower \(Setting.learningRate), or set \(Setting.updateClip)")
    }
    let clipNorm = plan.recipe.updateClip == nil ? nil : clip[0]
    try variates?.giveBack(choice)
    if let loss = try step(choice, all, round: number) {
      audience.warn("round \(number) is lost, and the weights stay: \(loss)")
    }
    return Round(
      choice: choice, losses: all.reduce(into: LossSums()) { $0 += $1.losses }, clipNorm: clipNorm,
      compute: computed - began, reduction: .now - computed)
  }

  /// The figures of one client's work, which every rank gets.
  private struct Figures {
    var losses: LossSums
    var isFinite: Bool
    /// Whether its update was no longer than the clip.
    var isWithin: Bool

    static let wordCount = 4

    var words: [UInt64] {
      [losses.loss.bitPattern, UInt64(losses.correct), UInt64(losses.samples), (isFinite ? 1 : 0) + (isWithin ? 2 : 0)]
    }

    init(_ outcome: LocalTraining.Outcome, isWithin: Bool) {
      (losses, isFinite, self.isWithin) = (outcome.losses, outcome.isFinite, isWithin)
    }

    init(words: [UInt64]) {
      losses = LossSums(loss: Double(bitPattern: words[0]), correct: Int(words[1]), samples: Int(words[2]))
      (isFinite, isWithin) = (words[3] & 1 != 0, words[3] & 2 != 0)
    }
  }

  /// Trains the participant at `place` and hands its update to the aggregation; nil if `willStep` ended its work.
  private func train(_ place: Int, of choice: RoundChoice, round: Int, willStep: (Int) -> Bool) -> Figures? {
    let participant = choice.participants[place]
    let count = weights.count
    let difference = update.prefix(count)
    if let correction, let variates, let variate = server.variate {
      correction.copy(from: variate)
      subtract(variates[place], times: 1, from: correction)
    }
    guard
      let outcome = local.run(
        participant, round: round, from: weights, into: difference, correction: correction, willStep: willStep)
    else { return nil }
    if let variates, let variate = server.variate {
      let moved = update[count..<2 * count]
      moved.fill(0)
      let length = Float(participant.steps) * plan.learningRate(round: round)
      for range in plan.network.layout.ranges(of: [.weight, .bias]) {
        subtract(difference[range], times: -1 / length, from: moved[range])
        subtract(variate[range], times: 1, from: moved[range])
      }
      Kernels.add(moved, into: variates[place])
    }
    var isWithin = true
    if plan.recipe.updateClip != nil {
      let norm = sumOfSquares(difference).squareRoot()
      isWithin = norm <= Double(clip[0])
      // A little below, because the scaled update is rounded.
      if !isWithin { scale(difference, by: Float(Double(clip[0]) / norm * (1 - 0x1p-20))) }
    }
    aggregation.add(update, of: place)
    return Figures(outcome, isWithin: isWithin)
  }

  /// Every participant's figures, in the order of the round; nil if a rank's clients are not done. Takes in what ranks are asked for.
  /// Collective.
  private func exchange(
    _ figures: [Figures], _ places: [Int], _ choice: RoundChoice, isWhole: Bool
  ) throws -> [Figures]? {
    var mine = [UInt64(pending.rawValue), isWhole ? 1 : 0]
    for (figure, place) in zip(figures, places) { mine += [UInt64(place)] + figure.words }
    var all = [Figures?](repeating: nil, count: choice.participants.count)
    var isEverybodyDone = true
    for words in try communicating({ try communicator.gather(words: mine) }) {
      asked.formUnion(RunRequests(rawValue: UInt32(words[0])))
      isEverybodyDone = isEverybodyDone && words[1] == 1
      for start in stride(from: 2, to: words.count, by: 1 + Figures.wordCount) {
        all[Int(words[start])] = Figures(words: Array(words[start + 1...start + Figures.wordCount]))
      }
    }
    guard isEverybodyDone else { return nil }
    return all.map { figure in
      guard let figure else { preconditionFailure("a client of the round was trained by no rank") }
      return figure
    }
  }

  /// Adds the updates up and takes the server's step. Returns nil, or the reason why it was not taken. Collective.
  private func step(_ choice: RoundChoice, _ figures: [Figures], round: Int) throws -> String? {
    let recipe = plan.recipe
    if choice.participants.isEmpty {
      // Without noise there is nothing to step along.
      guard noise != nil else { return "no client is left" }
      mean.fill(0)
    } else if let loss = try communicating({ try aggregation.mean(into: mean) }) {
      return loss
    }
    let within = figures.count { $0.isWithin }
    var part = figures.isEmpty ? nil : Double(within) / Double(figures.count)
    if let noise, let source {
      noise.add(
        to: mean, plan.network.layout, sensitivity: Double(clip[0]) + plan.roundingError, divisor: choice.divisor,
        round: round,
        source)
      if noise.countDeviation > 0 {
        part = noise.part(
          within: within, of: figures.count, expected: recipe.clientFraction * Double(recipe.clients),
          plan.network.layout, round: round, source)
      }
    }
    server.take(weights, along: mean)
    if let part, let updateClip = recipe.updateClip { clip[0] = updateClip.next(after: clip[0], within: part) }
    return nil
  }

  /// The samples of a participant's steps.
  func samples(_ participant: RoundChoice.Participant) -> Int {
    plan.samples(of: participant.client, steps: participant.steps)
  }

  /// Tells the observers how far the round is, as far as rank 0 knows: as its own clients are.
  private func report(
    _ choice: RoundChoice, _ done: LossSums, current: Int, of samples: Int, since start: ContinuousClock.Instant
  ) {
    guard !audience.observers.isEmpty, samples > 0 else { return }
    let all = choice.participants.reduce(0) { $0 + self.samples($1) }
    let share = Double(done.samples + current) / Double(samples)
    let progress = EpochProgress(
      epoch: state.epoch + 1, epochs: plan.recipe.rounds, step: state.step, samplesDone: Int(share * Double(all)),
      samplesInEpoch: all, samplesCounted: done.samples, samplesTimed: Int(share * Double(all)),
      seconds: (.now - start).seconds, loss: done.meanLoss,
      accuracy: plan.recipe.loss.countsCorrect ? done.accuracy : nil)
    // What fails in showing it will fail at the round's end as well.
    for observer in audience.observers { try? observer.stepped(progress) }
  }

  /// The requests to this rank.
  var pending: RunRequests { options.pending(until: deadline) }
}
