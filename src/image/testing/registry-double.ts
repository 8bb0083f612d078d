import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import https from 'node:https';
import { digestOf } from '../digest.ts';
import { MEDIA_TYPES } from '../manifests/media-types.ts';
import type { TestImage } from './test-image.ts';

/** A request that the double received. */
export interface ReceivedRequest {
	readonly method: string;
	/** The path with the query. */
	readonly url: string;
	readonly headers: http.IncomingHttpHeaders;
	readonly body: string;
}

/** How requests must be authorized. */
export type DoubleAuth =
	| { readonly kind: 'none' }
	| { readonly kind: 'basic'; readonly user: string; readonly password: string }
	/** Tokens come from `realm`, by default the double's own `/token`, which knows one user, and anonymous ones if allowed. */
	| {
			readonly kind: 'bearer';
			readonly realm?: string;
			readonly user: string;
			readonly password: string;
			readonly anonymous?: boolean;
			/** The repositories for which the user gets tokens; all by default. */
			readonly repositories?: readonly string[];
			/** Whether tokens are given by POST (OAuth 2), too. */
			readonly oauth?: boolean;
	  };

/** What a handler gets besides request and response. */
export type Fault = (
	request: ReceivedRequest,
	response: ServerResponse,
	incoming: IncomingMessage,
) => boolean;

/**
 * A registry in this process that can misbehave: the pulls, pushes and tokens of the protocol over content in memory,
 * and a fault that may answer each request instead.
 */
export class RegistryDouble {
	/** All requests, in order. */
	readonly requests: ReceivedRequest[] = [];
	/** By digest. */
	readonly blobs = new Map<string, Uint8Array>();
	/** By `repository:tag` and `repository:digest`. */
	readonly manifests = new Map<string, { readonly mediaType: string; readonly bytes: Uint8Array }>();
	auth: DoubleAuth = { kind: 'none' };
	/** Returns true if it has answered the request, or will. */
	fault: Fault = () => false;
	readonly #server: http.Server;
	readonly #uploads = new Map<string, Buffer>();
	#waiting: { readonly fits: (request: ReceivedRequest) => boolean; readonly resolve: () => void }[] = [];

	private constructor(tls: https.ServerOptions | undefined) {
		const listen: RequestListener = (incoming, response) => void this.#receive(incoming, response);
		this.#server = tls ? https.createServer(tls, listen) : http.createServer(listen);
	}

	/** Starts a registry on a free port of 127.0.0.1. */
	static async start(tls?: https.ServerOptions): Promise<RegistryDouble> {
		const double = new RegistryDouble(tls);
		await new Promise<void>((resolve) => double.#server.listen(0, '127.0.0.1', resolve));
		return double;
	}

	/** Such as `5000`. */
	get port(): number {
		const address = this.#server.address();
		return typeof address === 'object' && address ? address.port : 0;
	}

	/** Such as `127.0.0.1:5000`. */
	get host(): string {
		return `127.0.0.1:${this.port}`;
	}

	/** Closes all connections, too. */
	async stop(): Promise<void> {
		this.#server.closeAllConnections();
		await new Promise((resolve) => this.#server.close(resolve));
	}

	/** Stores the content of an image, and its manifest under the tag. */
	add(repository: string, tag: string, { manifest, content }: Pick<TestImage, 'manifest' | 'content'>): void {
		for (const [digest, bytes] of content) {
			this.blobs.set(digest, bytes);
			const text = Buffer.from(bytes).toString('latin1');
			const mediaType = /"mediaType":"(application\/[^"]*(?:manifest|index)[^"]*)"/.exec(text)?.[1];
			if (!text.startsWith('{"schemaVersion"') || !mediaType) continue;
			this.manifests.set(`${repository}:${digest}`, { mediaType, bytes });
		}
		this.addManifest(
			`${repository}:${tag}`,
			manifest.mediaType,
			content.get(manifest.digest) ?? new Uint8Array(),
		);
	}

	/** Stores a manifest under `repository:tag`, and under its digest. */
	addManifest(name: string, mediaType: string, bytes: Uint8Array): void {
		const repository = name.split(':', 1).join();
		this.manifests
			.set(name, { mediaType, bytes })
			.set(`${repository}:${digestOf(bytes)}`, { mediaType, bytes });
	}

	/** The methods and URLs of the requests, as `GET /v2/app/tags/list`. */
	get log(): readonly string[] {
		return this.requests.map(({ method, url }) => `${method} ${url}`);
	}

	/** Resolves when a request for which `fits` holds has been received. */
	received(fits: (request: ReceivedRequest) => boolean): Promise<void> {
		if (this.requests.some(fits)) return Promise.resolve();
		return new Promise((resolve) => this.#waiting.push({ fits, resolve }));
	}

	async #receive(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
		const pieces: Buffer[] = [];
		try {
			for await (const piece of incoming) pieces.push(piece);
		} catch {
			return;
		}
		const body = Buffer.concat(pieces);
		const { method = '', url = '', headers } = incoming;
		const request = { method, url, headers, body: body.toString('latin1') };
		this.requests.push(request);
		this.#waiting = this.#waiting.filter(({ fits, resolve }) => {
			if (fits(request)) resolve();
			return !fits(request);
		});
		if (this.fault(request, response, incoming)) return;
		if (url.startsWith('/token')) this.#token(request, response);
		else if (this.#isAuthorized(request, response)) this.#serve(request, response, body);
	}

	#serve(request: ReceivedRequest, response: ServerResponse, body: Buffer): ServerResponse {
		const parts = /^\/v2\/(.+)\/(manifests|blobs|tags)\/([^?]+)/.exec(request.url);
		if (!parts) return reply(response, 404, errors('NOT_FOUND', 'no such route'));
		const [, repository = '', folder, name = ''] = parts;
		if (folder === 'tags') return this.#tags(request, response, repository);
		if (folder === 'manifests')
			return this.#manifest(request, response, { key: `${repository}:${name}`, body });
		if (name.startsWith('uploads/')) return this.#upload(request, response, { repository, name, body });
		const blob = this.blobs.get(name);
		if (!blob) return reply(response, 404, errors('BLOB_UNKNOWN', 'blob unknown to registry'));
		const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
		if (from > 0)
			response.setHeader('Content-Range', `bytes ${from}-${blob.byteLength - 1}/${blob.byteLength}`);
		response.setHeader('Docker-Content-Digest', name);
		return send(response, {
			status: from > 0 ? 206 : 200,
			body: blob.subarray(from),
			isHead: request.method === 'HEAD',
		});
	}

	#manifest(
		request: ReceivedRequest,
		response: ServerResponse,
		{ key, body }: { readonly key: string; readonly body: Buffer },
	): ServerResponse {
		if (request.method === 'DELETE') {
			return this.manifests.delete(key)
				? reply(response, 202, '')
				: reply(response, 404, errors('MANIFEST_UNKNOWN', 'unknown'));
		}
		if (request.method === 'PUT') {
			this.addManifest(key, request.headers['content-type'] ?? '', body);
			return reply(response, 201, '');
		}
		const found = this.manifests.get(key);
		if (!found) return reply(response, 404, errors('MANIFEST_UNKNOWN', 'manifest unknown'));
		response.setHeader('Content-Type', found.mediaType);
		response.setHeader('Docker-Content-Digest', digestOf(found.bytes));
		return send(response, { status: 200, body: found.bytes, isHead: request.method === 'HEAD' });
	}

	/** Two tags a page. */
	#tags(request: ReceivedRequest, response: ServerResponse, repository: string): ServerResponse {
		const all = [...this.manifests.keys()].filter(
			(key) => key.startsWith(`${repository}:`) && !key.includes('sha256'),
		);
		const tags = all.map((key) => key.slice(repository.length + 1)).sort();
		const last = new URL(request.url, 'http://x').searchParams.get('last') ?? '';
		const page = tags.filter((tag) => tag > last).slice(0, 2);
		const end = page.at(-1);
		if (end !== undefined && end !== tags.at(-1))
			response.setHeader('Link', `</v2/${repository}/tags/list?n=2&last=${end}>; rel="next"`);
		return reply(response, 200, JSON.stringify({ name: repository, tags: page }));
	}

	#upload(
		request: ReceivedRequest,
		response: ServerResponse,
		{ repository, name, body }: { readonly repository: string; readonly name: string; readonly body: Buffer },
	): ServerResponse {
		const query = new URL(request.url, 'http://x').searchParams;
		const mounted = query.get('mount');
		if (request.method === 'POST' && mounted && this.blobs.has(mounted)) return reply(response, 201, '');
		const id = request.method === 'POST' ? `u${this.#uploads.size}` : name.slice('uploads/'.length);
		const content = Buffer.concat([this.#uploads.get(id) ?? Buffer.alloc(0), body]);
		this.#uploads.set(id, content);
		if (request.method !== 'PUT') {
			response.setHeader(
				'Location',
				`/v2/${repository}/blobs/uploads/${id}?state=secret-${content.byteLength}`,
			);
			return reply(response, 202, '');
		}
		const digest = query.get('digest') ?? '';
		if (digestOf(content) !== digest)
			return reply(response, 400, errors('DIGEST_INVALID', 'provided digest did not match'));
		this.blobs.set(digest, content);
		response.setHeader('Docker-Content-Digest', digest);
		return reply(response, 201, '');
	}

	#isAuthorized({ headers, url }: ReceivedRequest, response: ServerResponse): boolean {
		const { auth } = this;
		const { authorization } = headers;
		if (auth.kind === 'none') return true;
		if (auth.kind === 'basic') {
			if (authorization === basic(auth.user, auth.password)) return true;
			response.setHeader('WWW-Authenticate', 'Basic realm="double"');
		} else {
			const repository = /^\/v2\/(.+)\/(?:manifests|blobs|tags)\//.exec(url)?.[1] ?? '';
			const allowed = new RegExp(`(^| )repository:${repository}:[a-z,]*pull`);
			const granted = /^Bearer t\.([^.]*)/.exec(authorization ?? '')?.[1];
			if (granted !== undefined && allowed.test(Buffer.from(granted, 'base64url').toString())) return true;
			const realm = auth.realm ?? `http://${this.host}/token`;
			const problem = authorization ? ',error="insufficient_scope"' : '';
			response.setHeader(
				'WWW-Authenticate',
				`Bearer realm="${realm}",service="double",scope="repository:${repository}:pull"${problem}`,
			);
		}
		reply(response, 401, errors('UNAUTHORIZED', 'authentication required'));
		return false;
	}

	#token(request: ReceivedRequest, response: ServerResponse): ServerResponse {
		const { auth } = this;
		if (auth.kind !== 'bearer') return reply(response, 404, '');
		const isPost = request.method === 'POST';
		if (isPost && auth.oauth === false) return reply(response, 405, '');
		const parameters = isPost
			? new URLSearchParams(request.body)
			: new URL(request.url, 'http://x').searchParams;
		const given = isPost
			? basic(parameters.get('username') ?? '', parameters.get('password') ?? '')
			: request.headers.authorization;
		const isUser =
			given === basic(auth.user, auth.password) || parameters.get('refresh_token') === auth.password;
		const isAnonymous = given === undefined && auth.anonymous === true;
		if (!isUser && !isAnonymous)
			return reply(response, 401, errors('UNAUTHORIZED', 'incorrect username or password'));
		const scopes = parameters.getAll('scope').flatMap((scope) => scope.split(' '));
		const granted = scopes.filter(
			(scope) =>
				!auth.repositories || auth.repositories.some((each) => scope.startsWith(`repository:${each}:`)),
		);
		// Each token is another one.
		const token = `t.${Buffer.from(granted.join(' ')).toString('base64url')}.${this.requests.length}`;
		return reply(response, 200, JSON.stringify({ token, access_token: token, expires_in: 300 }));
	}
}

/** The header of Basic authorization. */
export function basic(user: string, password: string): string {
	return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

/** The body of a registry's error. */
export function errors(code: string, message: string): string {
	return JSON.stringify({ errors: [{ code, message }] });
}

/** Answers with a text of JSON. */
export function reply(response: ServerResponse, status: number, body: string): ServerResponse {
	if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', 'application/json');
	return send(response, { status, body: Buffer.from(body), isHead: response.req.method === 'HEAD' });
}

function send(
	response: ServerResponse,
	{ status, body, isHead }: { readonly status: number; readonly body: Uint8Array; readonly isHead: boolean },
): ServerResponse {
	if (!response.hasHeader('Content-Type')) response.setHeader('Content-Type', MEDIA_TYPES.layer);
	response.writeHead(status, { 'Content-Length': body.byteLength });
	return response.end(isHead ? undefined : body);
}
