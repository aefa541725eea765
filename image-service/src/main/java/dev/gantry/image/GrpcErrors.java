package dev.gantry.image;

import dev.gantry.cri.oci.MalformedDocumentException;
import dev.gantry.linux.ErrnoException;
import dev.gantry.storage.StorageException;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Turns the exceptions of this module and of those below it into gRPC statuses. Services of modules above look after
/// their own families and ask here for the rest.
public final class GrpcErrors {

    private static final Logger log = LoggerFactory.getLogger(GrpcErrors.class);

    private GrpcErrors() {}

    /// The answer to the client. What nobody expected is INTERNAL and logged whole.
    public static StatusRuntimeException of(Throwable failure) {
        return switch (failure) {
            case StatusRuntimeException status -> status;
            case StatusException status -> status.getStatus().asRuntimeException();
            case ImageException e -> answer(of(e), e);
            case StorageException e -> answer(of(e), e);
            case ErrnoException e -> answer(of(e), e);
            case MalformedDocumentException e -> answer(Status.INTERNAL, e);
            case InterruptedException e -> answer(Status.CANCELLED, e);
            case UncheckedIOException e when saysFull(e.getCause()) -> answer(Status.RESOURCE_EXHAUSTED, e);
            default -> {
                log.atError().setCause(failure).log("a call failed unexpectedly");
                yield answer(Status.INTERNAL, failure);
            }
        };
    }

    private static StatusRuntimeException answer(Status status, Throwable failure) {
        String message = failure.getMessage();
        return status.withDescription(message == null ? failure.toString() : message)
                .withCause(failure)
                .asRuntimeException();
    }

    /// The JDK passes the C library's text on, not the number.
    private static boolean saysFull(@Nullable Throwable failure) {
        String reason = failure == null ? "" : String.valueOf(failure.getMessage());
        return reason.contains("No space left on device") || reason.contains("Disk quota exceeded");
    }

    private static Status of(ImageException failure) {
        return switch (failure) {
            case ImageException.InvalidReference _, ImageException.Ambiguous _, ImageException.NotRunnable _ ->
                Status.INVALID_ARGUMENT;
            case ImageException.NotFound _, ImageException.NotInRegistry _, ImageException.NoPlatform _ ->
                Status.NOT_FOUND;
            case ImageException.Unauthenticated _ -> Status.UNAUTHENTICATED;
            case ImageException.Forbidden _, ImageException.SignatureRefused _ -> Status.PERMISSION_DENIED;
            case ImageException.RegistryUnavailable _ -> Status.UNAVAILABLE;
            case ImageException.TimedOut _ -> Status.DEADLINE_EXCEEDED;
            case ImageException.BadConfiguration _ -> Status.FAILED_PRECONDITION;
            case ImageException.Cancelled _ -> Status.CANCELLED;
            case ImageException.BadContent _, ImageException.LocalFailure _ -> Status.INTERNAL;
        };
    }

    private static Status of(StorageException failure) {
        return switch (failure) {
            case StorageException.NotFound _ -> Status.NOT_FOUND;
            case StorageException.AlreadyExists _ -> Status.ALREADY_EXISTS;
            case StorageException.NoSpace _ -> Status.RESOURCE_EXHAUSTED;
            case StorageException.InUse _, StorageException.WrongState _, StorageException.Locked _ ->
                Status.FAILED_PRECONDITION;
            case StorageException.Closed _ -> Status.UNAVAILABLE;
            case StorageException.WrongFormat _,
                    StorageException.Corrupt _,
                    StorageException.Failed _,
                    StorageException.DigestMismatch _,
                    StorageException.SizeMismatch _ -> Status.INTERNAL;
        };
    }

    private static Status of(ErrnoException failure) {
        return switch (failure.errno()) {
            case ENOSPC, EDQUOT -> Status.RESOURCE_EXHAUSTED;
            default -> Status.INTERNAL;
        };
    }
}
