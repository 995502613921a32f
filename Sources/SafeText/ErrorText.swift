import Glibc

/// The C library's words for an error number.
package func errorText(_ code: CInt) -> String {
    unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
}
