import Digits
import Files
import Foundation
import Gradients
import Methods
import Networks
import Tensors

/// A model as it is handed on: all that a reader of digits needs, and nothing that training needs.
///
/// The file is an `Archive` of the kind `weights`: `LABMODEL`, the archive's version and the length of
/// its header (32 bits each, little-endian), the header as JSON, the tensors and a SHA-256. The header
/// has the tensors' names and shapes, and in `state`, as JSON again, a `Description`. What it says of
/// an image of 28 × 28 values 0…1:
///
/// - for each view, the image is moved: the pixel q from the centre is read at M⁻¹·(q − t) by bilinear
///   interpolation, and as 0 outside; M and t are the view's six numbers, M row by row;
/// - each network has the moved image less `mean`, divided by `deviation`; each layer convolves with
///   `convolutions.k.weight` `[filters, channels, kernel, kernel]` over a frame of `padding` zeros, adds
///   `convolutions.k.bias`, takes the largest of each 2 × 2 where it `pools`, multiplies by
///   `normalisations.k.scale` and adds `normalisations.k.shift` of each filter (batch normalisation
///   with its statistics folded in), and multiplies what is negative by `slope`; then follow
///   `hidden.weight` `[hidden, inputs]`, scaled, shifted and bent likewise, and `output`;
/// - the softmax of each, averaged over the views and then over the networks, is the answer.
///
/// With `bits` 16, filters and matrices are rows of words, `[⌈n/2⌉]`, that hold two numbers of 16 bits
/// each, so that their bytes are n such numbers, little-endian, one after another (and a zero where n
/// is odd); their shape follows from the description. All else is numbers of 32 bits.
public struct ExportedModel: Sendable {
  /// The kind of archive that it is.
  public static let kind = "weights"
  /// The most bytes that its file may have: a page carries it.
  public static let mostBytes = 3_000_000

  /// What stands in the header beside names and shapes.
  public struct Description: Codable, Sendable, Equatable {
    /// A convolution: its square filters, the zeros around what it reads, and whether 2 × 2 are pooled.
    public struct Layer: Codable, Sendable, Equatable {
      /// How many there are, and their sides.
      public let filters, kernel, padding: Int
      /// Whether the largest of each 2 × 2 pixels is taken.
      public let pools: Bool
    }

    /// A network: its convolutions, and the units of the layer behind them.
    public struct Network: Codable, Sendable, Equatable {
      /// The convolutions.
      public let layers: [Layer]
      /// The units.
      public let hidden: Int
    }

    /// A test image that the model reads as another digit.
    public struct Mistake: Codable, Sendable, Equatable {
      /// Its place in the test set, from 0, and the digit that it is taken for.
      public let image, read: Int

      /// An image, and the digit that it is taken for.
      public init(image: Int, read: Int) { (self.image, self.read) = (image, read) }
    }

    /// The version of this description.
    public let version: Int
    /// The bits of the numbers in filters and matrices: 16 or 32.
    public let bits: Int
    /// The training that made the model.
    public let training: String
    /// What pixels are standardised by, and what is left of a negative number behind a layer.
    public let mean, deviation, slope: Float
    /// The moves over which a prediction is averaged, six numbers each: M row by row, then t.
    public let views: [[Float]]
    /// The networks.
    public let networks: [Network]
    /// The test images that are read wrongly; nil where nobody has looked.
    public let mistakes: [Mistake]?
  }

  /// What it is.
  public let description: Description
  /// Every tensor under the path of its parameter, in full precision.
  let tensors: [(name: String, value: Tensor)]

  /// The precisions in which filters and matrices may be written.
  public enum Precision: Int, Sendable { case half = 16, single = 32 }

  private static let slope: Float = 0.1
  private static let version = 1

  // MARK: From a model

  /// A model whose statistics of normalisation are folded into scale and shift.
  ///
  /// - Parameters:
  ///   - settings: what the networks are made by.
  ///   - training: the training that made them.
  ///   - mistakes: the test images that are read wrongly, where somebody has looked.
  public init(
    _ networks: CrossNetworks, _ settings: CrossSettings, training: String, precision: Precision,
    mistakes: [Description.Mistake]? = nil
  ) {
    description = Description(
      version: Self.version, bits: precision.rawValue, training: training, mean: ImageSet.mean,
      deviation: ImageSet.deviation, slope: Self.slope,
      views: settings.views.map(\.numbers),
      networks: settings.networks.map { plan in
        Description.Network(
          layers: plan.blocks.map {
            Description.Layer(
              filters: $0.filters, kernel: $0.kernel, padding: $0.padding, pools: $0.pools)
          }, hidden: plan.hidden)
      }, mistakes: mistakes)
    let values = Dictionary(
      uniqueKeysWithValues: networks.namedParameters.map { ($0.path, $0.parameter.value) })
    tensors = Self.shapes(description).map { name, shape in
      guard let (layer, part) = Self.folded(name) else {
        return (name, Self.rounded(values[name]!, precision))
      }
      // As the layer itself computes them, so that not a bit differs.
      let ε = BatchNormalisation(features: 1).epsilon
      let inverse = values[layer + ".runningVariance"]!.map { 1 / VectorMath.squareRoot($0 + ε) }
      let scale = values[layer + ".scale"]! * inverse
      guard part == "shift" else { return (name, scale) }
      return (name, values[layer + ".shift"]! - values[layer + ".runningMean"]! * scale)
    }
  }

  /// The path of a normalisation and the part of it that a name means; nil for another layer's.
  private static func folded(_ name: String) -> (layer: String, part: String)? {
    guard name.contains(".normalisations."), let dot = name.lastIndex(of: ".") else { return nil }
    return (String(name[..<dot]), String(name[name.index(after: dot)...]))
  }

  /// A tensor as it comes back from a file of a precision.
  private static func rounded(_ value: Tensor, _ precision: Precision) -> Tensor {
    guard precision == .half, value.shape.rank > 1 else { return value }
    return Tensor(value.shape, value.values.map { Float(Float16($0)) })
  }

  /// The tensors that a model has, by their paths, in the order of the file.
  private static func shapes(_ description: Description) -> [(name: String, shape: Shape)] {
    var shapes: [(name: String, shape: Shape)] = []
    for (index, network) in description.networks.enumerated() {
      var (channels, side) = (1, ImageSet.side)
      func add(_ name: String, _ shape: Shape) {
        shapes.append(("networks.\(index).\(name)", shape))
      }
      func addNormalisation(_ place: Int, _ features: Int) {
        add("normalisations.\(place).scale", [features])
        add("normalisations.\(place).shift", [features])
      }
      for (place, layer) in network.layers.enumerated() {
        let shape: Shape = [layer.filters, channels, layer.kernel, layer.kernel]
        add("convolutions.\(place).weight", shape)
        add("convolutions.\(place).bias", [layer.filters])
        addNormalisation(place, layer.filters)
        channels = layer.filters
        side = layer.side(of: side)
      }
      add("hidden.weight", [network.hidden, channels * side * side])
      add("hidden.bias", [network.hidden])
      addNormalisation(network.layers.count, network.hidden)
      add("output.weight", [ImageSet.classCount, network.hidden])
      add("output.bias", [ImageSet.classCount])
    }
    return shapes
  }

  // MARK: The networks

  /// The networks, which predict by what this file holds.
  public var networks: CrossNetworks {
    let networks = CrossNetworks(settings, seed: 0, name: "overwritten")
    let values = Dictionary(uniqueKeysWithValues: tensors.map { ($0.name, $0.value) })
    // Statistics that change nothing: (1 − ε) + ε is 1 to the bit.
    let variance = 1 - BatchNormalisation(features: 1).epsilon
    for (path, parameter) in networks.namedParameters {
      if let value = values[path] {
        parameter.value = value
      } else {
        let isMean = path.hasSuffix(".runningMean")
        precondition(isMean || path.hasSuffix(".runningVariance"), "the file has no \(path)")
        parameter.value = Tensor(repeating: isMean ? 0 : variance, parameter.value.shape)
      }
    }
    return networks
  }

  /// The settings that make networks of these layers and views.
  private var settings: CrossSettings {
    var settings = CrossSettings()
    settings.networks = description.networks.map { network in
      var plan = ConvolutionStack.Plan.kitsLayers
      plan.blocks = network.layers.map { ($0.filters, $0.kernel, $0.padding, $0.pools) }
      plan.hidden = network.hidden
      return plan
    }
    settings.views = description.views.map { AffineMap(numbers: $0)! }
    return settings
  }

  // MARK: The file

  /// The bytes of its file.
  public var encoded: Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    // All numbers are finite: there is nothing that JSON could refuse.
    let state = try! encoder.encode(description)
    return Archive(
      kind: Self.kind, state: String(decoding: state, as: UTF8.self),
      tensors: tensors.map { name, value in
        (name, description.bits == 16 && value.shape.rank > 1 ? Self.packed(value) : value)
      }
    ).encoded
  }

  /// Whether no number is infinite, as one too large for 16 bits becomes.
  public var isFinite: Bool {
    tensors.allSatisfy { $0.value.values.allSatisfy(\.isFinite) }
  }

  /// Numbers as pairs of 16 bits each, the first in the lower half of a word.
  private static func packed(_ value: Tensor) -> Tensor {
    var halves = value.values.map { UInt32(Float16($0).bitPattern) }
    if halves.count % 2 == 1 { halves.append(0) }
    let words = stride(from: 0, to: halves.count, by: 2).map {
      Float(bitPattern: halves[$0] | halves[$0 + 1] << 16)
    }
    return Tensor([words.count], words)
  }

  private static func unpacked(_ words: Tensor, _ shape: Shape) -> Tensor {
    let halves = words.values.flatMap { word in
      [UInt16(truncatingIfNeeded: word.bitPattern), UInt16(word.bitPattern >> 16)]
    }
    return Tensor(shape, halves.prefix(shape.count).map { Float(Float16(bitPattern: $0)) })
  }

  /// A model from an archive.
  ///
  /// - Throws: `LabError` of kind `.input` that names the file when it is none of these.
  init(_ archive: Archive, from url: URL) throws(LabError) {
    func refusal(_ reason: String) -> LabError {
      LabError(.input, "\(url.path) \(reason); make it again with: swift run lab export")
    }
    guard archive.kind == Self.kind,
      let description = try? JSONDecoder().decode(
        Description.self, from: Data(archive.state.utf8)),
      let precision = Precision(rawValue: description.bits)
    else { throw refusal("says nothing of its layers that can be read") }
    guard description.version == Self.version else {
      throw refusal(
        "is of version \(description.version), and this program reads version \(Self.version)")
    }
    guard description.mean == ImageSet.mean, description.deviation == ImageSet.deviation,
      description.slope == Self.slope
    else { throw refusal("standardises or bends otherwise than the networks of this lab") }
    guard description.isSensible else { throw refusal("has layers or views that are none") }
    let shapes = Self.shapes(description)
    let given = Dictionary(uniqueKeysWithValues: archive.tensors.map { ($0.name, $0.value) })
    guard given.count == shapes.count else { throw refusal("has other tensors than its layers") }
    var tensors: [(name: String, value: Tensor)] = []
    for (name, shape) in shapes {
      let isPacked = precision == .half && shape.rank > 1
      let expected: Shape = isPacked ? [(shape.count + 1) / 2] : shape
      guard let value = given[name], value.shape == expected else {
        throw refusal("has no \(name) of shape \(expected)")
      }
      tensors.append((name, isPacked ? Self.unpacked(value, shape) : value))
    }
    self.description = description
    self.tensors = tensors
    guard isFinite else { throw refusal("has weights that are not finite") }
  }
}

extension ExportedModel.Description.Layer {
  /// The side of what the layer hands on; 0 and less where nothing is left.
  func side(of side: Int) -> Int {
    let convolved = side + 2 * padding - kernel + 1
    return pools ? convolved / 2 : convolved
  }
}

extension ExportedModel.Description {
  /// Whether networks can be made of it, and none so large that memory would not do.
  fileprivate var isSensible: Bool {
    guard (1...16).contains(networks.count), (1...64).contains(views.count) else { return false }
    guard views.allSatisfy({ AffineMap(numbers: $0) != nil }) else { return false }
    let digits = 0..<ImageSet.classCount
    guard (mistakes ?? []).allSatisfy({ $0.image >= 0 && digits.contains($0.read) }) else {
      return false
    }
    return networks.allSatisfy { network in
      guard (1...16).contains(network.layers.count), (1...4096).contains(network.hidden) else {
        return false
      }
      var (side, channels) = (ImageSet.side, 1)
      for layer in network.layers {
        guard (1...1024).contains(layer.filters), (1...ImageSet.side).contains(layer.kernel),
          (0..<layer.kernel).contains(layer.padding)
        else { return false }
        let convolved = side + 2 * layer.padding - layer.kernel + 1
        side = layer.side(of: side)
        // What a convolution writes of an image, and what it reads of it, patch by patch.
        let largest = max(layer.filters, channels * layer.kernel * layer.kernel)
        guard side > 0, convolved * convolved * largest <= 1 << 22 else { return false }
        channels = layer.filters
      }
      return true
    }
  }
}
