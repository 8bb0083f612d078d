import { CHANNELS, type Duplex } from '../../api/contract/duplex.ts';
import type { Status } from '../../api/errors/api-error.ts';
import type { RawStreams, TerminalSize } from './raw-streams.ts';

/** The Status that a session ended with; or that it ended without one, because the connection was lost. */
export type SessionEnd =
	| { readonly type: 'status'; readonly status: Pick<Status, 'status' | 'message' | 'reason' | 'details'> }
	| { readonly type: 'lost'; readonly message: string };

/** How the local streams are connected. */
export interface JoinOptions {
	/** Whether standard input is sent. */
	readonly stdin: boolean;
	/** Whether the local terminal becomes that of the process: it is set to raw mode, and its size is sent. */
	readonly tty: boolean;
	/**
	 * Whether a size that is one larger is sent before the first one: a program that runs already draws its screen again
	 * only if the size changes.
	 */
	readonly redraws?: boolean;
}

/** Connects the streams of this process with a session of exec or attach until it ends. Restores the terminal. */
export async function joinSession(
	session: Duplex,
	streams: RawStreams,
	options: JoinOptions,
): Promise<SessionEnd> {
	const over = new AbortController();
	const restore = options.tty ? streams.setRaw() : undefined;
	const stopSizes = options.tty ? sendSizes(session, streams, options.redraws ?? false) : undefined;
	if (options.stdin) void sendInput(session, streams, over.signal);
	try {
		return await receiveOutput(session, streams);
	} finally {
		over.abort();
		stopSizes?.();
		restore?.();
		session.close();
	}
}

async function sendInput(session: Duplex, streams: RawStreams, signal: AbortSignal): Promise<void> {
	for await (const bytes of streams.input(signal))
		if (!(await session.send({ type: 'data', channel: CHANNELS.stdin, bytes }))) return;
	if (!signal.aborted) await session.send({ type: 'end', channel: CHANNELS.stdin });
}

/** Sends the size of the terminal now and after each change; returns the function that ends that. */
function sendSizes(session: Duplex, streams: RawStreams, redraws: boolean): () => void {
	const encoder = new TextEncoder();
	const send = ({ width, height }: TerminalSize): void => {
		const bytes = encoder.encode(`${JSON.stringify({ Width: width, Height: height })}\n`);
		void session.send({ type: 'data', channel: CHANNELS.resize, bytes });
	};
	const now = (): void => {
		const size = streams.size();
		if (size) send(size);
	};
	const first = streams.size();
	if (redraws && first) send({ width: first.width + 1, height: first.height + 1 });
	now();
	return streams.onResize(now);
}

async function receiveOutput(session: Duplex, streams: RawStreams): Promise<SessionEnd> {
	const decoder = new TextDecoder();
	let status = '';
	for (;;) {
		const message = await session.receive();
		if (!message) break;
		if (message.type !== 'data') continue;
		const { channel, bytes } = message;
		if (channel === CHANNELS.stdout) await streams.write('stdout', bytes);
		else if (channel === CHANNELS.stderr) await streams.write('stderr', bytes);
		else if (channel === CHANNELS.error) status += decoder.decode(bytes, { stream: true });
	}
	const close = await session.closed;
	if (status !== '') return { type: 'status', status: parsed(status) };
	// As kubectl: a clean end without a Status is a success.
	if (close.type === 'ended') return { type: 'status', status: { status: 'Success' } };
	return { type: 'lost', message: close.message };
}

function parsed(text: string): Extract<SessionEnd, { readonly type: 'status' }>['status'] {
	try {
		return JSON.parse(text);
	} catch {
		return { status: 'Failure', message: text };
	}
}
