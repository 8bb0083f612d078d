/** The sessions of exec and attach, over connections that the engine has handed over. */
import { once } from 'node:events';
import type { Duplex as NodeStream } from 'node:stream';
import { CHANNELS, type Duplex, type DuplexMessage, ENDED } from '../../../api/contract/duplex.ts';
import { duplexPair } from '../../../api/streams/duplex-pair.ts';
import { attempt } from '../../../base/attempt.ts';
import { numberAt } from '../../json-values.ts';
import { type OutputPiece, outputDecoder } from '../engine/output-frames.ts';

/** How a connection of the engine is passed on. */
export interface SessionSettings {
	readonly tty: boolean;
	/** The outputs that the caller wants. */
	readonly outputs: ReadonlySet<OutputPiece['stream']>;
	/**
	 * What an end of standard input does: it closes that of the process, or nothing. With `none` the process has no input, and
	 * what the caller sends is dropped.
	 */
	readonly stdin: 'closes' | 'stays' | 'none';
	/**
	 * If true, the connection stays open when the caller leaves, until the process ends: Podman would close the standard
	 * input of the container with it.
	 */
	readonly lingers?: boolean;
	/** Closes the connection in any case. */
	readonly signal: AbortSignal;
	/** Changes the size of the terminal. */
	resize(size: TtySize): Promise<unknown>;
}

/** The outputs that a caller has asked for. */
export function outputsOf(config: {
	readonly stdout: boolean;
	readonly stderr: boolean;
}): ReadonlySet<OutputPiece['stream']> {
	const all = ['stdout', 'stderr'] as const;
	return new Set(all.filter((name) => config[name]));
}

/** The size of a terminal in characters. */
export interface TtySize {
	readonly w: number;
	readonly h: number;
}

/** A session for a caller. */
export interface EngineSession {
	readonly streams: Duplex;
	/** Resolves to who ended it, once its streams are closed. Never rejects. */
	readonly ended: Promise<'process' | 'caller'>;
}

/** Passes the bytes of a connection on to a caller. The session owns the connection. */
export function sessionOver(connection: NodeStream, settings: SessionSettings): EngineSession {
	const [streams, inner] = duplexPair();
	// A reset by the engine ends the session as its end does.
	connection.on('error', () => undefined);
	const cut = (): void => void connection.destroy();
	settings.signal.addEventListener('abort', cut, { once: true });
	connection.once('close', () => settings.signal.removeEventListener('abort', cut));
	const process = passOutput(connection, inner, settings);
	const caller = passInput(connection, inner, settings);
	const ended = Promise.withResolvers<'process' | 'caller'>();
	void caller.then(() => ended.resolve('caller'));
	void process.then(() => {
		ended.resolve('process');
		inner.close(ENDED);
	});
	return { streams, ended: ended.promise };
}

/** Resolves at the end of the output. Never rejects. */
async function passOutput(connection: NodeStream, inner: Duplex, settings: SessionSettings): Promise<void> {
	const decoder = outputDecoder(settings);
	try {
		for await (const chunk of connection) {
			for (const { stream, bytes } of decoder.push(chunk)) {
				if (settings.outputs.has(stream))
					await inner.send({ type: 'data', channel: CHANNELS[stream], bytes });
			}
		}
	} catch {
		// The connection was lost, or the caller has closed it.
	}
}

/** Resolves once the session is closed. Never rejects. */
async function passInput(connection: NodeStream, inner: Duplex, settings: SessionSettings): Promise<void> {
	for (let message = await inner.receive(); message; message = await inner.receive())
		await passMessage(connection, message, settings);
	// What still comes out of a connection that lingers is read and dropped.
	if (!settings.lingers) connection.destroy();
}

async function passMessage(
	connection: NodeStream,
	message: DuplexMessage,
	{ stdin, resize }: SessionSettings,
): Promise<void> {
	if (message.channel === CHANNELS.resize) {
		const size = message.type === 'data' ? sizeOf(message.bytes) : undefined;
		// A process that has ended has no terminal any more.
		if (size) await resize(size).catch(() => undefined);
		return;
	}
	if (message.channel !== CHANNELS.stdin || stdin === 'none') return;
	if (message.type === 'end') {
		if (stdin === 'closes') connection.end();
		return;
	}
	if (!connection.writable || connection.write(message.bytes)) return;
	await drained(connection);
}

/** Resolves once more can be written, or never will be. */
async function drained(connection: NodeStream): Promise<void> {
	const over = new AbortController();
	const close = (): void => over.abort();
	connection.once('close', close);
	try {
		if (!connection.closed) await once(connection, 'drain', { signal: over.signal });
	} catch {
		// Closed meanwhile.
	} finally {
		connection.off('close', close);
	}
}

function sizeOf(bytes: Uint8Array): TtySize | undefined {
	const value: unknown = attempt(() => JSON.parse(Buffer.from(bytes).toString()));
	const size = { w: numberAt(value, 'Width'), h: numberAt(value, 'Height') };
	return size.w > 0 && size.h > 0 ? size : undefined;
}
