/**
 * A session of exec or attach with the streaming server of a runtime, by the protocol v4 of Kubernetes: a SPDY stream for each
 * channel, and one for the metav1.Status at the end.
 */
import { CHANNELS, type Duplex, type DuplexMessage, ENDED } from '../../../api/contract/duplex.ts';
import { duplexPair } from '../../../api/streams/duplex-pair.ts';
import { attempt } from '../../../base/attempt.ts';
import type { SpdyStream } from '../../../base/spdy/spdy-stream.ts';
import { itemsAt, stringAt } from '../../json-values.ts';
import { spdySessionAt, streamText } from './spdy-upgrade.ts';

/** How the streams are passed on. The runtime opens both outputs, one with a terminal. */
export interface CommandSettings {
	readonly tty: boolean;
	/** The outputs that the caller wants; the other one is read and dropped. */
	readonly stdout: boolean;
	readonly stderr: boolean;
	/**
	 * What an end of standard input does: it closes that of the process, or nothing. With `none` the process has no input, and
	 * what the caller sends is dropped.
	 */
	readonly stdin: 'closes' | 'stays' | 'none';
	/** Closes the session in any case. */
	readonly signal: AbortSignal;
}

/** How a command has ended. */
export type CommandStatus =
	| { readonly type: 'exited'; readonly exitCode: number }
	| { readonly type: 'failed'; readonly message: string };

/** A session for a caller, who owns `streams`. */
export interface CommandSession {
	readonly streams: Duplex;
	/** The status that the runtime has sent; undefined if the session was closed without one. Never rejects. */
	readonly status: Promise<CommandStatus | undefined>;
	/** Resolves once the first output has arrived, or the output has ended. Never rejects. */
	readonly hasOutput: Promise<void>;
	/** Resolves to who ended it, once its streams are closed. Never rejects. */
	readonly ended: Promise<'process' | 'caller'>;
}

const PROTOCOL = 'v4.channel.k8s.io';

/** Opens a session at the address that the runtime has given. Rejects with RuntimeUnavailable. */
export async function criCommandSession(address: string, settings: CommandSettings): Promise<CommandSession> {
	const spdy = await spdySessionAt(address, PROTOCOL);
	const { tty, stdin, signal } = settings;
	const close = (): void => spdy.close();
	signal.addEventListener('abort', close, { once: true });
	void spdy.closed.then(() => signal.removeEventListener('abort', close));
	const open = (streamtype: string): SpdyStream => spdy.open(new Map([['streamtype', streamtype]]));
	const error = open('error');
	void error.end();
	const input = stdin === 'none' ? undefined : open('stdin');
	const outputs = [
		{ channel: CHANNELS.stdout, isWanted: settings.stdout, stream: open('stdout') },
		...(tty ? [] : [{ channel: CHANNELS.stderr, isWanted: settings.stderr, stream: open('stderr') }]),
	];
	const resize = tty ? open('resize') : undefined;
	const [streams, inner] = duplexPair();
	const status = readStatus(error);
	const first = Promise.withResolvers<void>();
	const output = outputs.map(async ({ stream, channel, isWanted }) => {
		for (let bytes = await stream.read(); bytes; bytes = await stream.read()) {
			first.resolve();
			if (isWanted) await inner.send({ type: 'data', channel, bytes });
		}
	});
	const ended = Promise.withResolvers<'process' | 'caller'>();
	void Promise.all([...output, status]).then(() => {
		first.resolve();
		ended.resolve('process');
		inner.close(ENDED);
		spdy.close();
	});
	void passInput(inner, { input, resize, closes: stdin === 'closes' }).then(async () => {
		ended.resolve('caller');
		// Otherwise the end of the connection might come before the runtime has the streams, and leave the input open.
		if (stdin === 'closes') await input?.end();
		spdy.close();
	});
	const opened = [error, input, resize, ...outputs.map(({ stream }) => stream)];
	await Promise.all(opened.map((stream) => stream?.answered));
	return { streams, status, hasOutput: first.promise, ended: ended.promise };
}

interface InputStreams {
	readonly input: SpdyStream | undefined;
	readonly resize: SpdyStream | undefined;
	/** Whether an end of standard input is passed on. */
	readonly closes: boolean;
}

/** Resolves once the session is closed. Never rejects. */
async function passInput(inner: Duplex, streams: InputStreams): Promise<void> {
	for (let message = await inner.receive(); message; message = await inner.receive())
		await passMessage(message, streams);
}

async function passMessage(message: DuplexMessage, { input, resize, closes }: InputStreams): Promise<void> {
	const stream =
		message.channel === CHANNELS.stdin ? input : message.channel === CHANNELS.resize ? resize : undefined;
	if (message.type === 'data') await stream?.write(message.bytes);
	else if (closes) await stream?.end();
}

/** Reads the metav1.Status of the end (upstream: `errorDecoderV4` in client-go's remotecommand). */
async function readStatus(error: SpdyStream): Promise<CommandStatus | undefined> {
	const text = await streamText(error);
	if (text === '') return undefined;
	const status: unknown = attempt(() => JSON.parse(text));
	if (stringAt(status, 'status') === 'Success') return { type: 'exited', exitCode: 0 };
	const causes = itemsAt(status, 'details', 'causes');
	const code = causes.find((cause) => stringAt(cause, 'reason') === 'ExitCode');
	if (code) return { type: 'exited', exitCode: Number(stringAt(code, 'message')) };
	return { type: 'failed', message: stringAt(status, 'message') || text };
}
