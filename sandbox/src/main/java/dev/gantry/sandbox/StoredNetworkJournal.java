package dev.gantry.sandbox;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.gantry.cni.NetworkJournal;
import dev.gantry.cni.SavedAttachment;
import dev.gantry.sandbox.stored.NetworkRow;
import dev.gantry.storage.Change;
import dev.gantry.storage.Codec;
import dev.gantry.storage.Durability;
import dev.gantry.storage.Kind;
import dev.gantry.storage.MetadataStore;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/// The journal of pod networks in the store.
///
/// An intent is on the disk when [#save] returns, so that no plugin leaves behind what nobody remembers. A result and a
/// [#forget] outlive the daemon, but maybe not a power cut: without them the attachment is taken back once more, which
/// does no harm.
public final class StoredNetworkJournal implements NetworkJournal {

    /// Attachments by the id of the sandbox.
    public static final Kind<SavedAttachment> KIND =
            new Kind<>("networks", SavedAttachment::containerId, new Rows(), List.of());

    private final MetadataStore store;

    public StoredNetworkJournal(MetadataStore store) {
        this.store = store;
    }

    @Override
    public void save(SavedAttachment attachment) {
        boolean intent = attachment.state() == SavedAttachment.State.INTENDED;
        store.commit(Change.empty().put(KIND, attachment), intent ? Durability.SYNCED : Durability.BUFFERED);
    }

    @Override
    public void forget(String containerId) {
        store.commit(Change.empty().delete(KIND, containerId), Durability.BUFFERED);
    }

    @Override
    public Optional<SavedAttachment> find(String containerId) {
        return store.view().find(KIND, containerId);
    }

    @Override
    public Collection<SavedAttachment> all() {
        return store.view().all(KIND);
    }

    private static final class Rows implements Codec<SavedAttachment> {

        private static final int VERSION = 1;

        @Override
        public byte[] encode(SavedAttachment attachment) {
            NetworkRow.Builder row = NetworkRow.newBuilder()
                    .setVersion(VERSION)
                    .setContainerId(attachment.containerId())
                    .setInterfaceName(attachment.ifName())
                    .setNetworkNamespace(attachment.netns())
                    .setConfigList(ByteString.copyFrom(attachment.configList()))
                    .putAllArguments(attachment.args())
                    .setCapabilities(ByteString.copyFrom(attachment.capabilities()))
                    .setAttached(attachment.state() == SavedAttachment.State.ATTACHED);
            attachment.result().ifPresent(it -> row.setResult(ByteString.copyFrom(it)));
            return row.build().toByteArray();
        }

        @Override
        public SavedAttachment decode(byte[] bytes) {
            NetworkRow row = parse(bytes);
            if (row.getVersion() != VERSION) {
                throw new IllegalStateException(
                        "the network of %s was written by another version of Gantry (row version %d, known %d)"
                                .formatted(row.getContainerId(), row.getVersion(), VERSION));
            }
            return new SavedAttachment(
                    row.getContainerId(),
                    row.getInterfaceName(),
                    row.getNetworkNamespace(),
                    row.getConfigList().toByteArray(),
                    row.getArgumentsMap(),
                    row.getCapabilities().toByteArray(),
                    row.hasResult() ? Optional.of(row.getResult().toByteArray()) : Optional.empty(),
                    row.getAttached() ? SavedAttachment.State.ATTACHED : SavedAttachment.State.INTENDED);
        }

        private static NetworkRow parse(byte[] bytes) {
            try {
                return NetworkRow.parseFrom(bytes);
            } catch (InvalidProtocolBufferException e) {
                throw new IllegalStateException("a network row is not readable", e);
            }
        }
    }
}
