import { CHANNELS, type Duplex, ENDED } from '../../../api/contract/duplex.ts';

/** How many bytes may wait for one session before reading stops. */
const WINDOW_BYTES = 64 * 1024;

/** One session that receives the output of a container. */
interface Tap {
	readonly peer: Duplex;
	readonly wants: ReadonlySet<'stdout' | 'stderr'>;
	waitingBytes: number;
}

/**
 * The sessions that are attached to the output of one container. Each receives all output from its start on. While one
 * reads slowly, reading from the container's pipes stops (backpressure); the API server closes a session that reads
 * nothing for a minute.
 */
export class OutputTaps {
	readonly #taps = new Set<Tap>();
	/** True once the container has ended. */
	#isClosed = false;
	/** Called when a session has read, or was closed. */
	#drained: (() => void) | undefined;

	/** True if reading should stop until the `onDrain` listener is called. */
	get isFull(): boolean {
		for (const { waitingBytes } of this.#taps) if (waitingBytes >= WINDOW_BYTES) return true;
		return false;
	}

	/** Sets the listener that is called each time reading may continue. */
	onDrain(listener: () => void): void {
		this.#drained = listener;
	}

	/** Adds a session, until it is closed. */
	add(peer: Duplex, wants: ReadonlySet<'stdout' | 'stderr'>): void {
		if (this.#isClosed) {
			peer.close(ENDED);
			return;
		}
		const tap: Tap = { peer, wants, waitingBytes: 0 };
		this.#taps.add(tap);
		void peer.closed.then(() => {
			this.#taps.delete(tap);
			this.#drained?.();
		});
	}

	/** Sends a chunk to all sessions; the caller may reuse it afterwards. */
	push(stream: 'stdout' | 'stderr', chunk: Uint8Array): void {
		if (this.#taps.size === 0) return;
		const bytes = Uint8Array.from(chunk);
		for (const tap of this.#taps) if (tap.wants.has(stream)) this.#send(tap, CHANNELS[stream], bytes);
	}

	/** Closes all sessions after what was pushed: the container has ended. */
	close(): void {
		this.#isClosed = true;
		for (const { peer } of this.#taps) peer.close(ENDED);
	}

	#send(tap: Tap, channel: number, bytes: Uint8Array): void {
		tap.waitingBytes += bytes.length;
		void tap.peer.send({ type: 'data', channel, bytes }).then(() => {
			tap.waitingBytes -= bytes.length;
			if (tap.waitingBytes < WINDOW_BYTES) this.#drained?.();
		});
	}
}
