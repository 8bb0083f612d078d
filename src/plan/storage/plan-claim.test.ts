import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { persistentVolumes } from '../../api/core/persistentvolume/definition.ts';
import { type PersistentVolume, persistentVolumeSchema } from '../../api/core/persistentvolume/schema.ts';
import { persistentVolumeClaims } from '../../api/core/persistentvolumeclaim/definition.ts';
import {
	type PersistentVolumeClaim,
	persistentVolumeClaimSchema,
} from '../../api/core/persistentvolumeclaim/schema.ts';
import { decode } from '../../api/schema/decode.ts';
import { DEFAULT_CLASS_ANNOTATION } from '../../api/storage/storageclass/definition.ts';
import type { StorageClass } from '../../api/storage/storageclass/schema.ts';
import { BIND_COMPLETED, SELECTED_NODE } from './annotations.ts';
import { type ClaimPlan, type ClaimSnapshot, planClaim } from './plan-claim.ts';
import { planVolume } from './plan-volume.ts';

function claim(spec: object = {}, metadata: object = {}, status: object = {}): PersistentVolumeClaim {
	const base = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
	const json = {
		metadata: { name: 'c', namespace: 'n', uid: 'u', ...metadata },
		...{ spec: { ...base, ...spec }, status },
	};
	return persistentVolumeClaims.defaults(decode(persistentVolumeClaimSchema, json).value);
}

function volume(
	name: string,
	spec: object = {},
	rest: { status?: object; metadata?: object } = {},
): PersistentVolume {
	const base = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/d' } };
	const json = {
		metadata: { name, ...rest.metadata },
		...{ spec: { ...base, ...spec }, status: { phase: 'Available', ...rest.status } },
	};
	return persistentVolumes.defaults(decode(persistentVolumeSchema, json).value);
}

function classOf(
	name: string,
	fields: Partial<StorageClass> = {},
	annotations: Record<string, string> = {},
): StorageClass {
	const metadata = { name, annotations };
	const base = {
		apiVersion: 'storage.k8s.io/v1',
		kind: 'StorageClass',
		metadata,
		provisioner: 'example.com/p',
	};
	return { ...base, volumeBindingMode: 'Immediate', ...fields };
}

function plan(of: PersistentVolumeClaim, seen: Partial<Omit<ClaimSnapshot, 'claim'>> = {}): ClaimPlan {
	const volumes = [...(seen.volumes ?? [])];
	const named = (name: string): PersistentVolume | undefined =>
		volumes.find(({ metadata }) => metadata.name === name);
	return planClaim({ claim: of, classes: [], waitingPods: [], ...seen, volumes, volume: named });
}

const bound = (result: ClaimPlan): unknown =>
	result.kind === 'bind' ? result.volume.metadata.name : result.kind;

test('the smallest volume with the fewest further modes is chosen', () => {
	const wide = volume('wide', { accessModes: ['ReadWriteOnce', 'ReadWriteMany'] });
	const large = volume('large', { capacity: { storage: '9Gi' } });
	const fits = volume('fits', { capacity: { storage: '2Gi' } });
	assert.equal(bound(plan(claim(), { volumes: [wide, large, fits] })), 'fits');
	assert.equal(bound(plan(claim(), { volumes: [wide, large] })), 'large');
	assert.equal(bound(plan(claim({ accessModes: ['ReadWriteMany'] }), { volumes: [wide, large] })), 'wide');
});

test('a volume that does not fit is not bound', () => {
	const rows: readonly (readonly [object, PersistentVolume])[] = [
		[{}, volume('v', { capacity: { storage: '1Mi' } })],
		[{}, volume('v', { storageClassName: 'x' })],
		[{}, volume('v', { volumeMode: 'Block' })],
		[{}, volume('v', { claimRef: { namespace: 'n', name: 'other' } })],
		[{}, volume('v', { claimRef: { namespace: 'n', name: 'c', uid: 'before' } })],
		[{}, volume('v', {}, { status: { phase: 'Released' } })],
		[{}, volume('v', {}, { metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' } })],
		[{ selector: { matchLabels: { a: 'b' } } }, volume('v')],
		[{ accessModes: ['ReadWriteMany'] }, volume('v')],
	];
	for (const [spec, one] of rows) assert.equal(plan(claim(spec), { volumes: [one] }).kind, 'wait');
	const labelled = volume('v', {}, { metadata: { labels: { a: 'b' } } });
	assert.equal(bound(plan(claim({ selector: { matchLabels: { a: 'b' } } }), { volumes: [labelled] })), 'v');
});

test('a volume that is reserved for the claim is bound before a smaller one', () => {
	const reserved = volume('reserved', {
		capacity: { storage: '9Gi' },
		claimRef: { namespace: 'n', name: 'c' },
	});
	assert.equal(bound(plan(claim(), { volumes: [volume('small'), reserved] })), 'reserved');
});

test('a claim of a class that waits is bound only to a reserved volume, and provisioned once a node is selected', () => {
	const classes = [classOf('slow', { volumeBindingMode: 'WaitForFirstConsumer' })];
	const given = claim({ storageClassName: 'slow' });
	const free = volume('v', { storageClassName: 'slow' });
	const waits = plan(given, { classes, volumes: [free], waitingPods: ['a', 'b'] });
	assert.ok(waits.kind === 'wait');
	assert.equal(waits.event?.message, 'waiting for pods a,b to be scheduled');
	assert.equal(waits.event?.reason, 'WaitForPodScheduled');
	const selected = claim({ storageClassName: 'slow' }, { annotations: { [SELECTED_NODE]: 'x' } });
	const result = plan(selected, { classes });
	assert.ok(result.kind === 'provision');
	assert.match(
		result.event.message,
		/^Waiting for a volume to be created either by the external provisioner 'example.com\/p' or/,
	);
});

test('a claim without a class gets a default class that came later', () => {
	const classes = [classOf('usual', {}, { [DEFAULT_CLASS_ANNOTATION]: 'true' })];
	const result = plan(claim(), { classes });
	assert.ok(result.kind === 'set class');
	assert.equal(result.className, 'usual');
	assert.equal(plan(claim({ storageClassName: '' }), { classes }).kind, 'wait');
	assert.equal(bound(plan(claim(), { classes, volumes: [volume('v')] })), 'v');
});

test('a class that does not exist is reported', () => {
	const result = plan(claim({ storageClassName: 'x' }));
	assert.ok(result.kind === 'report');
	assert.equal(result.event.message, 'storageclass.storage.k8s.io "x" not found');
});

test('a claim that names a volume is bound to it or told why not', () => {
	const given = claim({ volumeName: 'v' });
	assert.equal(bound(plan(given, { volumes: [volume('v')] })), 'v');
	assert.equal(plan(given).kind, 'wait');
	const message = (one: PersistentVolume): unknown => {
		const result = plan(given, { volumes: [one] });
		return result.kind === 'wait' ? result.event?.message : undefined;
	};
	assert.equal(
		message(volume('v', { capacity: { storage: '1Mi' } })),
		'Cannot bind to requested volume "v": requested PV is too small',
	);
	assert.equal(
		message(volume('v', { claimRef: { namespace: 'n', name: 'other' } })),
		'volume "v" already bound to a different claim.',
	);
});

const DONE = { annotations: { [BIND_COMPLETED]: 'yes' } };

test('a claim that was bound is bound or lost, and never gets another volume', () => {
	const property = fc.property(
		fc.constantFrom(undefined, 'v', 'w'),
		fc.constantFrom(undefined, 'u', 'other'),
		fc.boolean(),
		(volumeName, uid, exists) => {
			const reference = uid && { claimRef: { namespace: 'n', name: 'c', uid } };
			const volumes = [volume('free'), ...(exists ? [volume('v', { ...reference })] : [])];
			const result = plan(claim({ ...(volumeName && { volumeName }) }, DONE), { volumes });
			if (result.kind !== 'bind') return result.kind === 'lose';
			return result.volume.metadata.name === volumeName && uid !== 'other';
		},
	);
	fc.assert(property);
});

test('a volume is released only if its claim is gone', () => {
	const reference = { claimRef: { namespace: 'n', name: 'c', uid: 'u' } };
	assert.equal(planVolume(volume('v', reference), claim({ volumeName: 'v' })).kind, 'set phase');
	assert.equal(planVolume(volume('v', reference), claim()).kind, 'bind claim');
	assert.equal(planVolume(volume('v', reference), claim({ volumeName: 'w' })).kind, 'unbind');
	assert.equal(planVolume(volume('v', reference), claim({ volumeMode: 'Block' })).kind, 'report mismatch');
	assert.equal(planVolume(volume('v'), undefined).kind, 'none');
	assert.deepEqual(planVolume(volume('v', reference), undefined), {
		kind: 'release',
		reclaim: { kind: 'leave' },
		because: 'its claim is gone',
	});
});

test('a released volume that cannot be reclaimed fails with the text of upstream', () => {
	const message = (spec: object): unknown => {
		const reference = { claimRef: { namespace: 'n', name: 'c', uid: 'u' } };
		const result = planVolume(volume('v', { ...reference, ...spec }), undefined);
		if (result.kind !== 'release') return result.kind;
		return result.reclaim.kind === 'fail' ? result.reclaim.event.message : 'left';
	};
	assert.equal(
		message({ persistentVolumeReclaimPolicy: 'Recycle' }),
		'No recycler plugin found for the volume!',
	);
	assert.match(
		String(message({ persistentVolumeReclaimPolicy: 'Delete' })),
		/no deletable volume plugin matched$/,
	);
	assert.equal(message({ persistentVolumeReclaimPolicy: 'Retain' }), 'left');
});
