// swift-tools-version: 6.2
import PackageDescription

// Numeric loops in an unoptimised build are a hundred times slower, and the plain `swift run` is a
// debug build. `-march=native` lets the compiler use the vector units of the machine that builds.
let fast: [SwiftSetting] = [
  .unsafeFlags(["-O", "-Xcc", "-march=native"], .when(configuration: .debug)),
  .unsafeFlags(["-Xcc", "-march=native"], .when(configuration: .release)),
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
  products: [.library(name: "Notebook", targets: ["Notebook"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    module("Tensors", ["COpenBLAS"]),
    module("Gradients", ["Tensors"]),
    module("Networks", ["Gradients"]),
    module(
      "Digits",
      [
        "CZlib", "Tensors",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Subprocess", package: "swift-subprocess"),
      ]),
    module(
      "Notebook",
      [
        "Tensors",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "Subprocess", package: "swift-subprocess"),
      ]),

    tests(of: "Tensors"),
    tests(of: "Gradients"),
    tests(of: "Networks"),
    tests(of: "Digits", [.product(name: "Crypto", package: "swift-crypto")]),
    tests(of: "Notebook"),
  ],
  swiftLanguageModes: [.v6]
)
