package dev.gantry.cli;

import com.google.protobuf.ByteString;

/// One line that a container wrote, put together again if its log has it in parts. The time is
/// that of its first part, as the log has it; the text may be any bytes, without the line end.
record LogLine(String time, boolean error, ByteString text) {}
