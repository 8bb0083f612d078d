import assert from 'node:assert/strict';
import test from 'node:test';
import type { Mount } from '../../api/contract/container-config.ts';
import type { Container, Pod } from '../../api/core/pod/schema.ts';
import type { Secret } from '../../api/core/secret/schema.ts';
import type { ClaimObjects } from '../../plan/pod/inputs/claimed-volume.ts';
import { InputError, needKey } from '../../plan/pod/inputs/values.ts';
import { podWith } from '../../plan/pod/testing/pod-with.ts';
import { PodInputs } from './inputs.ts';
import { NetworkFiles } from './network-files.ts';
import { hostOf } from './testing/volume-host.ts';

const FACTS = { allocatable: {}, hostIP: '10.0.0.1' };
const CONTAINER: Container = {
	name: 'c',
	volumeMounts: [{ name: 'v', mountPath: '/v' }],
	envFrom: [{ configMapRef: { name: 'settings' } }, { configMapRef: { name: 'settings' } }],
};

const POD: Pod = {
	...{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', uid: 'u' } },
	spec: { containers: [CONTAINER], volumes: [{ name: 'v', secret: { secretName: 'login' } }] },
	status: {},
};

const CONTAINERS = { inUse: false };
const FIRST = { podIP: '10.1.0.1' };

const PULL_SECRET: Secret = {
	apiVersion: 'v1',
	kind: 'Secret',
	metadata: { name: 'key', namespace: 'ns', uid: 'u' },
	type: 'kubernetes.io/dockercfg',
	data: { '.dockercfg': 'e30=' },
};

/** The stage with these objects, all of them empty, and what it has read and set up. */
function stage(...objects: readonly string[]): {
	readonly inputs: PodInputs;
	readonly steps: readonly string[];
} {
	const steps: string[] = [];
	const volumes = hostOf(steps);
	const inputs = new PodInputs({
		facts: FACTS,
		source: {
			follow: ({ metadata }, needs) => void steps.push(`follow ${needs.length} of ${metadata.name}`),
			forget: (uid) => void steps.push(`forget ${uid}`),
			read: async (need) => {
				steps.push(`read ${needKey(need)}`);
				return objects.includes(needKey(need)) ? new Map() : undefined;
			},
			secret: async (name) => (name === 'key' ? PULL_SECRET : undefined),
			claim: async () => bound(),
		},
		volumes,
		files: new NetworkFiles({
			volumes,
			traits: { hostsFile: 'pod' },
			clusterDns: () => [],
			serviceNames: () => [],
			record: () => {},
		}),
	});
	return { inputs, steps };
}

/** A claim that is bound to a PersistentVolume for one Pod only. */
function bound(): ClaimObjects {
	const metadata = { name: 'c', uid: 'cu' };
	return {
		claim: { metadata, spec: { volumeName: 'pv' }, status: { phase: 'Bound' } },
		volume: {
			metadata: { name: 'pv' },
			spec: { local: { path: '/disk' }, claimRef: { uid: 'cu' }, accessModes: ['ReadWriteOncePod'] },
		},
	} as unknown as ClaimObjects;
}

test('each object is read once for a start, and the volumes are set up once', async () => {
	const { inputs, steps } = stage('configMap/settings', 'secret/login');
	assert.deepEqual((await inputs.setUpVolumes(POD, CONTAINERS)).events, []);
	const values = await inputs.valuesOf(POD, CONTAINER, FIRST);
	assert.deepEqual([...values.data.keys()], ['configMap/settings']);
	assert.equal(values.volumes?.get('v')?.hostPath, '/volumes/v');
	assert.equal(values.hostsFile, '/u/etc-hosts');
	assert.deepEqual(steps, [
		...['follow 3 of p', 'read secret/login', 'set up v', 'read configMap/settings'],
		'hosts # Kubernetes-managed hosts file.',
	]);
});

test('after a restart of the agent, and after a removal, the volumes are set up at the next start', async () => {
	const { inputs, steps } = stage('configMap/settings', 'secret/login');
	await inputs.valuesOf(POD, CONTAINER, FIRST);
	await inputs.remove('u');
	await inputs.valuesOf(POD, CONTAINER, FIRST);
	assert.deepEqual(
		steps.filter((step) => !/^(read|hosts)/.test(step)),
		['follow 3 of p', 'set up v', 'remove u', 'forget u', 'follow 3 of p', 'set up v'],
	);
});

test('a volume that cannot be set up is an event before the sandbox, and an InputError at a start', async () => {
	const { inputs } = stage();
	const message = 'MountVolume.SetUp failed for volume "v" : secret "login" not found';
	assert.deepEqual(await inputs.setUpVolumes(POD, CONTAINERS), {
		events: [{ type: 'Warning', reason: 'FailedMount', message }],
		hasClaimFailure: false,
	});
	await assert.rejects(
		inputs.valuesOf(POD, CONTAINER, FIRST),
		(error) => error instanceof InputError && error.message === message,
	);
});

test('files are stale once an object, a label or the generation has changed, until they are set up again', async () => {
	const { inputs } = stage('configMap/settings', 'secret/login');
	assert.equal(inputs.isStale(POD), true);
	await inputs.setUpVolumes(POD, CONTAINERS);
	assert.equal(inputs.isStale(POD), false);
	inputs.noteChange('u');
	assert.deepEqual([inputs.isStale(POD), inputs.changesOf('u')], [true, 1]);
	await inputs.setUpVolumes(POD, { inUse: true });
	assert.equal(inputs.isStale(POD), false);
	const labelled = { ...POD, metadata: { ...POD.metadata, labels: { a: 'b' } } };
	assert.equal(inputs.isStale(labelled), true);
	await inputs.setUpVolumes(labelled, { inUse: true });
	assert.equal(inputs.isStale(labelled), false);
	inputs.noteChange('unknown');
	assert.equal(inputs.changesOf('unknown'), 0);
});

test('only volumes whose files can change are set up again', async () => {
	const { inputs, steps } = stage('secret/login');
	const volumes = [...(POD.spec.volumes ?? []), { name: 'h', hostPath: { path: '/srv' } }];
	const container = {
		...CONTAINER,
		volumeMounts: ['v', 'h'].map((name) => ({ name, mountPath: `/${name}` })),
	};
	const pod: Pod = { ...POD, spec: { containers: [container], volumes } };
	for (let time = 0; time < 2; time++) await inputs.setUpVolumes(pod, CONTAINERS);
	assert.deepEqual(
		steps.filter((step) => step.startsWith('set up')),
		['set up v', 'set up h', 'set up v'],
	);
	assert.deepEqual([...((await inputs.valuesOf(pod, container, FIRST)).volumes?.keys() ?? [])], ['v', 'h']);
});

test('a PersistentVolume of ReadWriteOncePod is for one Pod, until that is removed', async () => {
	const { inputs } = stage();
	const claiming = (uid: string): Pod => ({
		...POD,
		metadata: { name: 'p', uid },
		spec: { containers: [CONTAINER], volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] },
	});
	assert.deepEqual((await inputs.setUpVolumes(claiming('a'), CONTAINERS)).events, []);
	const refused = await inputs.setUpVolumes(claiming('b'), CONTAINERS);
	assert.deepEqual(
		refused.events.map(({ message }) => message),
		[
			'MountVolume.SetUp failed for volume "pv" : volume uses the ReadWriteOncePod access mode and is already in use by another pod',
		],
	);
	await inputs.remove('a');
	assert.deepEqual((await inputs.setUpVolumes(claiming('b'), CONTAINERS)).events, []);
});

test('the files of variables are read, and the folders of sub-paths are made', async () => {
	const { inputs, steps } = stage('secret/login');
	const fileKeyRef = { volumeName: 'v', path: 'a.env', key: 'A' };
	const container: Container = {
		name: 'c',
		volumeMounts: [{ name: 'v', mountPath: '/v', subPath: 'x' }],
		env: [{ name: 'A', valueFrom: { fileKeyRef } }],
	};
	const values = await inputs.valuesOf(POD, container, { podIP: '' });
	assert.deepEqual(values.envFiles?.get('v/a.env'), {
		path: '/volumes/v/a.env',
		text: "A='/volumes/v a.env'",
	});
	const mountOf = (subPath: string): Mount => ({
		...{ hostPath: '/volumes/v', containerPath: '/v', readOnly: false, subPath },
		...{ recursiveReadOnly: 'Disabled', propagation: 'None' },
	});
	await inputs.makeSubPaths(container, [mountOf(''), mountOf('x')]);
	assert.equal(steps.at(-1), 'make /volumes/v/x');
	await assert.rejects(inputs.makeSubPaths(container, [mountOf('full')]), {
		message: 'failed to create subPath directory for volumeMount "v" of container "c"',
	});
	await assert.rejects(inputs.makeSubPaths(container, [mountOf('out')]), {
		message: 'failed to prepare subPath for volumeMount "v" of container "c"',
	});
});

test('an ephemeral container brings further objects and volumes to a Pod that runs', async () => {
	const { inputs, steps } = stage('secret/login', 'configMap/settings', 'configMap/late');
	const volumes = [...(POD.spec.volumes ?? []), { name: 'late', configMap: { name: 'late' } }];
	const running: Pod = { ...POD, spec: { ...POD.spec, volumes } };
	await inputs.setUpVolumes(running, CONTAINERS);
	const debug: Container = {
		...{ name: 'debug', volumeMounts: [{ name: 'late', mountPath: '/l' }] },
		envFrom: [{ configMapRef: { name: 'late' } }],
	};
	const debugged: Pod = { ...running, spec: { ...running.spec, ephemeralContainers: [debug] } };
	const values = await inputs.valuesOf(debugged, debug, FIRST);
	assert.deepEqual([...(values.volumes?.keys() ?? [])], ['v', 'late']);
	assert.deepEqual([...values.data.keys()], ['configMap/late']);
	assert.equal(steps.filter((step) => step.startsWith('follow'))[1], 'follow 5 of p');
});

test('the Secrets for images are those with credentials; one that does not exist is missing', async () => {
	const { inputs } = stage();
	const pod = podWith({ imagePullSecrets: [{ name: 'key' }, { name: 'gone' }] });
	assert.deepEqual(await inputs.pullSecretsOf(pod), {
		secrets: [{ uid: 'u', namespace: 'ns', name: 'key', text: '{}', isLegacy: true }],
		missing: ['gone'],
	});
});
