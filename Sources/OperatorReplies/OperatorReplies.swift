// OperatorReplies: the daemon's replies to `stats`, `health` and `explain`, as values.
//
// Purpose: the daemon fills these values and encodes them, the operator's tool decodes and shows them, and tests read
// them, so each member has its name, type and unit in one declaration. The module promises that the reply of an older
// daemon, which lacks members, can be decoded: a count that is absent is zero (`Omissible`). Of a newer daemon, members
// that this version doesn't know are ignored, and names that it doesn't know are kept as they are (`OpenName`).
//
// The module knows neither sockets nor Foundation. `TokenProtocol` has the encoder that keeps the order of the members.
