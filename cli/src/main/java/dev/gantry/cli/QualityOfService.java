package dev.gantry.cli;

/// How much a pod relies on what it asks for; it decides who dies first when memory runs out.
enum QualityOfService {
    GUARANTEED,
    BURSTABLE,
    BEST_EFFORT
}
