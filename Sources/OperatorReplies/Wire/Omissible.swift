/// A value that a reply of an older daemon may lack, which then counts as the one that `init()` creates.
protocol Omissible: Decodable {
    init()
}
