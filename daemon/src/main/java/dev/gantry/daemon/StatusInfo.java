package dev.gantry.daemon;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;

/// What the verbose CRI `Status` tells of the configuration, by the names that `crictl` and `critest` know.
final class StatusInfo {

    private StatusInfo() {}

    static Map<String, Object> of(Configuration configuration) {
        Map<String, Object> info = new LinkedHashMap<>();
        info.put("rootDir", configuration.root().toString());
        info.put("stateDir", configuration.state().toString());
        info.put("cni", cni(configuration.cni()));
        info.put("runtime", runtime(configuration.runtime()));
        info.put("snapshotter", configuration.storage().snapshotter());
        return info;
    }

    private static Map<String, Object> cni(Configuration.Cni cni) {
        Map<String, Object> info = new LinkedHashMap<>();
        info.put("confDir", cni.confDir().toString());
        info.put("binDirs", cni.binDirs().stream().map(Path::toString).toList());
        info.put("netnsDir", cni.netnsDir().toString());
        return info;
    }

    private static Map<String, Object> runtime(Configuration.Containers runtime) {
        Map<String, Object> handlers = new TreeMap<>();
        runtime.handlers().forEach((name, handler) -> handlers.put(name, handler(handler)));
        Map<String, Object> info = new LinkedHashMap<>();
        info.put("defaultRuntimeName", runtime.defaultHandler());
        info.put("cgroupDriver", runtime.cgroupDriver());
        info.put("runtimes", handlers);
        return info;
    }

    private static Map<String, Object> handler(HandlerSettings handler) {
        Map<String, Object> info = new LinkedHashMap<>();
        info.put("shim", handler.shim());
        info.put("binary", handler.binary());
        info.put("snapshotter", handler.snapshotter());
        info.put("podAnnotations", handler.allowedAnnotations());
        info.put("containerAnnotations", handler.allowedContainerAnnotations());
        info.put("privilegedWithoutHostDevices", !handler.hostDevices());
        info.put("cgroupWritable", handler.writableCgroup());
        return info;
    }
}
