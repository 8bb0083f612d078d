/**
 * stint's own registry: serves the repositories of the image store, so that `docker push localhost:5000/app` makes an image
 * available to Jobs (OCI distribution specification 1.1).
 *
 * 1. It listens at the loopback address, since it has neither TLS nor authentication: every user of the machine can push.
 * 2. It answers no web page: a request must name a host that means this machine, and no request of a page of another origin
 *    is answered, whatever it asks for.
 * 3. A push is visible once its manifest is: that needs all of its content, whose digests were checked. What a client leaves
 *    unfinished is removed, at the latest when the process ends.
 * 4. Hashing and unpacking never run in the API server: the registry is a process of its own.
 *
 * Order of reading: this file, routes.ts, registry-call.ts, serve-*.ts, uploads.ts; store/repositories/.
 */
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Clock, Timer } from '../../base/clock.ts';
import { isShortage, isSystemShortage } from '../../base/files/system-error.ts';
import { messageOf } from '../../base/message-of.ts';
import { quote } from '../../base/quote.ts';
import type { Random } from '../../base/random.ts';
import { isThisMachine } from '../registry/http/addresses.ts';
import type { ImageStore } from '../store/image-store.ts';
import type { FilePart, RegistryReply, TagChange } from './registry-call.ts';
import { RegistryProblem } from './registry-problem.ts';
import { routeOf } from './routes.ts';
import { Uploads, type UploadsOptions } from './uploads.ts';

/** The parts and settings of a {@link RegistryServer}. */
export interface RegistryServerOptions extends Pick<UploadsOptions, 'idleMs' | 'reserveBytes'> {
	readonly store: ImageStore;
	readonly clock: Clock;
	readonly random: Random;
	/** Further names of this machine by which clients may call the registry, without port. */
	readonly hostNames?: readonly string[];
	/** Time after which a connection is closed on which nothing moves. Default: two minutes. */
	readonly stallMs?: number;
	/** Called after a tag was pushed or removed, before the client has the answer. */
	readonly onTag?: (change: TagChange) => Promise<void>;
	/** Receives errors that a client got as "500" and that are faults of this program or of the machine. */
	onError(error: unknown): void;
}

const MAX_CONNECTIONS = 512;
const STALL_MS = 120_000;
const SWEEP_INTERVAL_MS = 3_600_000;

/** A registry that listens; {@link RegistryServer.listen} opens it. */
export class RegistryServer {
	readonly #options: RegistryServerOptions;
	readonly #server: Server;
	readonly #uploads: Uploads;
	#sweep: Timer | undefined;
	/** The last sweep that was begun; never rejects. */
	#sweeping = Promise.resolve();
	/** The requests that are being answered. */
	readonly #running = new Set<Promise<void>>();

	private constructor(options: RegistryServerOptions) {
		this.#options = options;
		this.#uploads = new Uploads(options);
		// A push may take hours; what limits it is that something must move.
		this.#server = createServer({ requestTimeout: 0, headersTimeout: 30_000, keepAliveTimeout: 60_000 });
		this.#server.timeout = options.stallMs ?? STALL_MS;
		this.#server.maxConnections = MAX_CONNECTIONS;
		this.#server.on('request', (request, response) => {
			const running = this.#serve(request, response).finally(() => this.#running.delete(running));
			this.#running.add(running);
		});
	}

	/** Opens a registry on a port of 127.0.0.1; 0: on any free one. Rejects with the error of `listen`. */
	static async listen(options: RegistryServerOptions, port: number): Promise<RegistryServer> {
		const registry = new RegistryServer(options);
		registry.#server.listen(port, '127.0.0.1');
		await once(registry.#server, 'listening');
		registry.#sweepLater();
		return registry;
	}

	/** The port on which it listens. */
	get port(): number {
		const address = this.#server.address();
		return typeof address === 'object' && address ? address.port : 0;
	}

	/** Closes all connections, and gives up the uploads. The store stays open. */
	async close(): Promise<void> {
		this.#sweep?.cancel();
		this.#server.close();
		this.#server.closeAllConnections();
		await Promise.all(this.#running);
		await this.#uploads.close();
		await this.#sweeping;
	}

	/** Removes from time to time what has become garbage by its age. */
	#sweepLater(): void {
		const { clock, store, onError } = this.#options;
		this.#sweep = clock.setTimer(SWEEP_INTERVAL_MS, () => {
			this.#sweeping = store.sweep().catch(onError);
			this.#sweepLater();
		});
	}

	async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
		try {
			await send(await this.#answer(request), request, response);
		} catch (error) {
			// The client is gone, or the answer has begun: there is no other way to say that it is incomplete.
			if (response.headersSent || request.socket.destroyed) request.socket.destroy();
			else refuse(this.#problemOf(error), request, response);
		}
	}

	async #answer(request: IncomingMessage): Promise<RegistryReply> {
		const host = checkedHost(request, this.#options.hostNames ?? []);
		const url = URL.parse(request.url ?? '/', 'http://localhost');
		if (!url) throw new RegistryProblem('UNSUPPORTED', 'the path is malformed', { status: 404 });
		const { methods, name, reference } = routeOf(decoded(url.pathname));
		const handler = methods.get(request.method ?? '');
		if (!handler) {
			const allowed = [...methods.keys()].join(', ');
			throw new RegistryProblem('UNSUPPORTED', `the methods of this path are ${allowed}`, {
				headers: { Allow: allowed },
			});
		}
		const { store, onTag } = this.#options;
		return await handler({
			request,
			query: url.searchParams,
			host,
			name,
			reference,
			store,
			uploads: this.#uploads,
			onTag: async (change) => await onTag?.(change),
		});
	}

	#problemOf(error: unknown): RegistryProblem {
		if (error instanceof RegistryProblem) return error;
		if (isSystemShortage(error))
			return new RegistryProblem('TOOMANYREQUESTS', messageOf(error), { status: 503 });
		if (isShortage(error))
			return new RegistryProblem('UNKNOWN', 'the disk of the images is full', { status: 507 });
		this.#options.onError(error);
		return new RegistryProblem('UNKNOWN', messageOf(error));
	}
}

/**
 * The registry as the client calls it. Throws unless that means this machine: a page whose name an attacker makes mean
 * 127.0.0.1 sends its own name (DNS rebinding). Browsers say with each request by which page it was made.
 */
function checkedHost({ headers }: IncomingMessage, hostNames: readonly string[]): string {
	const host = (headers.host ?? '').toLowerCase();
	const hostname = host.replace(/:\d+$/, '');
	if (!isThisMachine(hostname) && !hostNames.includes(hostname))
		throw new RegistryProblem('DENIED', `${quote(host.slice(0, 200))} is not a name of this registry`);
	const site = headers['sec-fetch-site'];
	if (headers.origin !== undefined || (site !== undefined && site !== 'none'))
		throw new RegistryProblem('DENIED', 'requests of web pages are not allowed');
	return host;
}

function decoded(path: string): string {
	try {
		return decodeURIComponent(path);
	} catch {
		throw new RegistryProblem('NAME_INVALID', 'the path is not well-formed', { status: 400 });
	}
}

const COMMON_HEADERS = {
	'Docker-Distribution-Api-Version': 'registry/2.0',
	'X-Content-Type-Options': 'nosniff',
} as const;

async function send(
	{ status, headers, body = '' }: RegistryReply,
	request: IncomingMessage,
	response: ServerResponse,
): Promise<void> {
	const isFile = typeof body === 'object' && 'path' in body;
	const length = isFile ? body.length : Buffer.byteLength(body);
	const head = { ...COMMON_HEADERS, 'Content-Length': length, ...headers };
	if (isFile && request.method !== 'HEAD') return await sendFile(body, { status, head }, response);
	if (status === 204) response.writeHead(status, { ...COMMON_HEADERS, ...headers }).end();
	else response.writeHead(status, head).end(request.method === 'HEAD' || isFile ? undefined : body);
}

/** Sends a part of a file. It is opened before the answer begins: it may be removed meanwhile. */
async function sendFile(
	{ path, start, length }: FilePart,
	{ status, head }: { readonly status: number; readonly head: Readonly<Record<string, string | number>> },
	response: ServerResponse,
): Promise<void> {
	const file = await open(path, 'r');
	response.writeHead(status, head);
	if (length === 0) {
		await file.close();
		response.end();
		return;
	}
	await pipeline(file.createReadStream({ start, end: start + length - 1 }), response);
}

function refuse(problem: RegistryProblem, request: IncomingMessage, response: ServerResponse): void {
	const body = problem.body();
	const head = {
		...COMMON_HEADERS,
		'Content-Type': 'application/json',
		'Content-Length': Buffer.byteLength(body),
		...problem.headers,
	};
	response.writeHead(problem.status, head).end(request.method === 'HEAD' ? undefined : body);
	// Many clients read the answer only once they have sent the rest of the body.
	request.resume();
}
