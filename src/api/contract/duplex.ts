/**
 * The contract of two-way streams: exec today; attach and port-forward are to use it too. The same contract
 * holds at each stage of a session: client, API server, node agent, runtime. A session consists of numbered
 * channels, of which each carries bytes in order, and the channels share one order.
 *
 * A {@link Duplex} is one end of a session. The component that obtains it owns it and must close it: until
 * then the session occupies resources at the other end, such as a process.
 *
 * 1. `receive` has one caller at a time. It returns the messages of the peer in the order in which the peer sent
 *    them, and undefined once the session is closed and all messages before the close have been returned. It
 *    never rejects. After {@link Duplex.close} by this end it returns undefined at once.
 * 2. `send` may be called while `receive` waits. Its caller waits for it before it sends the next message:
 *    it resolves when the peer has room, so a slow reader slows the writer down and neither end stores more than
 *    a fixed number of bytes. A message itself is never split or merged by the contract, but a connection may
 *    do both to the bytes of a channel.
 * 3. Backpressure applies to the whole session and not to single channels: if the reader stops at a message
 *    of standard input, a resize behind it waits too.
 * 4. `send` never rejects. It resolves to false once the session is closed: the writer stops then, and the peer
 *    may not have received the message.
 * 5. An `end` message says that its sender sends nothing more on that channel; the other channels and the other
 *    direction stay open (half close). Further messages on it are ignored. A repeated `end` is, too.
 * 6. `close` may be called at any time and repeatedly; only the first close of either end counts. If its reason is
 *    {@link ENDED}, the messages sent before it still reach the peer. Otherwise they may be lost.
 * 7. `closed` resolves when either end has closed the session or the connection is lost, also while messages
 *    wait to be received. It never rejects.
 */
export interface Duplex {
	/** Sends a message; resolves to true when the next one may be sent, and to false if the session is closed. */
	send(message: DuplexMessage): Promise<boolean>;
	/** The next message of the peer; undefined after the last one. */
	receive(): Promise<DuplexMessage | undefined>;
	/** Ends the session. */
	close(reason?: DuplexClose): void;
	/** Why the session was closed. */
	readonly closed: Promise<DuplexClose>;
}

/** A message on a channel. The receiver of `bytes` may keep them: the sender does not change them afterwards. */
export type DuplexMessage =
	| { readonly type: 'data'; readonly channel: number; readonly bytes: Uint8Array }
	| { readonly type: 'end'; readonly channel: number };

/** Why a session was closed: it has reached its end, or it failed or was aborted for the reason in `message`. */
export type DuplexClose = { readonly type: 'ended' } | { readonly type: 'failed'; readonly message: string };

/** The close of a session that has reached its end. */
export const ENDED: DuplexClose = { type: 'ended' };

/**
 * The channels of exec and attach, with the numbers of Kubernetes' sub-protocols `v4.channel.k8s.io` and
 * `v5.channel.k8s.io` (upstream: k8s.io/apimachinery/pkg/util/remotecommand).
 */
export const CHANNELS = {
	/** From the client: standard input. */
	stdin: 0,
	/** To the client. With a terminal, it carries standard error too. */
	stdout: 1,
	/** To the client. */
	stderr: 2,
	/** To the client: one metav1.Status as JSON, the last message of the session. */
	error: 3,
	/** From the client: the size of the terminal as JSON, `{"Width":80,"Height":24}`. */
	resize: 4,
} as const;

/** Converts an abort of `signal` to a close of `duplex`; returns `duplex`. */
export function closedBy(signal: AbortSignal | undefined, duplex: Duplex): Duplex {
	if (!signal) return duplex;
	const abort = (): void => duplex.close({ type: 'failed', message: 'the session was aborted' });
	if (signal.aborted) abort();
	else {
		signal.addEventListener('abort', abort, { once: true });
		void duplex.closed.then(() => signal.removeEventListener('abort', abort));
	}
	return duplex;
}
