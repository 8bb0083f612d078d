/**
 * The stage of inputs: what a Pod needs beside its own spec is fetched and set up here, as the volume manager and
 * `makeEnvironmentVariables` of the kubelet do. plan/pod/inputs says what is needed and what it is made of;
 * input-source.ts is where objects come from, volume-host.ts where volumes are made.
 *
 * 1. The volumes of a Pod are set up before its sandbox is created, and removed after its sandboxes are.
 * 2. The objects of a container's variables are read at each start, so that a restart sees a change.
 * 3. A missing object fails the step with upstream's message. The caller retries when {@link PodInputs.changesOf} grows,
 *    and with backoff.
 * 4. The calls for one Pod do not overlap: its worker makes them.
 */

import { basename, dirname } from 'node:path';
import type { Mount } from '../../api/contract/container-config.ts';
import type { EventText } from '../../api/core/event/event-text.ts';
import type { Container, Pod, Volume } from '../../api/core/pod/schema.ts';
import type { ObjectMeta } from '../../api/meta/object-meta.ts';
import { semanticEqual } from '../../api/schema/equality.ts';
import { messageOf } from '../../base/message-of.ts';
import type { NodeFacts } from '../../plan/pod/config/downward.ts';
import { ClaimError, type ClaimObjects, claimOf } from '../../plan/pod/inputs/claimed-volume.ts';
import { claimFailure, mountFailure } from '../../plan/pod/inputs/mount-events.ts';
import {
	containerInputs,
	envFilesOf,
	type InputNeed,
	mountedVolumesOf,
	podInputs,
	pullSecretInputs,
	volumeInputs,
} from '../../plan/pod/inputs/needs.ts';
import { pullSecretOf } from '../../plan/pod/inputs/pull-secrets.ts';
import {
	type EnvFile,
	envFileKey,
	type InputData,
	InputError,
	type InputValues,
	needKey,
	type PreparedVolume,
} from '../../plan/pod/inputs/values.ts';
import type { VolumeSetUp } from '../../plan/pod/inputs/volume-kinds.ts';
import { isUpdatedLive, volumeSetUpOf } from '../../plan/pod/inputs/volume-set-up.ts';
import type { ImagePullSecret } from '../../runtime/contract.ts';
import type { InputSource } from './input-source.ts';
import type { NetworkFiles } from './network-files.ts';
import { MountError, type VolumeHost } from './volume-host.ts';

/** The components and settings of {@link PodInputs}. */
export interface PodInputsOptions {
	readonly source: InputSource;
	/** Undefined if the runtime mounts nothing, or only simulates containers. */
	readonly volumes: VolumeHost | undefined;
	/** The files about names; undefined on a node without volumes. */
	readonly files: NetworkFiles | undefined;
	readonly facts: Pick<NodeFacts, 'allocatable' | 'hostIP'>;
}

/** The Secrets for pulling a Pod's images. */
export interface PullSecrets {
	readonly secrets: readonly ImagePullSecret[];
	readonly missing: readonly string[];
}

/** Why volumes could not be set up. */
export interface MountFailures {
	/** An event for each, in upstream's form. */
	readonly events: readonly EventText[];
	/** Whether one of them waits for its claim. */
	readonly hasClaimFailure: boolean;
}

/** The volumes of a Pod, and what they were made from. */
interface Prepared {
	readonly volumes: ReadonlyMap<string, PreparedVolume>;
	/** The fields of the Pod that files can refer to and that can change. */
	readonly fields: Pick<ObjectMeta, 'generation' | 'labels' | 'annotations'>;
	readonly changes: number;
}

function fieldsOf({ metadata: { generation, labels, annotations } }: Pod): Prepared['fields'] {
	return {
		...(generation !== undefined && { generation }),
		...(labels && { labels }),
		...(annotations && { annotations }),
	};
}

/** See the header of this file. */
export class PodInputs {
	readonly #options: PodInputsOptions;
	/** By Pod UID. */
	readonly #prepared = new Map<string, Prepared>();
	/** By Pod UID, the number of changes of the objects and tokens that the Pod follows. */
	readonly #changes = new Map<string, number>();
	/** By the name of a PersistentVolume, the UIDs of the Pods that have it. */
	readonly #holders = new Map<string, Set<string>>();

	constructor(options: PodInputsOptions) {
		this.#options = options;
	}

	/** The source of inputs calls this, by way of its owner, when an object or token of the Pod has changed. */
	noteChange(podUid: string): void {
		const changes = this.#changes.get(podUid);
		if (changes !== undefined) this.#changes.set(podUid, changes + 1);
	}

	/** The number of changes of the Pod's inputs so far: a failed step may succeed once it has grown. */
	changesOf(podUid: string): number {
		return this.#changes.get(podUid) ?? 0;
	}

	/**
	 * Sets up the mounted volumes of the Pod; if they are, only those whose files change while it runs. `inUse` says
	 * whether it has containers already.
	 */
	async setUpVolumes(pod: Pod, { inUse }: { readonly inUse: boolean }): Promise<MountFailures> {
		const { uid = '' } = pod.metadata;
		const { volumes } = this.#options;
		if (!this.#changes.has(uid)) this.#follow(pod);
		const changes = this.changesOf(uid);
		const prepared = new Map<string, PreparedVolume>();
		const failures = new Failures();
		const before = this.#prepared.get(uid)?.volumes;
		for (const volume of volumes ? mountedVolumesOf(pod) : []) {
			if (before?.has(volume.name) && !isUpdatedLive(volume)) continue;
			try {
				prepared.set(volume.name, await this.#setUp(pod, volume, inUse));
			} catch (error) {
				failures.add(volume.name, error);
			}
		}
		if (failures.isEmpty || before) {
			const fields = fieldsOf(pod);
			this.#prepared.set(uid, { volumes: new Map([...(before ?? []), ...prepared]), fields, changes });
		}
		return failures.told();
	}

	/**
	 * Whether the files of the Pod's volumes may differ from what they are made from: an object or token has changed, or a
	 * field of the Pod, or this agent has not set them up. For a Pod whose containers were started.
	 */
	isStale(pod: Pod): boolean {
		if (!this.#options.volumes) return false;
		const prepared = this.#prepared.get(pod.metadata.uid ?? '');
		if (!prepared) return mountedVolumesOf(pod).length > 0;
		if (prepared.volumes.size === 0) return false;
		if (prepared.changes !== this.changesOf(pod.metadata.uid ?? '')) return true;
		return !semanticEqual(fieldsOf(pod), prepared.fields);
	}

	/** The values for a start of the container. Rejects with InputError if its volumes cannot be set up. */
	async valuesOf(
		pod: Pod,
		container: Container,
		{ podIP }: { readonly podIP: string },
	): Promise<InputValues> {
		const { uid = '' } = pod.metadata;
		// An ephemeral container brings needs that the Pod did not have at its start.
		if (isEphemeral(pod, container)) this.#follow(pod);
		// Otherwise the agent has restarted since the sandbox was created.
		const [failure] = this.#isSetUp(pod) ? [] : (await this.setUpVolumes(pod, { inUse: true })).events;
		if (failure) throw new InputError(failure.message);
		const data = await this.#read(pod, containerInputs(container));
		const { volumes: host } = this.#options;
		if (!host) return { data, volumes: undefined };
		const volumes = this.#prepared.get(uid)?.volumes ?? new Map<string, PreparedVolume>();
		return {
			data,
			volumes,
			envFiles: await readEnvFiles(host, container, volumes),
			...(await this.#options.files?.write(pod, podIP)),
		};
	}

	/**
	 * Creates the missing folders of the container's sub-paths. Rejects with InputError, whose message says nothing about
	 * the host, as upstream's.
	 */
	async makeSubPaths({ name, volumeMounts = [] }: Container, mounts: readonly Mount[]): Promise<void> {
		for (const { hostPath, subPath, containerPath, image } of mounts) {
			if (subPath === '' || image !== undefined) continue;
			const mount = volumeMounts.find(({ mountPath }) => containerPath.endsWith(mountPath));
			const fail = (step: string): never => {
				throw new InputError(
					`failed to ${step} for volumeMount "${mount?.name ?? ''}" of container "${name}"`,
				);
			};
			const making = this.#options.volumes?.makeSubPath(hostPath, subPath);
			const isWithin = await making?.catch(() => fail('create subPath directory'));
			if (isWithin === false) fail('prepare subPath');
		}
	}

	/** As {@link VolumeHost.makeMessageFile}; resolves to an empty text if the node has no volumes. */
	async makeMessageFile(podUid: string, container: string, attempt: number): Promise<string> {
		return (await this.#options.volumes?.makeMessageFile(podUid, container, attempt)) ?? '';
	}

	/** The path of a file that {@link makeMessageFile} has made; undefined if the node has no volumes. */
	messageFile(podUid: string, container: string, attempt: number): string | undefined {
		return this.#options.volumes?.messageFile(podUid, container, attempt);
	}

	/** The text of a file that {@link messageFile} names, which a container has made unreadable for this process. */
	async privateMessage(path: string): Promise<string | undefined> {
		return await this.#options.volumes?.textInVolume(dirname(path), basename(path));
	}

	/** As {@link VolumeHost.removeMessageFile}. */
	async removeMessageFile(podUid: string, container: string, attempt: number): Promise<void> {
		await this.#options.volumes?.removeMessageFile(podUid, container, attempt);
	}

	/** The Secrets of the Pod for pulling images, and the names of those that could not be read. */
	async pullSecretsOf(pod: Pod): Promise<PullSecrets> {
		const secrets: ImagePullSecret[] = [];
		const missing: string[] = [];
		for (const { name } of pullSecretInputs(pod)) {
			const secret = await this.#options.source.secret(name, pod).catch(() => undefined);
			const found = secret && pullSecretOf(secret);
			if (found) secrets.push(found);
			if (!secret) missing.push(name);
		}
		return { secrets, missing };
	}

	/** As {@link NetworkFiles.rewriteHosts}. */
	async rewriteHosts(pod: Pod): Promise<void> {
		await this.#options.files?.rewriteHosts(pod);
	}

	/** Removes the volumes of the Pod, and ends what it follows. */
	async remove(podUid: string): Promise<void> {
		await this.#options.volumes?.remove(podUid);
		for (const [name, holders] of this.#holders)
			if (holders.delete(podUid) && holders.size === 0) this.#holders.delete(name);
		this.#options.source.forget(podUid);
		this.#prepared.delete(podUid);
		this.#changes.delete(podUid);
	}

	#isSetUp(pod: Pod): boolean {
		const prepared = this.#prepared.get(pod.metadata.uid ?? '');
		if (!prepared || !this.#options.volumes) return prepared !== undefined;
		return mountedVolumesOf(pod).every(({ name }) => prepared.volumes.has(name));
	}

	/** Follows all objects that the Pod needs now. */
	#follow(pod: Pod): void {
		const { uid = '' } = pod.metadata;
		const needs = podInputs(pod);
		if (needs.length === 0) return;
		if (!this.#changes.has(uid)) this.#changes.set(uid, 0);
		this.#options.source.follow(pod, needs);
	}

	async #setUp(pod: Pod, volume: Volume, inUse: boolean): Promise<PreparedVolume> {
		const { facts, volumes } = this.#options;
		const data = await this.#read(pod, volumeInputs(pod, volume));
		// Files cannot refer to the Pod's address, which is known only once there is a sandbox.
		const sources = { data, facts: { ...facts, podIP: '' }, claim: await this.#claim(pod, volume) };
		const made = volumeSetUpOf(pod, volume, sources);
		if (made.kind === 'image') return { hostPath: '', image: made.reference, readOnly: true };
		const isShared = this.#hold(pod, made);
		try {
			if (!volumes) throw new InputError('this node has no volumes');
			return await volumes.setUp(pod, made, { inUse: inUse || isShared });
		} catch (error) {
			if (!made.persistent) throw error;
			throw new PersistentError(made.persistent.name, error);
		}
	}

	/** Notes that the Pod has the PersistentVolume; returns whether another one has it too. */
	#hold({ metadata: { uid = '' } }: Pod, { persistent }: VolumeSetUp): boolean {
		if (!persistent) return false;
		const holders = this.#holders.get(persistent.name) ?? new Set<string>();
		const isShared = [...holders].some((each) => each !== uid);
		if (isShared && persistent.isExclusive) {
			const why = 'volume uses the ReadWriteOncePod access mode and is already in use by another pod';
			throw new PersistentError(persistent.name, new InputError(why));
		}
		this.#holders.set(persistent.name, holders.add(uid));
		return isShared;
	}

	async #claim(pod: Pod, volume: Volume): Promise<ClaimObjects> {
		const claim = claimOf(pod, volume);
		if (!claim) return { claim: undefined, volume: undefined };
		return this.#options.source.claim(claim.name, pod);
	}

	/** The objects that exist, each read once. */
	async #read(pod: Pod, needs: readonly InputNeed[]): Promise<InputValues['data']> {
		const found = new Map<string, InputData>();
		const missing = new Set<string>();
		for (const need of needs) {
			if (need.kind === 'persistentVolumeClaim') continue;
			const key = needKey(need);
			if (found.has(key) || missing.has(key)) continue;
			const data = await this.#options.source.read(need, pod);
			if (data) found.set(key, data);
			else missing.add(key);
		}
		return found;
	}
}

function isEphemeral({ spec: { ephemeralContainers = [] } }: Pod, { name }: Container): boolean {
	return ephemeralContainers.some((each) => each.name === name);
}

/** A failure of a volume that is bound to a claim: upstream's event names the PersistentVolume. */
class PersistentError extends Error {
	override readonly name = 'PersistentError';
	readonly volume: string;

	constructor(volume: string, cause: unknown) {
		super(cause instanceof Error ? cause.message : String(cause), { cause });
		this.volume = volume;
	}
}

/** Collects why volumes of one Pod could not be set up. */
class Failures {
	readonly #names: string[] = [];
	readonly #events: EventText[] = [];
	/** By the volume's name. */
	readonly #claims = new Map<string, string>();

	get isEmpty(): boolean {
		return this.#names.length === 0;
	}

	add(name: string, error: unknown): void {
		this.#names.push(name);
		const message = messageOf(error);
		if (error instanceof ClaimError) {
			this.#claims.set(name, message);
			return;
		}
		const cause = error instanceof PersistentError ? error.cause : error;
		const step = cause instanceof MountError ? cause.step : undefined;
		this.#events.push(mountFailure(error instanceof PersistentError ? error.volume : name, message, step));
	}

	told(): MountFailures {
		const hasClaimFailure = this.#claims.size > 0;
		const claims = hasClaimFailure ? [claimFailure(this.#names, this.#claims)] : [];
		return { events: [...this.#events, ...claims], hasClaimFailure };
	}
}

async function readEnvFiles(
	host: VolumeHost,
	container: Container,
	volumes: ReadonlyMap<string, PreparedVolume>,
): Promise<ReadonlyMap<string, EnvFile>> {
	const files = new Map<string, EnvFile>();
	for (const { volumeName, path } of envFilesOf(container)) {
		const root = volumes.get(volumeName)?.hostPath;
		if (root === undefined) continue;
		const text = await host.textInVolume(root, path);
		files.set(envFileKey({ volumeName, path }), { path: `${root}/${path}`, text });
	}
	return files;
}
