import Foundation

extension Record {
  /// The digest of what the run undertook to keep, of the code that undertook it.
  ///
  /// It covers each check's name, relation and bounds, the values' names, tolerances and units, and
  /// the files of the code: a check that is dropped, widened or turned is found.
  var contractDigest: String {
    struct Contract: Encodable {
      struct Term: Encodable {
        let name, relation: String
        let tolerance, bound, expected: Double?
      }
      let terms: [Term]
      let sources: [String: String]
    }
    let terms =
      checks.map {
        Contract.Term(
          name: $0.name, relation: $0.relation.rawValue, tolerance: $0.tolerance, bound: $0.bound,
          expected: $0.expected)
      }
      + values.map {
        Contract.Term(
          name: $0.name, relation: $0.unit, tolerance: $0.tolerance, bound: nil, expected: nil)
      }
    return Self.digest(Contract(terms: terms, sources: sources))
  }

  /// The digest of the whole record without its seal.
  var sealDigest: String {
    var unsealed = self
    unsealed.seal = ""
    return Self.digest(unsealed)
  }

  private static func digest(_ value: some Encodable) -> String {
    (try? encode(value, [.sortedKeys, .withoutEscapingSlashes])).map(Notebook.digest) ?? ""
  }

  /// The record with contract and seal, as a run leaves it.
  ///
  /// The seal finds an edit of the record. It is no secret: who means to lie can compute it.
  func sealed() -> Record {
    var sealed = self
    sealed.contract = sealed.contractDigest
    sealed.seal = sealed.sealDigest
    return sealed
  }

  /// Why a record is none of the write-up's chapter, as a sentence without its end; nil when it is
  /// one of a full run of that chapter with the default seed.
  func misplacement(in chapter: String, path: String) -> String? {
    if self.chapter != chapter {
      return "\(path) is a record of chapter \(self.chapter), not of \(chapter)"
    }
    if mode != .full { return "\(path) is of a \(mode.rawValue) run, and only a full one counts" }
    if seed != defaultSeed {
      return "\(path) is of a run with seed \(seed), and only the default, \(defaultSeed), counts"
    }
    return nil
  }

  /// Why a record that says that its run passed is not to be believed, as a sentence without its
  /// end; nil when all that it says fits together.
  func contradiction(path: String) -> String? {
    if let fault = faults.first {
      return "\(path) says that its run passed with a fault: “\(fault)”"
    }
    for check in checks where check.passed != check.holds {
      return "\(path) says that the check “\(check.name)” \(check.passed ? "passed" : "failed"), "
        + "and its numbers say the contrary"
    }
    if let check = checks.first(where: { !$0.passed }) {
      return "\(path) says that its run passed, and its check “\(check.name)” did not"
    }
    if contract != contractDigest {
      return "\(path) was altered after its run: its checks, tolerances or names of values are not "
        + "those of its contract"
    }
    return seal == sealDigest
      ? nil : "\(path) was altered after its run: its seal is not that of what it says"
  }
}
