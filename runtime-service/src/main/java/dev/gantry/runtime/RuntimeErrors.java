package dev.gantry.runtime;

import dev.gantry.cni.CniException;
import dev.gantry.image.GrpcErrors;
import dev.gantry.sandbox.SandboxException;
import dev.gantry.shim.ShimException;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;

/// The one place where failures of this module and of those below it become gRPC statuses.
public final class RuntimeErrors {

    private RuntimeErrors() {}

    /// The status that tells a client what went wrong with which object. What is in no family is INTERNAL.
    public static StatusRuntimeException of(Throwable failure) {
        return switch (failure) {
            case ContainerException e ->
                code(e).withDescription(text(e)).withCause(e).asRuntimeException();
            case SandboxException e ->
                code(e).withDescription(text(e)).withCause(e).asRuntimeException();
            case ShimException e ->
                code(e).withDescription(text(e)).withCause(e).asRuntimeException();
            case CniException e -> code(e).withDescription(text(e)).withCause(e).asRuntimeException();
            default -> GrpcErrors.of(failure);
        };
    }

    private static Status code(ContainerException failure) {
        return switch (failure) { // no default: a new subclass must choose its code here
            case ContainerException.NotFound _, ContainerException.NoImage _ -> Status.NOT_FOUND;
            case ContainerException.Ambiguous _, ContainerException.InvalidRequest _ -> Status.INVALID_ARGUMENT;
            case ContainerException.NameTaken _ -> Status.ALREADY_EXISTS;
            case ContainerException.WrongState _ -> Status.FAILED_PRECONDITION;
            case ContainerException.TooMany _ -> Status.RESOURCE_EXHAUSTED;
            case ContainerException.TimedOut _ -> Status.DEADLINE_EXCEEDED;
            case ContainerException.ImageVolumeFailed e -> causeOf(e);
            case ContainerException.Failed e -> causeOf(e);
        };
    }

    private static Status code(SandboxException failure) {
        return switch (failure) {
            case SandboxException.NotFound _ -> Status.NOT_FOUND;
            case SandboxException.Ambiguous _, SandboxException.InvalidRequest _ -> Status.INVALID_ARGUMENT;
            case SandboxException.NameTaken _ -> Status.ALREADY_EXISTS;
            case SandboxException.WrongState _ -> Status.FAILED_PRECONDITION;
            case SandboxException.Failed e -> causeOf(e);
        };
    }

    private static Status code(ShimException failure) {
        return switch (failure) {
            case ShimException.NotFound _ -> Status.NOT_FOUND;
            case ShimException.AlreadyExists _ -> Status.ALREADY_EXISTS;
            case ShimException.FailedPrecondition _ -> Status.FAILED_PRECONDITION;
            case ShimException.TimedOut _ -> Status.DEADLINE_EXCEEDED;
            case ShimException.Unavailable _, ShimException.Rejected _, ShimException.StartFailed _ -> Status.INTERNAL;
        };
    }

    private static Status code(CniException failure) {
        return switch (failure) {
            case CniException.TimedOut _ -> Status.DEADLINE_EXCEEDED;
            case CniException.InvalidRequest _ -> Status.INVALID_ARGUMENT;
            case CniException.MalformedConfig _ -> Status.FAILED_PRECONDITION;
            default -> Status.INTERNAL;
        };
    }

    /// A step's failure has the code of what it failed on.
    private static Status causeOf(Throwable failure) {
        Throwable cause = failure.getCause();
        return cause == null ? Status.INTERNAL : of(cause).getStatus();
    }

    private static String text(Throwable failure) {
        return String.valueOf(failure.getMessage());
    }
}
