import { apiVersionOf, type ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { persistentVolumes } from '../../api/core/persistentvolume/definition.ts';
import type { PersistentVolume } from '../../api/core/persistentvolume/schema.ts';
import { classOfClaim, namesClass } from '../../api/core/persistentvolumeclaim/claim-class.ts';
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim/definition.ts';
import { CLAIM_FINALIZER, VOLUME_FINALIZER } from '../../api/core/persistentvolumeclaim/protection.ts';
import type { PersistentVolumeClaim } from '../../api/core/persistentvolumeclaim/schema.ts';
import { forbidden } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { compareQuantities } from '../../api/meta/quantity.ts';
import { formatTime } from '../../api/meta/time.ts';
import { defaultClassOf, storageClasses } from '../../api/storage/storageclass/definition.ts';
import type { StorageClass } from '../../api/storage/storageclass/schema.ts';
import type { Clock } from '../../base/clock.ts';
import { subjectOf } from '../storage/compare-and-swap.ts';
import type { ObjectCache } from '../storage/object-cache.ts';
import {
	type AdmissionAttributes,
	type AdmissionPlugin,
	type MutableAttributes,
	nameForMessages,
} from './admission.ts';

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
		admit: (attributes) => this.#checkSize(attributes),
	};
	readonly #cache: ObjectCache;
	readonly #clock: Clock;

	constructor(cache: ObjectCache, clock: Clock) {
		this.#cache = cache;
		this.#clock = clock;
	}

	#mutate({ subresource, operation, object, old }: MutableAttributes): KubeObject {
		if (isVolume(object)) {
			if (operation === 'CREATE') return withFinalizer(object, VOLUME_FINALIZER);
			return subresource === 'status' && old && isVolume(old) ? this.#withPhaseTime(object, old) : object;
		}
		if (operation !== 'CREATE' || subresource !== '' || !isClaim(object)) return object;
		return withFinalizer(this.#withClass(object), CLAIM_FINALIZER);
	}

	#withClass(claim: PersistentVolumeClaim): PersistentVolumeClaim {
		if (namesClass(claim)) return claim;
		const { name } = defaultClassOf(this.#classes())?.metadata ?? {};
		return name === undefined ? claim : { ...claim, spec: { ...claim.spec, storageClassName: name } };
	}

	#withPhaseTime(volume: PersistentVolume, old: PersistentVolume): PersistentVolume {
		const { phase, lastPhaseTransitionTime: given } = volume.status;
		const before = old.status.lastPhaseTransitionTime;
		const isSame = phase === old.status.phase;
		if (isSame ? given !== undefined || before === undefined : given !== undefined && given !== before) {
			return volume;
		}
		const since = isSame ? before : formatTime(this.#clock.now());
		return { ...volume, status: { ...volume.status, ...(since && { lastPhaseTransitionTime: since }) } };
	}

	#checkSize(attributes: AdmissionAttributes): void {
		const { subresource, definition, object, old } = attributes;
		if (subresource !== '' || !object || !old || !isClaim(object) || !isClaim(old)) return;
		const sizeOf = ({ spec }: PersistentVolumeClaim): string => spec.resources?.requests?.storage ?? '0';
		if (compareQuantities(sizeOf(object), sizeOf(old)) <= 0) return;
		const subject = subjectOf(definition, nameForMessages(attributes));
		if (old.status.phase !== 'Bound') {
			throw forbidden(subject, 'Only bound persistent volume claims can be expanded');
		}
		const name = classOfClaim(object);
		const found =
			name === classOfClaim(old) ? this.#classes().find(({ metadata }) => metadata.name === name) : undefined;
		if (found?.allowVolumeExpansion) return;
		const text =
			'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize';
		throw forbidden(subject, text);
	}

	#classes(): readonly StorageClass[] {
		const cache = this.#cache.of(storageClasses.group, storageClasses.resource);
		return [...(cache?.all() ?? [])].map(({ object }) => object).filter(isStorageClass);
	}
}

function withFinalizer<T extends KubeObject>(object: T, finalizer: string): T {
	const { finalizers = [] } = object.metadata;
	if (finalizers.includes(finalizer)) return object;
	return { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, finalizer] } };
}

function isOfKind({ kind, apiVersion }: KubeObject, definition: ResourceDefinition): boolean {
	return kind === definition.kind && apiVersion === apiVersionOf(definition);
}

function isVolume(object: KubeObject): object is PersistentVolume {
	return isOfKind(object, persistentVolumes);
}

function isClaim(object: KubeObject): object is PersistentVolumeClaim {
	return isOfKind(object, persistentVolumeClaims);
}

function isStorageClass(object: KubeObject): object is StorageClass {
	return isOfKind(object, storageClasses);
}
