import type { Descriptor } from '../manifests/document.ts';
import type { RegistryAnswer } from './http/http-client.ts';
import { RegistryError } from './registry-error.ts';
import type { FailureTexts, Repository } from './repository.ts';
import type { Session } from './requests.ts';

/** The content of a blob that is pushed. */
export interface PushedBlob {
	readonly descriptor: Descriptor;
	/** Starts to read the content, from its beginning. Called again if the upload is repeated. */
	open(): AsyncIterable<Uint8Array>;
}

/** How a blob is pushed. */
export interface PushOptions {
	/** The path of a repository of the same registry that has the blob already: it is then not uploaded, if permitted. */
	readonly mountFrom?: string;
	/** If set, the blob is uploaded in requests of this many bytes, for proxies that limit the size of requests. */
	readonly chunkBytes?: number;
	readonly signal?: AbortSignal;
}

/** How a blob came into the repository. */
export type PushOutcome = 'present' | 'mounted' | 'uploaded';

const TEXTS: FailureTexts = {
	denied: 'push access denied, repository does not exist or may require authorization',
};

/** Makes sure that the repository has the blob. Rejects with RegistryError. */
export function pushBlob(
	repository: Repository,
	blob: PushedBlob,
	options: PushOptions = {},
): Promise<PushOutcome> {
	return repository.first((session) => new Upload(session, blob, options).run(), TEXTS);
}

/**
 * Puts a manifest or an index under its digest, or under a tag. All content that it refers to must be in the registry.
 * Rejects with RegistryError.
 */
export async function pushManifest(
	repository: Repository,
	manifest: { readonly bytes: Uint8Array; readonly mediaType: string; readonly object: string },
	signal?: AbortSignal,
): Promise<void> {
	const { bytes, mediaType, object } = manifest;
	await repository.first(async (session) => {
		const headers = { 'Content-Type': mediaType };
		const target = `manifests/${object}`;
		const answer = await session.succeed({
			method: 'PUT',
			target,
			headers,
			body: bytes,
			...(signal && { signal }),
		});
		answer.discard();
	}, TEXTS);
}

/** The upload of one blob. */
class Upload {
	readonly #session: Session;
	readonly #blob: PushedBlob;
	readonly #options: PushOptions;
	readonly #signal: { readonly signal?: AbortSignal };

	constructor(session: Session, blob: PushedBlob, options: PushOptions) {
		this.#session = session;
		this.#blob = blob;
		this.#options = options;
		this.#signal = options.signal ? { signal: options.signal } : {};
	}

	async run(): Promise<PushOutcome> {
		const { digest } = this.#blob.descriptor;
		const head = await this.#session.send({ method: 'HEAD', target: `blobs/${digest}`, ...this.#signal });
		head.discard();
		if (head.status === 200) return 'present';
		const started = await this.#start();
		started.discard();
		if (started.status === 201) return 'mounted';
		const location = locationOf(started);
		const { chunkBytes } = this.#options;
		const answer = chunkBytes
			? await this.#sendChunks(location, chunkBytes)
			: await this.#sendWhole(location);
		answer.discard();
		const stored = answer.headers['docker-content-digest'];
		if (stored !== undefined && stored !== digest)
			throw new RegistryError(`unexpected digest ${String(stored).slice(0, 140)}, expected ${digest}`, {
				kind: 'corrupt',
			});
		return 'uploaded';
	}

	async #start(): Promise<RegistryAnswer> {
		const { mountFrom } = this.#options;
		const { digest } = this.#blob.descriptor;
		const request = { method: 'POST', target: 'blobs/uploads/', ...this.#signal };
		if (mountFrom === undefined) return this.#session.succeed(request);
		try {
			return await this.#session.succeed({ ...request, query: { mount: digest, from: mountFrom } });
		} catch (error) {
			// A registry that does not permit the mount says so by an error; a normal upload is still possible.
			if (error instanceof RegistryError && error.kind === 'denied') return this.#session.succeed(request);
			throw error;
		}
	}

	#sendWhole(location: URL): Promise<RegistryAnswer> {
		const blob = this.#blob;
		return this.#session.succeed({
			method: 'PUT',
			target: withDigest(location, blob.descriptor.digest),
			body: () => blob.open(),
			bodyBytes: blob.descriptor.size,
			headers: { 'Content-Type': 'application/octet-stream' },
			...this.#signal,
		});
	}

	async #sendChunks(first: URL, chunkBytes: number): Promise<RegistryAnswer> {
		let location = first;
		let offset = 0;
		for await (const body of chunksOf(this.#blob.open(), chunkBytes)) {
			const range = `${offset}-${offset + body.byteLength - 1}`;
			const headers = { 'Content-Type': 'application/octet-stream', 'Content-Range': range };
			const answer = await this.#session.succeed({
				method: 'PATCH',
				target: location,
				body,
				headers,
				...this.#signal,
			});
			answer.discard();
			location = locationOf(answer);
			offset += body.byteLength;
			checkReceived(answer, offset);
		}
		const target = withDigest(location, this.#blob.descriptor.digest);
		return this.#session.succeed({ method: 'PUT', target, ...this.#signal });
	}
}

function locationOf({ headers, request }: RegistryAnswer): URL {
	const url = headers.location === undefined ? undefined : URL.parse(headers.location, request.url);
	if (!url) throw new RegistryError('the registry gave no location for the upload', { kind: 'invalid' });
	return url;
}

/** Throws RegistryError if the registry says that it has fewer bytes than were sent. */
function checkReceived({ headers }: RegistryAnswer, offset: number): void {
	const last = /-(\d+)$/.exec(headers.range ?? '')?.[1];
	if (last === undefined || Number(last) === offset - 1) return;
	throw new RegistryError(`the registry received ${Number(last) + 1} of ${offset} bytes`, {
		kind: 'unavailable',
	});
}

function withDigest(location: URL, digest: string): URL {
	const url = new URL(location);
	url.searchParams.set('digest', digest);
	return url;
}

/** The same bytes in pieces of `length`, the last one shorter. */
async function* chunksOf(pieces: AsyncIterable<Uint8Array>, length: number): AsyncGenerator<Uint8Array> {
	let waiting: Uint8Array[] = [];
	let bytes = 0;
	for await (const piece of pieces) {
		waiting.push(piece);
		bytes += piece.byteLength;
		if (bytes < length) continue;
		const joined = Buffer.concat(waiting);
		let at = 0;
		for (; at + length <= joined.byteLength; at += length) yield joined.subarray(at, at + length);
		waiting = [joined.subarray(at)];
		bytes = joined.byteLength - at;
	}
	if (bytes > 0) yield Buffer.concat(waiting);
}
