import { Socket } from 'node:net';
import { CHANNELS, type Duplex, type DuplexMessage } from '../../../api/contract/duplex.ts';
import { isRecord } from '../../../base/json/json.ts';

/** The output of a session that is being sent. */
export interface SentOutput {
	/** Resolves at the end of the output, or when the peer has left. */
	readonly done: Promise<void>;
	/** How many chunks were read so far. */
	readonly chunks: number;
	/** Stops reading. */
	cut(): void;
}

/** Sends what can be read from the descriptor `fd` on a channel. */
export function sendOutput(fd: number, channel: number, peer: Duplex): SentOutput {
	let chunks = 0;
	const socket = new Socket({ fd, readable: true, writable: false });
	const pump = async (): Promise<void> => {
		try {
			for await (const chunk of socket) {
				const bytes: Uint8Array = chunk;
				chunks += 1;
				// A slow peer slows the reading, and so the program.
				if (!(await peer.send({ type: 'data', channel, bytes }))) return;
			}
		} catch {
			// The pipe was closed on this side.
		} finally {
			socket.destroy();
		}
	};
	return {
		done: pump(),
		cut: () => void socket.destroy(),
		get chunks() {
			return chunks;
		},
	};
}

/** Where the input of a session goes. */
export interface SessionInput {
	/** Standard input; undefined if it is not wanted. */
	readonly stdin: Socket | undefined;
	/** The control pipe of the waiter: see native/shim/container.c. */
	readonly control: Socket | undefined;
	/** Called when the peer ends its standard input, or leaves. */
	onInputEnd?(): void;
}

/** Passes the peer's messages on until it closes the session. */
export async function receiveInput(peer: Duplex, input: SessionInput): Promise<void> {
	let hasEnded = false;
	for (let message = await peer.receive(); message; message = await peer.receive()) {
		if (message.channel === CHANNELS.resize) resize(message, input.control);
		if (message.channel !== CHANNELS.stdin || !input.stdin || hasEnded) continue;
		if (message.type === 'data') await write(input.stdin, message.bytes);
		else {
			hasEnded = true;
			input.onInputEnd?.();
		}
	}
	if (!hasEnded) input.onInputEnd?.();
}

/** The write end of a named pipe, as a stream that does not block. */
export function pipeWriter(fd: number): Socket {
	const socket = new Socket({ fd, readable: false, writable: true });
	// The reader may be gone: the session notices that by the end of the command.
	socket.on('error', () => {});
	return socket;
}

function resize(message: DuplexMessage, control: Socket | undefined): void {
	if (message.type !== 'data') return;
	const { Width: columns, Height: rows } = parseSize(Buffer.from(message.bytes).toString());
	if (columns !== undefined && rows !== undefined) control?.write(`W ${columns} ${rows}\n`);
}

function parseSize(text: string): { readonly Width?: number; readonly Height?: number } {
	try {
		const value: unknown = JSON.parse(text);
		const { Width, Height } = isRecord(value) ? value : {};
		return isSize(Width) && isSize(Height) ? { Width, Height } : {};
	} catch {
		return {};
	}
}

/** The kernel keeps sizes of terminals in 16 bits. */
function isSize(value: unknown): value is number {
	return Number.isInteger(value) && Number(value) >= 0 && Number(value) < 1 << 16;
}

async function write(socket: Socket, bytes: Uint8Array): Promise<void> {
	if (socket.destroyed) return;
	await new Promise<void>((resolve) => {
		socket.write(bytes, () => resolve());
	});
}
