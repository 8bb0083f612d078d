/**
 * The stage of inputs: what a Pod needs beside its own spec is fetched and set up here, as the volume manager and
 * `makeEnvironmentVariables` of the kubelet do. plan/pod/inputs says what is needed and what it is made of.
 *
 * 1. The volumes of a Pod are set up before its sandbox is created, and removed after its sandboxes are.
 * 2. The objects of a container's variables are read at each start, so that a restart sees a change.
 * 3. A missing object fails the step with upstream's message; the caller retries with backoff.
 */

import type { EventText } from '../../api/core/event/event-text.ts';
import type { Container, Pod, Volume } from '../../api/core/pod/schema.ts';
import type { NodeFacts } from '../../plan/pod/config/downward.ts';
import {
	containerInputs,
	type InputNeed,
	mountedVolumesOf,
	volumeInputs,
} from '../../plan/pod/inputs/needs.ts';
import {
	type InputData,
	InputError,
	type InputValues,
	needKey,
	type PreparedVolume,
} from '../../plan/pod/inputs/values.ts';
import { mountFailure, type VolumeSetUp, volumeSetUpOf } from '../../plan/pod/inputs/volume-set-up.ts';

/** The objects of the API that Pods take as inputs. */
export interface InputSource {
	/**
	 * The data of the object in the Pod's namespace; undefined if the object does not exist. May be called at the same
	 * time for different Pods. Rejects if the object cannot be read now.
	 */
	read(need: DataNeed, pod: Pod): Promise<InputData | undefined>;
}

/** A need of an object with data. */
export type DataNeed = Exclude<InputNeed, { readonly kind: 'persistentVolumeClaim' }>;

/** Sets up the volumes of a node. */
export interface VolumeHost {
	/**
	 * Sets the volume up; for one that is set up, it only replaces the files that have changed. Rejects with the reason
	 * as its message.
	 */
	setUp(pod: Pod, volume: VolumeSetUp): Promise<PreparedVolume>;
	/** Removes the volumes of the Pod, if it has any. */
	remove(podUid: string): Promise<void>;
}

/** The components and settings of {@link PodInputs}. */
export interface PodInputsOptions {
	readonly source: InputSource;
	readonly volumes: VolumeHost;
	readonly facts: Pick<NodeFacts, 'allocatable' | 'hostIP'>;
}

/** See the header of this file. */
export class PodInputs {
	readonly #options: PodInputsOptions;
	/** By Pod UID, then by name. */
	readonly #prepared = new Map<string, ReadonlyMap<string, PreparedVolume>>();

	constructor(options: PodInputsOptions) {
		this.#options = options;
	}

	/** Sets up the mounted volumes of the Pod. Resolves to an event for each that failed; empty if all are set up. */
	async setUpVolumes(pod: Pod): Promise<readonly EventText[]> {
		const prepared = new Map<string, PreparedVolume>();
		const failures: EventText[] = [];
		for (const volume of mountedVolumesOf(pod)) {
			try {
				prepared.set(volume.name, await this.#setUp(pod, volume));
			} catch (error) {
				failures.push(mountFailure(volume.name, error instanceof Error ? error.message : String(error)));
			}
		}
		if (failures.length === 0) this.#prepared.set(pod.metadata.uid ?? '', prepared);
		return failures;
	}

	/** The values for a start of the container. Rejects with InputError if its volumes cannot be set up. */
	async valuesOf(pod: Pod, container: Container): Promise<InputValues> {
		const { uid = '' } = pod.metadata;
		// The agent has restarted since the sandbox was created.
		const [failure] = this.#prepared.has(uid) ? [] : await this.setUpVolumes(pod);
		if (failure) throw new InputError(failure.message);
		const data = await this.#read(pod, containerInputs(container));
		return { data, volumes: this.#prepared.get(uid) ?? new Map() };
	}

	/** Removes the volumes of the Pod. */
	async remove(podUid: string): Promise<void> {
		await this.#options.volumes.remove(podUid);
		this.#prepared.delete(podUid);
	}

	async #setUp(pod: Pod, volume: Volume): Promise<PreparedVolume> {
		const { facts, volumes } = this.#options;
		const data = await this.#read(pod, volumeInputs(pod, volume));
		// Files cannot refer to the Pod's address, which is known only once there is a sandbox.
		return await volumes.setUp(pod, volumeSetUpOf(pod, volume, { data, facts: { ...facts, podIP: '' } }));
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
