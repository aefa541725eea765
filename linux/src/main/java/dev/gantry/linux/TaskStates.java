package dev.gantry.linux;

import java.io.IOException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Optional;

/// How many tasks of some processes are in which state, as /proc has it. A task that ends is in none.
///
/// @param sleeping        wait for something that a signal interrupts, or are idle tasks of the kernel's
/// @param running         run or could
/// @param stopped         by a signal or a debugger
/// @param uninterruptible wait for something that no signal interrupts, mostly a disk
public record TaskStates(long sleeping, long running, long stopped, long uninterruptible) {

    /// What takes some ten milliseconds.
    private static final int MOST_TASKS = 1000;

    /// Empty where the tasks are too many to be looked at one by one.
    public static Optional<TaskStates> of(Collection<Integer> pids) {
        int[] counts = new int[128];
        int tasks = 0;
        for (int pid : pids) {
            try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc", pid + "/task"))) {
                for (Path thread : threads) {
                    if (++tasks > MOST_TASKS) {
                        return Optional.empty();
                    }
                    counts[state(thread) & 127]++;
                }
            } catch (IOException | DirectoryIteratorException _) {
                // It has ended.
            }
        }
        return Optional.of(new TaskStates(
                counts['S'] + (long) counts['I'], counts['R'], counts['T'] + (long) counts['t'], counts['D']));
    }

    /// The letter behind the name, which stands in brackets and may hold some itself; 0 if the task has ended.
    private static char state(Path thread) {
        String stat = KernelFile.read(thread.resolve("stat")).orElse("");
        int name = stat.lastIndexOf(") ");
        return name < 0 || name + 2 >= stat.length() ? 0 : stat.charAt(name + 2);
    }
}
