import assert from 'node:assert/strict';
import test from 'node:test';
import type { PersistentVolume } from '../../api/core/persistentvolume/schema.ts';
import type { PersistentVolumeClaim } from '../../api/core/persistentvolumeclaim/schema.ts';
import { DEFAULT_CLASS_ANNOTATION } from '../../api/storage/storageclass/definition.ts';
import { openTestServer, refusal } from '../testing/server-contract-suite.ts';

const CLAIMS = '/api/v1/namespaces/default/persistentvolumeclaims';
const VOLUMES = '/api/v1/persistentvolumes';
const CLASSES = '/apis/storage.k8s.io/v1/storageclasses';
const MERGE = { method: 'PATCH', contentType: 'application/merge-patch+json' } as const;
const NEW_CLAIM = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
const NEW_VOLUME = { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' }, hostPath: { path: '/d' } };

async function open() {
	const { server, clock } = await openTestServer();
	const post = async <T>(path: string, body: object): Promise<T> =>
		(await server.request({ method: 'POST', path, body })).object as T;
	return {
		clock,
		claim: (name: string, spec: object = {}): Promise<PersistentVolumeClaim> =>
			post(CLAIMS, { metadata: { name }, spec: { ...NEW_CLAIM, ...spec } }),
		volume: (name: string): Promise<PersistentVolume> =>
			post(VOLUMES, { metadata: { name }, spec: NEW_VOLUME }),
		class: (name: string, fields: object, annotations: object = {}): Promise<unknown> =>
			post(CLASSES, { metadata: { name, annotations }, provisioner: 'example.com/p', ...fields }),
		patch: async <T>(path: string, body: object): Promise<T> =>
			(await server.request({ ...MERGE, path, body })).object as T,
	};
}

test('a new claim and a new volume get the finalizer that protects them', async () => {
	const { claim, volume } = await open();
	assert.deepEqual((await claim('a')).metadata.finalizers, ['kubernetes.io/pvc-protection']);
	assert.deepEqual((await volume('a')).metadata.finalizers, ['kubernetes.io/pv-protection']);
});

test('a claim that names no class gets the default one, and one that names the empty class keeps it', async () => {
	const { claim, class: make } = await open();
	assert.equal((await claim('a')).spec.storageClassName, undefined);
	await make('usual', {}, { [DEFAULT_CLASS_ANNOTATION]: 'true' });
	await make('other', {});
	assert.equal((await claim('b')).spec.storageClassName, 'usual');
	assert.equal((await claim('c', { storageClassName: 'other' })).spec.storageClassName, 'other');
	assert.equal((await claim('d', { storageClassName: '' })).spec.storageClassName, '');
});

test('only a bound claim whose class allows it can grow', async () => {
	const { claim, class: make, patch } = await open();
	await make('fixed', {});
	await make('growing', { allowVolumeExpansion: true });
	const larger = { spec: { resources: { requests: { storage: '2Gi' } } } };
	const prefix = 'persistentvolumeclaims "fixed" is forbidden: ';
	await claim('fixed', { storageClassName: 'fixed' });
	await claim('growing', { storageClassName: 'growing' });
	for (const name of ['fixed', 'growing']) {
		await patch(`${CLAIMS}/${name}/status`, { status: { phase: 'Bound', capacity: { storage: '1Gi' } } });
	}
	const error = await refusal(patch(`${CLAIMS}/fixed`, larger));
	assert.equal(
		error.message,
		`${prefix}only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize`,
	);
	const grown = await patch<PersistentVolumeClaim>(`${CLAIMS}/growing`, larger);
	assert.equal(grown.spec.resources?.requests?.storage, '2Gi');
});

test('the time of the phase of a volume follows the phase', async () => {
	const { volume, patch, clock } = await open();
	const created = await volume('a');
	assert.equal(created.status.lastPhaseTransitionTime, created.metadata.creationTimestamp);
	await clock.advance(5000);
	const path = `${VOLUMES}/a/status`;
	const next = await patch<PersistentVolume>(path, { status: { phase: 'Available' } });
	const since = next.status.lastPhaseTransitionTime ?? '';
	assert.equal(Date.parse(since) - Date.parse(created.metadata.creationTimestamp ?? ''), 5000);
	await clock.advance(5000);
	const same = await patch<PersistentVolume>(path, {
		status: { message: 'x', lastPhaseTransitionTime: null },
	});
	assert.equal(same.status.lastPhaseTransitionTime, since);
	const own = '2020-01-01T00:00:00Z';
	const set = await patch<PersistentVolume>(path, {
		status: { phase: 'Bound', lastPhaseTransitionTime: own },
	});
	assert.equal(set.status.lastPhaseTransitionTime, own);
});
