import type { Duplex } from '../../api/contract/duplex.ts';
import { ApiError } from '../../api/errors/api-error.ts';
import { attempt } from '../../base/attempt.ts';
import type { Timer } from '../../base/clock.ts';
import type { SpdyStream } from '../../base/spdy/spdy-stream.ts';
import type { OpenPorts } from '../server.ts';
import { forwardedPortOf } from '../subresources/port-forward.ts';
import type { SessionOptions } from './session-options.ts';
import type { SpdyCarrier } from './spdy-carrier.ts';

/** How long a client may take to open the second stream of a connection, as upstream's kubelet. */
const PAIR_MS = 30_000;

/** The two streams of one connection to a port. */
interface PortPair {
	data?: SpdyStream;
	error?: SpdyStream;
	readonly timer: Timer;
}

/**
 * Serves port-forward over SPDY until the connection is closed. For each connection to a port the client opens two
 * streams with the same `requestid`: one for its bytes, one for an error (upstream: httpStreamHandler in the kubelet's
 * streaming/portforward). A stream with invalid headers is reset.
 */
export async function joinPorts(
	carrier: SpdyCarrier,
	ports: OpenPorts,
	options: SessionOptions,
): Promise<void> {
	const { clock, stopping } = options;
	const pairs = new Map<string, PortPair>();
	const spdy = carrier.start((stream) => {
		const port = attempt(() => forwardedPortOf(stream.headers.get('port') ?? ''));
		const type = stream.headers.get('streamtype');
		if (port === undefined || (type !== 'data' && type !== 'error')) return false;
		const id = requestIdOf(stream, type);
		const pair = pairs.get(id) ?? newPair(id);
		if (pair[type]) return false;
		pair[type] = stream;
		const { data, error } = pair;
		if (!data || !error) return true;
		pair.timer.cancel();
		pairs.delete(id);
		void servePort({ data, error }, () => ports.open(port));
		return true;
	});
	const newPair = (id: string): PortPair => {
		const timer = clock.setTimer(PAIR_MS, () => {
			pairs.delete(id);
			pair.data?.reset();
			void reportError(pair.error, `(request=${id}) timed out waiting for streams`);
		});
		const pair: PortPair = { timer };
		pairs.set(id, pair);
		return pair;
	};
	const stop = (): void => spdy.close();
	stopping.addEventListener('abort', stop, { once: true });
	if (stopping.aborted) stop();
	await spdy.closed;
	stopping.removeEventListener('abort', stop);
	for (const { timer } of pairs.values()) timer.cancel();
	ports.end();
}

/** Clients without request ids open the error stream of a connection directly before its data stream. */
function requestIdOf({ id, headers }: SpdyStream, type: 'data' | 'error'): string {
	return headers.get('requestid') ?? `stream ${type === 'error' ? id : id - 2}`;
}

async function servePort(
	{ data, error }: { readonly data: SpdyStream; readonly error: SpdyStream },
	open: () => Promise<Duplex>,
): Promise<void> {
	let connection: Duplex;
	try {
		connection = await open();
	} catch (failure) {
		await reportError(error, failure instanceof ApiError ? failure.message : 'internal error');
		await data.end();
		return;
	}
	void data.lost.then(() => connection.close({ type: 'failed', message: 'the client has disconnected' }));
	void sendInput(data, connection);
	await sendOutput(connection, data);
	await Promise.all([data.end(), error.end()]);
}

async function reportError(stream: SpdyStream | undefined, message: string): Promise<void> {
	await stream?.write(Buffer.from(message));
	await stream?.end();
}

async function sendInput(data: SpdyStream, connection: Duplex): Promise<void> {
	for (;;) {
		const bytes = await data.read();
		if (!bytes) break;
		if (!(await connection.send({ type: 'data', channel: 0, bytes }))) return;
	}
	await connection.send({ type: 'end', channel: 0 });
}

/**
 * A connection that the program resets is no error for the client, as upstream: it would close all other connections.
 */
async function sendOutput(connection: Duplex, data: SpdyStream): Promise<void> {
	for (;;) {
		const message = await connection.receive();
		if (message?.type !== 'data') return;
		if (!(await data.write(message.bytes))) return;
	}
}
