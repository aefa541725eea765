package dev.gantry.storage;

import java.util.AbstractCollection;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/// A sorted map from strings that never changes: an update answers a new tree which shares all but one path with
/// the old one.
///
/// So a commit among 5,000 objects copies about 13 nodes, and a reader keeps what it saw for as long as it likes.
/// Balanced by height (AVL), because names come from outside and must not be able to make a list of it. Also serves
/// prefixes as ranges.
final class SortedTree<V> {

    private static final SortedTree<?> EMPTY = new SortedTree<>(null);

    private record Node<V>(
            String key,
            V value,
            @Nullable Node<V> left,
            @Nullable Node<V> right,
            int height,
            int size) {

        Node(String key, V value, @Nullable Node<V> left, @Nullable Node<V> right) {
            this(
                    key,
                    value,
                    left,
                    right,
                    1 + Math.max(heightOf(left), heightOf(right)),
                    1 + sizeOf(left) + sizeOf(right));
        }

        static int heightOf(@Nullable Node<?> node) {
            return node == null ? 0 : node.height;
        }

        static int sizeOf(@Nullable Node<?> node) {
            return node == null ? 0 : node.size;
        }
    }

    private final @Nullable Node<V> root;

    private SortedTree(@Nullable Node<V> root) {
        this.root = root;
    }

    @SuppressWarnings("unchecked") // an empty tree holds no value of any type
    static <V> SortedTree<V> empty() {
        return (SortedTree<V>) EMPTY;
    }

    int height() {
        return Node.heightOf(root);
    }

    int size() {
        return Node.sizeOf(root);
    }

    @Nullable
    V get(String key) {
        Node<V> node = root;
        while (node != null) {
            int order = key.compareTo(node.key);
            if (order == 0) {
                return node.value;
            }
            node = order < 0 ? node.left : node.right;
        }
        return null;
    }

    SortedTree<V> with(String key, V value) {
        return new SortedTree<>(insert(root, key, value));
    }

    SortedTree<V> without(String key) {
        return get(key) == null ? this : new SortedTree<>(remove(root, key));
    }

    /// The values in the order of their keys; a view of this tree, so it costs nothing.
    AbstractCollection<V> values() {
        return new AbstractCollection<>() {
            @Override
            public Iterator<V> iterator() {
                return new InOrder<>(root);
            }

            @Override
            public int size() {
                return SortedTree.this.size();
            }
        };
    }

    List<V> withPrefix(String prefix) {
        List<V> found = new ArrayList<>();
        collect(root, prefix, found);
        return found;
    }

    private static <V> void collect(@Nullable Node<V> node, String prefix, List<V> found) {
        if (node == null) {
            return;
        }
        boolean matches = node.key.startsWith(prefix);
        if (matches || node.key.compareTo(prefix) > 0) {
            collect(node.left, prefix, found);
        }
        if (matches) {
            found.add(node.value);
        }
        if (matches || node.key.compareTo(prefix) < 0) {
            collect(node.right, prefix, found);
        }
    }

    private static <V> Node<V> insert(@Nullable Node<V> node, String key, V value) {
        if (node == null) {
            return new Node<>(key, value, null, null);
        }
        int order = key.compareTo(node.key);
        if (order == 0) {
            return new Node<>(key, value, node.left, node.right);
        }
        return order < 0
                ? balanced(node, insert(node.left, key, value), node.right)
                : balanced(node, node.left, insert(node.right, key, value));
    }

    private static <V> @Nullable Node<V> remove(@Nullable Node<V> node, String key) {
        if (node == null) {
            return null;
        }
        int order = key.compareTo(node.key);
        if (order != 0) {
            return order < 0
                    ? balanced(node, remove(node.left, key), node.right)
                    : balanced(node, node.left, remove(node.right, key));
        }
        if (node.left == null || node.right == null) {
            return node.left == null ? node.right : node.left;
        }
        Node<V> next = first(node.right);
        return balanced(next, node.left, remove(node.right, next.key));
    }

    private static <V> Node<V> first(Node<V> node) {
        Node<V> first = node;
        while (first.left != null) {
            first = first.left;
        }
        return first;
    }

    /// The entry of `middle` over the two subtrees, whose heights differ by two at most, turned until they differ
    /// by one.
    private static <V> Node<V> balanced(Node<V> middle, @Nullable Node<V> left, @Nullable Node<V> right) {
        int lean = Node.heightOf(left) - Node.heightOf(right);
        if (lean > 1 && left != null) {
            Node<V> inner = left.right;
            if (inner != null && Node.heightOf(left.left) < inner.height) {
                return node(inner, node(left, left.left, inner.left), node(middle, inner.right, right));
            }
            return node(left, left.left, node(middle, inner, right));
        }
        if (lean < -1 && right != null) {
            Node<V> inner = right.left;
            if (inner != null && Node.heightOf(right.right) < inner.height) {
                return node(inner, node(middle, left, inner.left), node(right, inner.right, right.right));
            }
            return node(right, node(middle, left, inner), right.right);
        }
        return node(middle, left, right);
    }

    private static <V> Node<V> node(Node<V> entry, @Nullable Node<V> left, @Nullable Node<V> right) {
        return new Node<>(entry.key, entry.value, left, right);
    }

    private static final class InOrder<V> implements Iterator<V> {

        private final Deque<Node<V>> pending = new ArrayDeque<>();

        InOrder(@Nullable Node<V> root) {
            descend(root);
        }

        @Override
        public boolean hasNext() {
            return !pending.isEmpty();
        }

        @Override
        public V next() {
            if (pending.isEmpty()) {
                throw new NoSuchElementException();
            }
            Node<V> node = pending.pop();
            descend(node.right);
            return node.value;
        }

        private void descend(@Nullable Node<V> node) {
            for (Node<V> at = node; at != null; at = at.left) {
                pending.push(at);
            }
        }
    }
}
