// swift-tools-version: 6.2

import PackageDescription

// The settings of every target, each with its reason.
let settings: [SwiftSetting] = [
    // Data races are compile-time errors.
    .swiftLanguageMode(.v6),
    // An existential costs an allocation and a witness look-up: `any` makes it visible where it is paid.
    .enableUpcomingFeature("ExistentialAny"),
    // A member is visible only where its module is imported, so a file's imports tell the truth.
    .enableUpcomingFeature("MemberImportVisibility"),
    // An import stays inside its file's module unless the interface shows it (`public import`).
    .enableUpcomingFeature("InternalImportsByDefault"),
    // An async function stays on its caller's actor unless it says otherwise: no hop that nobody wrote.
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    // Code that the compiler can't prove to be memory-safe is marked `unsafe` where it stands.
    .strictMemorySafety(),
    // A warning that is tolerated once is tolerated for ever.
    .treatAllWarnings(as: .error),
    // Off by default even under `treatAllWarnings`: a public type says whether it is Sendable.
    .treatWarning("ExplicitSendable", as: .error),
]

// The settings of the link of the installed programs. A start maps, and in part writes, what they leave out.
let programSettings: [LinkerSetting] = [
    .unsafeFlags(
        [
            // The linker of the toolchain, which knows the next setting.
            "-use-ld=lld",
            // 120,000 relocations take 20 KiB, not 3 MiB. The C library knows them from 2.36 on, that of Debian 12.
            "-Xlinker", "-z", "-Xlinker", "pack-relative-relocs",
            // Nothing looks a symbol up in a program, so unused code needs no place, and no name.
            "-Xlinker", "--no-export-dynamic",
        ],
        .when(configuration: .release)
    )
]

// The modules of a hit do without the runtime's checks of exclusive access in release builds: these were a sixth of a hit's
// instructions. Their values are used on one thread, and debug builds, with which all tests run, check each access. The
// Swift client, which other packages use, doesn't contain them.
let hitPath = ["Reactor", "SocketServer", "TokenCache", "TokenProtocol", "TokenStorage"]
let hitPathSettings: [SwiftSetting] = [
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release))
]

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let metrics = Target.Dependency.product(name: "CoreMetrics", package: "swift-metrics")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let hummingbird = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")

var targets: [Target] = [
    // MARK: What the machine offers
    .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
    // Without pkg-config, which would link it dynamically.
    .systemLibrary(name: "CYAML", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(name: "CLinux"),
    .target(name: "CArguments"),
    .target(name: "CStandardDescriptors"),
    .target(name: "CTerminal"),
    .target(name: "SafeText"),
    .target(name: "Systemd", dependencies: ["CLinux", "CSystemd", "SafeText", "Secrets", system]),
    .target(name: "Reactor", dependencies: ["CLinux", system]),

    // MARK: The core: no I/O
    .target(name: "Secrets", dependencies: ["CLinux", crypto]),
    .target(name: "OperatorReplies"),
    .target(
        name: "TokenProtocol",
        dependencies: [
            "OperatorReplies", "SafeText", "Secrets", .product(name: "DequeModule", package: "swift-collections"),
        ]
    ),
    .target(name: "TokenStorage", dependencies: ["CLinux", "SafeText", "Secrets", "TokenProtocol"]),
    .target(
        name: "TokenCache",
        dependencies: [
            "OperatorReplies", "SafeText", "Secrets", "TokenProtocol", "TokenStorage", histogram,
            .product(name: "DequeModule", package: "swift-collections"),
            .product(name: "BitCollections", package: "swift-collections"),
        ]
    ),

    .target(name: "FleetProtocol", dependencies: ["Secrets", crypto]),

    // MARK: The edges
    .target(name: "PrometheusMetrics", dependencies: [metrics]),
    .target(
        name: "Tenant",
        dependencies: [
            "SafeText", "Secrets", "TokenProtocol", "TokenCache", nioCore, nioPosix, nioSSL, nioHTTP1, nioTLS, crypto,
            cryptoExtras, system,
            .product(name: "NIOHTTPCompression", package: "swift-nio-extras"),
        ]
    ),
    .target(
        name: "SocketServer",
        dependencies: [
            "CLinux", "OperatorReplies", "Reactor", "Secrets", "TokenProtocol", "TokenCache", system,
            .product(name: "DequeModule", package: "swift-collections"),
        ]
    ),
    .target(
        name: "Audit",
        dependencies: ["SafeText", "Secrets", "Systemd", "TokenProtocol", "TokenCache", metrics, system]
    ),
    .target(
        name: "DaemonConfiguration",
        dependencies: [
            "CYAML", "SafeText", "TokenCache", "TokenProtocol", "Audit", nioCore, logging, system,
        ]
    ),
    .target(
        name: "MetricsServer",
        dependencies: [
            "OperatorReplies", hummingbird, httpTypes, nioHTTPTypes, nioCore, logging,
            .product(name: "NIOExtras", package: "swift-nio-extras"),
        ]
    ),
    .target(
        name: "TokenCacheClient",
        dependencies: [nioCore, nioPosix, crypto, .product(name: "DequeModule", package: "swift-collections")]
    ),
    .target(
        name: "FleetStore",
        dependencies: [
            "FleetProtocol", "SafeText", "Secrets", "Tenant", "TokenCache", "TokenProtocol", nioCore, nioPosix, nioSSL,
            .product(name: "DequeModule", package: "swift-collections"),
        ]
    ),
    .target(name: "StandInTenant", dependencies: [nioCore, nioPosix, nioHTTP1, nioSSL, crypto, cryptoExtras]),

    .target(
        name: "DaemonRuntime",
        dependencies: [
            "SafeText", "Systemd", "Secrets", "TokenProtocol", "TokenCache", "Tenant", "SocketServer", "Audit",
            "DaemonConfiguration", "FleetProtocol", "FleetStore", "OperatorReplies", "PrometheusMetrics", "Reactor",
            "TokenStorage", "MetricsServer", nioCore, nioPosix, logging, metrics, lifecycle, unixSignals, system,
        ]
    ),

    .target(
        name: "Doctor",
        dependencies: [
            "SafeText", "Systemd", "Secrets", "TokenProtocol", "TokenCache", "Tenant", "SocketServer",
            "DaemonConfiguration", "FleetProtocol", "FleetStore", "OperatorReplies", "DaemonRuntime",
            "TokenCacheClient",
            system,
        ]
    ),

    .target(name: "LoadGenerator", dependencies: ["SocketServer", histogram]),

    // MARK: The programs
    .executableTarget(
        name: "tokencached",
        dependencies: [
            "CStandardDescriptors", "DaemonRuntime", "DaemonConfiguration", "Secrets", logging, argumentParser,
        ],
        linkerSettings: programSettings
    ),
    .executableTarget(
        name: "tokencachectl",
        dependencies: [
            "CArguments", "CStandardDescriptors", "CTerminal", "Doctor", "LoadGenerator", "OperatorReplies", "SafeText",
            "Secrets", "SocketServer", "TokenCacheClient", argumentParser, nioCore, system, unixSignals,
        ],
        linkerSettings: programSettings
    ),
    .executableTarget(name: "standin-tenant", dependencies: ["StandInTenant", argumentParser, unixSignals]),

    // MARK: Tests
    .target(
        name: "TestSupport",
        dependencies: ["TokenCache", "TokenStorage", nioCore, nioPosix],
        path: "Tests/TestSupport"
    ),
    .testTarget(name: "ReactorTests", dependencies: ["Reactor", "TestSupport", system]),
    .testTarget(name: "SafeTextTests", dependencies: ["SafeText"]),
    .testTarget(name: "SecretsTests", dependencies: ["Secrets"]),
    .testTarget(name: "OperatorRepliesTests", dependencies: ["OperatorReplies"]),
    .testTarget(name: "TokenProtocolTests", dependencies: ["OperatorReplies", "Secrets", "TokenProtocol"]),
    .testTarget(
        name: "TokenCacheTests",
        dependencies: [
            "FleetModel", "FleetProtocol", "OperatorReplies", "Secrets", "TestSupport", "TokenCache", "TokenProtocol",
            "TokenStorage",
        ]
    ),
    .testTarget(
        name: "TokenStorageTests",
        dependencies: ["CLinux", "Secrets", "TokenProtocol", "TokenStorage", "TestSupport"]
    ),
    .target(name: "EngineClock", path: "Tests/EngineClock"),
    .target(
        name: "FleetModel",
        dependencies: ["FleetProtocol"],
        path: "Tests/FleetModel"
    ),
    .testTarget(
        name: "FleetProtocolTests",
        dependencies: ["FleetModel", "FleetProtocol", "Secrets", "TestSupport", crypto, system]
    ),
    .testTarget(
        name: "FleetStoreTests",
        dependencies: [
            "FleetProtocol", "FleetStore", "Secrets", "Tenant", "TestSupport", "TokenCache", "TokenProtocol", nioCore,
            nioEmbedded, nioPosix,
        ]
    ),
    .testTarget(name: "PrometheusMetricsTests", dependencies: ["PrometheusMetrics", metrics]),
    .testTarget(name: "SystemdTests", dependencies: ["Secrets", "Systemd", "TestSupport", system]),
    .testTarget(
        name: "AuditTests",
        dependencies: ["Secrets", "TokenProtocol", "TokenCache", "Audit", "TestSupport", metrics, system]
    ),
    .testTarget(
        name: "DaemonConfigurationTests",
        dependencies: ["DaemonConfiguration", "TokenCache", "TokenProtocol", "Audit", "TestSupport", logging]
    ),
    .testTarget(
        name: "DaemonRuntimeTests",
        dependencies: [
            "Secrets", "Systemd", "TokenProtocol", "TokenCache", "Tenant", "SocketServer", "Audit", "TokenStorage",
            "DaemonConfiguration", "DaemonRuntime", "FleetStore", "MetricsServer", "OperatorReplies",
            "PrometheusMetrics", "Reactor", "StandInTenant", "TestSupport", nioCore, nioPosix, logging, lifecycle,
            unixSignals, crypto,
        ]
    ),
    .testTarget(
        name: "TenantTests",
        dependencies: [
            "Secrets", "TokenProtocol", "TokenCache", "Tenant", "StandInTenant", "TestSupport", nioCore, nioEmbedded,
            nioPosix, nioHTTP1, nioSSL, crypto, cryptoExtras,
        ]
    ),
    .testTarget(
        name: "SocketServerTests",
        dependencies: [
            "OperatorReplies", "Reactor", "Secrets", "TokenProtocol", "TokenCache", "SocketServer", "TestSupport",
        ]
    ),
    .testTarget(
        name: "MetricsServerTests",
        dependencies: ["MetricsServer", "OperatorReplies", "TestSupport", nioCore, nioPosix, httpTypes, lifecycle]
    ),
    .testTarget(
        name: "TokenCacheClientTests",
        dependencies: ["TokenCacheClient", "TestSupport", nioCore, nioPosix]
    ),
    .executableTarget(
        name: "conformance-driver",
        dependencies: ["TokenCacheClient"],
        path: "Tests/ConformanceDriver"
    ),
    .executableTarget(
        name: "core-curves",
        dependencies: ["Secrets", "TokenProtocol", "TokenStorage", "TokenCache"],
        path: "Tests/CoreCurves"
    ),
    .executableTarget(
        name: "fleet-curves",
        dependencies: ["FleetModel", "FleetProtocol", "Secrets", "TokenProtocol", "TokenStorage", "TokenCache"],
        path: "Tests/FleetCurves"
    ),
    .executableTarget(
        name: "storage-curves",
        dependencies: ["Secrets", "TokenProtocol", "TokenStorage"],
        path: "Tests/StorageCurves"
    ),
    .target(name: "HitDriver", dependencies: ["TokenProtocol"], path: "Tests/HitDriver"),
    .executableTarget(name: "instruction-driver", dependencies: ["HitDriver"], path: "Tests/InstructionDriver"),
    .target(
        name: "CacheDriver",
        dependencies: ["Secrets", "TokenProtocol", "TokenStorage", "TokenCache"],
        path: "Tests/CacheDriver"
    ),
    .testTarget(
        name: "DoctorTests",
        dependencies: [
            "Doctor", "FleetStore", "OperatorReplies", "StandInTenant", "Systemd", "Tenant", "TestSupport",
            "TokenCacheClient", system,
        ]
    ),
    .testTarget(
        name: "LoadGeneratorTests",
        dependencies: ["LoadGenerator", "SocketServer", "TestSupport", nioCore, nioPosix]
    ),
    .testTarget(
        name: "TokenCacheControlTests",
        dependencies: [
            "Doctor", "LoadGenerator", "OperatorReplies", "tokencachectl", "TokenCacheClient", "TestSupport",
            argumentParser, nioCore, system,
        ]
    ),
    .testTarget(
        name: "StandInTenantTests",
        dependencies: ["StandInTenant", nioCore, nioPosix, nioHTTP1, nioSSL, crypto]
    ),
    .testTarget(
        name: "EndToEndTests",
        dependencies: [
            "OperatorReplies", "StandInTenant", "TestSupport", "tokencached", "tokencachectl", "standin-tenant", crypto,
        ]
    ),
]

// The fuzz targets are replayed by a test; in a build with libFuzzer (`make fuzz`) they are led by it.
let isFuzzing = Context.environment["TOKENCACHED_FUZZ"] != nil
let fuzzed: [Target.Dependency] = [
    "Secrets", "TokenProtocol", "TokenCache", "TokenStorage", "Tenant", "DaemonConfiguration", "TokenCacheClient",
    "FleetProtocol", nioCore, nioHTTP1,
]
let fuzzData = ["Corpora", "Found"]
targets.append(
    isFuzzing
        ? .executableTarget(
            name: "fuzz",
            dependencies: fuzzed,
            path: "Fuzz",
            exclude: fuzzData + ["Replay"],
            sources: ["Targets", "Driver"]
        )
        : .testTarget(
            name: "FuzzTests",
            dependencies: fuzzed,
            path: "Fuzz",
            exclude: fuzzData + ["Driver"],
            sources: ["Targets", "Replay"]
        )
)

let inC = ["CArguments", "CStandardDescriptors", "CTerminal", "EngineClock"]
for target in targets where target.type != .system && !inC.contains(target.name) {
    target.swiftSettings = settings + (hitPath.contains(target.name) ? hitPathSettings : [])
}

let package = Package(
    name: "tokencached",
    products: [
        .executable(name: "tokencached", targets: ["tokencached"]),
        .executable(name: "tokencachectl", targets: ["tokencachectl"]),
        .executable(name: "standin-tenant", targets: ["standin-tenant"]),
        .library(name: "TokenCacheClient", targets: ["TokenCacheClient"]),
        // For the benchmarks, which are a package of their own.
        .library(name: "CacheDriver", targets: ["CacheDriver"]),
        .library(name: "HitDriver", targets: ["HitDriver"]),
        // For the engine that tests start with a time of day of their own.
        .library(name: "EngineClock", type: .dynamic, targets: ["EngineClock"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        // Without its traits, it needs neither swift-configuration nor the whole of Foundation.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: targets
)
