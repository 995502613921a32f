// Systemd: the interface between a service and its manager.
//
// libsystemd's calls take descriptors by number, texts with line ends and the environment of the whole process. This
// module is their only importer. It has handed-over sockets by name, notifications as values, and secrets as bytes.
// Without systemd, each of its parts reports that and does nothing.
//
// - `Manager`: sockets that the manager hands over (`HandedOverSockets`), notifications to it (`ServiceNotification`),
//   its watchdog, and its store of descriptors.
// - `SecretFiles`: secrets from credentials and other files, with a check that no other user can read or replace them.
// - `Journal` sends entries, and `PeerUnit` finds the unit of a peer.
