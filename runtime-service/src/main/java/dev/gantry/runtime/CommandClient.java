package dev.gantry.runtime;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelFuture;

/// The client of an exec or attach, whatever protocol it speaks. All methods are called on its event loop.
interface CommandClient {

    /// Sends output on. Owns the bytes.
    ///
    /// @return done when they have left, or will never
    ChannelFuture send(LogStream stream, ByteBuf bytes);

    /// No more output on this stream.
    void end(LogStream stream);

    /// Tells the client how it ended, and lets it go.
    void finish(CommandOutcome outcome);
}
