import Testing

@testable import Experiments
@testable import Notebook

@Suite struct OutcomeReportTests {
  /// Two thirds of 32 epochs are 21.3: nearer to 21 than to 24.
  @Test func partsOfALengthAreTheNearestPoints() {
    let page = Page(id: "9.9")
    var report = OutcomeReport(page)
    var outcome = Study.Outcome()
    outcome.epochs = [3, 5, 8, 11, 13, 16, 19, 21, 24, 27, 29, 32]
    outcome.test = outcome.epochs.map(Double.init)
    report.add("arm", labels: 1000, [outcome])
    report.giveLengths("arm", 1000)
    #expect(page.values.map(\.name) == ["arm.1000.third", "arm.1000.twoThirds"])
    #expect(page.values.map(\.value) == [11, 21])
  }
}
