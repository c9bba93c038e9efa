import Foundation
import Notebook
import Synchronization

/// Work that several trainings begin with, such as learning features from all images without labels.
///
/// It is done when the first of them asks, and not where all of them are kept; the others wait. What
/// it gives is kept on the machine, and is too large to be committed.
package final class SharedStage<Value: Codable & Sendable>: Sendable {
  private let value = Mutex<Value?>(nil)
  private let compute: @Sendable (SideBySide.Flag) throws -> Value

  /// A stage.
  ///
  /// - Parameters:
  ///   - name: unique in the chapter: it says all that the work depends on beside the code.
  ///   - file: where the work is written.
  package init(
    _ page: Page, _ name: String, file: String = #filePath,
    _ compute: @escaping @Sendable (SideBySide.Flag) throws -> Value
  ) {
    let kept = page.kept
    self.compute = { flag in
      try kept(name, committed: .never, file: file) { try compute(flag) }
    }
  }

  /// What the stage gives.
  ///
  /// Who waits for another looks now and then whether all are to stop.
  package func callAsFunction(_ flag: SideBySide.Flag) throws -> Value {
    while true {
      try flag.check()
      let made = try value.withLockIfAvailable { value in
        if let value { return value }
        let made = try compute(flag)
        value = made
        return made
      }
      if let made { return made }
      Thread.sleep(forTimeInterval: 0.05)
    }
  }
}
