import { DEFAULT_TOKEN_SECONDS } from '../../../api/authentication/token-request.ts';
import type { FileReaders } from '../../../api/contract/file-readers.ts';
import type { VolumeProjection } from '../../../api/core/pod/schema/projected-volume.ts';
import type { Pod, PodSpec, Volume } from '../../../api/core/pod/schema.ts';
import { approximate } from '../../../base/json/json.ts';
import { fieldValue, type NodeFacts, resourceValue } from '../config/downward.ts';
import {
	type DataKind,
	type InputData,
	InputError,
	type InputValues,
	needKey,
	notFoundText,
	TOKEN_KEY,
} from './values.ts';

/** A file of a volume. */
export interface VolumeFile {
	/** Relative to the volume, with `/`; validation has excluded `..`. */
	readonly path: string;
	readonly content: string | Uint8Array;
	/** Permission bits. */
	readonly mode: number;
	/** Absent: it may be read by those who have the permissions. */
	readonly readers?: FileReaders;
}

/** What the content of files depends on beside the Pod. */
export interface FileSources {
	readonly data: InputValues['data'];
	readonly facts: NodeFacts;
}

type Projection = NonNullable<VolumeProjection['configMap']>;
type Items = NonNullable<NonNullable<Volume['downwardAPI']>['items']>;

/** Upstream's default for `defaultMode`. */
const DEFAULT_MODE = 0o644;
/** That of a token with an owner, whatever `defaultMode` is. */
const PRIVATE_MODE = 0o600;

/**
 * The files of a volume that is made of objects or of the Pod's own fields (upstream: `MakePayload` of each volume
 * plugin); undefined for other volumes. Throws InputError if a required object or key is missing. If two sources of a
 * projected volume have the same path, the later one counts.
 */
export function filesOf(pod: Pod, volume: Volume, sources: FileSources): readonly VolumeFile[] | undefined {
	const { configMap, secret, downwardAPI, projected } = volume;
	const mode = (configMap ?? secret ?? downwardAPI ?? projected)?.defaultMode ?? DEFAULT_MODE;
	const files = new VolumeFiles(pod, sources, mode);
	if (configMap) return files.ofData('configMap', configMap);
	if (secret) return files.ofData('secret', { ...secret, name: secret.secretName ?? '' });
	if (downwardAPI) return files.ofFields(downwardAPI.items);
	return projected && projectedFiles(files, projected.sources ?? []);
}

/** The files of all sources. The error has the messages of all sources that fail, as Go's `NewAggregate` joins them. */
function projectedFiles(files: VolumeFiles, sources: readonly VolumeProjection[]): readonly VolumeFile[] {
	const byPath = new Map<string, VolumeFile>();
	const failures = new Set<string>();
	for (const source of sources) {
		try {
			for (const file of files.ofProjection(source)) byPath.set(file.path, file);
		} catch (error) {
			if (!(error instanceof InputError)) throw error;
			failures.add(error.message);
		}
	}
	const [only] = failures;
	if (only === undefined) return [...byPath.values()];
	throw new InputError(failures.size === 1 ? only : `[${[...failures].join(', ')}]`);
}

/** Makes the files of one volume. */
class VolumeFiles {
	readonly #pod: Pod;
	readonly #sources: FileSources;
	readonly #defaultMode: number;

	constructor(pod: Pod, sources: FileSources, defaultMode: number) {
		this.#pod = pod;
		this.#sources = sources;
		this.#defaultMode = defaultMode;
	}

	ofProjection(source: VolumeProjection): readonly VolumeFile[] {
		if (source.configMap) return this.ofData('configMap', source.configMap);
		if (source.secret) return this.ofData('secret', source.secret);
		if (source.downwardAPI) return this.ofFields(source.downwardAPI.items);
		if (source.serviceAccountToken) return this.#ofToken(source.serviceAccountToken);
		// No such object exists, which leaves the file of an optional source empty.
		if (source.clusterTrustBundle?.optional) return [this.#file(source.clusterTrustBundle.path, '')];
		throw new InputError('ClusterTrustBundles and PodCertificateRequests are not served');
	}

	/** A file for each key of the object, or for each item. */
	ofData(kind: DataKind, { name = '', items, optional }: Projection): readonly VolumeFile[] {
		const found = this.#sources.data.get(needKey({ kind, name }));
		if (!found && !optional) throw new InputError(notFoundText(kind, name));
		const data: InputData = found ?? new Map();
		if (!items?.length) return Array.from(data, ([path, content]) => this.#file(path, content));
		return items.flatMap(({ key, path, mode }) => {
			const content = data.get(key);
			if (content !== undefined) return [this.#file(path, content, mode)];
			if (optional) return [];
			const what =
				kind === 'configMap' ? 'configmap references non-existent config' : 'references non-existent secret';
			throw new InputError(`${what} key: ${key}`);
		});
	}

	/** A file for each item of the downward API. */
	ofFields(items: Items = []): readonly VolumeFile[] {
		const { facts } = this.#sources;
		const owner = { pod: this.#pod, container: undefined };
		return items.map(({ path, fieldRef, resourceFieldRef, mode }) => {
			const text = fieldRef
				? fieldValue(this.#pod, fieldRef.fieldPath, facts)
				: resourceFieldRef && resourceValue(owner, resourceFieldRef, facts);
			return this.#file(path, text ?? '', mode);
		});
	}

	#ofToken({
		audience = '',
		expirationSeconds = DEFAULT_TOKEN_SECONDS,
		path,
	}: NonNullable<VolumeProjection['serviceAccountToken']>): readonly VolumeFile[] {
		const reference = { audience, expirationSeconds: approximate(expirationSeconds) };
		const token = this.#sources.data
			.get(needKey({ kind: 'serviceAccountToken', ...reference }))
			?.get(TOKEN_KEY);
		if (token !== undefined) return [this.#tokenFile(path, token)];
		const account = this.#pod.spec.serviceAccountName || 'default';
		throw new InputError(`failed to fetch token: serviceaccounts "${account}" not found`);
	}

	/** Only the user of the containers, or their group, can read a token, if the Pod names one. */
	#tokenFile(path: string, token: string | Uint8Array): VolumeFile {
		const user = commonUserOf(this.#pod.spec);
		const { fsGroup } = this.#pod.spec.securityContext ?? {};
		if (user !== undefined) return { ...this.#file(path, token, PRIVATE_MODE), readers: { user } };
		if (fsGroup === undefined) return this.#file(path, token);
		return { ...this.#file(path, token, PRIVATE_MODE), readers: { group: approximate(fsGroup) } };
	}

	#file(path: string, content: string | Uint8Array, mode = this.#defaultMode): VolumeFile {
		return { path, content, mode };
	}
}

/** The user that all containers of the Pod run as, if the Pod says one for each (upstream: `FsUserFrom`). */
function commonUserOf({ securityContext, containers, initContainers = [] }: PodSpec): number | undefined {
	const users = new Set(
		[...initContainers, ...containers].map(
			(each) => each.securityContext?.runAsUser ?? securityContext?.runAsUser,
		),
	);
	const [user] = users;
	return users.size === 1 && user !== undefined ? approximate(user) : undefined;
}
