import type { Clock } from '../../base/clock.ts';
import { digestOf, isDigest } from '../digest.ts';
import { type Descriptor, MAX_MANIFEST_BYTES } from '../manifests/document.ts';
import { bareMediaType, INDEX_TYPES, layerTypeOf, MANIFEST_TYPES } from '../manifests/media-types.ts';
import { type ImageReference, referenceText } from '../names/image-reference.ts';
import { type BlobOpener, blobPieces, checkedBytes } from './blob-pieces.ts';
import { withAdvice } from './hints.ts';
import type { RegistryAnswer } from './http/http-client.ts';
import { RegistryError, shownUrl } from './registry-error.ts';
import type { RegistryRequest, Session } from './requests.ts';
import { readTags } from './tags.ts';

/** The parts of a {@link Repository}. */
export interface RepositoryOptions {
	readonly reference: ImageReference;
	/** For each endpoint in order, and of each the credentials in order. Not empty. */
	readonly sessions: readonly Session[];
	readonly clock: Clock;
	/** The file of mirrors, for hints. */
	readonly registriesPath: string;
	/** Why credentials could not be read, for hints. */
	readonly problems: readonly string[];
}

const ACCEPT = [...MANIFEST_TYPES, ...INDEX_TYPES, '*/*'].join(', ');

/**
 * The images of one repository. Each request is sent to the endpoints in order, and to each with its credentials in
 * order, until one succeeds; the next request begins with that one. All methods reject with RegistryError.
 */
export class Repository {
	readonly reference: ImageReference;
	readonly #options: RepositoryOptions;
	/** The sessions, the one that succeeded last being first. */
	#sessions: readonly Session[];
	/** A manifest that a registry sent where only its digest was asked for. */
	#early: { readonly digest: string; readonly bytes: Uint8Array } | undefined;

	constructor(options: RepositoryOptions) {
		this.#options = options;
		this.reference = options.reference;
		this.#sessions = options.sessions;
	}

	/** From where the credential of the last successful request came; undefined if it had none. */
	get credentialOrigin(): string | undefined {
		return this.#sessions[0]?.credential?.origin;
	}

	/** What the tag or digest of the reference names: a manifest or an index. Its media type is the registry's word. */
	resolve(signal?: AbortSignal): Promise<Descriptor> {
		const text = referenceText(this.reference);
		const { tag, digest } = this.reference;
		return this.first((session) => this.#resolveAt(session, { object: digest ?? tag ?? 'latest', signal }), {
			notFound: `${text}: not found`,
			denied: 'pull access denied, repository does not exist or may require authorization',
		});
	}

	/** The bytes of a manifest or index, checked by size and digest. */
	async manifest(descriptor: Descriptor, signal?: AbortSignal): Promise<Uint8Array> {
		if (this.#early?.digest === descriptor.digest) return this.#early.bytes;
		return this.#read(descriptor, { folder: 'manifests', maxBytes: MAX_MANIFEST_BYTES, signal });
	}

	/** The bytes of a blob that is at most `maxBytes` long, checked by size and digest. */
	async blobBytes(descriptor: Descriptor, maxBytes: number, signal?: AbortSignal): Promise<Uint8Array> {
		return this.#read(descriptor, { folder: 'blobs', maxBytes, signal });
	}

	/**
	 * The pieces of a blob, as they arrive. A broken transfer is continued where it ended. After the last piece, size
	 * and digest have been checked; until then the content must not be trusted.
	 */
	blob(descriptor: Descriptor, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
		const open: BlobOpener = (offset) => this.#openBlob(descriptor, { offset, signal });
		return blobPieces(descriptor, open, { clock: this.#options.clock, ...(signal && { signal }) });
	}

	/** The tags of the repository, as the registry lists them. */
	tags(signal?: AbortSignal): Promise<readonly string[]> {
		return this.first((session) => readTags(session, signal), {
			notFound: `${this.reference.domain}/${this.reference.path}: not found`,
		});
	}

	/** Deletes a manifest by its digest. Registries may forbid it (405). */
	async deleteManifest(digest: string, signal?: AbortSignal): Promise<void> {
		await this.first(async (session) => {
			const answer = await session.succeed({
				method: 'DELETE',
				target: `manifests/${digest}`,
				...(signal && { signal }),
			});
			answer.discard();
		});
	}

	/**
	 * The result of the first session for which `act` succeeds. Of the errors, the one that came furthest is thrown, as
	 * containerd does: an answer with an error before "not found", and that before no answer.
	 */
	async first<T>(act: (session: Session) => Promise<T>, texts: FailureTexts = {}): Promise<T> {
		let worst:
			| { readonly error: RegistryError; readonly session: Session; readonly rank: number }
			| undefined;
		// An endpoint to which other credentials make no difference.
		let unreachable: string | undefined;
		for (const session of this.#sessions) {
			const { href } = session.endpoint.base;
			if (href === unreachable) continue;
			try {
				const result = await act(session);
				this.#sessions = [session, ...this.#sessions.filter((each) => each !== session)];
				return result;
			} catch (error) {
				if (!(error instanceof RegistryError)) throw error;
				if (error.failure.status === undefined || error.kind === 'unavailable') unreachable = href;
				const rank = rankOf(error);
				if (!worst || rank > worst.rank) worst = { error, session, rank };
			}
		}
		if (!worst) throw new RegistryError('no registry hosts', { kind: 'invalid' });
		throw this.#explained(worst, texts);
	}

	#explained(
		{ error, session }: { readonly error: RegistryError; readonly session: Session },
		{ notFound, denied }: FailureTexts,
	): RegistryError {
		const { registriesPath, problems } = this.#options;
		const origin = session.credential?.origin;
		const text = error.kind === 'not-found' && notFound ? new RegistryError(notFound, error.failure) : error;
		const isRefused = text.kind === 'denied' && /authorization failed/.test(text.message);
		return withAdvice(isRefused && denied ? text.prefixed(denied) : text, {
			domain: this.reference.domain,
			registriesPath,
			problems,
			...(origin !== undefined && { origin }),
		});
	}

	async #resolveAt(session: Session, { object, signal }: ResolveOptions): Promise<Descriptor> {
		const request = { target: `manifests/${object}`, headers: { Accept: ACCEPT }, ...(signal && { signal }) };
		const head = await session.send({ method: 'HEAD', ...request });
		const { status, headers } = head;
		// The answer to HEAD has no body that could explain a refusal, and some registries know only GET.
		if (status > 299 && status !== 403 && status !== 405) throw await session.errorOf(head);
		head.discard();
		const digest = this.reference.digest ?? headers['docker-content-digest']?.toString();
		const mediaType = bareMediaType(headers['content-type']);
		const length = headers['content-length'];
		if (status > 299 || digest === undefined || length === undefined)
			return this.#resolveByGet(session, request);
		if (!isDigest(digest)) {
			const problem = `${JSON.stringify(digest.slice(0, 128))} in header not a valid digest`;
			throw new RegistryError(problem, { kind: 'invalid' });
		}
		return checkedSize({ mediaType, digest, size: Number(length) }, object);
	}

	async #resolveByGet(session: Session, request: Omit<RegistryRequest, 'method'>): Promise<Descriptor> {
		const { answer, bytes } = await session.read({ method: 'GET', ...request }, MAX_MANIFEST_BYTES + 1);
		const digest = this.reference.digest ?? digestOf(bytes);
		const mediaType = bareMediaType(answer.headers['content-type']);
		const descriptor = checkedSize({ mediaType, digest, size: bytes.byteLength }, digest);
		this.#early = { digest, bytes: checkedBytes(descriptor, bytes, 'manifest') };
		return descriptor;
	}

	async #read(
		descriptor: Descriptor,
		{
			folder,
			maxBytes,
			signal,
		}: {
			readonly folder: 'manifests' | 'blobs';
			readonly maxBytes: number;
			readonly signal: AbortSignal | undefined;
		},
	): Promise<Uint8Array> {
		const { digest, size, mediaType } = descriptor;
		if (size > maxBytes)
			throw new RegistryError(`rejecting ${size} byte ${folder.slice(0, -1)} ${digest}`, { kind: 'invalid' });
		return this.first(
			async (session) => {
				const request = {
					method: 'GET',
					target: `${folder}/${digest}`,
					headers: { Accept: [mediaType, '*/*'].join(', '), 'Accept-Encoding': 'identity' },
					...(signal && { signal }),
				};
				const { bytes } = await session.read(request, size + 1);
				return checkedBytes(descriptor, bytes, folder === 'blobs' ? 'config' : 'manifest');
			},
			{ notFound: notFoundText(descriptor) },
		);
	}

	async #openBlob(
		descriptor: Descriptor,
		{ offset, signal }: { readonly offset: number; readonly signal: AbortSignal | undefined },
	): Promise<RegistryAnswer> {
		const { digest, mediaType, urls = [] } = descriptor;
		const headers = {
			Accept: [mediaType, '*/*'].join(', '),
			'Accept-Encoding': 'identity',
			...(offset > 0 && { Range: `bytes=${offset}-` }),
		};
		const elsewhere = layerTypeOf(mediaType)?.isForeign ? urls.flatMap((url) => URL.parse(url) ?? []) : [];
		return this.first(
			async (session) => {
				const targets: readonly (string | URL)[] = [`blobs/${digest}`, ...elsewhere];
				let failure: unknown;
				for (const target of targets) {
					try {
						return await this.#get(session, { target, headers, ...(signal && { signal }) });
					} catch (error) {
						if (!(error instanceof RegistryError)) throw error;
						failure ??= error;
					}
				}
				throw failure;
			},
			{ notFound: notFoundText(descriptor) },
		);
	}

	async #get(session: Session, request: Omit<RegistryRequest, 'method'>): Promise<RegistryAnswer> {
		const answer = await session.send({ method: 'GET', ...request });
		if (answer.status === 404) {
			answer.discard();
			const url = shownUrl(answer.request.url);
			throw new RegistryError(`content at ${url} not found: not found`, { kind: 'not-found', status: 404 });
		}
		if (answer.status < 200 || answer.status > 299) throw await session.errorOf(answer);
		return answer;
	}
}

interface ResolveOptions {
	/** A tag or a digest. */
	readonly object: string;
	readonly signal: AbortSignal | undefined;
}

/** Texts in place of those of single requests. */
export interface FailureTexts {
	/** If no endpoint has it. */
	readonly notFound?: string;
	/** Before the message that the credentials are not sufficient. */
	readonly denied?: string;
}

function rankOf({ kind, failure }: RegistryError): number {
	if (kind === 'corrupt') return 4;
	if (failure.status === undefined) return 1;
	return failure.status === 404 ? 2 : 3;
}

function notFoundText({ digest, mediaType }: Descriptor): string {
	return `could not fetch content descriptor ${digest} (${mediaType}) from remote: not found`;
}

function checkedSize(descriptor: Descriptor, object: string): Descriptor {
	const { size } = descriptor;
	if (Number.isSafeInteger(size) && size <= MAX_MANIFEST_BYTES) return descriptor;
	throw new RegistryError(`rejecting ${size} byte manifest for ${object}: not found`, { kind: 'invalid' });
}
