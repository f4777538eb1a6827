import Checkpoints
import Console
import Training

/// Writes `report.html` into the run directory when a run is finished.
///
/// It must stand behind the `RunRecord` among a run's observers: it reads the files of that.
public final class ReportFile: Observer {
  private let pictured: ([Picture]) throws -> Void
  private let written: (String) -> Void
  private let placeOfWaits: WaitingLine.Place?
  private var directory: String?

  /// A report of a run that has a directory.
  ///
  /// - Parameters:
  ///   - placeOfWaits: where it is shown that the report is being made; nil for nowhere.
  ///   - pictured: called with the pictures in the report once it is there.
  ///   - written: called with the report's path once it is there.
  public init(
    waitsIn placeOfWaits: WaitingLine.Place? = nil, pictured: @escaping ([Picture]) throws -> Void = { _ in },
    written: @escaping (String) -> Void = { _ in }
  ) {
    (self.placeOfWaits, self.pictured, self.written) = (placeOfWaits, pictured, written)
  }

  public func began(_ run: RunDescription) throws {
    directory = run.options.directory
    guard let directory else { return }
    do { try AtomicFile.removeLeftover(of: Self.path(in: directory)) } catch { throw TrainingError(error) }
  }

  public func finished(_ run: FinishedRun) throws {
    guard let directory else { return }
    let path = Self.path(in: directory)
    let pictures = try WaitingLine.show("making the report", in: placeOfWaits) {
      let pictures = RunPictures(of: run)
      let page: String
      do { page = try RunPage(RecordedRun(directory: directory), pictures: pictures).html } catch {
        // A file of the run that could not be written cannot be read, either: no more than that is lost.
        throw TrainingError(.cannotWrite, "cannot write \(path): \(error)")
      }
      try Self.write(page, to: path)
      return pictures
    }
    written(path)
    try pictured(pictures.all)
  }

  /// The page's place in a run directory.
  public static func path(in directory: String) -> String { "\(directory)/report.html" }

  /// Writes a page durably and atomically. Throws ``TrainingError`` with 73.
  public static func write(_ page: String, to path: String) throws {
    do { try AtomicFile.write(Array(page.utf8), to: path) } catch { throw TrainingError(error) }
  }
}
