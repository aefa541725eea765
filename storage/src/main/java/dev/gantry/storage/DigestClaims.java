package dev.gantry.storage;

import dev.gantry.cri.oci.Digest;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Who is at work on which blob's files: one ingest or one removal at a time.
final class DigestClaims {

    private enum Claim {
        INGEST,
        REMOVAL
    }

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition released = lock.newCondition();
    private final Map<Digest, Claim> claims = new HashMap<>(); // guarded by lock

    /// Waits for a removal, which is short; false if another ingest has it.
    boolean claimForIngest(Digest digest) {
        lock.lock();
        try {
            while (claims.get(digest) == Claim.REMOVAL) {
                released.awaitUninterruptibly();
            }
            return claims.putIfAbsent(digest, Claim.INGEST) == null;
        } finally {
            lock.unlock();
        }
    }

    boolean claimForRemoval(Digest digest) {
        lock.lock();
        try {
            return claims.putIfAbsent(digest, Claim.REMOVAL) == null;
        } finally {
            lock.unlock();
        }
    }

    void release(Digest digest) {
        lock.lock();
        try {
            claims.remove(digest);
            released.signalAll();
        } finally {
            lock.unlock();
        }
    }
}
