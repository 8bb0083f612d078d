import type { ClientHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { formatGoDuration } from '../../api/meta/go-duration-text.ts';
import type { Clock } from '../../base/clock.ts';
import { quote } from '../../base/quote.ts';
import { joinHostPort } from '../../plan/pod/probes/action-target.ts';
import type { PodSockets } from '../../runtime/pod-sockets.ts';
import { dialErrorText } from './network-error.ts';

/**
 * The call `grpc.health.v1.Health/Check` of gRPC probes (upstream: pkg/probe/grpc/grpc.go). One unary call with a message
 * of one field needs no gRPC library: it is a POST over HTTP/2 with a length-prefixed body and the status in trailers.
 */

/** What to ask, and for how long. */
export interface GrpcHealthRequest {
	readonly host: string;
	readonly port: number;
	readonly service: string;
	readonly userAgent: string;
	readonly clock: Clock;
	readonly timeoutMs: number;
	readonly sockets: Pick<PodSockets, 'connect'>;
}

/** gRPC's code of a method that the server does not have. */
const UNIMPLEMENTED = 12;

/** The names of the statuses of a service, by their number. */
const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];
const SERVING = 1;

/** Resolves to the message of the failure, or to undefined if the service is serving. */
export async function grpcHealth(request: GrpcHealthRequest): Promise<string | undefined> {
	const { host, port, clock, timeoutMs, sockets } = request;
	const { connect } = await import('node:http2');
	const address = joinHostPort(host, port);
	const { promise, resolve } = Promise.withResolvers<string | undefined>();
	let isConnected = false;
	const within = formatGoDuration(timeoutMs);
	const timer = clock.setTimer(timeoutMs, () =>
		resolve(
			isConnected
				? `timeout: health rpc did not complete within ${within}`
				: `timeout: failed to connect service ${quote(address)} within ${within}: context deadline exceeded`,
		),
	);
	const ended = new AbortController();
	let session: ClientHttp2Session | undefined;
	const follow = (socket: Socket): void => {
		socket.allowHalfOpen = false;
		const opened = connect(`http://${address}`, { createConnection: () => socket });
		session = opened;
		opened.on('error', (error) => {
			if (isConnected) resolve(rpcFailure('Unavailable', dialErrorText(error, address)));
		});
		opened.on('remoteSettings', () => {
			if (isConnected) return;
			isConnected = true;
			call(opened, request, resolve);
		});
		opened.on('close', () => {
			if (isConnected) resolve(rpcFailure('Unavailable', 'error reading from server: EOF'));
		});
	};
	// gRPC retries a refused connection until the deadline, so that only the timeout reports it.
	sockets.connect({ host, port }, ended.signal).then(follow, () => {});
	try {
		return await promise;
	} finally {
		timer.cancel();
		ended.abort();
		session?.destroy();
	}
}

function call(
	session: ClientHttp2Session,
	{ service, userAgent, timeoutMs }: GrpcHealthRequest,
	resolve: (failure: string | undefined) => void,
): void {
	const stream = session.request({
		':method': 'POST',
		':path': '/grpc.health.v1.Health/Check',
		'content-type': 'application/grpc',
		te: 'trailers',
		'user-agent': userAgent,
		'grpc-timeout': `${Math.ceil(timeoutMs)}m`,
	});
	const parts: Buffer[] = [];
	let size = 0;
	let trailers: Readonly<Record<string, unknown>> = {};
	let httpStatus = 200;
	stream.on('response', (headers) => {
		httpStatus = headers[':status'] ?? 200;
		// An answer without a message has its status in the headers.
		trailers = headers;
	});
	stream.on('trailers', (received) => {
		trailers = received;
	});
	stream.on('data', (part: Buffer) => {
		size += part.length;
		// The answer has seven bytes: a server that sends more is not a health service.
		if (size <= MOST_ANSWER_BYTES) parts.push(part);
		else stream.close();
	});
	stream.on('error', (error) => resolve(rpcFailure('Unavailable', error.message)));
	stream.on('close', () => resolve(failureOf(Buffer.concat(parts), { trailers, httpStatus })));
	stream.end(frame(service));
}

const MOST_ANSWER_BYTES = 16 * 1024;

function failureOf(
	body: Buffer,
	{ trailers, httpStatus }: { trailers: Readonly<Record<string, unknown>>; httpStatus: number },
): string | undefined {
	const code = trailers['grpc-status'];
	if (code === undefined) {
		const text = `unexpected HTTP status code received from server: ${httpStatus}`;
		return rpcFailure(httpStatus === 404 ? 'Unimplemented' : 'Unknown', text);
	}
	const message = decoded(String(trailers['grpc-message'] ?? ''));
	if (Number(code) === UNIMPLEMENTED) {
		return `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${message}`;
	}
	if (Number(code) !== 0) return rpcFailure(CODES[Number(code)] ?? `Code(${code})`, message);
	const status = statusIn(body);
	if (status === SERVING) return undefined;
	return `service unhealthy (responded with ${quote(STATUSES[status] ?? String(status))})`;
}

/** The names of gRPC's codes. */
const CODES =
	'OK Canceled Unknown InvalidArgument DeadlineExceeded NotFound AlreadyExists PermissionDenied ResourceExhausted FailedPrecondition Aborted OutOfRange Unimplemented Internal Unavailable DataLoss Unauthenticated'.split(
		' ',
	);

function rpcFailure(code: string, message: string): string {
	return `error: health rpc probe failed: rpc error: code = ${code} desc = ${message}`;
}

function decoded(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

/** The message HealthCheckRequest with its service in field 1, behind gRPC's prefix: a flag and the length. */
function frame(service: string): Buffer {
	const name = Buffer.from(service);
	const message = name.length === 0 ? name : Buffer.concat([Buffer.of(0x0a), varint(name.length), name]);
	const prefix = Buffer.alloc(5);
	prefix.writeUInt32BE(message.length, 1);
	return Buffer.concat([prefix, message]);
}

function varint(value: number): Buffer {
	const bytes: number[] = [];
	for (let rest = value; ; rest >>>= 7) {
		if (rest < 0x80) return Buffer.from([...bytes, rest]);
		bytes.push((rest & 0x7f) | 0x80);
	}
}

/** Field 1 of HealthCheckResponse; 0 if it is absent, which is the value UNKNOWN. */
function statusIn(body: Buffer): number {
	const message = body.subarray(5);
	return message[0] === 0x08 ? (message[1] ?? 0) : 0;
}
