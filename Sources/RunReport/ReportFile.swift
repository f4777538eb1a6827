import Checkpoints
import Training

/// Writes `report.html` into the run directory when a run is finished.
///
/// It must stand behind the `RunRecord` among a run's observers: it reads the files of that.
public final class ReportFile: Observer {
  private let pictured: ([Picture]) throws -> Void
  private let written: (String) -> Void
  private var directory: String?

  /// A report of a run that has a directory. `pictured` is called with the pictures in it, and `written` with its path, once it is there.
  public init(pictured: @escaping ([Picture]) throws -> Void = { _ in }, written: @escaping (String) -> Void = { _ in })
  {
    (self.pictured, self.written) = (pictured, written)
  }

  public func began(_ run: RunDescription) throws {
    directory = run.options.directory
    guard let directory else { return }
    do { try AtomicFile.removeLeftover(of: Self.path(in: directory)) } catch { throw TrainingError(error) }
  }

  public func finished(_ run: FinishedRun) throws {
    guard let directory else { return }
    let path = Self.path(in: directory)
    let pictures = RunPictures(of: run)
    let page: String
    do { page = try RunPage(RecordedRun(directory: directory), pictures: pictures).html } catch {
      // A file of the run that could not be written cannot be read, either: no more than that is lost.
      throw TrainingError(.cannotWrite, "cannot write \(path): \(error)")
    }
    try Self.write(page, to: path)
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
