/// A store of tokens for the next daemon.
///
/// It is called on the cache's executor and must not block.
package protocol TokenStore: AnyObject {
    /// Passes on the tokens that an earlier daemon persisted, the last used at the end, and removes those that aren't
    /// taken.
    func restore(to take: (_ recordID: Int, _ token: PersistedToken) -> Bool)
    /// Persists a token and returns its record ID, or nil if there is no space.
    func persist(_ token: PersistedToken) -> Int?
    /// Removes a record.
    ///
    /// The caller must still hold the token, as its bytes may be those of the record. They are overwritten when the
    /// last reference is released.
    func remove(_ recordID: Int)
    /// Removes all records.
    ///
    /// The store is not used afterwards.
    func end()
    /// Updates the time at which a record's token was last used.
    func note(_ recordID: Int, lastUsed: Instant)
    /// Handles the confirmation that all files before this one are gone.
    ///
    /// - Returns: True if tokens can be persisted for which there was no space.
    func stored(_ generation: UInt64) -> Bool
}
