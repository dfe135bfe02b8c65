// Package mortal lets a test binary leave nothing behind, however it ends: not when it is
// killed either. Only tests import it.
package mortal
