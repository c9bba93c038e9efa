// swift-tools-version: 6.2
import PackageDescription

// Numeric loops in an unoptimised build are a hundred times slower, and the plain `swift run` is a
// debug build. `-march=native` lets the compiler use the vector units of the machine that builds.
let fast: [SwiftSetting] = [
  .unsafeFlags(["-O", "-Xcc", "-march=native"], .when(configuration: .debug)),
  .unsafeFlags(["-Xcc", "-march=native"], .when(configuration: .release)),
]

/// The write-ups, which stand beside their code and are not compiled.
let prose = [
  "1.1-activation-derivatives.md",
  "1.2-softmax-jacobian.md",
  "2.1-momentum-versus-nesterov.md",
  "2.2.1-dropout-as-an-ensemble.md",
  "2.2.2-weight-scaling.md",
  "2.2.3-augmentation.md",
  "2.3.1-he-versus-xavier.md",
  "2.3.2-pretraining.md",
  "2.4-what-goes-wrong.md",
  "3.1-baseline.md",
  "3.2-the-techniques-together.md",
  "3.3-leaderboard.md",
  "3.3.1-ladder-network.md",
  "3.3.2-variational-autoencoders.md",
  "3.3.3-what-where-autoencoder.md",
  "3.3.4-universum-prescription.md",
  "3.3.5-pseudo-label.md",
  "3.3.6-surrogate-classes.md",
  "3.3.7-sparse-autoencoder.md",
  "3.3.8-denoising-autoencoders.md",
  "3.4-the-final-model.md",
  "3.4.1-what-each-part-adds.md",
]

/// A module of the lab under Sources/.
func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: fast)
}

/// The tests that mirror a module, under Tests/.
func tests(of name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .testTarget(name: "\(name)Tests", dependencies: [.byName(name: name)] + dependencies)
}

let package = Package(
  name: "lab",
  products: [.executable(name: "lab", targets: ["lab"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-numerics", from: "1.1.1"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
    .package(url: "https://github.com/swhitty/FlyingFox", exact: "0.27.1"),
  ],
  targets: [
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CCrypto"),
    .systemLibrary(name: "CCurl"),
    .systemLibrary(name: "CLanes"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    // What this build is for, and that it is not run elsewhere. The guard is compiled for any
    // processor, and stands before all else in every program that has the engine.
    .target(name: "BuiltFor", cSettings: [.unsafeFlags(["-march=native"])]),
    .target(name: "Guard", dependencies: ["BuiltFor"]),

    // Apart from Tensors, because a function is inlined across modules but not across the files of
    // one: its loops would call each of these.
    module("Lanes", ["CLanes"]),
    // What every module needs of the disk and of errors, and nothing more.
    module("Files", ["CCrypto"]),
    module("Tensors", ["BuiltFor", "COpenBLAS", "Guard", "Lanes"]),
    module("Gradients", ["Tensors"]),
    module("Networks", ["Files", "Gradients"]),
    module(
      "Digits",
      [
        "CCurl", "CZlib", "Files", "Networks",
        .product(name: "Subprocess", package: "swift-subprocess"),
      ]),
    module("Methods", ["Digits"]),
    module(
      "Notebook",
      [
        "Files",
        .product(name: "Subprocess", package: "swift-subprocess"),
      ]),
    module(
      "Experiments",
      [
        "Methods", "Notebook",
        .product(name: "ComplexModule", package: "swift-numerics"),
        .product(name: "RealModule", package: "swift-numerics"),
      ]),
    .target(
      name: "Chapters",
      dependencies: [
        "Experiments",
        .product(name: "ComplexModule", package: "swift-numerics"),
        .product(name: "RealModule", package: "swift-numerics"),
      ],
      path: "Chapters", exclude: prose, swiftSettings: fast),
    module("Bench", ["Methods", "Notebook"]),
    // The site that is read in a browser. Its templates, styles and scripts are read from the folder.
    .target(
      name: "Book",
      dependencies: [
        "Files", "Notebook",
        .product(name: "Mustache", package: "swift-mustache"),
      ],
      exclude: ["Assets", "Templates", "Tools", "formulas.tsv"], swiftSettings: fast),
    // The book for this machine's browser, made anew when a chapter is saved.
    .target(
      name: "Serving",
      dependencies: [
        "Book", "Files", "Notebook",
        .product(name: "FlyingFox", package: "FlyingFox"),
      ],
      exclude: ["Assets"], swiftSettings: fast),
    // What is handed in, as one file.
    module("Packing", ["CZlib", "Files"]),
    // Derivations that a reader types: their language, their algebra, and who judges them.
    module(
      "Derivations",
      [
        "Files", "Tensors",
        .product(name: "ComplexModule", package: "swift-numerics"),
        .product(name: "RealModule", package: "swift-numerics"),
      ]),
    // What no chapter stands on: another data set, and a method of a chapter on it.
    module("Pictures", ["Methods"]),
    // A digit of the reader's own: its picture, and the model as it is handed on.
    module("Handwriting", ["Methods", "Notebook"]),
    .executableTarget(
      name: "lab",
      dependencies: [
        "Bench", "Book", "Chapters", "Derivations", "Digits", "Experiments", "Files", "Handwriting",
        "Methods", "Networks", "Notebook", "Packing", "Pictures", "Serving", "Tensors",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: fast),

    tests(of: "Files"),
    tests(of: "Lanes"),
    tests(of: "Tensors", ["Files"]),
    tests(of: "Gradients"),
    tests(of: "Networks"),
    tests(of: "Methods"),
    tests(of: "Digits", ["Servers"]),
    tests(of: "Notebook"),
    // Mutations of the write-up, each of which the binding must find.
    .testTarget(name: "AttackTests", dependencies: ["Files", "Notebook"], path: "Tests/Attack"),
    // Runs the built command as a subprocess.
    .testTarget(
      name: "labTests",
      dependencies: [
        "Chapters", "Derivations", "Methods", "Networks", "Notebook", "Servers", "Tensors",
        .product(name: "Subprocess", package: "swift-subprocess"),
      ]),
    tests(of: "Bench"),
    tests(of: "Book"),
    tests(
      of: "Serving",
      ["Book", "Files", .product(name: "FlyingFox", package: "FlyingFox")]),
    tests(of: "Packing", ["Files"]),
    tests(of: "Derivations", ["Tensors"]),
    tests(of: "Pictures", ["Servers"]),
    tests(of: "Handwriting"),
    tests(of: "Experiments"),
    tests(of: "Chapters"),
    // Reads the tree as text: what may import what, and where a thing stands.
    .testTarget(name: "ArchitectureTests"),
    // What tests of several modules talk to, or read.
    .target(
      name: "Servers", path: "Tests/Servers", exclude: ["mirror.py", "terminal.py"],
      swiftSettings: fast),
  ],
  swiftLanguageModes: [.v6]
)

// The fuzzers need other compiler flags and their own `main`; Tests/Fuzz/run builds them.
if Context.environment["LAB_FUZZ_BUILD"] != nil {
  package.targets.append(
    .target(
      name: "Fuzz",
      dependencies: ["Digits", "Files", "Methods", "Networks", "Notebook"],
      path: "Tests/Fuzz", exclude: ["README.md", "corpus", "run"], swiftSettings: fast))
  package.products.append(.library(name: "Fuzz", type: .static, targets: ["Fuzz"]))
}
