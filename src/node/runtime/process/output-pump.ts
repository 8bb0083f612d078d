import { Socket } from 'node:net';
import { CriLines } from '../cri-lines.ts';
import type { LogFile } from './log-file.ts';

/**
 * What is read at once. One buffer serves every pipe, since it is emptied before the next read. Its size
 * bounds how long one container that floods can keep the others waiting: about 1 ms where every line is
 * a single letter.
 */
const buffer = Buffer.allocUnsafeSlow(16 * 1024);

/** Reads one output of a container into its log, and stops reading while the log is full. */
export class OutputPump {
	readonly #lines: CriLines;
	readonly #log: LogFile;
	readonly #stamp: () => string;
	readonly #source: Socket;
	#sawEnd = false;
	#isClosed = false;
	/** Resolves when nothing more will be read, with whether the end was seen. */
	readonly ended: Promise<boolean>;

	/** Reads `source`: the read end of a named pipe, which is closed in the end, or a socket. */
	constructor(
		source: number | Socket,
		options: { stream: 'stdout' | 'stderr'; log: LogFile; stamp: () => string },
	) {
		this.#lines = new CriLines(options.stream);
		this.#log = options.log;
		this.#stamp = options.stamp;
		this.#source = typeof source === 'number' ? this.#openPipe(source) : this.#useSocket(source);
		this.ended = this.#untilClosed();
	}

	/** True once nothing more will be read. */
	get hasEnded(): boolean {
		return this.#isClosed;
	}

	/** Reads again if reading had stopped. */
	resume(): void {
		this.#source.resume();
	}

	/** Stops reading for good. */
	cut(): void {
		this.#source.destroy();
	}

	#openPipe(fd: number): Socket {
		const callback = (length: number): boolean => this.#take(buffer.subarray(0, length));
		const socket = new Socket({ fd, readable: true, writable: false, onread: { buffer, callback } });
		return socket.resume();
	}

	#useSocket(socket: Socket): Socket {
		return socket.on('data', (chunk: Buffer) => {
			if (!this.#take(chunk)) socket.pause();
		});
	}

	#take(chunk: Uint8Array): boolean {
		this.#log.append(this.#lines.push(chunk, this.#stamp()));
		return !this.#log.isFull;
	}

	#untilClosed(): Promise<boolean> {
		return new Promise((resolve) => {
			this.#source.on('end', () => {
				this.#sawEnd = true;
			});
			// A read that fails closes the pipe as well; what was read until then counts.
			this.#source.on('error', () => {});
			this.#source.on('close', () => {
				this.#isClosed = true;
				const rest = this.#lines.end(this.#stamp);
				if (rest) this.#log.append(rest);
				resolve(this.#sawEnd);
			});
		});
	}
}
