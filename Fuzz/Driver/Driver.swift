import Foundation

/// The target that `FUZZ_TARGET` names, or nil if there is none of that name.
private let target = ProcessInfo.processInfo.environment["FUZZ_TARGET"].flatMap(FuzzTarget.init)

/// Runs one input for libFuzzer.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    guard let target else {
        print("FUZZ_TARGET has to name one of: \(FuzzTarget.allCases.map(\.rawValue).joined(separator: " "))")
        exit(64)
    }
    do throws(BrokenPromise) {
        try target.run(unsafe Array(UnsafeBufferPointer(start: start, count: count)))
    } catch {
        // libFuzzer notices the abort and saves the input.
        FileHandle.standardError.write(Data("broken promise: \(error.promise)\n".utf8))
        abort()
    }
    return 0
}
