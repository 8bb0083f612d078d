import assert from 'node:assert/strict';
import test from 'node:test';
import type { PersistentVolume } from '../../../api/core/persistentvolume/schema.ts';
import type { PersistentVolumeClaim } from '../../../api/core/persistentvolumeclaim/schema.ts';
import type { Volume } from '../../../api/core/pod/schema.ts';
import { podWith } from '../testing/pod-with.ts';
import { type ClaimObjects, claimedSetUp } from './claimed-volume.ts';

const VOLUME: Volume = { name: 'data', persistentVolumeClaim: { claimName: 'c', readOnly: true } };
const OWN: Volume = { name: 'data', ephemeral: {} };

/** The objects of a bound claim, with these differences. */
function bound({ metadata = {}, spec = {}, status = {}, volume = {} }: Record<string, object>): ClaimObjects {
	return {
		claim: {
			metadata: { name: 'c', uid: 'cu', ...metadata },
			spec: { volumeName: 'pv', ...spec },
			status: { phase: 'Bound', ...status },
		} as unknown as PersistentVolumeClaim,
		volume: {
			metadata: { name: 'pv' },
			spec: { hostPath: { path: '/srv', type: 'Directory' }, claimRef: { uid: 'cu' }, ...volume },
		} as unknown as PersistentVolume,
	};
}

const POD = podWith({ containers: [{ name: 'c', volumeMounts: [{ name: 'data', mountPath: '/d' }] }] });

test('the storage behind a bound claim is a path of the node', () => {
	const persistent = { name: 'pv', isExclusive: false };
	assert.deepEqual(claimedSetUp(POD, VOLUME, bound({})), {
		...{ name: 'data', kind: 'hostPath', path: '/srv', type: 'Directory', readOnly: true, persistent },
	});
	const local = { hostPath: undefined, local: { path: '/disk' }, accessModes: ['ReadWriteOncePod'] };
	const metadata = { ownerReferences: [{ uid: 'u', controller: true }] };
	assert.deepEqual(claimedSetUp(POD, OWN, bound({ metadata, volume: local })), {
		...{ name: 'data', kind: 'local', path: '/disk', readOnly: false },
		persistent: { name: 'pv', isExclusive: true },
	});
});

test('a claim that cannot be used yet has upstream’s message', () => {
	const processing = 'error processing PVC ns/c: ';
	const deletionTimestamp = '2026-01-01T00:00:00Z';
	const cases: readonly (readonly [ClaimObjects, string, Volume?])[] = [
		[
			{ claim: undefined, volume: undefined },
			`${processing}failed to fetch PVC from API server: persistentvolumeclaims "c" not found`,
		],
		[bound({ status: { phase: 'Pending' } }), `${processing}PVC is not bound`],
		[bound({ spec: { volumeName: '' } }), `${processing}PVC has empty pvc.Spec.VolumeName`],
		[bound({ metadata: { deletionTimestamp } }), `${processing}PVC is being deleted`],
		[
			{ ...bound({}), volume: undefined },
			`${processing}failed to fetch PV pv from API server: persistentvolumes "pv" not found`,
		],
		[
			bound({ volume: { claimRef: undefined } }),
			`${processing}found PV object pv but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim`,
		],
		[
			bound({ volume: { claimRef: { uid: 'x' } } }),
			`${processing}found PV object pv but its pv.Spec.ClaimRef.UID x does not point to claim.UID cu`,
		],
		[
			bound({ volume: { volumeMode: 'Block' } }),
			'volume data has volumeMode Block, but is specified in volumeMounts',
		],
		[
			bound({ volume: { hostPath: undefined } }),
			'failed to get Plugin from volumeSpec for volume "pv" err=no volume plugin matched',
		],
		[bound({}), 'PVC ns/p-data was not created for pod ns/p (pod is not owner)', OWN],
	];
	for (const [objects, message, volume = VOLUME] of cases)
		assert.throws(() => claimedSetUp(POD, volume, objects), { name: 'ClaimError', message });
	const kept = { deletionTimestamp, finalizers: ['kubernetes.io/pvc-protection'] };
	assert.equal(claimedSetUp(POD, VOLUME, bound({ metadata: kept })).kind, 'hostPath');
});
