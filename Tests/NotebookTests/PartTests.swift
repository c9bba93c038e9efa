import Notebook
import Testing

@Suite struct PartTests {
  @Test func aPartIsANumberOfACount() throws {
    let part = try #require(Part("2/8"))
    #expect((part.number, part.count) == (2, 8))
    #expect("\(part)" == "2/8")
  }

  @Test(arguments: [
    "", "2", "0/8", "9/8", "2/", "/8", "2/8/9", "-1/8", "2/0", "1/0", "0/0", "+2/8", "two/8",
  ])
  func whatIsNoPartIsRefused(_ text: String) { #expect(Part(text) == nil) }

  @Test func eachJobIsOfOnePart() throws {
    let parts = try (1...3).map { try #require(Part("\($0)/3")) }
    for place in 0..<10 { #expect(parts.count { $0.has(place) } == 1) }
  }
}
