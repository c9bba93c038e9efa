import Digits
import Files
import Foundation
import Gradients
@testable import Handwriting
import Methods
import Networks
import Tensors
import Testing

@Suite struct ExportedModelTests {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).bin")

  /// The final model's layers with drawn weights, and statistics as no training leaves them at first.
  static func networks(_ settings: CrossSettings = FinalModel.settings) -> CrossNetworks {
    let networks = CrossNetworks(settings, seed: 7, name: "test")
    var stream = RandomStream(seed: 3, "statistics")
    for (path, parameter) in networks.namedParameters where path.contains(".normalisations.") {
      let drawn = stream.normal(parameter.value.shape) * 0.3
      // Scales of both signs: a pooling before them must stay before them.
      parameter.value =
        path.hasSuffix("Variance")
        ? drawn.map { $0 * $0 + 0.5 }
        : path.hasSuffix("scale") ? drawn.map { $0 * 4 } : drawn
    }
    return networks
  }

  /// Images with strokes of a kind: a few bright pixels on black.
  static func images(_ count: Int) -> Tensor {
    var stream = RandomStream(seed: 4, "images")
    return stream.normal([1, count, 28, 28]).map { VectorMath.maximum($0 - 0.8, 0) }
  }

  private func read(_ data: Data) throws -> ModelFile {
    try data.write(to: url)
    return try ModelFile(reading: url)
  }

  @Test func in32BitsNotABitOfAPredictionChanges() throws {
    defer { try? FileManager.default.removeItem(at: url) }
    let networks = Self.networks()
    let model = ExportedModel(networks, FinalModel.settings, training: "t", precision: .single)
    let file = try read(model.encoded)
    let images = Self.images(6)
    #expect(file.networks.probabilities(images).all == networks.probabilities(images).all)
    #expect(file.training == "t" && file.description == model.description)
    #expect(model.encoded == model.encoded && model.encoded.count < ExportedModel.mostBytes)
  }

  @Test func in16BitsFiltersAndMatricesAreRoundedAndNothingElse() throws {
    defer { try? FileManager.default.removeItem(at: url) }
    let networks = Self.networks()
    let whole = ExportedModel(networks, FinalModel.settings, training: "", precision: .single)
    let half = ExportedModel(networks, FinalModel.settings, training: "", precision: .half)
    #expect(half.encoded.count < whole.encoded.count * 6 / 10)
    let file = try read(half.encoded)
    let values = Dictionary(
      uniqueKeysWithValues: file.networks.namedParameters.map { ($0.path, $0.parameter.value) })
    for (name, value) in whole.tensors {
      let found = try #require(values[name])
      guard value.shape.rank > 1 else {
        #expect(found == value, "\(name)")
        continue
      }
      #expect(found.values == value.values.map { Float(Float16($0)) }, "\(name)")
      #expect(found != value)
    }
    let images = Self.images(4)
    // What the export command tries is what a reader of the file will have.
    #expect(file.networks.probabilities(images).all == half.networks.probabilities(images).all)
  }

  @Test func anOddNumberOfHalvesIsFilledUp() throws {
    defer { try? FileManager.default.removeItem(at: url) }
    var settings = CrossSettings()
    var plan = ConvolutionStack.Plan.kitsLayers
    // 3 × 1 × 3 × 3 = 27 numbers in the first filters.
    plan.blocks = [(3, 3, 0, true), (5, 3, 1, true)]
    plan.hidden = 7
    settings.networks = [plan]
    let networks = Self.networks(settings)
    let model = ExportedModel(networks, settings, training: "", precision: .half)
    let file = try read(model.encoded)
    let images = Self.images(3)
    #expect(file.networks.probabilities(images).all == model.networks.probabilities(images).all)
    let archive = try Archive(reading: url)
    #expect(archive.tensors[0].value.shape == [14])
    #expect(archive.tensors[0].value.values.last!.bitPattern >> 16 == 0)
  }

  @Test func viewsComeBackAsTheyWere() throws {
    defer { try? FileManager.default.removeItem(at: url) }
    var settings = FinalModel.settings
    settings.views = [
      AffineMap(), AffineMap(shift: (1, 0)), AffineMap(shift: (0, -1)), AffineMap(rotation: -6),
      AffineMap(rotation: 130, stretch: (1.2, -0.8), shear: 0.3, shift: (-2, 0.5)),
    ]
    #expect(settings.views[0].numbers == [1, 0, 0, 1, 0, 0])
    #expect(settings.views[2].numbers == [1, 0, 0, 1, 0, -1])
    for view in settings.views.prefix(3) { #expect(AffineMap(numbers: view.numbers) == view) }
    for view in settings.views {
      let back = try #require(AffineMap(numbers: view.numbers))
      for (a, b) in zip(back.numbers, view.numbers) { #expect(abs(a - b) < 1e-6) }
    }
    #expect(AffineMap(numbers: [0, 0, 0, 1, 0, 0]) == nil)
    #expect(AffineMap(numbers: [1, 0, 2, 0, 0, 0]) == nil)
    #expect(AffineMap(numbers: [1, 0, 0, .nan, 0, 0]) == nil)
    let networks = Self.networks(settings)
    let model = ExportedModel(networks, settings, training: "", precision: .single)
    let (theirs, ours) = (
      try read(model.encoded).networks.probabilities(Self.images(3)).all,
      networks.probabilities(Self.images(3)).all
    )
    for (a, b) in zip(theirs.values, ours.values) { #expect(abs(a - b) < 1e-4) }
    // And views do change what is said.
    let without = ExportedModel(
      networks, FinalModel.settings, training: "", precision: .single
    ).networks.probabilities(Self.images(3)).all
    #expect(zip(without.values, ours.values).contains { abs($0 - $1) > 1e-3 })
  }

  @Test func aTrainedModelIsReadByTheSameDoor() throws {
    defer { try? FileManager.default.removeItem(at: url) }
    let networks = Self.networks()
    let archive = Archive(
      kind: "model", state: "QUICK", tensors: Archive.tensors(of: networks))
    let file = try read(archive.encoded)
    #expect(file.description == nil && file.training == "QUICK")
    let pixels = (0..<784).map { UInt8($0 % 5 == 0 ? 200 : 0) }
    let image = ImageSet(pixels: pixels, labels: [0])
    #expect(try file.read(pixels) == networks.probabilities(image.images([0])).all.values)
    #expect(try ModelFile.probabilities(networks, image) == [file.read(pixels)])
  }

  /// A training would leave them as they are.
  @Test func damagedWeightsAreToBeExportedAgain() throws {
    defer { try? FileManager.default.removeItem(at: url) }
    let model = ExportedModel(Self.networks(), FinalModel.settings, training: "", precision: .half)
    let error = #expect(throws: LabError.self) { try read(model.encoded.dropLast(100)) }
    #expect(
      error?.description.hasSuffix("; restore it, or make it again with: swift run lab export")
        == true)
  }

  @Test func whatIsNoSuchFileIsRefusedInASentence() throws {
    defer { try? FileManager.default.removeItem(at: url) }
    let model = ExportedModel(
      Self.networks(), FinalModel.settings, training: "", precision: .half)
    try model.encoded.write(to: url)
    let whole = try Archive(reading: url)
    func refusal(_ change: (inout Archive) -> Void) throws -> String {
      var archive = whole
      change(&archive)
      try archive.write(to: url)
      do {
        _ = try ModelFile(reading: url)
        return "read"
      } catch {
        #expect(error.kind == .input && error.description.hasPrefix(url.path))
        return String(error.description.dropFirst(url.path.count))
      }
    }
    let remedy = "; make it again with: swift run lab export"
    #expect(try refusal { _ in } == "read")
    #expect(
      try refusal { $0.state = "{}" } == " says nothing of its layers that can be read" + remedy)
    #expect(
      try refusal { $0.state.replace("\"version\":1", with: "\"version\":2") }
        == " is of version 2, and this program reads version 1" + remedy)
    #expect(
      try refusal { $0.state.replace("\"bits\":16", with: "\"bits\":8") }
        == " says nothing of its layers that can be read" + remedy)
    #expect(
      try refusal { $0.state.replace("\"slope\":0.1", with: "\"slope\":0.2") }
        == " standardises or bends otherwise than the networks of this lab" + remedy)
    for (from, to) in [
      ("\"kernel\":5", "\"kernel\":29"), ("\"kernel\":5", "\"kernel\":0"),
      ("\"padding\":0", "\"padding\":-1"), ("\"filters\":32", "\"filters\":1000000000"),
      ("\"hidden\":100", "\"hidden\":0"), ("[1,0,0,1,0,0]", "[0,0,0,0,0,0]"),
      ("[1,0,0,1,0,0]", "[1,0,0]"),
    ] {
      try #require(whole.state.contains(from), "\(from)")
      #expect(
        try refusal { $0.state.replace(from, with: to, maxReplacements: 1) }
          == " has layers or views that are none" + remedy, "\(to)")
    }
    for mistakes in ["[{\"image\":-5,\"read\":1}]", "[{\"image\":5,\"read\":10}]"] {
      #expect(
        try refusal { $0.state.replace("{\"bits\"", with: "{\"mistakes\":\(mistakes),\"bits\"") }
          == " has layers or views that are none" + remedy, "\(mistakes)")
    }
    #expect(
      try refusal { $0.state.replace("\"hidden\":100", with: "\"hidden\":101") }
        == " has no networks.0.hidden.weight of shape [25856]" + remedy)
    #expect(
      try refusal { $0.tensors.removeLast() } == " has other tensors than its layers" + remedy)
    let infinite = Float(bitPattern: UInt32(Float16.infinity.bitPattern))
    #expect(
      try refusal { $0.tensors[0].value[3] = infinite }
        == " has weights that are not finite" + remedy)
    for more in [0, 1_000_000] {
      // With its averages and moments a checkpoint is several times as large.
      let told = try refusal {
        $0.kind = "training"
        $0.state += String(repeating: " ", count: 6 * more)
      }
      #expect(told == " is a checkpoint and no model; name the model beside it.")
    }
    var bytes = model.encoded
    bytes[bytes.count / 2] ^= 1
    try bytes.write(to: url)
    #expect {
      try ModelFile(reading: url)
    } throws: {
      "\($0)".contains("is cut short or altered (its digest is wrong)")
    }
    try Data(repeating: 0, count: 20_000_000).write(to: url)
    #expect { try ModelFile(reading: url) } throws: { "\($0)".contains(" bytes, more than the ") }
  }

  @Test func whatIsFiniteButTooLargeSaysNothing() throws {
    defer { try? FileManager.default.removeItem(at: url) }
    let networks = Self.networks()
    for parameter in networks.parameters where parameter.value.shape.rank > 1 {
      parameter.value = Tensor(repeating: 1e30, parameter.value.shape)
    }
    let model = ExportedModel(networks, FinalModel.settings, training: "", precision: .single)
    let file = try read(model.encoded)
    #expect {
      try file.read([UInt8](repeating: 200, count: 784))
    } throws: {
      "\($0)".hasPrefix("\(url.path) has weights so large that its probabilities are no numbers; ")
    }
  }

  @Test func aWeightTooLargeForHalfIsSeen() {
    let networks = Self.networks()
    networks.parameters[0].value[0] = 70_000
    func model(_ precision: ExportedModel.Precision) -> ExportedModel {
      ExportedModel(networks, FinalModel.settings, training: "", precision: precision)
    }
    #expect(model(.single).isFinite && !model(.half).isFinite)
  }
}
