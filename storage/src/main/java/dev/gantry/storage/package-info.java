/// What survives a restart: metadata, content, snapshots, leases, and the collection of garbage.
@NullMarked
package dev.gantry.storage;

import org.jspecify.annotations.NullMarked;
