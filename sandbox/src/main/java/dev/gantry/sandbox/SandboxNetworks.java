package dev.gantry.sandbox;

import dev.gantry.cni.Attachment;
import dev.gantry.cni.CniException;
import dev.gantry.cni.NetworkResult;
import dev.gantry.cni.PodNetworks;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Gives pods their network and takes it back.
public final class SandboxNetworks {

    private static final Logger log = LoggerFactory.getLogger(SandboxNetworks.class);
    private static final String INTERFACE = "eth0";

    private final PodNetworks networks;

    public SandboxNetworks(PodNetworks networks) {
        this.networks = networks;
    }
}
