package dev.gantry.daemon;

import org.slf4j.ILoggerFactory;
import org.slf4j.IMarkerFactory;
import org.slf4j.helpers.BasicMarkerFactory;
import org.slf4j.helpers.NOPMDCAdapter;
import org.slf4j.spi.MDCAdapter;
import org.slf4j.spi.SLF4JServiceProvider;

/// Makes [Loggers] what is behind SLF4J; found by it as a service.
///
/// Logback would do the same: under the daemon's own flags, AOT cache included, it was measured at 65 to
/// 80 ms of the start and 7.4 MB of memory that is never given back, for the one thing needed here.
public final class LogProvider implements SLF4JServiceProvider {

    private final Loggers loggers = new Loggers(System.err);
    private final IMarkerFactory markers = new BasicMarkerFactory();
    private final MDCAdapter contexts = new NOPMDCAdapter();

    @Override
    public ILoggerFactory getLoggerFactory() {
        return loggers;
    }

    @Override
    public IMarkerFactory getMarkerFactory() {
        return markers;
    }

    @Override
    public MDCAdapter getMDCAdapter() {
        return contexts;
    }

    @Override
    public String getRequestedApiVersion() {
        return "2.0.99";
    }

    @Override
    public void initialize() {
        // all is made with the object
    }
}
