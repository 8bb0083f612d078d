import assert from 'node:assert/strict';
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	rmSync,
	watch,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type TestContext } from 'node:test';
import type { ContainerConfig } from '../../src/api/contract/container-config.ts';
import { configMaps } from '../../src/api/core/configmap/definition.ts';
import { persistentVolumes } from '../../src/api/core/persistentvolume/definition.ts';
import type { PersistentVolume } from '../../src/api/core/persistentvolume/schema.ts';
import { persistentVolumeClaims } from '../../src/api/core/persistentvolumeclaim/definition.ts';
import type { PersistentVolumeClaim } from '../../src/api/core/persistentvolumeclaim/schema.ts';
import { pods } from '../../src/api/core/pod/definition.ts';
import type { Pod } from '../../src/api/core/pod/schema.ts';
import { secrets } from '../../src/api/core/secret/definition.ts';
import { SystemClock } from '../../src/base/clock.ts';
import { FolderVolumes } from '../../src/node/volumes/folder-volumes.ts';
import { PodFolders } from '../../src/node/volumes/pod-folders.ts';
import { OWN_FILES } from '../../src/runtime/files/container-files.ts';
import { eventAbout, inPhase, pod, startNode, type TestNode } from './test-node.ts';

/** A node whose volumes are folders of the test, with what its runtime received. */
interface VolumeNode {
	readonly node: TestNode;
	readonly root: string;
	readonly created: ContainerConfig[];
}

async function startVolumeNode(t: TestContext): Promise<VolumeNode> {
	const root = mkdtempSync(join(tmpdir(), 'stint-inputs-'));
	const [disk, memory] = [join(root, 'disk'), join(root, 'memory')];
	// Of a Pod that was deleted while no agent ran.
	for (const path of [disk, memory]) mkdirSync(join(path, 'left-over'), { recursive: true });
	t.after(() => rmSync(root, { recursive: true, force: true }));
	const folders = new PodFolders({
		files: () => OWN_FILES,
		disk,
		memory: { open: () => memory, existing: () => memory, removeLeftovers: async () => {} },
	});
	const created: ContainerConfig[] = [];
	const volumes = new FolderVolumes({ files: () => OWN_FILES, folders, clock: new SystemClock() });
	const node = await startNode(t, { volumes, created: (config) => void created.push(config) });
	return { node, root, created };
}

const RUNS = ['sleep', '60'];

function withContainer(made: Pod, fields: object, spec: object = {}): Pod {
	const containers = made.spec.containers.map((each) => ({ ...each, ...fields }));
	return { ...made, spec: { ...made.spec, ...spec, containers } };
}

/** A Pod that mounts the volume at /data. */
function mounting(name: string, volume: object, command: readonly string[] = RUNS): Pod {
	const volumeMounts = [{ name: 'v', mountPath: '/data' }];
	return withContainer(pod(name, command), { volumeMounts }, { volumes: [{ name: 'v', ...volume }] });
}

function configMap(name: string, data: Readonly<Record<string, string>>) {
	return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data };
}

const waitingOf = (object: Pod | undefined) => object?.status.containerStatuses?.[0]?.state?.waiting;

const isWaiting = (reason: string) => (object: Pod | undefined) =>
	waitingOf(object)?.reason === reason && waitingOf(object)?.message !== undefined;

/** Resolves once a change in the folder has made `holds` true. */
function replaced(path: string, holds: () => boolean): Promise<void> {
	return new Promise((resolve) => {
		const watcher = watch(path, { persistent: false }, () => {
			if (!holds()) return;
			watcher.close();
			resolve();
		});
		if (holds()) {
			watcher.close();
			resolve();
		}
	});
}

test('a container gets variables, files and the Pod’s own files, which are removed with the Pod', async (t) => {
	const { node, root, created } = await startVolumeNode(t);
	const { client, until } = node.plane;
	await client.resource(configMaps, 'default').create(configMap('settings', { color: 'red' }));
	const data = { password: Buffer.from('x').toString('base64') };
	await client
		.resource(secrets, 'default')
		.create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'login' }, data });
	const made = mounting('p', { secret: { secretName: 'login' } });
	const envFrom = [{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'none', optional: true } }];
	await client.resource(pods, 'default').create(withContainer(made, { envFrom }));
	await until(pods, 'p', inPhase('Running'));
	const [config] = created;
	assert.deepEqual(config?.env, [{ name: 'color', value: 'red' }]);
	const [volume, hosts] = config?.mounts ?? [];
	assert.deepEqual([volume?.containerPath, volume?.readOnly], ['/data', true]);
	assert.ok(volume?.hostPath.startsWith(join(root, 'memory')));
	assert.equal(readFileSync(join(volume?.hostPath ?? '', 'password'), 'utf8'), 'x');
	assert.equal(hosts?.containerPath, '/etc/hosts');
	assert.match(readFileSync(hosts?.hostPath ?? '', 'utf8'), /\n127\.0\.0\.1\tp\n/);
	await client.resource(pods, 'default').delete('p', { gracePeriodSeconds: 0 });
	await until(pods, 'p', (object) => object === undefined);
	for (const name of ['disk', 'memory'])
		await replaced(join(root, name), () => readdirSync(join(root, name)).length === 0);
});

test('a Pod waits for the object of its volume with upstream’s event, and starts when it comes', async (t) => {
	const { node } = await startVolumeNode(t);
	const { client, until } = node.plane;
	await client.resource(pods, 'default').create(mounting('p', { configMap: { name: 'late' } }));
	const message = 'MountVolume.SetUp failed for volume "v" : configmap "late" not found';
	assert.equal((await eventAbout(node, 'p', 'FailedMount')).message, message);
	const waits = await until(pods, 'p', isWaiting('ContainerCreating'));
	assert.equal(waitingOf(waits)?.message, message);
	assert.deepEqual(await node.runtime.listSandboxes(), []);
	await client.resource(configMaps, 'default').create(configMap('late', {}));
	await until(pods, 'p', inPhase('Running'));
});

test('a container waits for the object of a variable, and starts when it has the key', async (t) => {
	const { node, created } = await startVolumeNode(t);
	const { client, until } = node.plane;
	const configMapKeyRef = { name: 'late', key: 'k' };
	const env = [{ name: 'A', valueFrom: { configMapKeyRef } }];
	await client.resource(pods, 'default').create(withContainer(pod('p', RUNS), { env }));
	const reason = 'CreateContainerConfigError';
	const waits = await until(pods, 'p', isWaiting(reason));
	assert.deepEqual(waitingOf(waits), { reason, message: 'configmap "late" not found' });
	assert.equal((await eventAbout(node, 'p', 'Failed')).message, 'Error: configmap "late" not found');
	const startedAt = performance.now();
	await client.resource(configMaps, 'default').create(configMap('late', { other: '1' }));
	const why = "couldn't find key k in ConfigMap default/late";
	await until(pods, 'p', (object) => waitingOf(object)?.message === why);
	await client.resource(configMaps, 'default').update(configMap('late', { k: '2' }));
	await until(pods, 'p', inPhase('Running'));
	assert.ok(performance.now() - startedAt < 8000, 'it waited for its backoff of 10 s');
	assert.deepEqual(created.at(-1)?.env, [{ name: 'A', value: '2' }]);
});

test('the files of a running Pod follow the object and its labels, and stay when the object is deleted', async (t) => {
	const { node, created } = await startVolumeNode(t);
	const { client, until } = node.plane;
	await client.resource(configMaps, 'default').create(configMap('live', { a: '1' }));
	const labels = [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }];
	const sources = [{ configMap: { name: 'live' } }, { downwardAPI: { items: labels } }];
	await client.resource(pods, 'default').create(mounting('p', { projected: { sources } }));
	await until(pods, 'p', inPhase('Running'));
	const path = created[0]?.mounts[0]?.hostPath ?? '';
	const text = (name: string): string => {
		try {
			return readFileSync(join(path, name), 'utf8');
		} catch {
			return '';
		}
	};
	assert.deepEqual([text('a'), text('labels')], ['1', '']);
	const before = readlinkSync(join(path, '..data'));
	await client.resource(configMaps, 'default').update(configMap('live', { a: '2', b: '3' }));
	await replaced(path, () => text('b') === '3');
	assert.equal(text('a'), '2');
	assert.notEqual(readlinkSync(join(path, '..data')), before);
	await client.resource(pods, 'default').patch('p', 'merge', { metadata: { labels: { app: 'x' } } });
	await replaced(path, () => text('labels') === 'app="x"');
	await client.resource(configMaps, 'default').delete('live');
	assert.equal(
		(await eventAbout(node, 'p', 'FailedMount')).message,
		'MountVolume.SetUp failed for volume "v" : configmap "live" not found',
	);
	assert.equal(text('a'), '2');
});

test('the next agent keeps the volumes of running Pods up to date, and removes those of Pods that are gone', async (t) => {
	const { node, root, created } = await startVolumeNode(t);
	const { client, until } = node.plane;
	await client.resource(configMaps, 'default').create(configMap('live', { a: '1' }));
	for (const name of ['p', 'q']) {
		await client.resource(pods, 'default').create(mounting(name, { configMap: { name: 'live' } }));
		await until(pods, name, inPhase('Running'));
	}
	const gone = (await client.resource(pods, 'default').get('q')).metadata.uid ?? '';
	await node.stopAgent();
	await client.resource(configMaps, 'default').update(configMap('live', { a: '2' }));
	await client.resource(pods, 'default').delete('q', { gracePeriodSeconds: 0 });
	await node.startAgent();
	const path = created[0]?.mounts[0]?.hostPath ?? '';
	await replaced(path, () => readFileSync(join(path, 'a'), 'utf8') === '2');
	await client.resource(configMaps, 'default').update(configMap('live', { a: '3' }));
	await replaced(path, () => readFileSync(join(path, 'a'), 'utf8') === '3');
	await replaced(join(root, 'memory'), () => !existsSync(join(root, 'memory', gone)));
});

test('a Pod waits until its claim is bound, and mounts the path of the volume', async (t) => {
	const { node, root, created } = await startVolumeNode(t);
	const { client, until } = node.plane;
	const spec = {
		accessModes: ['ReadWriteOnce'],
		resources: { requests: { storage: '1Gi' } },
		storageClassName: '',
	};
	const claims = client.resource(persistentVolumeClaims, 'default');
	const claim = await claims.create({
		...{ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'c' } },
		spec,
	} as unknown as PersistentVolumeClaim);
	const made = mounting('p', { persistentVolumeClaim: { claimName: 'c', readOnly: true } });
	// The scheduler waits for the claim too.
	await client.resource(pods, 'default').create({ ...made, spec: { ...made.spec, nodeName: 'here' } });
	assert.equal(
		(await eventAbout(node, 'p', 'FailedMount')).message,
		'Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process volumes=[v]: error processing PVC default/c: PVC is not bound',
	);
	const { uid } = claim.metadata;
	await client.resource(persistentVolumes).create({
		...{ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'pv' } },
		spec: {
			...{ capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: root } },
			claimRef: { namespace: 'default', name: 'c', uid },
		},
	} as unknown as PersistentVolume);
	const bound = await claims.update({ ...claim, spec: { ...claim.spec, volumeName: 'pv' } });
	await claims.update({ ...bound, status: { ...bound.status, phase: 'Bound' } }, 'status');
	await until(pods, 'p', inPhase('Running'));
	const [mount] = created.at(-1)?.mounts ?? [];
	assert.deepEqual([mount?.hostPath, mount?.readOnly], [root, true]);
});

test('a Pod gets a token of its account that is bound to it', async (t) => {
	const { node, created } = await startVolumeNode(t);
	const { client, until } = node.plane;
	const sources = [{ serviceAccountToken: { path: 'token', expirationSeconds: 600, audience: 'vault' } }];
	const made = mounting('p', { projected: { sources } });
	const spec = { ...made.spec, serviceAccountName: 'default' };
	await client.resource(pods, 'default').create({ ...made, spec });
	await until(pods, 'p', inPhase('Running'));
	const token = readFileSync(join(created[0]?.mounts[0]?.hostPath ?? '', 'token'), 'utf8');
	const [, claims = ''] = token.split('.');
	const { aud, sub, 'kubernetes.io': own } = JSON.parse(Buffer.from(claims, 'base64url').toString());
	assert.deepEqual([aud, sub], [['vault'], 'system:serviceaccount:default:default']);
	assert.equal(own.pod.name, 'p');
});

test('a value that cannot be resolved keeps the container waiting in CreateContainerConfigError', async (t) => {
	const { node } = await startVolumeNode(t);
	const volumeMounts = [{ name: 'v', mountPath: '/data', subPathExpr: '$(NONE)' }];
	const made = withContainer(mounting('p', { emptyDir: {} }), { volumeMounts });
	await node.plane.client.resource(pods, 'default').create(made);
	const waits = await node.plane.until(pods, 'p', isWaiting('CreateContainerConfigError'));
	const message = 'missing value for NONE';
	assert.equal(waitingOf(waits)?.message, message);
	assert.equal((await eventAbout(node, 'p', 'Failed')).message, `Error: ${message}`);
	assert.deepEqual(await node.runtime.listContainers(), []);
});

test('a container has the variables of the Services that exist when it starts, unless its Pod wants none', async (t) => {
	const { node, created } = await startVolumeNode(t);
	const { client } = node.plane;
	const path = '/api/v1/namespaces/default/services';
	const spec = { clusterIP: '127.96.0.9', ports: [{ port: 5432 }] };
	const body = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'my-db' }, spec };
	await client.transport.request({ method: 'POST', path, body });
	const target = client.resource(pods, 'default');
	await target.create(pod('linked', RUNS));
	await node.plane.until(pods, 'linked', inPhase('Running'));
	const made = pod('alone', RUNS);
	await target.create({ ...made, spec: { ...made.spec, enableServiceLinks: false } });
	await node.plane.until(pods, 'alone', inPhase('Running'));
	const hosts = created.map(({ env }) => env?.find(({ name }) => name === 'MY_DB_SERVICE_HOST')?.value);
	assert.deepEqual(hosts, ['127.96.0.9', undefined]);
});
