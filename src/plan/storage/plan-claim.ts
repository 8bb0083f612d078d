import type { EventText } from '../../api/core/event/event-text.ts';
import type { PersistentVolume } from '../../api/core/persistentvolume/schema.ts';
import { classOfClaim, namesClass } from '../../api/core/persistentvolumeclaim/claim-class.ts';
import type { PersistentVolumeClaim } from '../../api/core/persistentvolumeclaim/schema.ts';
import { defaultClassOf } from '../../api/storage/storageclass/definition.ts';
import type { StorageClass } from '../../api/storage/storageclass/schema.ts';
import { BIND_COMPLETED, SELECTED_NODE } from './annotations.ts';
import { findVolume, isBoundTo, whyUnfit } from './match-volume.ts';

/** What the binder sees when it decides about a claim. */
export interface ClaimSnapshot {
	readonly claim: PersistentVolumeClaim;
	readonly volumes: Iterable<PersistentVolume>;
	readonly classes: readonly StorageClass[];
	volume(name: string): PersistentVolume | undefined;
	/** The names of the Pods that use the claim, have not ended and have no node yet. */
	readonly waitingPods: readonly string[];
}

/** The next act of the binder for a claim. */
export type ClaimPlan = { readonly because: string } & (
	| { readonly kind: 'bind'; readonly volume: PersistentVolume }
	/** The claim stays Pending; a volume that it had in its status is removed from it. */
	| { readonly kind: 'wait'; readonly event?: EventText }
	/** The claim named no class when it was created, and there is a default class now. */
	| { readonly kind: 'set class'; readonly className: string }
	/** Hand over to the provisioner of the class. */
	| { readonly kind: 'provision'; readonly provisioner: string; readonly event: EventText }
	/** Report, and change nothing. */
	| { readonly kind: 'report'; readonly event: EventText }
	/** The claim loses its volume for good. The event is recorded only if the phase changes. */
	| { readonly kind: 'lose'; readonly event: EventText }
);

/**
 * Decides about a claim (upstream: `syncClaim` in
 * pkg/controller/volume/persistentvolume/pv_controller.go).
 *
 * 1. A claim that was bound completely is never bound to another volume: it is Bound, or Lost.
 * 2. A volume is bound to at most one claim: one that refers to another claim is never bound to this one.
 * 3. A claim whose class waits for its first consumer is bound only to the volume that is reserved for it, which
 *    the scheduler or a provisioner has reserved.
 */
export function planClaim(seen: ClaimSnapshot): ClaimPlan {
	const { claim } = seen;
	if (claim.metadata.annotations?.[BIND_COMPLETED] !== undefined) return planBound(seen);
	return claim.spec.volumeName ? planNamed(seen, claim.spec.volumeName) : planUnbound(seen);
}

function planUnbound({ claim, volumes, classes, waitingPods }: ClaimSnapshot): ClaimPlan {
	const className = classOfClaim(claim);
	const found = classes.find(({ metadata }) => metadata.name === className);
	const isDelayed = className !== '' && found?.volumeBindingMode === 'WaitForFirstConsumer';
	const volume = findVolume(claim, { volumes, isDelayed });
	if (volume) return { kind: 'bind', volume, because: 'the volume is the best match for the claim' };
	const usual = namesClass(claim) ? undefined : defaultClassOf(classes)?.metadata.name;
	if (usual !== undefined) {
		return { kind: 'set class', className: usual, because: 'the claim names no class' };
	}
	if (isDelayed && claim.metadata.annotations?.[SELECTED_NODE] === undefined) {
		return {
			kind: 'wait',
			event: delayEvent(waitingPods),
			because: 'its class waits for the first consumer',
		};
	}
	if (className === '') {
		const message = 'no persistent volumes available for this claim and no storage class is set';
		const because = 'no volume matches the claim';
		return { kind: 'wait', event: { type: 'Normal', reason: 'FailedBinding', message }, because };
	}
	return planProvisioning(className, found);
}

function delayEvent(pods: readonly string[]): EventText {
	if (pods.length === 0) {
		const message = 'waiting for first consumer to be created before binding';
		return { type: 'Normal', reason: 'WaitForFirstConsumer', message };
	}
	const message = `waiting for pod${pods.length > 1 ? 's' : ''} ${pods.join(',')} to be scheduled`;
	return { type: 'Normal', reason: 'WaitForPodScheduled', message };
}

function planProvisioning(className: string, found: StorageClass | undefined): ClaimPlan {
	const failed = (message: string, because: string): ClaimPlan => {
		return { kind: 'report', event: { type: 'Warning', reason: 'ProvisioningFailed', message }, because };
	};
	if (!found) {
		const text = `storageclass.storage.k8s.io "${className}" not found`;
		return failed(text, 'the class does not exist');
	}
	const { provisioner } = found;
	// Names in this domain are those of volume plugins within upstream's controller manager, which has none left.
	if (provisioner.startsWith('kubernetes.io/')) {
		return failed('no volume plugin matched', 'the provisioner is a plugin that does not exist');
	}
	const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
	const event: EventText = { type: 'Normal', reason: 'ExternalProvisioning', message };
	return { kind: 'provision', provisioner, event, because: 'no volume matches the claim' };
}

/** A user, or an earlier pass, has chosen the volume. */
function planNamed({ claim, volume: volumeNamed }: ClaimSnapshot, name: string): ClaimPlan {
	const volume = volumeNamed(name);
	if (!volume) return { kind: 'wait', because: 'the volume that the claim names does not exist yet' };
	const waiting = (reason: string, message: string): ClaimPlan => {
		const event: EventText = { type: 'Warning', reason, message };
		return { kind: 'wait', event, because: 'the volume that the claim names cannot be bound to it' };
	};
	if (!volume.spec.claimRef) {
		const why = whyUnfit(volume, claim);
		if (why === undefined) return { kind: 'bind', volume, because: 'the claim names the volume' };
		return waiting('VolumeMismatch', `Cannot bind to requested volume "${name}": ${why}`);
	}
	if (isBoundTo(volume, claim)) return { kind: 'bind', volume, because: 'each names the other' };
	return waiting('FailedBinding', `volume "${name}" already bound to a different claim.`);
}

function planBound({ claim, volume: volumeNamed }: ClaimSnapshot): ClaimPlan {
	const { volumeName = '' } = claim.spec;
	const lost = (reason: string, message: string): ClaimPlan => {
		return { kind: 'lose', event: { type: 'Warning', reason, message }, because: 'its volume is gone' };
	};
	if (volumeName === '') {
		const message = 'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!';
		return lost('ClaimLost', message);
	}
	const volume = volumeNamed(volumeName);
	if (!volume) {
		return lost('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
	}
	const { claimRef } = volume.spec;
	if (!claimRef || claimRef.uid === claim.metadata.uid) {
		return { kind: 'bind', volume, because: 'the claim is bound to the volume' };
	}
	const message = 'Two claims are bound to the same volume, this one is bound incorrectly';
	return lost('ClaimMisbound', message);
}
