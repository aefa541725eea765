/// Every native call, the thread that polls descriptors, and the /proc and cgroup files.
@NullMarked
package dev.gantry.linux;

import org.jspecify.annotations.NullMarked;
