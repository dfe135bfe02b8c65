package registry

// Keys of the registry. They share one tag, so that a script may touch all.
const (
	keyBeats  = "{reg}:beats"  // hash: incarnation -> the process as JSON
	keySeen   = "{reg}:seen"   // hash: incarnation -> last heartbeat, ms of Redis' clock
	keyCount  = "{reg}:count"  // hash: incarnation -> number of heartbeats
	keyLeft   = "{reg}:left"   // set: incarnations that said good-bye
	keyProbe  = "{reg}:probe"  // text: the incarnation that was last to ask whether Redis takes writes
	keyAgents = "{reg}:agents" // hash: name -> the agent and its last process as JSON
)
