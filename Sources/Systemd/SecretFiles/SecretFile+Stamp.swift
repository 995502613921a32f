// The compiler finds `timespec` in any of these C modules, whichever is built first.
import CLinux
import CSystemd
import Glibc
import SystemPackage

extension SecretFile {
    /// The identity of a file's content: it differs once the content has been changed or the file replaced.
    package struct Stamp: Sendable, Equatable {
        private let device: UInt
        private let inode: UInt
        private let size: Int64
        private let seconds: Int
        private let nanoseconds: Int

        fileprivate init(_ status: Stat) {
            (device, inode, size) = (UInt(status.deviceID.rawValue), UInt(status.inode.rawValue), status.size)
            (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
        }
    }

    /// Returns the stamp of a file, or nil if the file can't be seen.
    package static func stamp(_ path: String) -> Stamp? { unsafe (try? Stat(path)).map(Stamp.init) }
}
