import type { IncomingMessage } from 'node:http';
import { badRequest, forbiddenRequest } from '../../api/errors/api-error.ts';
import {
	CHANNEL_PROTOCOLS,
	type ChannelProtocol,
	isChannelProtocol,
	OLD_CHANNEL_PROTOCOLS,
} from '../../api/streams/channel-frames.ts';

/** What the session of a request carries: exec and attach, connections to ports, or the log of a container. */
export type StreamKind = 'command' | 'ports' | 'log';

/** What a client asks for in a valid handshake. */
export type Handshake =
	/** A WebSocket whose messages have channels. */
	| { readonly type: 'channels'; readonly protocol: ChannelProtocol }
	/** A WebSocket whose messages are the pieces of a log. */
	| { readonly type: 'log'; readonly isBase64: boolean }
	/** SPDY, inside a WebSocket if `isTunnel`. */
	| { readonly type: 'spdy'; readonly protocol: string; readonly isTunnel: boolean };

/** The sub-protocols of a WebSocket for a log (upstream: NewDefaultReaderProtocols in wsstream). */
const LOG_PROTOCOLS = ['binary.k8s.io', 'base64.binary.k8s.io'] as const;

/** The sub-protocol of a WebSocket that carries SPDY (upstream: apimachinery/pkg/util/portforward). */
export const TUNNEL_PROTOCOL = 'SPDY/3.1+portforward.k8s.io';

/** What a client speaks on the streams of SPDY, in the header X-Stream-Protocol-Version. */
const SPDY_PROTOCOLS: Readonly<Record<StreamKind, readonly string[]>> = {
	command: ['v4.channel.k8s.io'],
	ports: ['portforward.k8s.io'],
	log: [],
};

/**
 * What a request to upgrade asks for. Throws BadRequest, or Forbidden if client and server have no protocol in common.
 * kubectl tries SPDY after a refused WebSocket, so the message of either refusal must say why.
 */
export function handshakeOf(request: IncomingMessage, kind: StreamKind): Handshake {
	const upgrade = request.headers.upgrade?.toLowerCase();
	if (upgrade === 'websocket') return webSocketHandshake(request, kind);
	if (upgrade !== 'spdy/3.1')
		throw badRequest('unable to upgrade: the header Upgrade must be SPDY/3.1 or websocket');
	return { type: 'spdy', protocol: spdyProtocol(request, SPDY_PROTOCOLS[kind]), isTunnel: false };
}

/** The sub-protocol that a WebSocket is answered with: the first that the client offers and the server has for `kind`. */
export function subProtocolOf(offered: Iterable<string>, kind: StreamKind): string | undefined {
	const known = subProtocols(kind);
	return [...offered].find((name) => known.includes(name));
}

function subProtocols(kind: StreamKind): readonly string[] {
	if (kind === 'log') return LOG_PROTOCOLS;
	const channels = [...CHANNEL_PROTOCOLS, ...OLD_CHANNEL_PROTOCOLS];
	// Version 5 exists for commands only: with it a client could not know whether the port comes first.
	return kind === 'ports'
		? [TUNNEL_PROTOCOL, ...channels.filter((name) => !name.startsWith('v5.'))]
		: channels;
}

/** ws would refuse an invalid handshake with a text instead of a Status. */
function webSocketHandshake({ method, headers }: IncomingMessage, kind: StreamKind): Handshake {
	if (method !== 'GET') throw badRequest('unable to upgrade: a WebSocket needs the method GET');
	const version = headers['sec-websocket-version'] ?? '';
	if (version !== '13') throw badRequest('unable to upgrade: the version of WebSocket must be 13');
	if (!/^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? ''))
		throw badRequest('unable to upgrade: the header Sec-WebSocket-Key is missing or invalid');
	const offered = offeredBy({ headers });
	if (offered.some((name) => !TOKEN.test(name)) || new Set(offered).size < offered.length)
		throw badRequest('unable to upgrade: the header Sec-WebSocket-Protocol is invalid');
	// Without an offer the messages are those of the oldest sub-protocol, as upstream.
	const oldest = kind === 'log' ? 'binary.k8s.io' : 'channel.k8s.io';
	const protocol = offered.length > 0 ? subProtocolOf(offered, kind) : oldest;
	if (protocol === undefined)
		throw badRequest(`unable to upgrade: the sub-protocol must be one of ${subProtocols(kind).join(', ')}`);
	if (kind === 'log') return { type: 'log', isBase64: protocol === 'base64.binary.k8s.io' };
	if (isChannelProtocol(protocol)) return { type: 'channels', protocol };
	return { type: 'spdy', protocol, isTunnel: true };
}

/** The sub-protocols that a client offers; none if it has no header for them. */
export function offeredBy({ headers }: Pick<IncomingMessage, 'headers'>): readonly string[] {
	return headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
}

/** A name in a header, as RFC 9110 has it; the name of the tunnel has a slash too, as in upstream's clients. */
const TOKEN = /^[!#$%&'*+./^_`|~0-9A-Za-z-]+$/;

/** Upstream: Handshake and negotiateProtocol in apimachinery/pkg/util/httpstream. */
function spdyProtocol({ headers }: IncomingMessage, known: readonly string[]): string {
	const offered = [headers['x-stream-protocol-version'] ?? []]
		.flat()
		.flatMap((value) => value.split(','))
		.map((name) => name.trim());
	if (offered.length === 0) throw badRequest('unable to upgrade: X-Stream-Protocol-Version is required');
	const protocol = offered.find((name) => known.includes(name));
	if (protocol !== undefined) return protocol;
	const [client, server] = [offered, known].map((names) => `[${names.join(' ')}]`);
	throw forbiddenRequest(
		`unable to upgrade: unable to negotiate protocol: client supports ${client}, server accepts ${server}`,
	);
}
