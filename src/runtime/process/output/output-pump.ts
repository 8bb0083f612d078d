import { Socket } from 'node:net';
import { CriLogWriter } from '../../cri-log-writer.ts';
import type { LogFile } from './log-file.ts';
import type { OutputTaps } from './output-taps.ts';

/**
 * The buffer of all reads: its content is processed before the next read, so all pipes share it. Its size bounds how
 * long a read of one container delays the others: about 1 ms if each line has a single letter.
 */
const buffer = Buffer.allocUnsafeSlow(16 * 1024);

/** Copies one output stream of a container to its log. Stops reading while the log is full (backpressure). */
export class OutputPump {
	readonly #lines: CriLogWriter;
	readonly #log: LogFile;
	readonly #taps: OutputTaps;
	readonly #stream: 'stdout' | 'stderr';
	readonly #stamp: () => string;
	readonly #source: Socket;
	#sawEnd = false;
	#isClosed = false;
	/** Resolves when reading has ended; to true if the stream's end was reached: no process has the pipe open then. */
	readonly ended: Promise<boolean>;

	/** Reads `source`: a file descriptor of the read end of a named pipe, which the pump closes, or a socket. */
	constructor(
		source: number | Socket,
		options: { stream: 'stdout' | 'stderr'; log: LogFile; taps: OutputTaps; stamp: () => string },
	) {
		this.#lines = new CriLogWriter(options.stream);
		this.#log = options.log;
		this.#taps = options.taps;
		this.#stream = options.stream;
		this.#stamp = options.stamp;
		this.#source = typeof source === 'number' ? this.#openPipe(source) : this.#useSocket(source);
		this.ended = this.#whenClosed();
	}

	/** True once reading has ended. */
	get hasEnded(): boolean {
		return this.#isClosed;
	}

	/** Resumes reading after the log, or a session, was full. */
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
		this.#taps.push(this.#stream, chunk);
		return !this.#log.isFull && !this.#taps.isFull;
	}

	#whenClosed(): Promise<boolean> {
		return new Promise((resolve) => {
			this.#source.on('end', () => {
				this.#sawEnd = true;
			});
			// The close event follows each error; the bytes read before are logged.
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
