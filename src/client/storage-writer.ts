import { persistentVolumes } from '../api/core/persistentvolume/definition.ts';
import type { PersistentVolume } from '../api/core/persistentvolume/schema.ts';
import { persistentVolumeClaims } from '../api/core/persistentvolumeclaim/definition.ts';
import type { PersistentVolumeClaim } from '../api/core/persistentvolumeclaim/schema.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import type { Client, ResourceClient } from './client.ts';

/** A JSON merge patch; undefined if there is nothing to write. */
type Patch = { readonly metadata?: object; readonly spec?: object; readonly status?: object } | undefined;

/**
 * The writes of the storage controllers and the scheduler to claims and volumes. Each names the UID and the
 * resourceVersion that the decision was based on, so that two passes cannot give the same volume to two claims:
 * the second write is a Conflict, and its pass is repeated. Each resolves to the stored object, or to `object`
 * itself if there is nothing to write.
 */
export class StorageWriter {
	readonly #client: Client;

	constructor(client: Client) {
		this.#client = client;
	}

	/** Patches a claim. */
	async claim(claim: PersistentVolumeClaim, patch: Patch): Promise<PersistentVolumeClaim> {
		return patch ? this.#claims(claim).patch(nameOf(claim), 'merge', exact(claim, patch)) : claim;
	}

	/** Patches the status of a claim. */
	async claimStatus(claim: PersistentVolumeClaim, patch: Patch): Promise<PersistentVolumeClaim> {
		return patch ? this.#claims(claim).patchStatus(nameOf(claim), 'merge', exact(claim, patch)) : claim;
	}

	/** Patches a volume. */
	async volume(volume: PersistentVolume, patch: Patch): Promise<PersistentVolume> {
		return patch ? this.#volumes.patch(nameOf(volume), 'merge', exact(volume, patch)) : volume;
	}

	/** Patches the status of a volume. */
	async volumeStatus(volume: PersistentVolume, patch: Patch): Promise<PersistentVolume> {
		return patch ? this.#volumes.patchStatus(nameOf(volume), 'merge', exact(volume, patch)) : volume;
	}

	#claims({ metadata }: PersistentVolumeClaim): ResourceClient<PersistentVolumeClaim> {
		return this.#client.resource(persistentVolumeClaims, metadata.namespace);
	}

	get #volumes(): ResourceClient<PersistentVolume> {
		return this.#client.resource(persistentVolumes);
	}
}

function nameOf({ metadata }: KubeObject): string {
	return metadata.name ?? '';
}

/** The patch with the identity and version of the object that it is meant for. */
function exact({ metadata: { uid, resourceVersion } }: KubeObject, patch: NonNullable<Patch>): unknown {
	return { ...patch, metadata: { ...patch.metadata, uid, resourceVersion } };
}
