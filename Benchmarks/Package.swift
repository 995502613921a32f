// swift-tools-version: 6.2

import PackageDescription

// A separate package keeps the dependencies of the measurements out of the product. Few of the product's declarations are
// public, so its libraries `HitDriver` and `CacheDriver` do the work that is measured.
let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(name: "tokencached", path: ".."),
        // Its traits bring libraries that replace parts of the C library and of Swift's runtime. Nothing here needs them.
        .package(url: "https://github.com/ordo-one/package-benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        .target(name: "CAllocations", path: "Benchmarks/CAllocations"),
        .executableTarget(
            name: "Parts",
            dependencies: [
                "CAllocations",
                .product(name: "Benchmark", package: "package-benchmark"),
                .product(name: "CacheDriver", package: "tokencached"),
                .product(name: "HitDriver", package: "tokencached"),
            ],
            path: "Benchmarks/Parts",
            // Warnings are errors, as in the product.
            swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)],
            plugins: [.plugin(name: "BenchmarkPlugin", package: "package-benchmark")]
        ),
    ]
)
