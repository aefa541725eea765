/// Pod networks: CNI configuration lists, plugin calls, and network namespaces.
@NullMarked
package dev.gantry.cni;

import org.jspecify.annotations.NullMarked;
