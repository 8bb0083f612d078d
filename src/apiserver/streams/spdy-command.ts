import { CHANNELS, type Duplex } from '../../api/contract/duplex.ts';
import { Inbox } from '../../api/streams/inbox.ts';
import type { SpdyStream } from '../../base/spdy/spdy-stream.ts';
import type { Query } from '../query.ts';
import { attachOptions } from '../subresources/attach.ts';
import { forward } from './channel-session.ts';
import type { SessionOptions } from './session-options.ts';
import type { SpdyCarrier } from './spdy-carrier.ts';

/** How long a client may take to open its streams, as upstream's kubelet (DefaultStreamCreationTimeout). */
const CREATION_MS = 30_000;

/** How many bytes of input may wait for the session. */
const INPUT_BYTES = 64 * 1024;

/**
 * Connects the streams of exec or attach over SPDY with a session, until either is closed. The client opens a stream for
 * each channel, whose name is the header `streamtype` (upstream: createStreams in the kubelet's streaming/remotecommand).
 */
export async function joinCommand(
	carrier: SpdyCarrier,
	session: Duplex,
	options: SessionOptions & { readonly query: Query },
): Promise<void> {
	const { clock, stopping, query } = options;
	const wanted = wantedChannels(query);
	const streams = new Map<number, SpdyStream>();
	const complete = Promise.withResolvers<boolean>();
	const spdy = carrier.start((stream) => {
		const channel = wanted.get(stream.headers.get('streamtype') ?? '');
		if (channel === undefined || streams.has(channel)) return false;
		streams.set(channel, stream);
		if (streams.size === wanted.size) complete.resolve(true);
		return true;
	});
	const stop = (): void => spdy.close();
	const timer = clock.setTimer(CREATION_MS, stop);
	stopping.addEventListener('abort', stop, { once: true });
	if (stopping.aborted) stop();
	void spdy.closed.then((problem = 'the client has disconnected') => {
		complete.resolve(false);
		timer.cancel();
		stopping.removeEventListener('abort', stop);
		session.close({ type: 'failed', message: stopping.aborted ? 'the server is stopping' : problem });
	});
	if (!(await complete.promise)) return;
	timer.cancel();
	void forward(inputOf(streams), session);
	await sendOutput(session, streams);
	await Promise.all(Array.from(streams.values(), (stream) => stream.end()));
	spdy.close();
}

/** The channels for which the client opens streams, by the type of the stream. */
function wantedChannels(query: Query): ReadonlyMap<string, number> {
	const { stdin, stdout, stderr, tty } = attachOptions(query);
	return new Map([
		['error', CHANNELS.error],
		...(stdin ? ([['stdin', CHANNELS.stdin]] as const) : []),
		...(stdout ? ([['stdout', CHANNELS.stdout]] as const) : []),
		// A terminal has one output, and no client opens a stream for the other.
		...(stderr && !tty ? ([['stderr', CHANNELS.stderr]] as const) : []),
		...(tty ? ([['resize', CHANNELS.resize]] as const) : []),
	]);
}

/** What the client sends on all of its streams, in the order in which it arrives. */
function inputOf(streams: ReadonlyMap<number, SpdyStream>): Pick<Duplex, 'receive'> {
	const inbox = new Inbox(INPUT_BYTES);
	for (const channel of [CHANNELS.stdin, CHANNELS.resize]) {
		const stream = streams.get(channel);
		if (stream) void collect(stream, channel, inbox);
	}
	return { receive: () => inbox.take() };
}

async function collect(stream: SpdyStream, channel: number, inbox: Inbox): Promise<void> {
	for (;;) {
		const bytes = await stream.read();
		if (!bytes) break;
		if (!(await inbox.put({ type: 'data', channel, bytes }))) return;
	}
	await inbox.put({ type: 'end', channel });
}

async function sendOutput(session: Duplex, streams: ReadonlyMap<number, SpdyStream>): Promise<void> {
	for (;;) {
		const message = await session.receive();
		if (!message) return;
		const stream = streams.get(message.channel);
		if (message.type === 'end') await stream?.end();
		// An empty message says to clients with WebSockets that the session is established; SPDY has replies for that.
		else if (message.bytes.length > 0) await stream?.write(message.bytes);
	}
}
