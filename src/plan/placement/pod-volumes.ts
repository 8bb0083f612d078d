/**
 * The claims of a Pod and the volumes that they get on a node (upstream:
 * pkg/scheduler/framework/plugins/volumebinding).
 */

import type { Node } from '../../api/core/node/schema.ts';
import type { PersistentVolume } from '../../api/core/persistentvolume/schema.ts';
import { classOfClaim } from '../../api/core/persistentvolumeclaim/claim-class.ts';
import type { PersistentVolumeClaim } from '../../api/core/persistentvolumeclaim/schema.ts';
import type { Pod } from '../../api/core/pod/schema.ts';
import { compareQuantities } from '../../api/meta/quantity.ts';
import type { StorageClass } from '../../api/storage/storageclass/schema.ts';
import { NO_PROVISIONER, SELECTED_NODE } from '../storage/annotations.ts';
import { ownerConflict } from '../storage/ephemeral-claim.ts';
import { findVolume, isFullyBound, isReachable, sizeOf } from '../storage/match-volume.ts';
import { ephemeralClaimName, isOwnClaim } from '../storage/protection.ts';
import type { StorageView } from './cluster/cluster.ts';

/** The claims of a Pod: none, a reason why no node fits, or those that are bound and those that the Pod binds. */
export type PodVolumes =
	| { readonly kind: 'none' }
	| { readonly kind: 'problem'; readonly reason: string }
	| {
			readonly kind: 'claims';
			readonly bound: readonly PersistentVolumeClaim[];
			/** Claims whose class waits for the first consumer. */
			readonly delayed: readonly PersistentVolumeClaim[];
	  };

/** The claims of the Pod's volumes. Reasons are upstream's, of the first volume that has a problem. */
export function podVolumes(pod: Pod, storage: StorageView): PodVolumes {
	const { namespace = '' } = pod.metadata;
	const bound: PersistentVolumeClaim[] = [];
	const delayed: PersistentVolumeClaim[] = [];
	let immediate = 0;
	for (const { name, persistentVolumeClaim, ephemeral } of pod.spec.volumes ?? []) {
		if (!persistentVolumeClaim && !ephemeral) continue;
		const claimName = persistentVolumeClaim?.claimName ?? ephemeralClaimName(pod, name);
		const claim = storage.claim(namespace, claimName);
		if (!claim) return missing(claimName, ephemeral !== undefined);
		const reason = whyUnusable(claim, pod, ephemeral !== undefined);
		if (reason !== undefined) return { kind: 'problem', reason };
		if (isFullyBound(claim)) bound.push(claim);
		else if (!claim.spec.volumeName && isDelayed(claim, storage)) delayed.push(claim);
		else immediate++;
	}
	if (immediate > 0) return { kind: 'problem', reason: 'pod has unbound immediate PersistentVolumeClaims' };
	return bound.length + delayed.length === 0 ? NO_CLAIMS : { kind: 'claims', bound, delayed };
}

const NO_CLAIMS: PodVolumes = { kind: 'none' };

function missing(claimName: string, isEphemeral: boolean): PodVolumes {
	const reason = isEphemeral
		? `waiting for ephemeral volume controller to create the persistentvolumeclaim "${claimName}"`
		: `persistentvolumeclaim "${claimName}" not found`;
	return { kind: 'problem', reason };
}

function whyUnusable(claim: PersistentVolumeClaim, pod: Pod, isEphemeral: boolean): string | undefined {
	const { name = '', deletionTimestamp } = claim.metadata;
	if (claim.status.phase === 'Lost') {
		return `persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec.volumeName ?? ''}"`;
	}
	if (deletionTimestamp) return `persistentvolumeclaim "${name}" is being deleted`;
	return isEphemeral && !isOwnClaim(pod, claim) ? ownerConflict(pod, name) : undefined;
}

function isDelayed(claim: PersistentVolumeClaim, storage: StorageView): boolean {
	return storage.class(classOfClaim(claim))?.volumeBindingMode === 'WaitForFirstConsumer';
}

/** A claim, and the volume that the scheduler reserves for it. */
export interface Reservation {
	readonly claim: PersistentVolumeClaim;
	readonly volume: PersistentVolume;
}

/** What becomes of the claims of a Pod on one node. */
export interface NodeVolumes {
	/** Why the node does not fit; empty if it does. */
	readonly reasons: readonly string[];
	readonly reservations: readonly Reservation[];
	/** Claims for which a provisioner creates a volume on the node. */
	readonly provisions: readonly PersistentVolumeClaim[];
}

const NODE_CONFLICT = "node(s) didn't match PersistentVolume's node affinity";
const BIND_CONFLICT = "node(s) didn't find available persistent volumes to bind";
const NO_VOLUME = 'node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)';

/** Finds volumes for the claims on the node (upstream: `FindPodVolumes`). */
export function volumesOnNode(
	{ bound, delayed }: Extract<PodVolumes, { kind: 'claims' }>,
	node: Node,
	storage: StorageView,
): NodeVolumes {
	const volumes = bound.map(({ spec }) => storage.volume(spec.volumeName ?? ''));
	// As upstream, only the first claim that cannot be used gives a reason.
	const problem = volumes.findIndex((volume) => !volume || !isReachable(volume, node));
	const isMissing = problem >= 0 && volumes[problem] === undefined;
	const chosen = chooseVolumes(delayed, node, storage);
	const reasons = [
		...(problem >= 0 && !isMissing ? [NODE_CONFLICT] : []),
		...(chosen ? [] : [BIND_CONFLICT]),
		...(isMissing ? [NO_VOLUME] : []),
	];
	return { reasons, reservations: [], provisions: [], ...chosen };
}

type Chosen = Pick<NodeVolumes, 'reservations' | 'provisions'>;

/** The volumes for the claims, the smallest claim first; undefined if a claim gets none on the node. */
function chooseVolumes(
	claims: readonly PersistentVolumeClaim[],
	node: Node,
	storage: StorageView,
): Chosen | undefined {
	const reservations: Reservation[] = [];
	const provisions: PersistentVolumeClaim[] = [];
	const excluded = new Set<string>();
	for (const claim of claims.toSorted((a, b) => compareQuantities(sizeOf(a), sizeOf(b)))) {
		const selected = claim.metadata.annotations?.[SELECTED_NODE];
		if (selected !== undefined && selected !== node.metadata.name) return undefined;
		const search = { volumes: storage.volumes(), node, isDelayed: true, excluded };
		const volume = selected === undefined ? findVolume(claim, search) : undefined;
		if (volume) {
			excluded.add(volume.metadata.name ?? '');
			reservations.push({ claim, volume });
		} else if (canProvision(storage.class(classOfClaim(claim)), node)) provisions.push(claim);
		else return undefined;
	}
	return { reservations, provisions };
}

function canProvision(storageClass: StorageClass | undefined, { metadata }: Node): boolean {
	if (!storageClass || storageClass.provisioner === NO_PROVISIONER) return false;
	const { allowedTopologies = [] } = storageClass;
	if (allowedTopologies.length === 0) return true;
	return allowedTopologies.some(({ matchLabelExpressions = [] }) =>
		matchLabelExpressions.every(({ key, values }) => values.includes(metadata.labels?.[key] ?? '')),
	);
}
