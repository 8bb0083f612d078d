/**
 * The rules of the local provisioner: volumes that are folders of a node, as those of rancher's
 * local-path-provisioner. Events and fields are those of upstream's library for external provisioners
 * (sig-storage-lib-external-provisioner).
 */

import type { EventText } from '../../api/core/event/event-text.ts';
import type { PersistentVolume } from '../../api/core/persistentvolume/schema.ts';
import { classOfClaim } from '../../api/core/persistentvolumeclaim/claim-class.ts';
import type { PersistentVolumeClaim } from '../../api/core/persistentvolumeclaim/schema.ts';
import { DEFAULT_CLASS_ANNOTATION } from '../../api/storage/storageclass/definition.ts';
import type { StorageClass } from '../../api/storage/storageclass/schema.ts';
import {
	BETA_STORAGE_PROVISIONER,
	PROVISIONED_BY,
	SELECTED_NODE,
	STORAGE_PROVISIONER,
} from './annotations.ts';
import { claimReference } from './bindings.ts';
import { sizeOf } from './match-volume.ts';

/** The name of the provisioner in StorageClasses. */
export const LOCAL_PROVISIONER = 'stint.io/local';

/** On a volume: the folder must be removed before the object may be. */
const PROVISIONER_FINALIZER = 'external-provisioner.volume.kubernetes.io/finalizer';

/** The StorageClass that a new cluster gets. */
export const LOCAL_CLASS: StorageClass = {
	apiVersion: 'storage.k8s.io/v1',
	kind: 'StorageClass',
	metadata: { name: 'local', annotations: { [DEFAULT_CLASS_ANNOTATION]: 'true' } },
	provisioner: LOCAL_PROVISIONER,
	reclaimPolicy: 'Delete',
	volumeBindingMode: 'WaitForFirstConsumer',
};

/** What the provisioner does about a claim. */
export type ProvisionPlan =
	/** The claim is not for this provisioner, or not for its node, or has a volume already. */
	| { readonly kind: 'none' }
	| { readonly kind: 'fail'; readonly event: EventText }
	| { readonly kind: 'provision'; readonly volumeName: string; readonly folder: string };

/** The event that a claim gets when its volume is about to be created. */
export function provisioningEvent({ metadata: { namespace, name } }: PersistentVolumeClaim): EventText {
	const message = `External provisioner is provisioning volume for claim "${namespace}/${name}"`;
	return { type: 'Normal', reason: 'Provisioning', message };
}

/** The event of a claim whose volume could not be created. */
export function provisioningFailure(className: string, why: string): EventText {
	const message = `failed to provision volume with StorageClass "${className}": ${why}`;
	return { type: 'Warning', reason: 'ProvisioningFailed', message };
}

/** The event of a claim whose volume was created. */
export function provisioningSuccess(volumeName: string): EventText {
	const message = `Successfully provisioned volume ${volumeName}`;
	return { type: 'Normal', reason: 'ProvisioningSucceeded', message };
}

/** The event of a volume whose folder could not be removed. */
export function removalFailure(why: string): EventText {
	return { type: 'Warning', reason: 'VolumeFailedDelete', message: why };
}

/** Decides whether the provisioner on `nodeName` creates a volume for the claim. */
export function planProvision(
	claim: PersistentVolumeClaim,
	storageClass: StorageClass | undefined,
	nodeName: string,
): ProvisionPlan {
	const { metadata, spec } = claim;
	const { annotations = {} } = metadata;
	const asked = annotations[STORAGE_PROVISIONER] ?? annotations[BETA_STORAGE_PROVISIONER];
	if (spec.volumeName || metadata.deletionTimestamp || asked !== LOCAL_PROVISIONER) return { kind: 'none' };
	if (storageClass?.provisioner !== LOCAL_PROVISIONER) return { kind: 'none' };
	const selected = annotations[SELECTED_NODE];
	const why = whyNot(claim, storageClass, selected);
	if (why !== undefined) return { kind: 'fail', event: provisioningFailure(classOfClaim(claim), why) };
	if (selected !== nodeName) return { kind: 'none' };
	const volumeName = `pvc-${metadata.uid}`;
	return { kind: 'provision', volumeName, folder: folderOf(volumeName, claim.metadata) };
}

function whyNot(
	{ spec }: PersistentVolumeClaim,
	{ volumeBindingMode, mountOptions = [], parameters = {} }: StorageClass,
	selected: string | undefined,
): string | undefined {
	if (selected === undefined) {
		return `no node was selected: ${LOCAL_PROVISIONER} needs volumeBindingMode WaitForFirstConsumer, and the class has ${volumeBindingMode}`;
	}
	if (spec.selector) return 'claim.Spec.Selector is not supported';
	if (spec.volumeMode === 'Block') return 'volumeMode Block is not supported: the volume is a folder';
	if (spec.dataSource || spec.dataSourceRef) return 'data sources are not supported: the volume is empty';
	if (spec.volumeAttributesClassName) return 'volumeAttributesClassName is not supported';
	if (mountOptions.length > 0)
		return 'mountOptions of the StorageClass are not supported: nothing is mounted';
	const [parameter] = Object.keys(parameters);
	return parameter === undefined
		? undefined
		: `parameter "${parameter}" of the StorageClass is not supported`;
}

/** The name of the folder of a volume. All of its parts are names of objects, so that it is a single component. */
function folderOf(
	volumeName: string,
	claim: { readonly namespace?: string; readonly name?: string },
): string {
	return `${volumeName}_${claim.namespace}_${claim.name}`;
}

/** The volume for the claim, whose folder is at `path` on the node. */
export function localVolume(
	claim: PersistentVolumeClaim,
	storageClass: StorageClass,
	place: { readonly volumeName: string; readonly path: string; readonly nodeName: string },
): PersistentVolume {
	const { accessModes = [], volumeMode = 'Filesystem' } = claim.spec;
	const { reclaimPolicy = 'Delete' } = storageClass;
	const isNode = { key: 'kubernetes.io/hostname', operator: 'In', values: [place.nodeName] } as const;
	return {
		apiVersion: 'v1',
		kind: 'PersistentVolume',
		metadata: {
			name: place.volumeName,
			annotations: { [PROVISIONED_BY]: LOCAL_PROVISIONER },
			...(reclaimPolicy === 'Delete' && { finalizers: [PROVISIONER_FINALIZER] }),
		},
		spec: {
			capacity: { storage: sizeOf(claim) },
			hostPath: { path: place.path, type: 'DirectoryOrCreate' },
			accessModes,
			claimRef: claimReference(claim),
			persistentVolumeReclaimPolicy: reclaimPolicy,
			storageClassName: classOfClaim(claim),
			volumeMode,
			nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [isNode] }] } },
		},
		status: {},
	};
}

/** What the provisioner does about a volume that it made. */
export type RemovalPlan =
	| { readonly kind: 'none' }
	/** Remove the folder with this name, then the object. */
	| { readonly kind: 'remove'; readonly folder: string }
	/** The policy is not Delete any more: the object may go, and the folder stays. */
	| { readonly kind: 'let go' };

/**
 * Decides about a volume of the provisioner on `nodeName`.
 *
 * 1. A folder is removed only if the policy is Delete, and the claim is gone or never was bound to the volume.
 * 2. The folder's name must be a single component that begins with the name of the volume, whatever the path in
 *    the spec is: a user can create a volume with any path.
 */
export function planRemoval({ metadata, spec, status }: PersistentVolume, nodeName: string): RemovalPlan {
	const { name = '', annotations = {}, finalizers = [], deletionTimestamp } = metadata;
	if (annotations[PROVISIONED_BY] !== LOCAL_PROVISIONER || status.phase === 'Bound') return NO_REMOVAL;
	const terms = spec.nodeAffinity?.required?.nodeSelectorTerms ?? [];
	const hosts = terms.flatMap(({ matchExpressions = [] }) => matchExpressions);
	if (hosts.length !== 1 || hosts[0]?.values?.length !== 1 || hosts[0].values[0] !== nodeName)
		return NO_REMOVAL;
	const isLeaving = deletionTimestamp !== undefined && finalizers.includes(PROVISIONER_FINALIZER);
	if (spec.persistentVolumeReclaimPolicy !== 'Delete') return isLeaving ? { kind: 'let go' } : NO_REMOVAL;
	if (status.phase !== 'Released' && !isLeaving) return NO_REMOVAL;
	const folder = spec.hostPath?.path.split('/').at(-1) ?? '';
	const isOurs = FOLDER_FORM.test(folder) && folder.startsWith(`${name}_`);
	return isOurs ? { kind: 'remove', folder } : { kind: 'let go' };
}

/** The finalizers of the volume without the provisioner's; undefined if that is not among them. */
export function withoutProvisioner({ metadata }: PersistentVolume): readonly string[] | undefined {
	const { finalizers = [] } = metadata;
	const rest = finalizers.filter((each) => each !== PROVISIONER_FINALIZER);
	return rest.length === finalizers.length ? undefined : rest;
}

const NO_REMOVAL: RemovalPlan = { kind: 'none' };

/** `pvc-<uid>_<namespace>_<claim>`: names of objects have no underscore. */
const FOLDER_FORM = /^pvc-[a-z0-9-]+_[a-z0-9-]+_[a-z0-9.-]+$/;
