import { isOfKind } from '../../api/contract/resource-definition.ts';
import { persistentVolumes } from '../../api/core/persistentvolume/definition.ts';
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim/definition.ts';
import { CLAIM_FINALIZER, VOLUME_FINALIZER } from '../../api/core/persistentvolumeclaim/protection.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { storageClasses } from '../../api/storage/storageclass/definition.ts';
import type { StorageClass } from '../../api/storage/storageclass/schema.ts';
import type { Clock } from '../../base/clock.ts';
import { refusalOfGrowth, withDefaultClass, withPhaseTime } from '../../plan/storage/admission.ts';
import { cachedObjects } from '../storage/cached-objects.ts';
import type { ObjectCache } from '../storage/object-cache.ts';
import type { AdmissionAttributes, AdmissionPlugin, MutableAttributes } from './admission.ts';
import { refusedByAdmission } from './refusal.ts';

/**
 * The rules of claims and volumes that need more than the object itself. Upstream has a plugin for each of the
 * first three.
 *
 * 1. StorageObjectInUseProtection: a new claim or volume gets a finalizer. The protection controllers remove it
 *    once no Pod uses the claim, or no claim the volume.
 * 2. DefaultStorageClass: a claim that names no class gets the default class.
 * 3. PersistentVolumeClaimResize: only a bound claim can grow, if its class allows it.
 * 4. status.lastPhaseTransitionTime of a volume follows the phase, unless the client sets it (upstream: the
 *    status strategy of PersistentVolumes; strategies have no clock here).
 */
export class StorageObjects implements AdmissionPlugin {
	readonly mutation: AdmissionPlugin['mutation'] = {
		operations: ['CREATE', 'UPDATE'],
		admit: (attributes) => this.#mutate(attributes),
	};
	readonly validation: AdmissionPlugin['validation'] = {
		operations: ['UPDATE'],
		admit: (attributes) => this.#checkGrowth(attributes),
	};
	readonly #cache: ObjectCache;
	readonly #clock: Clock;

	constructor(cache: ObjectCache, clock: Clock) {
		this.#cache = cache;
		this.#clock = clock;
	}

	#mutate({ subresource, operation, object, old }: MutableAttributes): KubeObject {
		if (isOfKind(object, persistentVolumes)) {
			if (operation === 'CREATE') return withFinalizer(object, VOLUME_FINALIZER);
			return subresource === 'status' && old && isOfKind(old, persistentVolumes)
				? withPhaseTime(object, old, this.#clock.now())
				: object;
		}
		if (operation !== 'CREATE' || subresource !== '' || !isOfKind(object, persistentVolumeClaims))
			return object;
		return withFinalizer(withDefaultClass(object, this.#classes()), CLAIM_FINALIZER);
	}

	#checkGrowth(attributes: AdmissionAttributes): void {
		const { subresource, object, old } = attributes;
		if (subresource !== '' || !object || !old) return;
		if (!isOfKind(object, persistentVolumeClaims) || !isOfKind(old, persistentVolumeClaims)) return;
		const reason = refusalOfGrowth(object, old, this.#classes());
		if (reason !== undefined) throw refusedByAdmission(attributes, reason);
	}

	#classes(): readonly StorageClass[] {
		return cachedObjects(this.#cache, storageClasses);
	}
}

function withFinalizer<T extends KubeObject>(object: T, finalizer: string): T {
	const { finalizers = [] } = object.metadata;
	if (finalizers.includes(finalizer)) return object;
	return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } };
}
