import type { WebSocket } from 'ws';
import { CHANNELS, type Duplex, type DuplexMessage } from '../../api/contract/duplex.ts';
import { type ChannelProtocol, hasStatus } from '../../api/streams/channel-frames.ts';
import { WebSocketDuplex } from '../../api/streams/websocket-duplex.ts';
import type { Query } from '../query.ts';
import { portsOf } from '../subresources/port-forward.ts';
import type { StreamKind } from './handshake.ts';
import type { SessionOptions } from './session-options.ts';
import { slownessOf, watchWebSocket } from './web-socket-peer.ts';

/** What a session with channels needs besides its connection. */
export interface ChannelOptions extends SessionOptions {
	readonly protocol: ChannelProtocol;
	readonly kind: StreamKind;
	readonly query: Query;
}

/** Connects a WebSocket, which is paused, with a session until either is closed. */
export async function joinChannels(
	webSocket: WebSocket,
	session: Duplex,
	options: ChannelOptions,
): Promise<void> {
	const { protocol, stopping } = options;
	const blocked = slownessOf(webSocket, options);
	const client = new WebSocketDuplex(webSocket, { protocol, sendsEnds: false, blocked });
	watchWebSocket(webSocket, options);
	webSocket.resume();
	void client.closed.then((reason) => session.close(reason));
	stopWith(stopping, client);
	await Promise.all([
		forward(client, session),
		forward(adapted(session, options), client).then(async () => client.close(await session.closed)),
	]);
}

/** Closes a session when the server stops. */
function stopWith(stopping: AbortSignal, client: Duplex): void {
	const stop = (): void => client.close({ type: 'failed', message: 'the server is stopping' });
	if (stopping.aborted) stop();
	stopping.addEventListener('abort', stop, { once: true });
	void client.closed.then(() => stopping.removeEventListener('abort', stop));
}

/** Sends what `from` receives to `to` until either is closed. */
export async function forward(from: Pick<Duplex, 'receive'>, to: Pick<Duplex, 'send'>): Promise<void> {
	for (;;) {
		const message = await from.receive();
		if (!message || !(await to.send(message))) return;
	}
}

/** The messages of a session as the sub-protocol has them. */
function adapted(session: Duplex, { kind, protocol, query }: ChannelOptions): Pick<Duplex, 'receive'> {
	if (kind === 'ports') return withPorts(session, portsOf(query));
	if (hasStatus(protocol)) return session;
	return {
		receive: async () => {
			const message = await session.receive();
			return message?.type === 'data' && message.channel === CHANNELS.error
				? plainError(message.bytes)
				: message;
		},
	};
}

/** Each channel of a port begins with the number of the port in two bytes, as upstream. */
function withPorts(session: Duplex, ports: readonly number[]): Pick<Duplex, 'receive'> {
	const heads: DuplexMessage[] = ports.flatMap((port, index) => {
		const bytes = Uint8Array.of(port & 0xff, port >> 8);
		return [
			{ type: 'data', channel: 2 * index, bytes },
			{ type: 'data', channel: 2 * index + 1, bytes },
		];
	});
	return { receive: async () => heads.shift() ?? session.receive() };
}

/** Before version 4 the message of a failure is a text, and a success is empty. */
function plainError(status: Uint8Array): DuplexMessage {
	const text = new TextDecoder().decode(status);
	const parsed: { readonly status?: string; readonly message?: string } = text === '' ? {} : JSON.parse(text);
	const message = parsed.status === 'Failure' ? (parsed.message ?? '') : '';
	return { type: 'data', channel: CHANNELS.error, bytes: new TextEncoder().encode(message) };
}
