/**
 * Which volumes fit a claim (upstream: k8s.io/component-helpers/storage/volume/pv_helpers.go). The binder and
 * the scheduler use the same rules.
 */

import type { Node } from '../../api/core/node/schema.ts';
import type { PersistentVolume } from '../../api/core/persistentvolume/schema.ts';
import { classOfClaim, classOfVolume } from '../../api/core/persistentvolumeclaim/claim-class.ts';
import type { PersistentVolumeClaim } from '../../api/core/persistentvolumeclaim/schema.ts';
import { compareQuantities, quantityValue } from '../../api/meta/quantity.ts';
import { matches, selectorOf } from '../../api/meta/selector.ts';
import { matchesNodeTerm } from '../placement/node-selector.ts';
import { BIND_COMPLETED } from './annotations.ts';

/** Whether the volume is bound to this claim, or reserved for a claim of its name. */
export function isBoundTo({ spec }: PersistentVolume, { metadata }: PersistentVolumeClaim): boolean {
	const { claimRef } = spec;
	if (!claimRef || claimRef.name !== metadata.name || claimRef.namespace !== metadata.namespace) return false;
	return !claimRef.uid || claimRef.uid === metadata.uid;
}

/** Whether the binder has finished binding the claim. */
export function isFullyBound({ metadata, spec }: PersistentVolumeClaim): boolean {
	return Boolean(spec.volumeName) && metadata.annotations?.[BIND_COMPLETED] !== undefined;
}

/** Whether the volume can be accessed from the node. */
export function isReachable({ spec }: PersistentVolume, node: Node): boolean {
	const terms = spec.nodeAffinity?.required?.nodeSelectorTerms;
	return terms === undefined || terms.some((term) => matchesNodeTerm(term, node));
}

/** What {@link findVolume} searches in, besides the volumes. */
export interface VolumeSearch {
	readonly volumes: Iterable<PersistentVolume>;
	/** The node that the Pod is placed on; undefined: the volume is chosen without regard to nodes. */
	readonly node?: Node;
	/** Whether the class of the claim waits for its first consumer: without a node only reserved volumes match. */
	readonly isDelayed: boolean;
	/** The names of volumes that other claims of the same Pod get. */
	readonly excluded?: ReadonlySet<string>;
}

/**
 * The best volume for the claim: the one that is reserved for it, else the smallest of those with the fewest
 * further access modes; undefined if there is none (upstream: `findByClaim`, `FindMatchingVolume`).
 */
export function findVolume(claim: PersistentVolumeClaim, search: VolumeSearch): PersistentVolume | undefined {
	const { node, isDelayed, excluded } = search;
	const selector = claim.spec.selector && selectorOf(claim.spec.selector);
	const candidates: PersistentVolume[] = [];
	for (const volume of search.volumes) {
		if (excluded?.has(volume.metadata.name ?? '') || !couldHold(volume, claim)) continue;
		const fits = !node || isReachable(volume, node);
		if (isBoundTo(volume, claim)) return fits ? volume : undefined;
		if ((!node && isDelayed) || volume.status.phase !== 'Available' || !fits) continue;
		if (selector && !matches(selector, volume.metadata.labels)) continue;
		if (classOfVolume(volume) === classOfClaim(claim)) candidates.push(volume);
	}
	return candidates.sort(byPreference(node !== undefined))[0];
}

/** Rules that also a volume that is reserved for the claim must meet. */
function couldHold(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
	const { metadata, spec } = volume;
	if (spec.claimRef && !isBoundTo(volume, claim)) return false;
	if (compareQuantities(spec.capacity?.storage ?? '0', sizeOf(claim)) < 0) return false;
	if (modeOf(spec) !== modeOf(claim.spec) || metadata.deletionTimestamp) return false;
	return attributesOf(spec) === attributesOf(claim.spec) && offersModes(volume, claim);
}

/** The smallest volume first; without a node those with fewer access modes before all others, as upstream. */
function byPreference(isForNode: boolean): (a: PersistentVolume, b: PersistentVolume) => number {
	const modes = ({ spec }: PersistentVolume): number => new Set(spec.accessModes).size;
	return (a, b) => {
		const difference = isForNode ? 0 : modes(a) - modes(b);
		return difference || compareQuantities(a.spec.capacity?.storage ?? '0', b.spec.capacity?.storage ?? '0');
	};
}

/** Why a claim cannot be bound to the volume that it names; undefined if it can (`checkVolumeSatisfyClaim`). */
export function whyUnfit(volume: PersistentVolume, claim: PersistentVolumeClaim): string | undefined {
	const { metadata, spec } = volume;
	if (metadata.deletionTimestamp) return `the volume is marked for deletion "${metadata.name}"`;
	if (quantityValue(spec.capacity?.storage ?? '0') < quantityValue(sizeOf(claim))) {
		return 'requested PV is too small';
	}
	if (classOfVolume(volume) !== classOfClaim(claim)) return 'storageClassName does not match';
	if (attributesOf(spec) !== attributesOf(claim.spec)) return 'volumeAttributesClassName does not match';
	if (hasOtherMode(volume, claim)) return 'incompatible volumeMode';
	return offersModes(volume, claim) ? undefined : 'incompatible accessMode';
}

/** Whether one of the two is a block device and the other a file system. */
export function hasOtherMode(volume: PersistentVolume, claim: PersistentVolumeClaim): boolean {
	return modeOf(volume.spec) !== modeOf(claim.spec);
}

function modeOf({ volumeMode = 'Filesystem' }: { readonly volumeMode?: string }): string {
	return volumeMode;
}

function attributesOf({
	volumeAttributesClassName = '',
}: {
	readonly volumeAttributesClassName?: string;
}): string {
	return volumeAttributesClassName;
}

function offersModes({ spec }: PersistentVolume, claim: PersistentVolumeClaim): boolean {
	return (claim.spec.accessModes ?? []).every((mode) => spec.accessModes?.includes(mode));
}

/** The size that the claim requests. */
export function sizeOf({ spec }: PersistentVolumeClaim): string {
	return spec.resources?.requests?.storage ?? '0';
}
