import Gradients
import Tensors
import Testing

@Suite struct ImageTests {
  @Test func aFrameOfZerosSurroundsEachImage() {
    var stream = RandomStream(seed: 1, "frame")
    let images = stream.normal([2, 3, 4, 5])
    let padded = images.padded(by: 2)
    #expect(padded.shape == [2, 3, 8, 9])
    for plane in 0..<6 {
      for row in 0..<8 {
        for column in 0..<9 {
          let isInside = (2..<6).contains(row) && (2..<7).contains(column)
          let pixel = isInside ? images[(plane * 4 + row - 2) * 5 + column - 2] : 0
          #expect(padded[(plane * 8 + row) * 9 + column] == pixel)
        }
      }
    }
    #expect(padded.cropped(by: 2) == images)
  }
}
