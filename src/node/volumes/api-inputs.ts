import { configMaps } from '../../api/core/configmap/definition.ts';
import type { ConfigMap } from '../../api/core/configmap/schema.ts';
import { persistentVolumes } from '../../api/core/persistentvolume/definition.ts';
import type { PersistentVolume } from '../../api/core/persistentvolume/schema.ts';
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim/definition.ts';
import type { PersistentVolumeClaim } from '../../api/core/persistentvolumeclaim/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { secrets } from '../../api/core/secret/definition.ts';
import type { Secret } from '../../api/core/secret/schema.ts';
import { messageOf } from '../../base/message-of.ts';
import type { ClaimObjects } from '../../plan/pod/inputs/claimed-volume.ts';
import type { InputNeed } from '../../plan/pod/inputs/needs.ts';
import { type InputData, InputError, TOKEN_KEY } from '../../plan/pod/inputs/values.ts';
import type { DataNeed, InputSource } from '../pods/input-source.ts';
import { FollowedObjects, type FollowedObjectsOptions } from './followed-objects.ts';
import { PodTokens } from './pod-tokens.ts';

/** The inputs of Pods from the API: objects by watches that Pods share, and tokens. `changed` is called for both. */
export class ApiInputs implements InputSource {
	readonly #configMaps: FollowedObjects<ConfigMap>;
	readonly #secrets: FollowedObjects<Secret>;
	readonly #claims: FollowedObjects<PersistentVolumeClaim>;
	readonly #volumes: FollowedObjects<PersistentVolume>;
	readonly #tokens: PodTokens;

	constructor(options: FollowedObjectsOptions) {
		this.#configMaps = new FollowedObjects(configMaps, options);
		this.#secrets = new FollowedObjects(secrets, options);
		this.#claims = new FollowedObjects(persistentVolumeClaims, options);
		this.#volumes = new FollowedObjects(persistentVolumes, options);
		this.#tokens = new PodTokens({ ...options, due: (podUid) => options.changed(podUid) });
	}

	follow({ metadata: { uid = '', namespace = '' } }: Pod, needs: readonly InputNeed[]): void {
		for (const need of needs) {
			if (need.kind === 'configMap') this.#configMaps.follow(uid, { namespace, name: need.name });
			else if (need.kind === 'secret') this.#secrets.follow(uid, { namespace, name: need.name });
			else if (need.kind === 'persistentVolumeClaim')
				this.#claims.follow(uid, { namespace, name: need.name });
		}
	}

	forget(podUid: string): void {
		for (const part of [this.#configMaps, this.#secrets, this.#claims, this.#volumes, this.#tokens])
			part.forget(podUid);
	}

	async read(need: DataNeed, pod: Pod): Promise<InputData | undefined> {
		const { namespace = '' } = pod.metadata;
		if (need.kind === 'serviceAccountToken') return new Map([[TOKEN_KEY, await this.#token(need, pod)]]);
		if (need.kind === 'configMap') {
			const found = await this.#configMaps.read({ namespace, name: need.name });
			return (
				found &&
				new Map<string, string | Uint8Array>([
					...Object.entries(found.data ?? {}),
					...bytesOf(found.binaryData),
				])
			);
		}
		const found = await this.secret(need.name, pod);
		return found && new Map(bytesOf(found.data));
	}

	async secret(name: string, { metadata: { namespace = '' } }: Pod): Promise<Secret | undefined> {
		return await this.#secrets.read({ namespace, name });
	}

	async claim(name: string, { metadata: { uid = '', namespace = '' } }: Pod): Promise<ClaimObjects> {
		const claim = await this.#claims.read({ namespace, name });
		if (!claim?.spec.volumeName) return { claim, volume: undefined };
		const bound = { namespace: '', name: claim.spec.volumeName };
		this.#volumes.follow(uid, bound);
		return { claim, volume: await this.#volumes.read(bound) };
	}

	/** Ends all watches. */
	stop(): void {
		for (const part of [this.#configMaps, this.#secrets, this.#claims, this.#volumes, this.#tokens])
			part.stop();
	}

	/** An error of the API is about the Pod's account, so it is the Pod's failure like a missing object. */
	async #token(need: DataNeed & { readonly kind: 'serviceAccountToken' }, pod: Pod): Promise<string> {
		try {
			return await this.#tokens.read(pod, need);
		} catch (error) {
			throw new InputError(messageOf(error));
		}
	}
}

/** The bytes of values in base64. */
function bytesOf(values: Readonly<Record<string, string>> = {}): readonly (readonly [string, Uint8Array])[] {
	return Object.entries(values).map(([key, base64]) => [key, Buffer.from(base64, 'base64')] as const);
}
