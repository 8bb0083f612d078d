import type { EventText } from '../../api/core/event/event-text.ts';
import type { PersistentVolume } from '../../api/core/persistentvolume/schema.ts';
import type { PersistentVolumeClaim } from '../../api/core/persistentvolumeclaim/schema.ts';
import { PROVISIONED_BY } from './annotations.ts';
import { hasOtherMode } from './match-volume.ts';

/** The next act of the binder for a volume. */
export type VolumePlan = { readonly because: string } & (
	| { readonly kind: 'none' }
	| { readonly kind: 'set phase'; readonly phase: 'Available' | 'Bound' }
	/** The claim that the volume is reserved for has yet to be bound to it. */
	| { readonly kind: 'bind claim' }
	| { readonly kind: 'report mismatch'; readonly volumeEvent: EventText; readonly claimEvent: EventText }
	/** The claim is bound to another volume: make this one available again. */
	| { readonly kind: 'unbind' }
	/** The claim is gone: the volume becomes Released, unless it failed, and then what `reclaim` says. */
	| { readonly kind: 'release'; readonly reclaim: Reclaim }
);

/** What happens to a released volume. */
export type Reclaim =
	/** Nothing more: the policy is Retain, or a provisioner deletes the volume. */
	| { readonly kind: 'leave' }
	/** The volume becomes Failed, with the message of the event. */
	| { readonly kind: 'fail'; readonly event: EventText };

/**
 * Decides about a volume (upstream: `syncVolume` in pkg/controller/volume/persistentvolume/pv_controller.go).
 * `claim` is the claim with the name and UID of the reference in the volume; undefined if there is none.
 *
 * 1. Only a volume whose claim is gone, or which was provisioned for a claim that got another, is reclaimed.
 * 2. The binder itself deletes no data: it knows no storage. Provisioners delete the volumes that they made.
 *    (Upstream deletes hostPath volumes below /tmp. Here nothing outside of the data folder is ever deleted.)
 */
export function planVolume(volume: PersistentVolume, claim: PersistentVolumeClaim | undefined): VolumePlan {
	const { metadata, spec } = volume;
	if (!spec.claimRef) return phase(volume, 'Available', 'no claim is bound to the volume');
	if (!spec.claimRef.uid) return phase(volume, 'Available', 'the volume is reserved for a claim');
	if (!claim) return { kind: 'release', reclaim: reclaimOf(volume), because: 'its claim is gone' };
	if (!claim.spec.volumeName) return planUnboundClaim(volume, claim);
	if (claim.spec.volumeName === metadata.name) return phase(volume, 'Bound', 'its claim is bound to it');
	const because = 'its claim is bound to another volume';
	if (
		metadata.annotations?.[PROVISIONED_BY] !== undefined &&
		spec.persistentVolumeReclaimPolicy === 'Delete'
	) {
		return { kind: 'release', reclaim: reclaimOf(volume), because };
	}
	return { kind: 'unbind', because };
}

function phase(volume: PersistentVolume, wanted: 'Available' | 'Bound', because: string): VolumePlan {
	return volume.status.phase === wanted
		? { kind: 'none', because }
		: { kind: 'set phase', phase: wanted, because };
}

function planUnboundClaim(volume: PersistentVolume, claim: PersistentVolumeClaim): VolumePlan {
	if (!hasOtherMode(volume, claim)) return { kind: 'bind claim', because: 'the claim is not bound yet' };
	const event = (message: string): EventText => ({ type: 'Warning', reason: 'VolumeMismatch', message });
	const ofVolume = `Cannot bind PersistentVolume to requested PersistentVolumeClaim "${claim.metadata.name}" due to incompatible volumeMode.`;
	const ofClaim = `Cannot bind PersistentVolume "${volume.metadata.name}" to requested PersistentVolumeClaim due to incompatible volumeMode.`;
	return {
		kind: 'report mismatch',
		volumeEvent: event(ofVolume),
		claimEvent: event(ofClaim),
		because: 'one of them is a block device',
	};
}

function reclaimOf({ metadata, spec }: PersistentVolume): Reclaim {
	const fail = (reason: string, message: string): Reclaim => {
		return { kind: 'fail', event: { type: 'Warning', reason, message } };
	};
	switch (spec.persistentVolumeReclaimPolicy) {
		case 'Retain':
			return { kind: 'leave' };
		case 'Recycle':
			return fail('VolumeFailedRecycle', 'No recycler plugin found for the volume!');
		case 'Delete':
			break;
		default: {
			const message = 'Volume has unrecognized PersistentVolumeReclaimPolicy';
			return fail('VolumeUnknownReclaimPolicy', message);
		}
	}
	// An external provisioner made the volume, or a CSI driver can delete it.
	const provisioner = metadata.annotations?.[PROVISIONED_BY] ?? '';
	if ((provisioner !== '' && !provisioner.startsWith('kubernetes.io/')) || spec.csi) return { kind: 'leave' };
	const message = `error getting deleter volume plugin for volume "${metadata.name}": no deletable volume plugin matched`;
	return fail('VolumeFailedDelete', message);
}
