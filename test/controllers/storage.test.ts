import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { ApiRequest } from '../../src/api/contract/transport.ts';
import { events } from '../../src/api/core/event/definition.ts';
import type { Event } from '../../src/api/core/event/schema.ts';
import { persistentVolumes } from '../../src/api/core/persistentvolume/definition.ts';
import type { PersistentVolume } from '../../src/api/core/persistentvolume/schema.ts';
import { persistentVolumeClaims } from '../../src/api/core/persistentvolumeclaim/definition.ts';
import type { PersistentVolumeClaim } from '../../src/api/core/persistentvolumeclaim/schema.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { findCondition } from '../../src/api/meta/conditions.ts';
import type { KubeObject } from '../../src/api/meta/object-meta.ts';
import { Client } from '../../src/client/client.ts';
import { createLocalClass } from '../../src/controllers/local-provisioner/local-class.ts';
import { type ControlPlane, type ControlPlaneSetup, startControlPlane } from '../support/control-plane.ts';
import { intercepted } from '../support/reach.ts';
import { test, transportFor } from '../support/transports.ts';

const REQUEST = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };

function claimOf(name: string, spec: object = {}): PersistentVolumeClaim {
	const metadata = { name };
	return {
		apiVersion: 'v1',
		kind: 'PersistentVolumeClaim',
		metadata,
		spec: { ...REQUEST, ...spec },
		status: {},
	};
}

function volumeOf(name: string, spec: object = {}): PersistentVolume {
	const base = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/data' } };
	return {
		apiVersion: 'v1',
		kind: 'PersistentVolume',
		metadata: { name },
		spec: { ...base, ...spec },
		status: {},
	};
}

function podOf(name: string, volume: object): Pod {
	const spec = { containers: [{ name: 'main', image: 'busybox' }], volumes: [{ name: 'data', ...volume }] };
	return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec, status: {} } as unknown as Pod;
}

const using = (claimName: string): object => ({ persistentVolumeClaim: { claimName } });

/** The folders of the node `here`, in memory. */
class Folders {
	readonly names = new Set<string>();

	async make(name: string): Promise<string> {
		this.names.add(name);
		return `/volumes/${name}`;
	}

	async remove(name: string): Promise<void> {
		this.names.delete(name);
	}
}

async function start(t: TestContext, setup: ControlPlaneSetup = {}) {
	const folders = new Folders();
	const localVolumes = { nodeName: 'here', folders };
	const plane = await startControlPlane(t, undefined, { ...setup, localVolumes });
	await createLocalClass(plane.client);
	await plane.addNode('here', 4);
	return {
		...plane,
		folders,
		claims: plane.client.resource(persistentVolumeClaims, 'default'),
		volumes: plane.client.resource(persistentVolumes),
		pods: plane.client.resource(pods, 'default'),
	};
}

const inPhase =
	(phase: string) =>
	(object: (KubeObject & { readonly status: { readonly phase?: string } }) | undefined): boolean =>
		object?.status.phase === phase;

/** Resolves to the first Event with this reason about the object with this name. */
async function eventOf(plane: ControlPlane, name: string, reason: string): Promise<Event> {
	for (;;) {
		const { items, metadata } = await plane.client.resource(events).list();
		const found = items.find((each) => each.involvedObject.name === name && each.reason === reason);
		if (found) return found;
		const next = Promise.withResolvers<void>();
		const watch = await plane.client
			.resource(events)
			.watch(
				{ resourceVersion: metadata.resourceVersion },
				{ events: () => next.resolve(), ended: () => next.resolve() },
			);
		await next.promise;
		watch.stop();
	}
}

test('a claim without a class is bound to the smallest volume that fits, and that is released with it', async (t) => {
	const plane = await start(t);
	await plane.volumes.create(volumeOf('large', { capacity: { storage: '5Gi' } }));
	await plane.volumes.create(volumeOf('fits', { capacity: { storage: '2Gi' } }));
	await plane.volumes.create(volumeOf('small', { capacity: { storage: '1Mi' } }));
	await plane.until(persistentVolumes, 'fits', inPhase('Available'));
	await plane.until(persistentVolumes, 'large', inPhase('Available'));
	await plane.claims.create(claimOf('c', { storageClassName: '' }));
	const claim = await plane.until(persistentVolumeClaims, 'c', inPhase('Bound'));
	assert.equal(claim?.spec.volumeName, 'fits');
	assert.deepEqual(claim?.status.capacity, { storage: '2Gi' });
	const { annotations } = claim?.metadata ?? {};
	assert.deepEqual(annotations, {
		'pv.kubernetes.io/bind-completed': 'yes',
		'pv.kubernetes.io/bound-by-controller': 'yes',
	});
	const volume = await plane.until(persistentVolumes, 'fits', inPhase('Bound'));
	assert.equal(volume?.spec.claimRef?.uid, claim?.metadata.uid);
	await plane.claims.delete('c');
	await plane.until(persistentVolumes, 'fits', inPhase('Released'));
});

test('a claim that no volume fits tells why, and is bound once a volume comes', async (t) => {
	const plane = await start(t);
	await plane.claims.create(claimOf('c', { storageClassName: '' }));
	const event = await eventOf(plane, 'c', 'FailedBinding');
	assert.equal(event.message, 'no persistent volumes available for this claim and no storage class is set');
	assert.equal(event.source?.component, 'persistentvolume-controller');
	await plane.volumes.create(volumeOf('v'));
	assert.ok(await plane.until(persistentVolumeClaims, 'c', inPhase('Bound')));
	await plane.volumes.delete('v');
	await plane.volumes.patch('v', 'merge', { metadata: { finalizers: [] } });
	await plane.until(persistentVolumeClaims, 'c', inPhase('Lost'));
	const lost = await eventOf(plane, 'c', 'ClaimLost');
	assert.equal(lost.message, 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
});

test('a released volume of policy Delete without a provisioner fails, with the reason', async (t) => {
	const plane = await start(t);
	await plane.volumes.create(volumeOf('v', { persistentVolumeReclaimPolicy: 'Delete' }));
	await plane.claims.create(claimOf('c', { storageClassName: '', volumeName: 'v' }));
	await plane.until(persistentVolumeClaims, 'c', inPhase('Bound'));
	await plane.claims.delete('c');
	const failed = await plane.until(persistentVolumes, 'v', inPhase('Failed'));
	assert.equal(
		failed?.status.message,
		'error getting deleter volume plugin for volume "v": no deletable volume plugin matched',
	);
	assert.equal((await eventOf(plane, 'v', 'VolumeFailedDelete')).type, 'Warning');
});

test('a claim of the local class waits for a Pod, gets a folder, and loses it when it is deleted', async (t) => {
	const plane = await start(t);
	await plane.claims.create(claimOf('c'));
	const waits = await eventOf(plane, 'c', 'WaitForFirstConsumer');
	assert.equal(waits.message, 'waiting for first consumer to be created before binding');
	await plane.pods.create(podOf('p', using('c')));
	const pod = await plane.until(pods, 'p', (found) => found?.spec.nodeName !== undefined);
	assert.equal(pod?.spec.nodeName, 'here');
	const claim = await plane.claims.get('c');
	assert.equal(claim.status.phase, 'Bound');
	assert.equal(claim.metadata.annotations?.['volume.kubernetes.io/selected-node'], 'here');
	const folder = `pvc-${claim.metadata.uid}_default_c`;
	assert.deepEqual([...plane.folders.names], [folder]);
	const volume = await plane.volumes.get(claim.spec.volumeName ?? '');
	assert.deepEqual(volume.spec.hostPath, { path: `/volumes/${folder}`, type: 'DirectoryOrCreate' });
	assert.equal(volume.spec.persistentVolumeReclaimPolicy, 'Delete');
	assert.ok(await eventOf(plane, 'c', 'ProvisioningSucceeded'));
	// The Pod keeps the claim.
	await plane.claims.delete('c');
	assert.ok((await plane.claims.get('c')).metadata.deletionTimestamp);
	await plane.pods.delete('p', { gracePeriodSeconds: 0 });
	await plane.until(persistentVolumeClaims, 'c', (found) => found === undefined);
	await plane.until(persistentVolumes, volume.metadata.name ?? '', (found) => found === undefined);
	assert.deepEqual([...plane.folders.names], []);
});

test('a bound claim of the local class that grows is expanded, with events', async (t) => {
	const plane = await start(t);
	await plane.claims.create(claimOf('data'));
	await plane.pods.create(podOf('user', using('data')));
	const bound = await plane.until(persistentVolumeClaims, 'data', inPhase('Bound'));
	const grow = (storage: string): Promise<unknown> =>
		plane.claims.patch('data', 'merge', { spec: { resources: { requests: { storage } } } });
	await grow('3Gi');
	const hasGrown = (claim: PersistentVolumeClaim | undefined): boolean =>
		claim?.status.capacity?.storage === '3Gi';
	const grown = await plane.until(persistentVolumeClaims, 'data', hasGrown);
	const { conditions, allocatedResources, allocatedResourceStatuses } = grown?.status ?? {};
	assert.deepEqual([allocatedResources, allocatedResourceStatuses], [{ storage: '3Gi' }, undefined]);
	assert.ok(!conditions?.some(({ type }) => type === 'Resizing'));
	const volume = await plane.volumes.get(bound?.spec.volumeName ?? '');
	assert.equal(volume.spec.capacity?.storage, '3Gi');
	const told = await Promise.all(
		['ExternalExpanding', 'Resizing', 'VolumeResizeSuccessful'].map((reason) =>
			eventOf(plane, 'data', reason),
		),
	);
	assert.deepEqual(
		told.map(({ message, source }) => [source?.component, message]),
		[
			['volume_expand', 'waiting for an external controller to expand this PVC'],
			['stint.io/local', `External resizer is resizing volume ${volume.metadata.name}`],
			['stint.io/local', 'Resize volume succeeded'],
		],
	);
	await assert.rejects(grow('2Gi'), /field can not be less than status.capacity/);
});

test('the provisioner removes a volume that another writer changes meanwhile, and reports no error', async (t) => {
	const errors: unknown[] = [];
	let api: Client | undefined;
	const changed = new Set<string>();
	/** Changes the volume just before the provisioner removes its finalizer. */
	const interfere = async ({ method, path, body }: ApiRequest): Promise<void> => {
		const name = /^\/api\/v1\/persistentvolumes\/([^/]+)$/.exec(path)?.[1];
		const text = JSON.stringify(body);
		const removesFinalizer = text?.includes('"finalizers"') && !text.includes('external-provisioner');
		if (method !== 'PATCH' || !name || !removesFinalizer || changed.has(name)) return;
		changed.add(name);
		await api?.resource(persistentVolumes).patch(name, 'merge', { metadata: { labels: { touched: 'yes' } } });
	};
	const plane = await start(t, {
		onError: (component, _key, error) => {
			if (component === 'local-provisioner') errors.push(error);
		},
		reach: async (server) => {
			api = new Client(server);
			return intercepted(transportFor(t, server), {
				request: async (request, send) => {
					await interfere(request);
					return send();
				},
			});
		},
	});
	await plane.claims.create(claimOf('data'));
	await plane.pods.create(podOf('user', using('data')));
	const claim = await plane.until(persistentVolumeClaims, 'data', inPhase('Bound'));
	await plane.pods.delete('user', { gracePeriodSeconds: 0 });
	await plane.claims.delete('data');
	await plane.until(persistentVolumes, claim?.spec.volumeName ?? '', (volume) => volume === undefined);
	assert.equal(changed.size, 1);
	assert.deepEqual(errors, []);
});

test('a Pod waits for a claim that is missing or not bound, and is scheduled when it is bound', async (t) => {
	const plane = await start(t);
	await plane.pods.create(podOf('p', using('c')));
	const message =
		(text: string) =>
		(pod: Pod | undefined): boolean =>
			findCondition(pod?.status.conditions, 'PodScheduled')?.message?.includes(text) ?? false;
	await plane.until(pods, 'p', message('0/1 nodes are available: persistentvolumeclaim "c" not found.'));
	await plane.claims.create(claimOf('c', { storageClassName: '' }));
	const unbound = '0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims.';
	await plane.until(pods, 'p', message(unbound));
	await plane.volumes.create(volumeOf('v'));
	await plane.until(pods, 'p', (pod) => pod?.spec.nodeName === 'here');
});

test('a volume keeps its Pods on the nodes that can access it', async (t) => {
	const plane = await start(t);
	const matchExpressions = [{ key: 'kubernetes.io/hostname', operator: 'In', values: ['there'] }];
	const nodeAffinity = { required: { nodeSelectorTerms: [{ matchExpressions }] } };
	await plane.volumes.create(volumeOf('v', { nodeAffinity }));
	await plane.claims.create(claimOf('c', { storageClassName: '' }));
	await plane.pods.create(podOf('p', using('c')));
	const refused = "0/1 nodes are available: 1 node(s) didn't match PersistentVolume's node affinity.";
	await plane.until(pods, 'p', (pod) => {
		return findCondition(pod?.status.conditions, 'PodScheduled')?.message?.includes(refused) ?? false;
	});
	await plane.addNode('there', 4);
	await plane.until(pods, 'p', (pod) => pod?.spec.nodeName === 'there');
});

test('a claim with the mode ReadWriteOncePod is used by one Pod at a time', async (t) => {
	const plane = await start(t);
	await plane.claims.create(claimOf('c', { accessModes: ['ReadWriteOncePod'] }));
	await plane.pods.create(podOf('first', using('c')));
	await plane.until(pods, 'first', (pod) => pod?.spec.nodeName === 'here');
	await plane.pods.create(podOf('second', using('c')));
	const refused = 'PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod';
	await plane.until(pods, 'second', (pod) => {
		return findCondition(pod?.status.conditions, 'PodScheduled')?.message?.includes(refused) ?? false;
	});
	await plane.pods.delete('first', { gracePeriodSeconds: 0 });
	await plane.until(pods, 'second', (pod) => pod?.spec.nodeName === 'here');
});

test('an ephemeral volume gets a claim that the Pod owns, and a foreign claim is a conflict', async (t) => {
	const plane = await start(t);
	const ephemeral = {
		ephemeral: { volumeClaimTemplate: { metadata: { labels: { a: 'b' } }, spec: REQUEST } },
	};
	const pod = await plane.pods.create(podOf('p', ephemeral));
	await plane.until(pods, 'p', (found) => found?.spec.nodeName === 'here');
	const { metadata } = await plane.claims.get('p-data');
	assert.deepEqual(metadata.labels, { a: 'b' });
	assert.equal(metadata.ownerReferences?.[0]?.uid, pod.metadata.uid);
	await plane.claims.create(claimOf('q-data'));
	await plane.pods.create(podOf('q', ephemeral));
	const conflict = await eventOf(plane, 'q', 'FailedBinding');
	const text = 'PVC default/q-data was not created for pod default/q (pod is not owner)';
	assert.equal(conflict.message, `ephemeral volume data: ${text}`);
});

test('a bound claim says whether Pods use it', async (t) => {
	const plane = await start(t);
	await plane.volumes.create(volumeOf('v'));
	await plane.claims.create(claimOf('c', { storageClassName: '' }));
	const unused =
		(status: string) =>
		(claim: PersistentVolumeClaim | undefined): boolean =>
			claim?.status.conditions?.some((each) => each.type === 'Unused' && each.status === status) ?? false;
	await plane.until(persistentVolumeClaims, 'c', unused('True'));
	await plane.pods.create(podOf('p', using('c')));
	await plane.until(persistentVolumeClaims, 'c', unused('False'));
});

test('the local class is created once, and stays deleted', async (t) => {
	const plane = await start(t);
	const { storageClasses } = await import('../../src/api/storage/storageclass/definition.ts');
	const classes = plane.client.resource(storageClasses);
	await classes.delete('local');
	await createLocalClass(plane.client);
	assert.deepEqual((await classes.list()).items, []);
});
