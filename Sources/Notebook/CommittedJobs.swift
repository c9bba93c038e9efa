import Foundation

extension ChapterFiles {
  /// The folder of the chapter's committed results, as a path in the package.
  private var resultsPath: String { "results/\(id)" }

  /// The committed result of a name, when it is whole.
  private func committedJob(_ name: String) -> KeptJob? {
    let place = root.appendingPathComponent("\(resultsPath)/\(KeptJob.fileName(name))")
    return (try? Data(contentsOf: place)).flatMap { KeptJob($0) }
  }

  /// Whether the results that a record stands on are there and are those.
  func holdsJobs(of record: Record) -> Bool {
    record.jobs.allSatisfy { committedJob($0.name)?.resultDigest == $0.result }
  }

  /// Whether one of the results that a record stands on is of another engine than the present.
  func hasJobOfOlderEngine(_ record: Record, in code: PackageCode) -> Bool {
    record.jobs.contains { job in
      committedJob(job.name).map { $0.engine != code.engineDigest } ?? false
    }
  }

  /// What is wrong with the chapter's committed results.
  ///
  /// One that was altered is always found; whether they are of the present code, and those that the
  /// record stands on, only where the prose may stand on the record.
  /// - Parameter code: the package's code as it is, where it was read already.
  public func jobFindings(in code: PackageCode? = nil) -> [Finding] {
    let code = code ?? PackageCode(root: root)
    let record = try? freshRecord(in: code)
    let advice = "run: swift run lab chapter \(id)"
    let sources = [
      PackageCode.digest(code.sources(of: id)),
      PackageCode.digest(code.sources(of: id, and: ["Chapters/\(source.lastPathComponent)"])),
    ]
    func fault(of file: String, _ data: Data?) -> String? {
      guard let job = data.flatMap({ KeptJob($0) }) else {
        return "the result is not as a run left it; restore it, or remove it and \(advice)"
      }
      if job.chapter != id || job.mode != .full || job.seed != defaultSeed
        || KeptJob.fileName(job.name) != file
      {
        return "this is no result of a full run of chapter \(id) with the default seed; remove it."
      }
      guard let record else { return nil }
      if !sources.contains(job.sources) {
        return "the result “\(job.name)” is of other code than the present; \(advice)"
      }
      guard let entry = record.jobs.first(where: { $0.name == job.name }) else {
        return "the record does not stand on the result “\(job.name)”; remove it, or \(advice)"
      }
      return entry.result == job.resultDigest
        ? nil
        : "the result “\(job.name)” is not the one that the record stands on; restore it, or "
          + advice
    }
    let files = KeptResults.files(in: root.appendingPathComponent(resultsPath))
    var findings: [Finding] = []
    for file in files {
      let path = "\(resultsPath)/\(file)"
      if let fault = fault(of: file, try? Data(contentsOf: root.appendingPathComponent(path))) {
        findings.append(Finding(file: path, line: 1, sentence: fault))
      }
    }
    for job in record?.jobs ?? [] where !files.contains(KeptJob.fileName(job.name)) {
      findings.append(
        Finding(
          file: "\(resultsPath)/\(KeptJob.fileName(job.name))", line: 1,
          sentence: "the result “\(job.name)”, on which the record stands, is missing; restore it, "
            + "or \(advice)"))
    }
    return findings
  }
}
